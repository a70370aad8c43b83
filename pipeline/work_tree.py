"""Work tree -> what in it isn't committed; the repository's own configuration has no say in it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from pipeline.git import Access, Hardened, hardened

__all__ = ["changes"]

# How files are compared, as this folder's file system or its owner needs it. Anything else may name a program to run.
HARMLESS = re.compile(r"^core\.(filemode|autocrlf|eol|ignorecase|trustctime|checkstat)$")


def changes(folder: Path) -> list[str]:
    """Return the changed and unknown files of the work tree ``folder``, empty when it is clean or bare.

    Its configuration could name filters and monitors for git to run, so that its index and its objects are looked at
    from a repository of ours. Raises GitFailed where that can't be told: what isn't known to be clean isn't clean.
    """
    with (
        hardened(folder, Access(trusted_folder=str(folder))) as git,
        tempfile.TemporaryDirectory(prefix="shipway-status-") as scratch,
    ):
        if git.call("rev-parse", "--is-bare-repository").strip() == "true":
            return []
        ours = Path(scratch) / "git"
        settings = _look_alike(git, ours)
        options = ("--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=all")
        where = ("--git-dir", str(ours), "--work-tree", str(folder), "-c", "core.bare=false")
        listed = git.call(*where, *settings, "status", *options)
    return [entry[3:] for entry in listed.split("\0") if entry]


def _look_alike(git: Hardened, ours: Path) -> list[str]:
    """Make the repository ``ours`` with the index, the objects and the HEAD of the one that ``git`` is in."""
    head = git.call("rev-parse", "--verify", "HEAD^{commit}").strip()
    git.call("init", "--bare", "--quiet", str(ours))
    (ours / "objects" / "info" / "alternates").write_bytes(os.fsencode(_path(git, "objects")) + b"\n")
    index = Path(_path(git, "index"))
    for file in (index, *index.parent.glob("sharedindex.*")):
        if file.is_file():
            # With its time: a file that is as young as the index is compared by content.
            shutil.copy2(file, ours / file.name)
    exclude = Path(_path(git, "info/exclude"))
    if exclude.is_file():
        shutil.copy2(exclude, ours / "info" / "exclude")
    git.call("--git-dir", str(ours), "update-ref", "--no-deref", "HEAD", head)
    listed = git.call("config", "--null", "--list").split("\0")
    kept = [entry.partition("\n") for entry in listed]
    return [part for name, _, value in kept if HARMLESS.match(name) for part in ("-c", f"{name}={value}")]


def _path(git: Hardened, name: str) -> str:
    return git.call("rev-parse", "--path-format=absolute", "--git-path", name).removesuffix("\n")

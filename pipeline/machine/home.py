"""SHIPWAY_HOME: its layout, the mark that says it is ours, the lock that callers share, and its removal."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clients.process import run
from pipeline.errors import PipelineError

__all__ = ["HOME_LABEL", "LAYOUT", "MARK", "claim", "home_id", "lock", "mounts_below", "remove", "unmount_below"]

HOME_LABEL = "shipway.home"
"""The label, on everything made in a container engine, that says which home (``home_id``) it belongs to."""

MARK = ".shipway-home"

LAYOUT = {
    "base-images": "room for base images in the making",
    "config.yaml": "settings",
    "daemons": "what runs: one record a process",
    "docker": "the Docker client's configuration, with the buildx plugin",
    "engine": "the data of the home's own container engine",
    "locks": "held while something is started or stopped",
    "logs": "what the processes wrote",
    "mirrors": "mirrors of GitOps repositories",
    "plateform-gitops.git": "the embedded GitOps repository",
    "preview": "the state of the preview's router",
    "registry": "the embedded registry: data, configuration, login",
    "registry-reachable": "when a container registry was last asked for",
    "runs": "one folder a run",
    "secrets": "files that builds mount",
    "tools": "programs that were fetched for this home alone",
    "trivy": "the scanner's cache",
}
"""The entries that a home may hold before it is marked; others mean that the folder is somebody else's too."""


def home_id(home: Path) -> str:
    """Return the short, stable name (12 hex digits) of the home at this path."""
    return hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]


def claim(home: Path) -> None:
    """Make ``home`` (mode 0700) and mark it as ours; a folder with foreign entries is used but never marked."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = home / MARK
    if not mark.exists() and all(entry.name in LAYOUT for entry in home.iterdir()):
        mark.write_text("shipway/home/v1\n", encoding="utf-8")


@contextmanager
def lock(home: Path, name: str) -> Iterator[None]:
    """Hold the lock ``name`` of ``home``; a second caller, in any process, waits."""
    folder = home / "locks"
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:  # removed between the two calls
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            # Whoever held it may have removed the home: a lock on a file that is gone protects nothing.
            if _same_file(handle, folder / name):
                yield
                return
        finally:
            os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(handle)
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def mounts_below(folder: Path, mountinfo: str) -> tuple[Path, ...]:
    """Return the mount points at or below ``folder`` in the text of ``/proc/self/mountinfo``, deepest first."""
    points = (line.split(" ")[4] for line in mountinfo.splitlines() if line.count(" ") >= 5)
    paths = {Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)) for point in points}
    below = [path for path in paths if path.is_relative_to(folder)]
    return tuple(sorted(below, key=lambda path: (-len(path.parts), str(path))))


def unmount_below(folder: Path) -> None:
    """Unmount everything at or below ``folder``, so that removing it can't reach into another file system."""
    table = Path("/proc/self/mountinfo")
    if not table.exists():
        return
    for point in mounts_below(folder.resolve(), table.read_text(encoding="utf-8", errors="surrogateescape")):
        done = run(["umount", "--lazy", str(point)], timeout=30)
        done.check(f"{point} could not be unmounted", fix="unmount it by hand, then run the same command again")


def remove(home: Path) -> None:
    """Remove ``home``: all of it when it is marked as ours, else only the entries of the layout."""
    unmount_below(home)
    if (home / MARK).is_file():
        _delete(home)
        return
    for name in LAYOUT:
        _delete(home / name)


def _delete(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise PipelineError(
            "home.not_removed",
            f"{path} could not be removed",
            why=str(error),
            fix="remove it by hand",
            kind="outside",
        ) from error

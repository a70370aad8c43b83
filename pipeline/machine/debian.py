"""Debian's package client: packages installed, single files taken out of packages, the machine's own mirrors read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.process import base_environment, find, run
from pipeline.errors import PipelineError

__all__ = [
    "KEYRING",
    "DebianError",
    "Mirrors",
    "extract",
    "install",
    "is_debian",
    "known",
    "mirrors",
    "mirrors_in",
    "update",
]

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
UPDATE_SECONDS = 180
INSTALL_SECONDS = 900
OnLine = Callable[[str], None]


class DebianError(PipelineError):
    """Debian's package client can't do what was asked."""


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Where this machine gets Debian from: the archive, and the security archive if it has one (URIs)."""

    archive: str
    security: str | None

    def sources(self, suite: str) -> tuple[str, ...]:
        """Return the lines of a sources.list for ``suite``, each signed by Debian's own keyring."""
        lines = [f"deb [signed-by={KEYRING}] {self.archive} {suite} main"]
        if self.security:
            lines.append(f"deb [signed-by={KEYRING}] {self.security} {suite}-security main")
        return tuple(lines)


def is_debian() -> bool:
    """Whether this machine installs packages with apt-get."""
    return find("apt-get") is not None and find("dpkg-deb") is not None


def mirrors() -> Mirrors:
    """Return the mirrors of this machine's own apt configuration; raises DebianError if there is none of Debian's."""
    if not is_debian():
        raise _no_mirror("this isn't a Debian machine: it has no apt-get")
    columns = "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)"
    asked = run(["apt-get", "indextargets", "--format", columns, "Created-By: Packages"], timeout=30)
    found = mirrors_in(asked.check("apt's sources could not be read").text)
    if found is None:
        raise _no_mirror("none of apt's package lists comes from Debian")
    return found


def mirrors_in(table: str) -> Mirrors | None:
    """Return the mirrors in ``table``: lines of origin, label and URI with tabs between; None without Debian's.

    A URI that holds a login is passed over, since it would end up in images.
    """
    archive = security = None
    for line in table.splitlines():
        origin, _, rest = line.partition("\t")
        label, _, uri = rest.partition("\t")
        if origin != "Debian" or not uri.startswith(("http://", "https://")) or not _is_plain(uri):
            continue
        if label == "Debian-Security":
            security = security or uri
        elif label == "Debian":
            archive = archive or uri
    return Mirrors(archive, security) if archive else None


def _is_plain(uri: str) -> bool:
    return "@" not in uri and all(" " < letter < "\x7f" and letter not in "'\"\\$`[]#" for letter in uri)


def _no_mirror(why: str) -> DebianError:
    return DebianError(
        "debian.no_mirror",
        "no Debian mirror is known",
        why=why,
        fix="run `apt-get update` on a Debian machine, or use base images from a container registry",
        kind="outside",
    )


def update(on_line: OnLine | None = None) -> None:
    """Refresh apt's package lists."""
    _apt(["update"], "apt's package lists could not be refreshed", UPDATE_SECONDS, on_line)


def known(package: str) -> bool:
    """Whether apt can install ``package``."""
    asked = run(["apt-cache", "policy", package], timeout=30)
    return any(line.strip().startswith("Candidate:") and "(none)" not in line for line in asked.text.splitlines())


def install(packages: Sequence[str], on_line: OnLine | None = None) -> None:
    """Install ``packages`` without asking and without what they merely recommend."""
    names = " ".join(packages)
    argv = ["install", "--yes", "--no-install-recommends", "--", *packages]
    _apt(argv, f"{names} could not be installed", INSTALL_SECONDS, on_line)


def extract(package: str, member: str, target: Path, *, suite: str | None = None) -> None:
    """Put the file ``member`` (``./usr/bin/x``) of ``package`` at ``target``; nothing is installed, nothing started.

    ``suite`` names another release of Debian to take it from; by default the machine's own is used.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as name:
        room = Path(name)
        options = _private(room, mirrors().sources(suite)[0]) if suite else ()
        what = f"{package} could not be fetched"
        if options:
            _apt([*options, "update"], what, UPDATE_SECONDS)
        _apt([*options, "-o", "APT::Sandbox::User=root", "download", package], what, UPDATE_SECONDS, cwd=room)
        archive = next(room.glob("*.deb"))
        run(["dpkg-deb", "--extract", str(archive), str(room / "files")], timeout=120).check(what)
        (room / "files" / member).rename(target)
    target.chmod(0o755)


def _private(room: Path, source: str) -> tuple[str, ...]:
    """Return apt's options for one source line of our own, its state and cache in ``room``."""
    (room / "sources.list").write_text(source + "\n", encoding="utf-8")
    (room / "lists" / "partial").mkdir(parents=True)
    (room / "cache" / "archives" / "partial").mkdir(parents=True)
    settings = {
        "Dir::Etc::SourceList": room / "sources.list",
        "Dir::Etc::SourceParts": os.devnull,
        "Dir::State::Lists": room / "lists",
        "Dir::Cache": room / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    return tuple(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))


def _apt(
    words: Sequence[str],
    what: str,
    timeout: float,
    on_line: OnLine | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    environment = base_environment(DEBIAN_FRONTEND="noninteractive", **(env or {}))
    # Another apt on the machine holds the lock for a while, as after boot: waited for, not failed on.
    argv = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3", *words]
    done = run(argv, timeout=timeout, env=environment, cwd=cwd, on_line=on_line)
    done.check(what, fix="look at what apt says, and whether the machine reaches its package mirror")

"""Real git repositories for the tests, honest ones and ones that git itself would never write."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["HostileRepository", "git", "made"]

WHO = ("-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *args: str, data: bytes = b"") -> str:
    """Run git in ``folder`` and return what it printed."""
    done = subprocess.run(["git", "-C", str(folder), *WHO, *args], input=data, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def made(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Return a repository at ``folder`` with ``files`` in one commit on ``main``; no files, no commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "-b", "main")
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if files:
        git(folder, "add", "-A")
        git(folder, "commit", "--quiet", "-m", "first")
    return folder


class HostileRepository:
    """A bare repository whose objects are written byte by byte."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--bare")
        self.folder = folder

    def blob(self, content: bytes) -> str:
        """Store a blob and return its id."""
        return git(self.folder, "hash-object", "-w", "--stdin", data=content)

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Store a tree of (mode, name, id), whatever the names are."""
        data = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
        return git(self.folder, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=data)

    def commit(self, tree: str) -> str:
        """Store a commit of ``tree``."""
        return git(self.folder, "commit-tree", "-m", "x", tree)

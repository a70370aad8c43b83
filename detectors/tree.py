"""The files of a repository, bounded: the only opener of files in detection, and it never follows a link out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from detectors.errors import DetectionError

__all__ = ["DEFAULT_BOUNDS", "SKIPPED_FOLDERS", "Bounds", "FolderTree", "Tree", "visible"]

SKIPPED_FOLDERS = frozenset({
    ".git", ".hg", ".svn", "node_modules", "bower_components", "jspm_packages", ".venv", "venv",
    ".virtualenv", "__pycache__", ".tox", ".nox", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    ".next", ".nuxt", ".output", ".svelte-kit", ".turbo", ".nx", ".parcel-cache", ".cache",
    ".yarn", ".gradle", ".idea", ".vscode", ".terraform", ".serverless", ".vercel", ".netlify",
    "coverage",
})  # fmt: skip
"""Folders that hold other people's code or what tools left behind; nothing in them says what the repository is."""


class Tree(Protocol):
    """The files of one source tree, by POSIX path from its root."""

    @property
    def paths(self) -> Sequence[str]:
        """Every file's path, sorted; folders aren't listed."""

    def read(self, path: str) -> bytes:
        """Return the bytes of ``path``. Raises DetectionError if it is absent or passes the bound on size."""

    def has(self, path: str) -> bool:
        """Return whether ``path`` is a file of the tree."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a tree is looked at: ``entries`` in all, ``depth`` in folders, ``file_bytes`` of one file."""

    entries: int = 200_000
    depth: int = 24
    file_bytes: int = 4 * 1024 * 1024


DEFAULT_BOUNDS = Bounds()


def visible(path: str) -> bool:
    """Return whether detection looks at ``path``: printable text, in no skipped folder."""
    return path.isprintable() and SKIPPED_FOLDERS.isdisjoint(path.split("/")[:-1])


class FolderTree:
    """A folder on disk as a Tree. A link to a file inside it counts as that file; every other link is absent."""

    def __init__(self, folder: Path, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """Walk ``folder`` once. Raises DetectionError if it is no folder or holds too many entries."""
        self._root = os.path.realpath(folder)
        self._bounds = bounds
        if not Path(self._root).is_dir():
            raise DetectionError(
                "source.no_such_folder",
                f"{folder} is not a folder",
                why="there is nothing of that name, or it is a file",
                fix="give the path of a folder that holds the app's source",
            )
        # The value is where to open the path: itself, or the target of a link that stays inside.
        self._files: dict[str, str] = dict(self._walk())
        self._paths = tuple(sorted(self._files))

    @property
    def paths(self) -> Sequence[str]:
        """Every file's path, sorted."""
        return self._paths

    def has(self, path: str) -> bool:
        """Return whether ``path`` is a file of the tree."""
        return path in self._files

    def read(self, path: str) -> bytes:
        """Return the bytes of ``path``. Raises DetectionError if it is absent, unreadable or too big."""
        if path not in self._files:
            raise DetectionError(
                "tree.no_such_file",
                f"{path} is not in the source tree",
                why="no file of that name is there, or it is a link that leads out of the tree",
                fix="check the name in the manifest that refers to it",
                kind="not_deployable",
            )
        try:
            return self._read(path)
        except OSError as error:
            raise DetectionError(
                "tree.unreadable",
                f"{path} could not be read",
                why=error.strerror or str(error),
                fix="check the file's permissions",
            ) from error

    def _read(self, path: str) -> bytes:
        # Non-blocking, so that a pipe that took the file's place can't hang us.
        descriptor = os.open(
            f"{self._root}/{self._files[path]}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
        with os.fdopen(descriptor, "rb") as file:
            limit = self._bounds.file_bytes
            data = file.read(limit + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        if data is None or len(data) > limit:
            raise DetectionError(
                "tree.file_too_big",
                f"{path} can't be read",
                why="it is not a regular file" if data is None else f"it has more than {limit // 1024} KiB",
                fix="keep generated and binary data out of the files that describe the app",
                kind="not_deployable",
            )
        return data

    def _walk(self) -> Iterator[tuple[str, str]]:
        left = self._bounds.entries
        folders = [("", 0)]
        while folders:
            prefix, depth = folders.pop()
            for entry in self._entries(prefix):
                left -= 1
                if left < 0:
                    raise self._too_many()
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if depth < self._bounds.depth and visible(f"{path}/"):
                        folders.append((f"{path}/", depth + 1))
                elif visible(path) and (target := self._target(entry, path)):
                    yield path, target

    def _entries(self, prefix: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(f"{self._root}/{prefix}") as entries:
                yield from entries
        except OSError:
            # A folder that we may not list is a folder that says nothing.
            return

    def _target(self, entry: os.DirEntry[str], path: str) -> str | None:
        if not entry.is_symlink():
            return path if entry.is_file(follow_symlinks=False) else None
        real = os.path.realpath(entry.path)
        inside = real.startswith(self._root + "/") and Path(real).is_file()
        relative = real[len(self._root) + 1 :]
        return relative if inside and visible(relative) else None

    def _too_many(self) -> DetectionError:
        return DetectionError(
            "tree.too_many_entries",
            f"the source tree has more than {self._bounds.entries:,} files and folders",
            why="detection looks at a bounded number, so that no repository can hang it",
            fix="deploy the app's own folder (`--root`), or keep generated files out of the repository",
            kind="not_deployable",
        )

"""One folder of a tree, seen by names relative to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.errors import DetectionError
from detectors.tree import Tree, visible

__all__ = ["Budget", "Folder"]


@dataclass(slots=True)
class Budget:
    """How many bytes of source may still be read and parsed in one detection, so that its time is bounded."""

    read: int = 32 * 1024 * 1024
    parse: int = 1024 * 1024

    def may_parse(self, text: str) -> bool:
        """Take the size of ``text`` off the budget, and return whether it was within."""
        self.parse -= len(text)
        return self.parse >= 0


class Folder:
    """The part of ``tree`` below ``root`` ("." for all of it), without what detection doesn't look at."""

    def __init__(self, tree: Tree, root: str = ".", *, within: Folder | None = None) -> None:
        """Index the folder; ``within`` is an outer folder of the same tree, whose index is reused."""
        self.tree = tree
        self.root = root
        self.budget: Budget = within.budget if within else Budget()
        self._prefix = "" if root == "." else f"{root}/"
        paths = (within.at(name) for name in within.files) if within else filter(visible, tree.paths)
        cut = len(self._prefix)
        self.files: tuple[str, ...] = tuple(path[cut:] for path in paths if path.startswith(self._prefix))
        self._names = frozenset(self.files)

    def has(self, name: str) -> bool:
        """Return whether the folder holds the file ``name``."""
        return name in self._names

    def at(self, name: str) -> str:
        """Return the path of ``name`` from the repository's root."""
        return self._prefix + name

    def first(self, names: Iterable[str]) -> str | None:
        """Return the first of ``names`` that is there."""
        return next((name for name in names if name in self._names), None)

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of ``name``. Raises DetectionError if there are more than ``limit``, or it is absent."""
        data = self.tree.read(self.at(name))
        if len(data) > limit:
            raise DetectionError(
                "manifest.too_big",
                f"{self.at(name)} has more than {limit // 1024} KiB",
                why="no file of this kind that a person keeps is so big",
                fix="check that it is the file it says it is",
                kind="not_deployable",
            )
        return data

    def source(self, name: str, limit: int = 256 * 1024) -> str:
        """Return the source text of ``name``: wrong bytes replaced, and nothing if it is bigger than ``limit``.

        Source is only a hint, so that what can't be read, or is past the budget, says nothing instead of failing.
        """
        if self.budget.read <= 0:
            return ""
        try:
            data = self.read(name, limit)
        except DetectionError:
            return ""
        self.budget.read -= len(data)
        return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")

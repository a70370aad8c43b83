"""The workspace around a folder: its lock file, and its packages that the folder needs but can't be built with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from detectors.errors import DetectionError
from detectors.folder import Folder
from detectors.found import Found
from detectors.manifests import json_document
from detectors.reading.document import Document

__all__ = ["Workspace", "members", "outer_file", "workspace_around"]

FILE = "package.json"
PNPM = "pnpm-workspace.yaml"
MOST_MEMBERS = 200
MEMBER_BYTES = 64 * 1024
_NAME = re.compile(r'"name"\s{0,9}:\s{0,9}"([^"\n]{1,214})"')
_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
# How a dependency says that it is no package of a registry, but a folder or a list elsewhere in the repository.
_ELSEWHERE = ("workspace:", "catalog:", "link:", "portal:", "file:..", "file:/")


@dataclass(frozen=True)
class Workspace:
    """The npm, yarn or pnpm workspace whose root is ``folder``; ``lock`` is the name of its lock file, if any."""

    folder: Folder
    lock: str | None

    @property
    def file(self) -> str:
        """The lock file's path, or else that of the workspace's package.json."""
        return self.folder.at(self.lock or FILE)

    def needed(self, document: Document) -> Found[str] | None:
        """Return the first dependency of the package.json ``document`` that only the whole workspace can give."""
        asked = {name: section for section in _SECTIONS for name in document.table(section)}
        foreign = (name for name, section in asked.items() if _is_elsewhere(document.get(section, name)))
        name = next(foreign, None) or next(self._packages(asked.keys()), None)
        return Found(name, document.file, document.line(asked[name], name), "of the workspace") if name else None

    def _packages(self, names: Set[str]) -> Iterator[str]:
        """Yield each of ``names`` that is a package of the workspace; only manifests that mention one are parsed."""
        for file in members(self.folder):
            mentioned = _NAME.findall(self.folder.source(file, MEMBER_BYTES))
            if not names.isdisjoint(mentioned) and (name := _name(self.folder, file)) in names and name:
                yield name


def workspace_around(folder: Folder, locks: Iterable[str]) -> Workspace | None:
    """Return the workspace that ``folder`` lies in, the nearest; None if it is in none."""
    for outer in _around(folder):
        path = str(outer / FILE)
        if not folder.tree.has(path):
            continue
        whole = Folder(folder.tree, str(outer))
        whole.budget = folder.budget
        if whole.has(PNPM) or _is_root(whole):
            return Workspace(whole, whole.first(locks))
    return None


def outer_file(folder: Folder, name: str) -> str | None:
    """Return the path of the nearest file ``name`` in a folder around ``folder``."""
    return next((path for outer in _around(folder) if folder.tree.has(path := str(outer / name))), None)


def members(folder: Folder) -> list[str]:
    """Return the package.json files below the root of a workspace, whose packages an install at the root links."""
    return [name for name in folder.files if name.endswith(f"/{FILE}")][:MOST_MEMBERS]


def _around(folder: Folder) -> Iterator[PurePosixPath]:
    yield from PurePosixPath(folder.root).parents


def _is_elsewhere(asked: object) -> bool:
    return isinstance(asked, str) and asked.startswith(_ELSEWHERE)


def _is_root(folder: Folder) -> bool:
    try:
        return bool(json_document(folder, FILE).get("workspaces"))
    except DetectionError:
        return False


def _name(folder: Folder, file: str) -> str | None:
    # A broken manifest is the matter of whoever deploys that package.
    try:
        return json_document(folder, file).text("name")
    except DetectionError:
        return None

"""``package.json`` as Node services need it: dependencies, scripts, package manager, asked versions."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.folder import Folder
from detectors.found import Found, warning
from detectors.manifests import json_document
from detectors.model import Evidence
from detectors.pins import mise_version, pin_file, tool_version
from detectors.reading.document import Document, broken
from detectors.reading.workspace import Workspace, workspace_around

__all__ = ["FILE", "LOCKS", "Package", "node_versions", "package_manager", "read_package"]

FILE = "package.json"
# Each lock file and its package manager; where several are there, the first decides.
LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}


@dataclass(frozen=True, slots=True)
class Package:
    """One package.json; ``document`` has the rest of it, ``around`` is the workspace that its folder lies in."""

    folder: Folder
    document: Document
    around: Workspace | None

    @property
    def file(self) -> str:
        """The path from the repository's root."""
        return self.document.file

    def dependency(self, *names: str, dev: bool = True) -> Found[str] | None:
        """Return the first of ``names`` that it depends on; with ``dev`` also for development."""
        for section in ("dependencies", "devDependencies") if dev else ("dependencies",):
            known = self.document.table(section)
            for name in names:
                if name in known:
                    line = self.document.line(section, name)
                    return Found(name, self.file, line, f"{name} is in {section}")
        return None

    def script(self, name: str) -> Found[str] | None:
        """Return the npm script ``name``."""
        text = self.document.text("scripts", name)
        return Found(text, self.file, self.document.line("scripts", name), f"the {name} script") if text else None

    def place(self, why: str, *path: str) -> Found[None]:
        """Return the place of ``path`` in the file."""
        return Found(None, self.file, self.document.line(*path), why)


def read_package(folder: Folder) -> Package:
    """Return the package.json of ``folder``. Raises DetectionError if it is broken or no object."""
    document = json_document(folder, FILE)
    if not isinstance(document.value, dict):
        raise broken(document.file, 1, 1, "it must hold one JSON object")
    return Package(folder, document, workspace_around(folder, LOCKS))


def package_manager(package: Package) -> tuple[Found[str], tuple[Evidence, ...]]:
    """Return the package manager, with warnings: the packageManager field, then the lock file, then npm."""
    folder, around = package.folder, package.around
    locks = [name for name in LOCKS if folder.has(name)]
    managers = list(dict.fromkeys(LOCKS[name] for name in locks))
    field = (package.document.text("packageManager") or "").partition("@")[0]
    if field in ("npm", "yarn", "pnpm", "bun"):
        line = package.document.line("packageManager")
        found = Found(field, package.file, line, "the packageManager field names it")
    elif locks:
        found = Found(managers[0], folder.at(locks[0]), 1, f"{locks[0]} is its lock file")
    elif around and around.lock and LOCKS[around.lock] != "bun":
        found = Found(LOCKS[around.lock], around.file, 1, f"{around.lock} is the lock file of the workspace")
    else:
        found = Found("npm", package.file, 1, "there is no lock file, so the default is taken")
    return found, _lock_warnings(package, found.value, managers)


def _lock_warnings(package: Package, manager: str, managers: list[str]) -> tuple[Evidence, ...]:
    around = package.around
    if not managers and around and around.lock:
        why = (
            f"it is the lock file of the whole workspace; {package.folder.root} is built by itself, without it, so "
            f"that each build may install other versions: commit a lock file beside {package.file}"
        )
        return (warning(around.file, 1, why),)
    if manager not in managers:
        why = f"there is no lock file of {manager}, so that each build may install other versions: commit one"
        return (warning(package.file, 1, why),)
    others = [name for name, owner in LOCKS.items() if package.folder.has(name) and owner != manager]
    return tuple(
        warning(package.folder.at(name), 1, f"{name} is there too, but {manager} is used; remove it") for name in others
    )


def node_versions(package: Package) -> list[Found[str]]:
    """Return every text that asks for a Node version, the one that decides first."""
    folder = package.folder
    asked = [pin_file(folder, name) for name in (".nvmrc", ".node-version")]
    asked += [tool_version(folder, "node", "nodejs"), mise_version(folder, "node", "nodejs")]
    for path in (("volta", "node"), ("devEngines", "runtime", "version"), ("engines", "node")):
        if text := package.document.text(*path):
            asked.append(Found(text, package.file, package.document.line(*path), ".".join(path)))
    return [found for found in asked if found]

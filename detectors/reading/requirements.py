"""What a Python project depends on, and which package manager installs it; parsed, never searched for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detectors.folder import Folder
from detectors.found import Found
from detectors.manifests import line_of, text_of, toml_document
from detectors.reading.document import Document
from detectors.reading.setup_files import setup_requirements

__all__ = ["Project", "read_project"]

REQUIREMENTS = (
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements-prod.txt",
)
MOST_FILES = 20
_NAME = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?)\s*(?:\[([A-Za-z0-9._,\s-]{0,200})\])?(?=\s*[@<>=!~;,\s(]|$)"
)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]{1,100})")
_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s+|=)(\S+)")
# Extras that bring a server along.
_EXTRAS = {("fastapi", "standard"): "uvicorn", ("fastapi", "all"): "uvicorn", ("litestar", "standard"): "uvicorn"}


@dataclass(frozen=True, slots=True)
class Project:
    """``dependencies`` by normalised name; ``manager`` (None where there is nothing to install); its ``manifests``.

    The first of ``manifests`` is the one to install from. ``pyproject`` and ``pipfile`` are parsed where present.
    """

    dependencies: Mapping[str, Found[str]]
    manager: Found[str] | None
    manifests: tuple[str, ...]
    pyproject: Document | None
    pipfile: Document | None

    def first(self, *names: str) -> Found[str] | None:
        """Return the first of ``names`` that the project depends on."""
        return next((self.dependencies[name] for name in names if name in self.dependencies), None)


def read_project(folder: Folder) -> Project:
    """Return the Python project of ``folder``. Raises DetectionError if one of its manifests is broken."""
    pyproject = toml_document(folder, "pyproject.toml") if folder.has("pyproject.toml") else None
    pipfile = toml_document(folder, "Pipfile") if folder.has("Pipfile") else None
    name = folder.first(REQUIREMENTS)
    files = _requirement_files(folder, name) if name else {}
    found: dict[str, Found[str]] = {}
    for dependency in _dependencies(folder, files, pyproject, pipfile):
        found.setdefault(dependency.value, dependency)
    manager = _manager(folder, pyproject, name)
    return Project(found, manager, _manifests(folder, manager, tuple(files)), pyproject, pipfile)


def _dependencies(
    folder: Folder, files: Mapping[str, str], pyproject: Document | None, pipfile: Document | None
) -> Iterator[Found[str]]:
    for name, text in files.items():
        for number, line in _logical_lines(text):
            yield from _requirement(line, folder.at(name), number)
    if pyproject:
        text = text_of(folder, "pyproject.toml")
        for requirement in pyproject.list("project", "dependencies"):
            if isinstance(requirement, str):
                yield from _requirement(requirement, pyproject.file, line_of(text, requirement))
        yield from _table(pyproject, "tool", "poetry", "dependencies")
    if pipfile:
        yield from _table(pipfile, "packages")
    yield from (found for text, file, line in setup_requirements(folder) for found in _requirement(text, file, line))


def _table(document: Document, *path: str) -> Iterator[Found[str]]:
    for name, value in document.table(*path).items():
        extras = value.get("extras") if isinstance(value, Mapping) else None
        listed = ",".join(str(extra) for extra in extras) if isinstance(extras, list) else ""
        yield from _requirement(f"{name}[{listed}]" if listed else name, document.file, document.line(*path, name))


def _requirement(text: str, file: str, line: int) -> Iterator[Found[str]]:
    bare = text.strip()
    egg = _EGG.search(bare)
    match = _NAME.match(egg[1] if egg else bare)
    if match is None:
        return
    name = re.sub(r"[-_.]+", "-", match[1]).lower()
    yield Found(name, file, line, f"{name} is a dependency")
    for extra in (match[2] or "").split(","):
        if brought := _EXTRAS.get((name, extra.strip().lower())):
            yield Found(brought, file, line, f"{name}[{extra.strip()}] brings {brought}")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the requirements of ``text`` with their line: comments, options and continuations left out."""
    continued = False
    for number, line in enumerate(text.split("\n"), 1):
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if bare and not continued and not (bare.startswith("-") and not bare.startswith(("-e", "--editable"))):
            yield number, re.sub(r"^(?:-e|--editable)[\s=]+", "", bare)
        continued = bare.endswith("\\")


def _requirement_files(folder: Folder, name: str) -> dict[str, str]:
    """Return the text of ``name`` and of each file it includes; what leads out of the folder is left out."""
    texts: dict[str, str] = {}
    waiting = [name]
    while waiting and len(texts) < MOST_FILES:
        file = waiting.pop(0)
        if file in texts or not folder.has(file):
            continue
        texts[file] = text_of(folder, file)
        for line in texts[file].split("\n"):
            if included := _INCLUDE.match(line.strip()):
                waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(file), included[1])))
    return texts


def _manager(folder: Folder, pyproject: Document | None, requirements: str | None) -> Found[str] | None:
    for lock, manager in (
        ("uv.lock", "uv"),
        ("poetry.lock", "poetry"),
        ("pdm.lock", "pdm"),
        ("Pipfile.lock", "pipenv"),
    ):
        if folder.has(lock):
            return Found(manager, folder.at(lock), 1, f"{lock} is its lock file")
    if requirements:
        return Found("pip", folder.at(requirements), 1, f"{requirements} lists the dependencies")
    if pyproject:
        return _pyproject_manager(pyproject)
    if folder.has("Pipfile"):
        return Found("pipenv", folder.at("Pipfile"), 1, "there is a Pipfile")
    name = folder.first(("setup.py", "setup.cfg"))
    return Found("pip", folder.at(name), 1, f"{name} lists the dependencies") if name else None


def _pyproject_manager(pyproject: Document) -> Found[str] | None:
    for tool in ("uv", "poetry", "pdm"):
        if pyproject.table("tool", tool):
            return Found(tool, pyproject.file, pyproject.line("tool", tool), f"pyproject.toml configures {tool}")
    if not pyproject.table("project"):
        return None
    # An app need not be a package that builds: pip can't install only its dependencies, uv can.
    return Found("uv", pyproject.file, pyproject.line("project"), "pyproject.toml lists the dependencies, with no lock")


def _manifests(folder: Folder, manager: Found[str] | None, requirements: tuple[str, ...]) -> tuple[str, ...]:
    if manager is None:
        return ()
    locks = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
    wanted: tuple[str, ...] = ("pyproject.toml", locks.get(manager.value, ""))
    if manager.value == "pipenv":
        wanted = ("Pipfile", "Pipfile.lock")
    elif manager.value == "pip":
        wanted = requirements or ("pyproject.toml", "setup.py", "setup.cfg")
    return tuple(name for name in wanted if folder.has(name))

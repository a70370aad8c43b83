"""What a project's setup.cfg and setup.py say it depends on: the first parsed, the second by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from detectors.folder import Folder
from detectors.manifests import text_of
from detectors.reading.python_source import parse_module

__all__ = ["setup_requirements"]

Requirement = tuple[str, str, int]
"""A requirement's text, its file and its line."""


def setup_requirements(folder: Folder) -> Iterator[Requirement]:
    """Yield each requirement that is written out; what setup.py works out when it runs can't be known."""
    if folder.has("setup.cfg"):
        yield from _configured(text_of(folder, "setup.cfg"), folder.at("setup.cfg"))
    module = parse_module(folder, "setup.py", mentioning=("install_requires",)) if folder.has("setup.py") else None
    values = dict(module.assignments()) if module else {}
    for node in ast.walk(module.tree) if module else ():
        if isinstance(node, ast.keyword) and node.arg == "install_requires":
            value = values.get(node.value.id) if isinstance(node.value, ast.Name) else node.value
            for item in value.elts if isinstance(value, (ast.List, ast.Tuple)) else ():
                if isinstance(item, ast.Constant) and isinstance(item.value, str):
                    yield item.value, folder.at("setup.py"), item.lineno


def _configured(text: str, file: str) -> Iterator[Requirement]:
    """Yield the lines of ``install_requires`` in the section ``options``."""
    section, key = "", ""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.partition("#")[0].strip()
        if not bare:
            continue
        if line[0] == "[":
            section, key = bare.strip("[]").strip(), ""
        elif not line[0].isspace():
            key, _, bare = (part.strip() for part in bare.partition("="))
        if section == "options" and key == "install_requires" and bare:
            yield bare, file, number

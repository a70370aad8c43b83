"""YAML with line numbers, from the parser's events: no aliases, no tags, no constructors, bounded depth."""

from __future__ import annotations

import re
from typing import Any

from detectors.errors import DetectionError
from detectors.reading.document import Document, Path, broken

__all__ = ["yaml_documents"]

DEEPEST = 32
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
# Only what YAML 1.2 and 1.1 agree on; a number with a point stays text, so that version 3.10 isn't 3.1.
_WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def yaml_documents(file: str, text: str) -> list[Document]:
    """Return each document of the YAML ``text``; integers, booleans and null are typed, all else is text.

    Raises DetectionError at what is no YAML, at an alias, anchor or tag, and at what nests too deep.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.feed(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise broken(file, line, column, error.problem or "it is not YAML") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise broken(file, 1, 1, str(error).split("\n")[0]) from error
    return builder.documents


class _Builder:
    """Builds plain values out of parser events."""

    def __init__(self, file: str) -> None:
        self.documents: list[Document] = []
        self._file = file
        self._open: list[dict[str, object] | list[object]] = []
        self._keys: list[str | None] = []  # of each open mapping the key that waits for its value
        self._lines: dict[Path, int] = {}
        self._root: object = None

    def feed(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event).__name__
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            raise self._refused(event, "aliases and anchors are not allowed here", code="manifest.alias")
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind == "MappingStartEvent":
            self._start({}, event)
        elif kind == "SequenceStartEvent":
            self._start([], event)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._open.pop()
            self._keys.pop()
            self._value_done()
        elif kind == "DocumentStartEvent":
            self._lines, self._root = {(): event.start_mark.line + 1}, None
        elif kind == "DocumentEndEvent":
            self.documents.append(Document(self._file, self._root, self._lines))

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], dict) and self._keys[-1] is None

    def _scalar(self, event: Any) -> None:
        value = event.value
        if self._awaits_key():
            self._keys[-1] = value
            self._lines[self._path()] = event.start_mark.line + 1
            return
        if event.implicit[0] and event.style is None:
            value = int(value) if _INTEGER.fullmatch(value) else _WORDS.get(value, value)
        self._add(value, event)
        self._value_done()

    def _start(self, container: dict[str, object] | list[object], event: Any) -> None:
        if self._awaits_key():
            raise self._refused(event, "a key must be a plain word")
        self._add(container, event)
        self._open.append(container)
        self._keys.append(None)
        if len(self._open) > DEEPEST:
            raise self._refused(event, "it nests too deep")

    def _add(self, value: object, event: Any) -> None:
        parent = self._open[-1] if self._open else None
        if isinstance(parent, dict):
            key = self._keys[-1] or ""
            if key in parent:
                raise self._refused(event, f"the key {key} is there twice")
            parent[key] = value
        elif isinstance(parent, list):
            parent.append(value)
            self._lines[self._path()] = event.start_mark.line + 1
        else:
            self._root = value

    def _value_done(self) -> None:
        if self._keys:
            self._keys[-1] = None

    def _path(self) -> Path:
        pairs = zip(self._open, self._keys, strict=True)
        return tuple(len(container) - 1 if isinstance(container, list) else key or "" for container, key in pairs)

    def _refused(self, event: Any, why: str, *, code: str = "manifest.broken") -> DetectionError:
        return broken(self._file, event.start_mark.line + 1, event.start_mark.column + 1, why, code=code)

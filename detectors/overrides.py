"""What a person asks for in ``shipway.yaml``, or the caller in its place: typed, validated, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from detectors.errors import DetectionError
from detectors.found import Found, printable
from detectors.reading.document import Document, broken
from detectors.starting.commands import parse_command

__all__ = ["CALLER", "FILE", "Asked", "Overrides", "asked_of", "overrides_of", "set_at"]

FILE = "shipway.yaml"
# The "file" of values that no file sets: the command line's options, or another caller's.
CALLER = "overrides"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_WORD = re.compile(r"[a-z][a-z0-9./-]{0,40}")
_PATH = re.compile(r"[A-Za-z0-9_.@+ -]+(/[A-Za-z0-9_.@+ -]+)*")
_HEALTH = re.compile(r"/[A-Za-z0-9_.~%/-]{0,200}(\?[A-Za-z0-9_.~%=&-]{0,100})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of one service that a person set; None leaves the field to detection."""

    root: Found[str] | None = None
    kind: Found[str] | None = None
    language: Found[str] | None = None
    framework: Found[str] | None = None
    version: Found[str] | None = None
    build: Found[tuple[str, ...]] | None = None
    start: Found[tuple[str, ...]] | None = None
    output: Found[str] | None = None
    port: Found[int] | None = None
    health_path: Found[str] | None = None

    def over(self, other: Asked) -> Asked:
        """Return this, with ``other`` where this leaves a field open."""
        mine = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(other, **{name: value for name, value in mine.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Overrides:
    """``asked`` for a repository of one service; ``services`` by name where it has several, which inherit nothing."""

    asked: Asked
    services: Mapping[str, Asked]


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _root(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    path = value.strip().removeprefix("./").rstrip("/")
    if path in ("", "."):
        return "."
    return path if _PATH.fullmatch(path) and not {".", ".."} & set(path.split("/")) else None


def _output(value: object) -> str | None:
    return _root(value.replace("*", "-")) and value.strip().rstrip("/") if isinstance(value, str) else None


def _version(value: object) -> str | None:
    text = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= 60 and text.isprintable() else None


def _port(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else None


def _argv(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        command = parse_command(value)
        return command.run() if command else None
    if not isinstance(value, list) or not value or len(value) > 100:
        return None
    words = [str(word) if isinstance(word, int) and not isinstance(word, bool) else word for word in value]
    return tuple(words) if all(isinstance(word, str) and word.isprintable() for word in words) else None


def _health(value: object) -> str | None:
    return value if isinstance(value, str) and _HEALTH.fullmatch(value) else None


def _kind(value: object) -> str | None:
    return value if value in ("server", "static", "worker") else None


# What each key may hold: its reader, and how to say what it should have been.
_KEYS: dict[str, tuple[Callable[[object], Any], str]] = {
    "root": (_root, "a folder of the repository, such as apps/web"),
    "kind": (_kind, "server, static or worker"),
    "language": (_name, "a language, such as python"),
    "framework": (_name, "a framework, such as fastapi"),
    "version": (_version, 'a version of the language, such as "3.13"'),
    "build": (_argv, "a command, as a line or a list of words"),
    "start": (_argv, "a command, as a line or a list of words"),
    "output": (_output, "a folder or file below the root, such as dist"),
    "port": (_port, "a number from 1 to 65535"),
    "health_path": (_health, "a path of the app, such as /healthz"),
}


def overrides_of(document: Document) -> Overrides:
    """Return what ``document`` asks for.

    Raises DetectionError naming file, line and key of what is unknown or has a wrong value.
    """
    if document.value is None:
        return Overrides(Asked(), {})
    if not isinstance(document.value, Mapping):
        raise broken(document.file, 1, 1, "it must hold keys and values, such as `port: 8000`")
    asked = asked_of(document, known=(*_KEYS, "services"))
    listed = document.get("services")
    if listed is not None and not isinstance(listed, Mapping):
        raise _wrong(document, ("services",), "names of services, each with its keys")
    return Overrides(asked, {name: _service(document, name) for name in document.table("services")})


def _service(document: Document, name: str) -> Asked:
    if not _NAME.fullmatch(name):
        raise _wrong(document, ("services", name), "a short name of lower-case letters, digits and dashes")
    return asked_of(document, "services", name, known=tuple(_KEYS))


def asked_of(document: Document, *path: str, known: tuple[str, ...]) -> Asked:
    """Return the fields below ``path``; keys other than ``known`` are refused."""
    found: dict[str, Any] = {}
    value = document.get(*path)
    if value is not None and not isinstance(value, Mapping):
        raise _wrong(document, path, "keys and values")
    for key, given in document.table(*path).items():
        if key not in known:
            raise _unknown(document, (*path, key), known)
        if key in _KEYS and given is not None:
            read, wanted = _KEYS[key]
            if (parsed := read(given)) is None:
                raise _wrong(document, (*path, key), wanted)
            why = _option(key) if document.file == CALLER else f"{document.file} sets {key}"
            found[key] = Found(parsed, document.file, document.line(*path, key), why)
    return Asked(**found)


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def set_at(found: Found[Any], key: str) -> str:
    """Return where ``key`` was set to ``found``, for a message: the option, or file and line."""
    return _option(key) if found.file == CALLER else f"{found.file}:{found.line}"


def _place(document: Document, path: tuple[str, ...]) -> str:
    """Return the option that ``path`` came from, or file, line and key."""
    if document.file == CALLER and len(path) == 1:
        return _option(path[0])
    return f"{document.file}:{document.line(*path)}: {printable('.'.join(path))}"


def _wrong(document: Document, path: tuple[str, ...], wanted: str) -> DetectionError:
    return DetectionError(
        "overrides.invalid",
        f"{_place(document, path)} has a wrong value",
        why=f"it must be {wanted}",
        fix="correct it; `resources/shipway.example.yaml` shows every key",
    )


def _unknown(document: Document, path: tuple[str, ...], known: tuple[str, ...]) -> DetectionError:
    from difflib import get_close_matches

    # Swapped letters are the commonest slip.
    close = sorted(get_close_matches(path[-1][:40], known), key=lambda key: sorted(key) != sorted(path[-1]))
    return DetectionError(
        "overrides.unknown_key",
        f"{document.file}:{document.line(*path)}: there is no key {printable('.'.join(path), 60)}",
        why=f"the keys are {', '.join(known)}",
        fix=f"did you mean {close[0]}?" if close else "remove it, or correct its spelling",
    )

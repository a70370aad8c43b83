"""Where gunicorn listens by its configuration file, which is Python: read by its syntax tree, never run."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Mapping
from itertools import islice

from detectors.folder import Folder
from detectors.found import Found
from detectors.reading.python_source import parse_module
from detectors.starting.listening import address_port, option, words_of

__all__ = ["configured_port"]

DEFAULT = "gunicorn.conf.py"
MOST_NODES = 2000


def configured_port(folder: Folder, argv: tuple[str, ...]) -> Found[int] | None:
    """Return the port of ``bind`` in the configuration that ``argv`` starts gunicorn with.

    None if gunicorn isn't started, if its command line binds (which beats the file), or if no port can be read.
    """
    words = words_of(argv)
    starts = any(word.rpartition("/")[2] == "gunicorn" for word in words)
    if not starts or option(words, "--bind", "-b") is not None:
        return None
    name = _file(option(words, "--config", "-c") or DEFAULT)
    module = parse_module(folder, name) if folder.has(name) else None
    values = dict(module.assignments()) if module else {}
    if module is None or "bind" not in values:
        return None
    port = next(_ports(values["bind"], values), None)
    line = values["bind"].lineno
    return Found(port, module.file, line, "gunicorn's configuration binds to this port") if port else None


def _file(config: str) -> str:
    """Return the file that the value of ``--config`` names."""
    if config.startswith("python:"):
        return config.removeprefix("python:").replace(".", "/") + ".py"
    return posixpath.normpath(config.removeprefix("file:"))


def _ports(bind: ast.expr, values: Mapping[str, ast.expr]) -> Iterator[int]:
    """Yield each port in ``bind``, also behind the names of other settings; where PORT is asked for, its default."""
    waiting, seen, left = [bind], set[str](), MOST_NODES
    while waiting:
        for node in islice(ast.walk(waiting.pop()), left):
            left -= 1
            if isinstance(node, ast.Name) and node.id in values and node.id not in seen:
                seen.add(node.id)
                waiting.append(values[node.id])
            elif isinstance(node, ast.Constant) and (port := _number(node.value)):
                yield port


def _number(value: object) -> int | None:
    if isinstance(value, str):
        return address_port(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else None

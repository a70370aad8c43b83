"""A Python file that runs as a program, and whether it serves."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.folder import Folder
from detectors.found import Found
from detectors.reading.python_source import Module, parse_module

__all__ = ["Program", "find_program", "program_port"]

_STEMS = ("main", "app", "server", "run", "streamlit_app", "bot", "worker", "index", "__main__")
NAMES = tuple(f"{folder}{stem}.py" for folder in ("", "src/", "app/") for stem in _STEMS)
_SERVING = frozenset({
    "http.server", "socketserver", "wsgiref", "wsgiref.simple_server", "xmlrpc.server", "aiohttp", "aiohttp.web",
    "tornado", "tornado.web", "uvicorn", "hypercorn", "waitress", "werkzeug.serving", "gevent.pywsgi", "websockets",
    "bottle", "cherrypy", "falcon", "grpc", "gradio", "nicegui", "dash",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """The program ``name``; ``serves`` and ``port`` where its code says so."""

    name: str
    file: str
    line: int
    serves: Found[str] | None
    port: Found[int] | None


def find_program(folder: Folder, *, importing: str | None = None) -> Program | None:
    """Return the likeliest program of ``folder``; with ``importing`` one that imports that module."""
    for name in NAMES:
        module = parse_module(folder, name) if folder.has(name) else None
        if module is None or (importing and importing not in module.imported_modules()):
            continue
        line = 1 if importing else _runs(module)
        if line:
            return Program(name, module.file, line, _serves(module), _port(module))
    return None


def program_port(folder: Folder, words: Sequence[str]) -> Found[int] | None:
    """Return the port in the code of the program that the command ``words`` runs, if it is a file of ``folder``."""
    name = next((word.removeprefix("./") for word in words[1:] if word.endswith(".py")), "")
    if not words or not words[0].startswith("python") or not folder.has(name):
        return None
    module = parse_module(folder, name)
    return _port(module) if module else None


def _runs(module: Module) -> int | None:
    """Return the line from which the module runs: its main guard, or a call at its top level."""
    for statement in module.tree.body:
        if isinstance(statement, ast.If) and "__main__" in ast.dump(statement.test):
            return statement.lineno
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return statement.lineno
        if isinstance(statement, (ast.While, ast.With, ast.For)):
            return statement.lineno
    return None


def _serves(module: Module) -> Found[str] | None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if serving := _SERVING.intersection(names):
            return Found("server", module.file, node.lineno, f"the program imports {min(serving)}")
    return None


def _port(module: Module) -> Found[int] | None:
    """Return the first port in the code: a keyword ``port``, a (host, port) pair, or PORT's default."""
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    for value in (value for call in calls for value in _port_values(module, call)):
        # A number that is no port may have more digits than can be written out.
        given = value.value if isinstance(value, ast.Constant) else ""
        text = str(given) if not isinstance(given, int) or 0 < given < 65536 else ""
        if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536:
            return Found(int(text[:6]), module.file, value.lineno, "the code listens on this port")
    return None


def _port_values(module: Module, call: ast.Call) -> list[ast.expr]:
    values = [keyword.value for keyword in call.keywords if keyword.arg == "port"]
    if call.args and isinstance(call.args[0], ast.Tuple) and len(call.args[0].elts) == 2:
        values.append(call.args[0].elts[1])
    reads_env = module.origin(call.func) in ("os.environ.get", "os.getenv")
    first = call.args[0] if call.args else None
    if reads_env and len(call.args) == 2 and isinstance(first, ast.Constant) and first.value == "PORT":
        values.append(call.args[1])
    return values

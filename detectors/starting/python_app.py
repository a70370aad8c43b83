"""Finds the application object of a Python web framework: module, variable or factory, and its health route."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from detectors.folder import Folder
from detectors.found import Found
from detectors.reading.python_source import Module, parse_module, sources

__all__ = ["HEALTH", "App", "find_apps", "module_of"]

HEALTH = re.compile(r"/(?:api/)?_?(?:healthz?|livez|readyz|health/live|health/ready|up|ping)/?")
# Words of modules that only call a factory defined elsewhere.
_CALLED = frozenset({"app(", "App(", "factory(", "application("})
_ROUTES = frozenset({"get", "route", "api_route", "head"})
MOST_PARSED = 60


@dataclass(frozen=True, slots=True)
class App:
    """The app is ``variable`` of ``module``, below the folder ``path`` ("." where modules start at the root).

    ``factory`` tells that ``variable`` is a function that returns it.
    """

    module: str
    variable: str
    path: str
    factory: bool
    file: str
    line: int
    health: Found[str] | None


def find_apps(folder: Folder, constructors: Sequence[str]) -> list[App]:
    """Return the apps made by one of ``constructors`` (dotted names), the likeliest first; factories last."""
    modules = list(_modules(folder, {name.rpartition(".")[2] for name in constructors}))
    factories = [app for module in modules for app in _factories(module, constructors)]
    known = {factory.variable for factory in factories}
    variables = [app for module in modules for app in _variables(module, constructors, known)]
    return [*variables, *factories]


def _modules(folder: Folder, words: set[str]) -> Iterator[Module]:
    parsed = (parse_module(folder, name, mentioning={*words, *_CALLED}) for name in sources(folder))
    return islice((module for module in parsed if module), MOST_PARSED)


def _variables(module: Module, constructors: Sequence[str], factories: set[str]) -> Iterator[App]:
    """Yield the variables that hold an app: made by a constructor, or by a function that is known to make one."""
    for target, value in module.assignments():
        if isinstance(value, ast.Call):
            origin = module.origin(value.func)
            if origin in constructors or origin.rpartition(".")[2] in factories:
                yield _app(module, target, value.lineno)


def _factories(module: Module, constructors: Sequence[str]) -> Iterator[App]:
    for statement in module.statements():
        if isinstance(statement, ast.FunctionDef) and not _required(statement.args):
            calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
            if any(module.origin(call.func) in constructors for call in calls):
                yield _app(module, statement.name, statement.lineno, factory=True)


def _required(arguments: ast.arguments) -> bool:
    positional = [*arguments.posonlyargs, *arguments.args]
    keyword = [default for default in arguments.kw_defaults if default is None]
    return len(positional) > len(arguments.defaults) or bool(keyword)


def _app(module: Module, variable: str, line: int, *, factory: bool = False) -> App:
    path, dotted = module_of(module)
    return App(dotted, variable, path, factory, module.file, line, _health(module, variable))


def module_of(module: Module) -> tuple[str, str]:
    """Return the folder that must be on the module path ("." for the root), and the dotted name below it."""
    folder, parts = module.folder, module.name.removesuffix(".py").split("/")
    start = 1 if len(parts) > 1 and parts[0] == "src" and not folder.has("src/__init__.py") else 0
    inner = len(parts) - 1
    if inner > start and not folder.has("/".join([*parts[:inner], "__init__.py"])) and _imports_siblings(module):
        start = inner
    named = parts[start:-1] if parts[-1] == "__init__" and len(parts) > start + 1 else parts[start:]
    return "/".join(parts[:start]) or ".", ".".join(named)


def _imports_siblings(module: Module) -> bool:
    """Return whether the module imports files beside it by their bare names, as scripts in a folder do."""
    prefix = module.name.rpartition("/")[0]
    tops = {name.partition(".")[0] for name in module.imported_modules()}
    folder = module.folder
    return any(folder.has(f"{prefix}/{top}.py") or folder.has(f"{prefix}/{top}/__init__.py") for top in tops)


def _health(module: Module, variable: str) -> Found[str] | None:
    """Return the health route declared on the app itself (a router may be mounted elsewhere)."""
    for node in ast.walk(module.tree):
        for decorator in getattr(node, "decorator_list", ()):
            path = _route(decorator, variable)
            if path:
                return Found(path, module.file, decorator.lineno, "a health route")
    return None


def _route(decorator: ast.expr, variable: str) -> str | None:
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute) or not decorator.args:
        return None
    owner, path = decorator.func.value, decorator.args[0]
    if decorator.func.attr not in _ROUTES or not isinstance(owner, ast.Name) or owner.id not in (variable, "app"):
        return None
    if isinstance(path, ast.Constant) and isinstance(path.value, str) and HEALTH.fullmatch(path.value):
        return path.value
    return None

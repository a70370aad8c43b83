"""A Django project by its manage.py and settings: the module that serves it, static files, health route."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from detectors.folder import Folder
from detectors.found import Found
from detectors.reading.python_source import Module, parse_module
from detectors.starting.python_app import HEALTH

__all__ = ["Django", "read_django"]


@dataclass(frozen=True, slots=True)
class Django:
    """``app`` is the served object (``site.wsgi:application``); ``path`` the folder that manage.py stands in.

    ``static_root`` is where the settings collect static files, if they do.
    """

    app: Found[str]
    path: str
    manage: str
    asynchronous: bool
    static_root: Found[None] | None
    health: Found[str] | None


def read_django(folder: Folder, *, channels: bool) -> Django | None:
    """Return the Django project of ``folder``; with ``channels`` its ASGI application is preferred."""
    manage = _manage(folder)
    if manage is None:
        return None
    path = manage.rpartition("/")[0]
    prefix = f"{path}/" if path else ""
    settings = _settings(folder, prefix, _settings_name(folder, manage))
    found = _application(folder, prefix, settings, channels=channels)
    if found is None:
        return None
    app, asynchronous = found
    return Django(app, path or ".", manage, asynchronous, _static_root(settings), _health(folder, prefix, settings))


def _manage(folder: Folder) -> str | None:
    names = [name for name in folder.files if name.rpartition("/")[2] == "manage.py" and name.count("/") <= 2]
    return min(names, key=lambda name: (name.count("/"), name), default=None)


def _settings_name(folder: Folder, manage: str) -> str | None:
    """Return the settings module that manage.py names."""
    module = parse_module(folder, manage)
    for node in ast.walk(module.tree) if module else ():
        if isinstance(node, ast.Call) and len(node.args) == 2:
            name, value = node.args
            is_settings = isinstance(name, ast.Constant) and name.value == "DJANGO_SETTINGS_MODULE"
            if is_settings and isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
    return None


def _settings(folder: Folder, prefix: str, name: str | None) -> list[Module]:
    """Return the settings module and those it is usually split into."""
    if not name:
        return []
    inner = name.replace(".", "/")
    outer = inner.rpartition("/")[0]
    names = (
        f"{inner}.py", f"{inner}/__init__.py", f"{inner}/production.py", f"{inner}/prod.py", f"{inner}/base.py",
        f"{outer}/base.py", f"{outer}/common.py",
    )  # fmt: skip
    modules = (parse_module(folder, prefix + file) for file in names if folder.has(prefix + file))
    return [module for module in modules if module]


def _application(
    folder: Folder, prefix: str, settings: list[Module], *, channels: bool
) -> tuple[Found[str], bool] | None:
    wanted = ("asgi", "wsgi") if channels else ("wsgi", "asgi")
    for kind in wanted:
        for module in settings:
            if text := module.text(f"{kind.upper()}_APPLICATION"):
                dotted, _, variable = text[0].rpartition(".")
                app = Found(f"{dotted}:{variable}", module.file, text[1], f"the settings name {text[0]}")
                return app, kind == "asgi"
        names = [name for name in folder.files if name.startswith(prefix) and name.endswith(f"/{kind}.py")]
        inner = min((name.removeprefix(prefix) for name in names), key=lambda name: (name.count("/"), name), default="")
        if inner:
            dotted = inner.removesuffix(".py").replace("/", ".")
            return Found(
                f"{dotted}:application", folder.at(prefix + inner), 1, f"it is the {kind} module"
            ), kind == "asgi"
    return None


def _static_root(settings: list[Module]) -> Found[None] | None:
    for module in settings:
        for name, value in module.assignments():
            empty = isinstance(value, ast.Constant) and not value.value
            if name == "STATIC_ROOT" and not empty:
                return Found(None, module.file, value.lineno, "STATIC_ROOT is set, so static files are collected")
    return None


def _health(folder: Folder, prefix: str, settings: list[Module]) -> Found[str] | None:
    """Return a health route of the root URL configuration."""
    for module in settings:
        named = module.text("ROOT_URLCONF")
        urls = parse_module(folder, f"{prefix}{named[0].replace('.', '/')}.py") if named else None
        for node in ast.walk(urls.tree) if urls else ():
            if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") == "path":
                route = node.args[0]
                text = route.value if isinstance(route, ast.Constant) else None
                if isinstance(text, str) and urls and HEALTH.fullmatch(f"/{text}"):
                    return Found(f"/{text}", urls.file, node.lineno, "a health route")
    return None

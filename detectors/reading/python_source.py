"""Python source by its syntax tree: which module holds the app, under which name; nothing is imported or run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from detectors.folder import Folder

__all__ = ["Module", "parse_module", "sources"]

SOURCE_BYTES = 256 * 1024
MOST_FILES = 400
DEEPEST_FOLDER = 4
# Where apps are by custom; __init__ last, since factories live there that another module calls.
_STEMS = ("main", "app", "wsgi", "asgi", "server", "application", "api", "index", "run", "__init__")
_OTHER = frozenset(
    {"test", "tests", "testing", "docs", "doc", "examples", "example", "scripts", "migrations", "alembic", "benchmarks"}
)


def sources(folder: Folder) -> list[str]:
    """Return the Python files that may hold the app, the likeliest first."""
    names = [
        name
        for name in folder.files
        if name.endswith(".py")
        and name.count("/") <= DEEPEST_FOLDER
        and _OTHER.isdisjoint(name.split("/")[:-1])
        and not name.rpartition("/")[2].startswith(("test_", "conftest"))
    ]
    return sorted(names, key=_likelihood)[:MOST_FILES]


def _likelihood(name: str) -> tuple[int, int, str]:
    folder, _, file = name.rpartition("/")
    stem = file.removesuffix(".py")
    depth = 0 if folder in ("", "src") else folder.removeprefix("src/").count("/") + 1
    return depth, _STEMS.index(stem) if stem in _STEMS else len(_STEMS), name


@dataclass(frozen=True)
class Module:
    """One parsed file of ``folder``."""

    folder: Folder
    name: str
    tree: ast.Module

    @property
    def file(self) -> str:
        """The path from the repository's root."""
        return self.folder.at(self.name)

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """What each imported name stands for, as a dotted origin; relative imports start with a dot."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{module}.{alias.name}"
        return found

    def imported_modules(self) -> set[str]:
        """Return the dotted names of the modules that are imported absolutely."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module)
        return found

    def origin(self, node: ast.expr) -> str:
        """Return the dotted origin of ``node``, a name or attribute; empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    def statements(self) -> Iterator[ast.stmt]:
        """Yield the statements that run on import, also those below if, try and with."""
        waiting: list[ast.stmt] = list(reversed(self.tree.body))
        while waiting:
            statement = waiting.pop()
            yield statement
            for field in ("finalbody", "orelse", "body"):
                if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    waiting.extend(reversed(getattr(statement, field, [])))

    def assignments(self) -> Iterator[tuple[str, ast.expr]]:
        """Yield each name assigned on import, with its value."""
        for statement in self.statements():
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, statement.value
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
                yield statement.target.id, statement.value

    def text(self, name: str) -> tuple[str, int] | None:
        """Return the string assigned to ``name`` on import, with its line."""
        for target, value in self.assignments():
            if target == name and isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value, value.lineno
        return None


def parse_module(folder: Folder, name: str, *, mentioning: Iterable[str] = ()) -> Module | None:
    """Return the module ``name``, or None if it can't be parsed, is too big, or mentions none of the words.

    The words are only a quick look before the parser; what is found is decided on the tree.
    """
    text = folder.source(name, SOURCE_BYTES)
    words = tuple(mentioning)
    if not text or (words and not any(word in text for word in words)):
        return None
    if not folder.budget.may_parse(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes, which are the app's own matter
            return Module(folder, name, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

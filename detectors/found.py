"""A value with the place that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from detectors.model import Evidence

__all__ = ["Found", "printable", "warning"]

T = TypeVar("T", covariant=True)
LONGEST_WHY = 300


def printable(text: str, limit: int = LONGEST_WHY) -> str:
    """Return ``text`` with every control or unprintable character escaped, cut at ``limit`` characters."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """``value``, because line ``line`` (1-based) of ``file`` says ``why``."""

    value: T
    file: str
    line: int
    why: str

    def evidence(self, fact: str) -> Evidence:
        """Return this as the evidence of ``fact``, safe to print."""
        return Evidence(self.file, self.line, fact, printable(self.why))


def warning(file: str, line: int, why: str) -> Evidence:
    """Return a warning that points at ``file``:``line``."""
    return Found(None, file, line, why).evidence("warning")

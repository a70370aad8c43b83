"""Version ranges as people write them (semver, PEP 440, Java releases) as intervals over three numbers; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["ANY", "Dialect", "Interval", "Range", "line_interval", "overlap", "parse_range"]

Dialect = Literal["semver", "pep440", "java"]
Point = tuple[int, int, int]

TOP: Point = (10**9, 0, 0)
BOTTOM: Point = (0, 0, 0)
LONGEST = 200
_TERM = re.compile(
    r"(\^|~=|~>|~|===|==|!=|>=|<=|=|>|<)?\s*v?(\*|[xX]|\d{1,6})(?:\.(\d{1,9}|[*xX]))?(?:\.(\d{1,9}|[*xX]))?"
)
_SUFFIX = re.compile(r"(?:\.\d+|[.+_-]?[A-Za-z][\w.+-]*|[+_-][\w.+-]*)?(?=$|[\s,|])")
_HYPHEN = re.compile(r"\s+-\s+")


@dataclass(frozen=True, slots=True)
class Interval:
    """Every version from ``low`` up to, but without, ``high``."""

    low: Point
    high: Point


Range = tuple[Interval, ...]
"""A union of intervals."""
ANY: Range = (Interval(BOTTOM, TOP),)


def overlap(left: Range, right: Range) -> Range:
    """Return the versions that are in both ranges."""
    both = (Interval(max(a.low, b.low), min(a.high, b.high)) for a in left for b in right)
    return tuple(interval for interval in both if interval.low < interval.high)


def line_interval(version: str) -> Range:
    """Return every version of the release line ``version``: "20" is 20.*, "3.13" is 3.13.*."""
    numbers = [int(part) for part in version.split(".")]
    return (_wildcard(numbers),)


def parse_range(text: str, dialect: Dialect) -> Range | None:
    """Return the versions that ``text`` asks for, or None if it can't be understood."""
    if len(text) > LONGEST:
        return None
    alternatives = [_conjunction(part.strip(), dialect) for part in text.split("||")]
    if any(part is None for part in alternatives):
        return None
    return tuple(interval for part in alternatives if part for interval in part)


def _conjunction(text: str, dialect: Dialect) -> Range | None:
    if text in ("", "*", "x", "latest"):
        return ANY
    ends = _HYPHEN.split(text)
    if len(ends) == 2:
        low, high = _term(f">={ends[0]}", 0, dialect), _term(f"<={ends[1]}", 0, dialect)
        return overlap(low[0], high[0]) if low and high else None
    result, at = ANY, 0
    while at < len(text):
        term = _term(text, at, dialect)
        if term is None:
            return None
        result, at = overlap(result, term[0]), term[1]
        while at < len(text) and text[at] in ", \t":
            at += 1
    return result


def _term(text: str, at: int, dialect: Dialect) -> tuple[Range, int] | None:
    """Return the range of the comparison at ``at``, and where it ends."""
    match = _TERM.match(text, at)
    suffix = _SUFFIX.match(text, match.end()) if match else None
    if match is None or suffix is None:
        return None
    numbers: list[int] = []
    for part in match.groups()[1:]:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    if dialect == "java" and numbers[:1] == [1] and len(numbers) > 1:
        numbers = numbers[1:]  # Java 8 called itself 1.8
    return _compared(match[1] or "", numbers, dialect), suffix.end()


def _compared(operator: str, numbers: list[int], dialect: Dialect) -> Range:
    if not numbers:
        return ANY
    line, low = _wildcard(numbers), _point(numbers)
    if operator in (">=", "<"):
        return (Interval(low, TOP),) if operator == ">=" else (Interval(BOTTOM, low),)
    if operator in (">", "<="):
        # In semver 20 is all of 20.*; in PEP 440 it is the one release 20.
        edge = (low[0], low[1], low[2] + 1) if dialect == "pep440" else line.high
        return (Interval(edge, TOP),) if operator == ">" else (Interval(BOTTOM, edge),)
    if operator == "!=":
        return (Interval(BOTTOM, low), Interval(line.high, TOP))
    if operator == "^":
        return (Interval(low, _bump(numbers, 0)),)
    if operator in ("~=", "~>"):
        return (Interval(low, _bump(numbers, max(0, len(numbers) - 2))),)
    if operator == "~":
        return (Interval(low, _bump(numbers, min(1, len(numbers) - 1))),)
    return (line,)


def _wildcard(numbers: list[int]) -> Interval:
    return Interval(_point(numbers), _bump(numbers, len(numbers) - 1))


def _point(numbers: list[int]) -> Point:
    major, minor, micro = [*numbers, 0, 0][:3]
    return major, minor, micro


def _bump(numbers: list[int], index: int) -> Point:
    return _point([*numbers[:index], numbers[index] + 1])

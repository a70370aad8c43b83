"""The port that a start command names: an address or a port among its words; pure."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

__all__ = ["address_port", "named_port", "option", "words_of"]

_OPTIONS = ("--bind", "-b", "--port", "-p", "--listen", "--http", "--server.port")
# Subcommands that are followed by an address.
_SUBCOMMANDS = frozenset({"runserver", "http.server"})
_ADDRESS = re.compile(r"(?:[^\s/]{0,200}:)?([0-9]{1,5})")


def words_of(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of ``argv``; of a shell's command line those of the line."""
    if len(argv) != 3 or argv[:2] != ("sh", "-c"):
        return argv
    try:
        return tuple(shlex.split(argv[2]))
    except ValueError:
        return ()


def option(words: tuple[str, ...], *names: str) -> str | None:
    """Return the value of the first option of ``names`` among ``words``: after it, after ``=``, or joined to ``-x``."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else next(iter(words[index + 1 :]), None)
        if len(word) > 2 and word[0] == "-" and word[1] != "-" and word[:2] in names:
            return word[2:]
    return None


def address_port(address: str) -> int | None:
    """Return the port of ``address`` (``0.0.0.0:8080``, ``[::]:8080``, ``:8080`` or ``8080``), or None."""
    match = _ADDRESS.fullmatch(address)
    return int(match[1]) if match and match[1].isascii() and 0 < int(match[1]) < 65536 else None


def named_port(argv: tuple[str, ...]) -> int | None:
    """Return the port that ``argv`` names as a plain number; one that PORT changes is no such port."""
    words = words_of(argv)
    after = [word for before, word in pairwise(words) if before in _SUBCOMMANDS]
    values = [*(option(words, name) for name in _OPTIONS), *after]
    return next((port for value in values if value and (port := address_port(value))), None)

"""A small reader of Dockerfiles, written from the format's description alone, to check what the writer wrote."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field

__all__ = ["Instruction", "instructions"]

_CONTINUED = re.compile(r"\\[ \t]*$")
_DIRECTIVE = re.compile(r"#\s*[A-Za-z][A-Za-z0-9]*\s*=")
_HEREDOC = re.compile(r"^\d*<<-?[^<]*$")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its ``flags`` as written, and what is left as ``text``."""

    name: str
    text: str
    flags: tuple[str, ...] = field(default=())

    def json(self) -> list[str]:
        """The text as a JSON array of strings."""
        words = json.loads(self.text)
        assert isinstance(words, list)
        assert all(isinstance(word, str) for word in words)
        return words

    def shell_words(self) -> list[str]:
        """The text as the words that a POSIX shell would see."""
        return shlex.split(self.text)

    def paths(self) -> list[str]:
        """The paths of a COPY, after variables and file patterns had their chance."""
        words = self.json() if self.text.startswith("[") else self.text.split(" ")
        paths = [_expanded(word) for word in words]
        assert not any(set(path) & set("*?[]\\") for path in paths[:-1]), f"a file pattern in {paths}"
        return paths

    def variables(self) -> dict[str, str]:
        """The variables of an ENV."""
        found: dict[str, str] = {}
        rest = self.text
        while rest:
            match = re.match(r'([A-Za-z_][A-Za-z0-9_]*)=("(?:[^"\\]|\\.)*")(?:\s+|$)', rest)
            assert match, f"not an assignment: {rest!r}"
            found[match[1]] = _expanded(match[2])
            rest = rest[match.end() :]
        return found


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of ``text``; a parser directive or a here-document is a failure."""
    assert not _DIRECTIVE.match(text), "the first line is a parser directive"
    found: list[Instruction] = []
    gathered = ""
    for line in text.split("\n"):
        if line.lstrip().startswith("#") or not line.strip():
            continue
        gathered += _CONTINUED.sub("", line.lstrip() if gathered else line)
        if not _CONTINUED.search(line):
            found.append(_instruction(gathered))
            gathered = ""
    assert not gathered, "the last line is continued"
    return found


def _instruction(line: str) -> Instruction:
    name, _, rest = line.strip().partition(" ")
    assert name.isupper(), f"not an instruction: {line!r}"
    flags: list[str] = []
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        flags.append(flag)
        rest = rest.lstrip()
    if name in {"RUN", "COPY", "ADD"}:
        assert not any(_HEREDOC.match(word) for word in rest.split()), f"a here-document: {line!r}"
    return Instruction(name, rest, tuple(flags))


def _expanded(word: str) -> str:
    """Remove quotes and escapes as the builder does; a variable left to expand is a failure."""
    out, quote, index = "", "", 0
    while index < len(word):
        character = word[index]
        if quote == "'":
            quote, out = ("", out) if character == "'" else (quote, out + character)
        elif character == "\\" and (not quote or word[index + 1] in '"$\\'):
            index += 1
            out += word[index]
        elif character == "$":
            raise AssertionError(f"a variable in {word!r}")
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            out += character
        index += 1
    assert not quote, f"an open quote in {word!r}"
    return out

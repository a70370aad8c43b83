"""Capped parsers of manifests: a cheap scan bounds the text before the parser sees it; each value keeps its line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from detectors.folder import Folder
from detectors.reading.document import Document, Path, broken

__all__ = ["json_document", "line_of", "properties", "text_of", "toml_document"]

MANIFEST_BYTES = 1024 * 1024
DEEPEST = 64
MOST_DOTS = 100

# Every alternative consumes to its end, terminated or not, so that the scan is linear on any text.
_JSON_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\[^\n])*"?|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|[\[\]{},:\n]|[^\s"\[\]{},:/]+|/'
)
_TOML_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*(?:""")?|' + r"'''(?:[^']|'(?!''))*(?:''')?|"
    r'"(?:[^"\\\n]|\\[^\n])*"?|' + r"'[^'\n]*'?|#[^\n]*|[\[\]{}\n.]",
    re.DOTALL,
)
_TOML_HEADER = re.compile(r"\s*\[\[?([^\]\n]{1,200})\]")
_TOML_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]{1,200})\s*=")
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def text_of(folder: Folder, name: str, limit: int = MANIFEST_BYTES) -> str:
    """Return the text of the manifest ``name``: UTF-8, a byte order mark dropped, line ends made LF.

    Raises DetectionError naming the place if it isn't UTF-8 or holds a NUL.
    """
    data = folder.read(name, limit)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise broken(folder.at(name), line, column, "it is not UTF-8 text") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (nul := text.find("\0")) >= 0:
        raise broken(folder.at(name), text.count("\n", 0, nul) + 1, nul - text.rfind("\n", 0, nul), "it holds a NUL")
    return text


def line_of(text: str, needle: str) -> int:
    """Return the 1-based line on which ``needle`` first stands, or 1."""
    at = text.find(needle)
    return 1 if at < 0 else text.count("\n", 0, at) + 1


def json_document(folder: Folder, name: str, *, comments: bool = False) -> Document:
    """Return the JSON manifest ``name``; with ``comments`` also ``//``, ``/* */`` and trailing commas (JSONC)."""
    file, text = folder.at(name), text_of(folder, name)
    plain, lines = _scan_json(file, text, comments=comments)
    try:
        value = json.loads(plain)
    except json.JSONDecodeError as error:
        raise broken(file, error.lineno, error.colno, error.msg) from error
    except (ValueError, RecursionError) as error:
        raise broken(file, 1, 1, str(error)) from error
    # Half a surrogate pair is valid JSON, but no text that could be printed or written to a file.
    if "\\ud" in plain.lower() and not _is_text(value):
        raise broken(file, line_of(plain.lower(), "\\ud"), 1, "it holds half of a surrogate pair")
    return Document(file, value, lines)


def _is_text(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _scan_json(file: str, text: str, *, comments: bool) -> tuple[str, dict[Path, int]]:
    """Return ``text`` as plain JSON, and the line of each key; refuses what nests too deep."""
    pieces: list[str] = []
    lines: dict[Path, int] = {(): 1}
    path: list[str] = []
    line, last_string, last_end = 1, "", 0
    for match in _JSON_TOKEN.finditer(text):
        token = match.group()
        first = token[0]
        if first == "\n":
            line += 1
        elif first == '"':
            last_string = token[1:-1]
        elif first == ":" and path:
            path[-1] = last_string
            lines.setdefault(tuple(path), line)
        elif first in "[{":
            path.append("")
            if len(path) > DEEPEST:
                raise broken(file, line, match.start() - text.rfind("\n", 0, match.start()), "it nests too deep")
        elif first in "]}" and path:
            path.pop()
        elif comments and token.startswith(("//", "/*")):
            pieces.append(text[last_end : match.start()] + "\n" * token.count("\n"))
            last_end = match.end()
        line += token.count("\n") if first == "/" else 0
    plain = "".join([*pieces, text[last_end:]])
    return (_without_trailing_commas(plain) if comments else plain), lines


def _without_trailing_commas(text: str) -> str:
    pieces = [match.group() for match in re.finditer(_JSON_TOKEN.pattern + r"|\s", text)]
    for index, piece in enumerate(pieces):
        if piece in ("]", "}"):
            before = index - 1
            while before >= 0 and pieces[before].isspace():
                before -= 1
            if before >= 0 and pieces[before] == ",":
                pieces[before] = ""
    return "".join(pieces)


def toml_document(folder: Folder, name: str) -> Document:
    """Return the TOML manifest ``name``."""
    import tomllib

    file, text = folder.at(name), text_of(folder, name)
    _bound_toml(file, text)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        end = (text.count("\n") + 1, len(text) - text.rfind("\n"))
        line, column = (int(place[1]), int(place[2])) if place else end
        raise broken(file, line, column, _TOML_PLACE.sub("", str(error)).strip()) from error
    except (ValueError, RecursionError) as error:
        raise broken(file, 1, 1, str(error)) from error
    return Document(file, value, _toml_lines(text))


def _bound_toml(file: str, text: str) -> None:
    """Refuse what nests too deep, or has keys of so many parts that the parser takes quadratic time."""
    depth, line, dots = 0, 1, 0
    for match in _TOML_TOKEN.finditer(text):
        piece = match.group()
        line += piece.count("\n")
        dots = 0 if "\n" in piece else dots + (1 if piece in "." else 0)
        depth = max(0, depth + (piece in ("[", "{")) - (piece in ("]", "}")))
        if depth > DEEPEST or dots > MOST_DOTS:
            raise broken(file, line, match.start() - text.rfind("\n", 0, match.start()), "it nests too deep")


def _toml_lines(text: str) -> dict[Path, int]:
    lines: dict[Path, int] = {(): 1}
    table: Path = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _TOML_HEADER.match(line):
            table = _dotted(header[1])
            lines.setdefault(table, number)
        elif key := _TOML_KEY.match(line):
            lines.setdefault(table + _dotted(key[1]), number)
    return lines


def _dotted(key: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in key.split("."))


def properties(text: str) -> Mapping[str, tuple[str, int]]:
    """Return the keys of a Java properties text, each with its value and line; the last one wins, as in Java."""
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if bare and bare[0] not in "#!":
            key, _, value = re.sub(r"\s*[=:]\s*|\s+", "\0", bare, count=1).partition("\0")
            found[key] = (value, number)
    return found

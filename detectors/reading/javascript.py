"""Hints from JavaScript and TypeScript source, with comments taken out first; linear on any text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.folder import Folder
from detectors.found import Found

__all__ = ["Source", "config_value", "read_source"]

_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\[^\n])*"?|' + r"'(?:[^'\\\n]|\\[^\n])*'?|`(?:[^`\\]|\\.)*`?|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?",
    re.DOTALL,
)
_LISTENS = re.compile(
    r"\.listen\s*\(|\bcreateServer\s*\(|\bBun\.serve\s*\(|\bserve\s*\(\s*[{a-z]|new\s+WebSocketServer\s*\("
)
_PORTS = (
    # process.env.PORT || 3000, ?? "3000"; then Number(process.env.PORT) || 3000; then listen(3000), port: 3000
    re.compile(r"\bPORT\b[\"'\])]{0,4}\s{0,9}(?:\|\||\?\?|,)\s{0,9}[\"']?(\d{2,5})\b"),
    re.compile(r"\.listen\s{0,9}\(\s{0,9}(\d{2,5})\b"),
    re.compile(r"\b(?:PORT|port)\s{0,9}[:=]\s{0,9}(\d{2,5})\b"),
)
_HEALTH = re.compile(
    r"\.(?:get|all|use)\s{0,9}\(\s{0,9}[\"'](/(?:api/)?(?:healthz?|livez|readyz|_health|up|ping))[\"']"
)
_LOOPBACK = re.compile(r"\.listen\s{0,9}\([^)\n]{1,80}[\"'](?:localhost|127\.0\.0\.1)[\"']")


def _without_comments(text: str) -> str:
    """Return ``text`` with each comment replaced by as many line ends, so that lines keep their numbers."""
    return _TOKEN.sub(lambda m: "\n" * m[0].count("\n") + " " if m[0][:2] in ("//", "/*") else m[0], text)


class Source:
    """One source file's code."""

    def __init__(self, file: str, text: str) -> None:
        """Take the text of ``file``, a path from the repository's root."""
        self.file = file
        self.code = _without_comments(text)

    def find(self, pattern: re.Pattern[str], why: str) -> Found[str] | None:
        """Return the first group (or all) of the first match of ``pattern``, with its line."""
        match = pattern.search(self.code)
        if match is None:
            return None
        line = self.code.count("\n", 0, match.start()) + 1
        return Found(match[match.lastindex or 0], self.file, line, why)

    def listens(self) -> Found[str] | None:
        """Return where the code opens a server, if it does."""
        return self.find(_LISTENS, "the code listens here")

    def port(self) -> Found[int] | None:
        """Return the port that the code listens on where PORT is not set."""
        for pattern in _PORTS:
            found = self.find(pattern, "the code listens on this port")
            if found and 0 < int(found.value) < 65536:
                return Found(int(found.value), found.file, found.line, found.why)
        return None

    def health(self) -> Found[str] | None:
        """Return a route that answers for the app's health."""
        return self.find(_HEALTH, "the code has a health route")

    def loopback(self) -> Found[str] | None:
        """Return where the code listens on the loopback address only."""
        return self.find(
            _LOOPBACK, "the code listens on the loopback address: nothing outside the container reaches it"
        )


def read_source(folder: Folder, name: str | None) -> Source | None:
    """Return the source file ``name`` of ``folder``, or None where there is none."""
    return Source(folder.at(name), folder.source(name)) if name and folder.has(name) else None


def config_value(folder: Folder, names: Iterator[str] | tuple[str, ...], key: str) -> Found[str] | None:
    """Return the quoted value of ``key`` in the first of the config files ``names`` that is there."""
    source = read_source(folder, folder.first(names))
    if source is None:
        return None
    pattern = re.compile(r"\b" + re.escape(key) + r"[\"']?\s{0,9}:\s{0,9}[\"']([A-Za-z0-9_./-]{1,100})[\"']")
    return source.find(pattern, f"{key} is set here")

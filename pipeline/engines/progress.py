"""Reads BuildKit's raw progress: each step a line for people, and the failing step with its own output."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["BuildProgress"]

KEPT_LINES = 60
# Of a line that never ends.
KEPT_CHARACTERS = 16_384
# `[build 3/5] RUN pip install`, and not `[internal] load metadata for ...` or `[build 1/5] FROM ...`.
OWN_STEP = re.compile(r"\[(?!internal\])[^\]]*\] (?!FROM )")


class BuildProgress:
    """Fed with the lines of ``--progress=rawjson``, tells what happens; anything that isn't JSON is passed over.

    After a failure ``failed_step`` is the instruction's name, ``failed_output`` the last lines it printed and
    ``failed_error`` what the engine said of it.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._names: dict[str, str] = {}
        self._output: dict[str, deque[str]] = {}
        self._rest: dict[str, str] = {}
        self._announced: set[str] = set()
        self._failed: str | None = None
        self._document: list[str] = []
        self.failed_error = ""
        self.current = ""

    @property
    def failed_step(self) -> str:
        """The name of the failed step, or an empty text."""
        return self._names.get(self._failed or "", "")

    @property
    def failed_output(self) -> list[str]:
        """The last lines that the failed step printed."""
        rest = self._rest.get(self._failed or "", "")
        return [*self._output.get(self._failed or "", ()), *([rest] if rest else [])]

    @property
    def is_the_apps_own(self) -> bool:
        """Whether the failed step is one of the Dockerfile's, not the engine's fetching, importing and exporting."""
        return OWN_STEP.match(self.failed_step) is not None

    def feed(self, line: str) -> None:
        """Take one line of the engine's output; older buildx spreads a document over lines, newer ones don't."""
        if line == "{" or (self._document and not line.startswith("{")):
            self._document.append(line)
            if line != "}":
                return
            line = "".join(self._document)
        self._document.clear()
        try:
            status = json.loads(line)
        except ValueError:
            return
        if isinstance(status, dict):
            self._status(status)

    def _status(self, status: dict[str, Any]) -> None:
        for vertex in status.get("vertexes") or ():
            self._vertex(vertex)
        for log in status.get("logs") or ():
            self._log(log)

    def _vertex(self, vertex: dict[str, Any]) -> None:
        digest, name = str(vertex.get("digest")), str(vertex.get("name", ""))
        self._names[digest] = name
        if vertex.get("started") and digest not in self._announced and not name.startswith("[internal]"):
            self._announced.add(digest)
            self.current = name
            self._on_line(name + ("  (cached)" if vertex.get("cached") else ""))
        error = str(vertex.get("error") or "")
        # A step that was cancelled because another one failed isn't the cause.
        if error and "context canceled" not in error and self._failed is None:
            self._failed, self.failed_error = digest, error

    def _log(self, log: dict[str, Any]) -> None:
        digest = str(log.get("vertex"))
        try:
            text = base64.b64decode(str(log.get("data", ""))).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        *lines, rest = (self._rest.get(digest, "") + text).split("\n")
        # A progress bar draws over itself for ever.
        self._rest[digest] = (
            rest.rsplit("\r", 1)[-1][:KEPT_CHARACTERS] if rest[-1:] != "\r" else rest[-KEPT_CHARACTERS:]
        )
        for line in lines:
            shown = line.rstrip().rsplit("\r", 1)[-1]
            self._output.setdefault(digest, deque(maxlen=KEPT_LINES)).append(shown)
            self._on_line(f"  {shown}")

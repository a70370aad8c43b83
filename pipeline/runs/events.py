"""What a run reports as it goes: events into the spool of the run folder, and to whoever watches."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.plain_text import plain
from resources.record import Record, to_json

__all__ = ["Event", "Events", "Kind", "Watcher", "read"]

Kind = Literal["started", "progress", "log", "effect", "finished", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Event(Record):
    """One thing that happened; ``(run, attempt, seq)`` is its identity, ``at`` seconds since the epoch.

    ``effect`` says that the stage's outside effect is done while its record is not written yet.
    """

    run: str
    attempt: int
    seq: int
    at: float
    stage: str
    kind: Kind
    text: str
    seconds: float | None = None


Watcher = Callable[[Event], None]


class Events:
    """Appends events to ``spool`` (a run's ``events.jsonl``, or None) and passes them to ``watcher``.

    Log lines go to the watcher alone: the runner keeps logs, and the spool stays small.
    """

    def __init__(self, spool: Path | None, *, run: str, attempt: int, watcher: Watcher) -> None:
        self._spool = spool
        self._run = run
        self._attempt = attempt
        self._watcher = watcher
        self._seq = 0
        self._begin_line()

    def emit(self, stage: str, kind: Kind, text: str = "", *, seconds: float | None = None) -> None:
        """Report one event; what would steer a terminal is taken out of ``text``."""
        self._seq += 1
        event = Event(self._run, self._attempt, self._seq, round(time.time(), 3), stage, kind, plain(text), seconds)
        if kind != "log" and self._spool is not None:
            with self._spool.open("a", encoding="utf-8") as file:
                file.write(to_json(event) + "\n")
        self._watcher(event)

    def _begin_line(self) -> None:
        """End the line that a crash cut short, so that it takes no event of this attempt with it."""
        if self._spool is None or not self._spool.is_file():
            return
        with self._spool.open("rb+") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
                file.write(b"\n")


def read(spool: Path) -> list[dict[str, object]]:
    """Return the spooled events; a line cut short by a crash is dropped."""
    if not spool.is_file():
        return []
    events = []
    for line in spool.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events

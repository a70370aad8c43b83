"""Runs ``shipway``, which sends itself a signal at one point of one stage: the crash that a power cut is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pipeline.cli import main
from pipeline.runs.events import Events

STEMS = {
    "checkout": "source", "detect": "detection", "plan": "plan", "build": "image", "scan": "scan",
    "push": "published", "release": "draft", "gitops": "commit",
}  # fmt: skip


def arm(stage: str, point: str, number: int) -> None:
    """Send ``number`` to ourselves when ``stage`` comes to ``point``: an event's kind, or ``writing``."""
    emit, replace = Events.emit, Path.replace

    def emit_and_die(self: Events, at: str, kind: Any, text: str = "", *, seconds: float | None = None) -> None:
        emit(self, at, kind, text, seconds=seconds)
        if (at, kind) == (stage, point):
            os.kill(os.getpid(), number)

    def replace_and_die(self: Path, target: Any) -> Path:
        if point == "writing" and Path(target).name == f"{STEMS.get(stage)}.json":
            os.kill(os.getpid(), number)
        return replace(self, target)

    setattr(Events, "emit", emit_and_die)  # noqa: B010 - a method is replaced on purpose
    setattr(Path, "replace", replace_and_die)  # noqa: B010


if __name__ == "__main__":
    place, which, *rest = sys.argv[1:]
    at, _, point = place.partition(":")
    arm(at, point, int(which))
    main(rest)

"""How an app that isn't healthy answers, and when it is clear that waiting longer won't help."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pipeline.preview.asking import Answer

__all__ = ["Refusing"]

PATIENCE_SECONDS = 15.0


@dataclass(slots=True)
class Refusing:
    """Remembers the last answer and since when it has been the same client error."""

    last: Answer | None = None
    since: float = 0.0

    def long_enough(self, answer: Answer | None) -> bool:
        """Take the newest answer; return whether the same 4xx has come for so long that the path must be wrong.

        An app that starts may answer 5xx or nothing for a while; one that answers 404 all the time has started.
        """
        now = time.monotonic()
        if answer is None:
            return False
        if self.last is None or answer.status != self.last.status:
            self.since = now
        self.last = answer
        return 400 <= answer.status < 500 and now - self.since >= PATIENCE_SECONDS

    def why(self, path: str, timeout: float) -> str:
        """Return what went wrong, for people."""
        if self.last is None:
            return f"it never answered, and {timeout:.0f} seconds passed"
        if 400 <= self.last.status < 500:
            return f"{path} answered {self.last.status} all the time: if another path is the right one, name it"
        return f"{path} answered {self.last.status}, and {timeout:.0f} seconds passed"

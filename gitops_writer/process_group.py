"""Ends a process group at its time limit, and when its caller is interrupted."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["limited"]

KILL_GRACE_SECONDS = 2.0


@contextmanager
def limited(group: int, seconds: float) -> Iterator[threading.Event]:
    """End the process group ``group`` after ``seconds``, or when the body is left by an exception."""
    late = threading.Event()

    def expire() -> None:
        late.set()
        # SIGTERM first: git then takes its lock files away.
        _signal(group, signal.SIGTERM)
        if not done.wait(KILL_GRACE_SECONDS):
            _signal(group, signal.SIGKILL)

    done = threading.Event()
    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield late
    except BaseException:
        _signal(group, signal.SIGTERM)
        raise
    finally:
        done.set()
        timer.cancel()


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return

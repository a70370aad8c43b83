"""One writer at a time on one machine: processes by a locked file, threads by a lock."""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_writer.errors import RemoteError

__all__ = ["HostLock"]


class HostLock:
    """An exclusive lock on ``path``, which the kernel frees when its process dies; the holding thread may nest it."""

    def __init__(self, path: Path) -> None:
        """Take nothing yet; the file is made at first use."""
        self._path = path
        self._thread = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self, *, timeout: float = 120.0) -> Iterator[None]:
        """Hold the lock. Raises RemoteError (retryable) if others keep it for ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        if not self._thread.acquire(timeout=timeout):
            raise self._busy(timeout)
        try:
            file = None if self._depth else self._lock_file(deadline, timeout)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if file is not None:
                    os.close(file)
        finally:
            self._thread.release()

    def _lock_file(self, deadline: float, timeout: float) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(file)
                    raise self._busy(timeout) from None
                # flock has no time limit of its own; the jitter keeps waiting processes out of step.
                time.sleep(random.uniform(0.002, 0.02))  # noqa: S311 - no secret
            else:
                return file

    def _busy(self, timeout: float) -> RemoteError:
        return RemoteError(
            "gitops.busy",
            "the GitOps repository is busy on this machine",
            why=f"other Shipway processes have held {self._path} for {timeout:g} seconds",
            fix="run the same command again",
            retryable=True,
        )

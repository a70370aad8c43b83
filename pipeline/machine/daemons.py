"""Long-running processes of a home: started once, known by process id and start time, stopped without mistakes."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.process import start_daemon
from pipeline.errors import PipelineError
from pipeline.runs.folder import write_atomically
from resources.contracts import ContractError, parse
from resources.record import Record, to_json

__all__ = ["Daemon", "DaemonError", "ensure", "running", "start_time", "stop"]

POLL_SECONDS = 0.05
KILL_SECONDS = 10


class DaemonError(PipelineError):
    """A process of ours didn't start, or didn't answer in time."""


@dataclass(frozen=True, slots=True)
class Daemon(Record):
    """A process that was started: ``started`` is in clock ticks since the boot named ``boot``."""

    pid: int
    started: int
    boot: str
    argv: tuple[str, ...]


def start_time(stat: str) -> int | None:
    """Return the start time (clock ticks) in the text of ``/proc/<pid>/stat``; None for a zombie or other text.

    The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    """
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in "ZX" or not (fields[19].isascii() and fields[19].isdigit()):
        return None
    return int(fields[19])


def running(folder: Path, name: str) -> Daemon | None:
    """Return the daemon ``name`` recorded in ``folder`` if that very process runs now, or None."""
    try:
        daemon = parse(Daemon, (folder / f"{name}.json").read_bytes(), what=name)
    except (FileNotFoundError, ContractError):
        return None
    return daemon if _runs(daemon) else None


def ensure(
    folder: Path, name: str, argv: Sequence[str], *, log: Path, ready: Callable[[], bool], timeout: float
) -> Daemon:
    """Return the daemon ``name``, started with ``argv`` if it doesn't run, once ``ready()`` says that it answers.

    A process with exactly this command line, left by a caller that died before it could record it, is taken over.
    Raises DaemonError with the end of ``log`` if it ends, or isn't ready within ``timeout`` seconds.
    """
    daemon = running(folder, name)
    if daemon is None:
        log.parent.mkdir(parents=True, exist_ok=True)
        daemon = _describe(_orphan(argv) or start_daemon(argv, log=log), argv)
        write_atomically(folder / f"{name}.json", to_json(daemon).encode())
    deadline = time.monotonic() + timeout
    while not ready():
        if not _runs(daemon) or time.monotonic() > deadline:
            raise _not_ready(name, log, ended=not _runs(daemon))
        time.sleep(POLL_SECONDS)
    return daemon


def stop(folder: Path, name: str, *, timeout: float) -> bool:
    """End the daemon ``name`` (SIGTERM, after ``timeout`` seconds SIGKILL) and forget it; True if it ran."""
    daemon = running(folder, name)
    if daemon is not None:
        _end(daemon, timeout)
    (folder / f"{name}.json").unlink(missing_ok=True)
    return daemon is not None


def _end(daemon: Daemon, timeout: float) -> None:
    try:
        handle = os.pidfd_open(daemon.pid)
    except ProcessLookupError:
        return
    try:
        # Asked again after the handle is open: from here on a recycled process id can't be hit.
        if not _runs(daemon):
            return
        for number, seconds in ((signal.SIGTERM, timeout), (signal.SIGKILL, KILL_SECONDS)):
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], seconds)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _runs(daemon: Daemon) -> bool:
    return daemon.boot == _boot() and _started(daemon.pid) == daemon.started


def _started(pid: int) -> int | None:
    try:
        return start_time(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _describe(pid: int, argv: Sequence[str]) -> Daemon:
    return Daemon(pid=pid, started=_started(pid) or 0, boot=_boot(), argv=tuple(argv))


def _orphan(argv: Sequence[str]) -> int | None:
    wanted = b"".join(os.fsencode(argument) + b"\0" for argument in argv)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes() == wanted and _started(int(folder.name)) is not None:
                return int(folder.name)
        except OSError:  # it ended meanwhile
            continue
    return None


def _not_ready(name: str, log: Path, *, ended: bool) -> DaemonError:
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-6:] if log.exists() else []
    # Daemons log as key=value or JSON with control characters now and then: shown quoted.
    lines = "\n".join(json.dumps(line[:300], ensure_ascii=False) for line in tail)
    what = f"{name} ended while starting" if ended else f"{name} doesn't answer"
    return DaemonError(
        "daemon.not_ready",
        what,
        why=lines,
        fix=f"the whole log is in {log}; `shipway doctor` tells what is missing",
        kind="outside",
        retryable=True,
    )

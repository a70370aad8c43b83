"""Runs every subprocess: argv in, a result out; own process group, explicit environment, limits, whole tree killed."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from clients.errors import ClientError

__all__ = ["Completed", "ProcessError", "base_environment", "find", "run", "start_daemon", "stop_tree"]

OnLine = Callable[[str], None]
KILL_GRACE_SECONDS = 1.0
CHUNK = 65_536
# A build engine tells everything that happened in a tenth of a second in one line.
LINE_BYTES = 8 * 1024 * 1024


class ProcessError(ClientError):
    """A program could not be started, ran past its time limit, or failed."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished process. ``output`` is stdout, ``errors`` stderr, cut at the byte limit; ``seconds`` is wall time.

    ``overflowed`` says that it was ended because it printed more than it may.
    """

    argv: tuple[str, ...]
    returncode: int
    output: bytes
    errors: bytes
    seconds: float
    timed_out: bool
    overflowed: bool = False

    @property
    def text(self) -> str:
        """Stdout as UTF-8 text, wrong bytes replaced."""
        return self.output.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        """Stderr as UTF-8 text, wrong bytes replaced."""
        return self.errors.decode("utf-8", "replace")

    def check(self, what: str, *, fix: str = "") -> Completed:
        """Return self, or raise ProcessError saying that ``what`` failed with the end of its output as the cause."""
        if self.returncode == 0 and not self.timed_out:
            return self
        tail = (self.error_text.strip() or self.text.strip()).splitlines()[-12:]
        why = f"{self.argv[0]} ran past its time limit" if self.timed_out else "\n".join(tail)
        raise ProcessError(
            "process.timeout" if self.timed_out else "process.failed",
            what,
            why=why or f"{self.argv[0]} ended with {self.returncode}",
            fix=fix,
            kind="outside",
            retryable=self.timed_out,
        )


def base_environment(**extra: str) -> dict[str, str]:
    """Return the small environment of children: PATH, HOME, locale, TLS trust, Jenkins' cookie, and ``extra``."""
    passed = (
        "PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_RUNTIME_DIR",
        "JENKINS_SERVER_COOKIE", "BUILD_ID", "BUILD_URL",
        "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    )  # fmt: skip
    kept = {name: os.environ[name] for name in passed if name in os.environ}
    return {"LC_ALL": "C.UTF-8", "PATH": os.defpath, **kept, **extra}


def find(program: str, *, path: str | None = None) -> str | None:
    """Return the absolute path of ``program`` on ``path`` (default: the process's PATH), or None."""
    import shutil

    return shutil.which(program, path=path)


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    limit_bytes: int = 32 * 1024 * 1024,
    stop_at_limit: bool = False,
    on_line: OnLine | None = None,
) -> Completed:
    """Run ``argv`` and return what it did, whatever its exit code.

    ``timeout`` is in seconds; at the limit the whole process group is killed. ``env`` replaces the environment
    (default: ``base_environment()``). ``on_line`` gets each line of stderr and stdout, without its newline, as it
    comes. Output past ``limit_bytes`` a stream is dropped, or ends the program with ``stop_at_limit``. An interrupt
    kills the tree before it propagates.

    Raises ProcessError if the program can't be started.
    """
    started = time.monotonic()
    process = _start(argv, env=base_environment() if env is None else dict(env), cwd=cwd)
    lines = (_Lines(limit_bytes, on_line), _Lines(limit_bytes, on_line))
    try:
        timed_out = _communicate(process, stdin, started + timeout, lines, stop_at_limit=stop_at_limit)
    finally:
        # Grandchildren that kept the pipes closed but live on die with the group.
        stop_tree(process)
    seconds = time.monotonic() - started
    output, errors = (bytes(one.kept) for one in lines)
    overflowed = stop_at_limit and any(one.overflowed for one in lines)
    return Completed(tuple(argv), process.returncode, output, errors, seconds, timed_out, overflowed)


def start_daemon(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start ``argv`` in its own session, output appended to ``log``, and return its process id."""
    with log.open("ab") as sink:
        process = _popen(argv, base_environment() if env is None else dict(env), None, sink)
    return process.pid


def stop_tree(process: subprocess.Popen[bytes], *, grace: float = KILL_GRACE_SECONDS) -> None:
    """End the process group of ``process``: SIGTERM if it still runs, SIGKILL after ``grace`` seconds."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _start(argv: Sequence[str], *, env: dict[str, str], cwd: Path | None) -> subprocess.Popen[bytes]:
    return _popen(argv, env, cwd, subprocess.PIPE)


def _popen(
    argv: Sequence[str], env: dict[str, str], cwd: Path | None, sink: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    from plumbum.machines.local import LocalMachine

    env = {"PATH": os.defpath, **env}
    piped = sink == subprocess.PIPE
    # Plumbum adds what it is given to an environment of its own, which begins as a copy of this process's.
    machine = LocalMachine()
    machine.env.clear()
    try:
        command = machine[_program(argv[0], env)][list(argv[1:])]
        return cast(
            "subprocess.Popen[bytes]",
            command.popen(
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=sink,
                stderr=sink if piped else subprocess.STDOUT,
                env=env,
                cwd=str(cwd) if cwd else None,
                start_new_session=True,
            ),
        )
    except OSError as error:
        raise ProcessError(
            "process.not_started",
            f"{argv[0]} could not be started",
            why=str(error),
            fix="run `shipway doctor` to see what is missing on this machine",
            kind="outside",
        ) from error


def _program(name: str, env: Mapping[str, str]) -> str:
    found = find(name, path=env.get("PATH", os.defpath))
    if found is None:
        raise FileNotFoundError(f"{name} is not on the path, or can't be executed")
    return str(Path(found).absolute())


class _Lines:
    """Collects one stream up to a limit, and hands out whole lines; of an endless line its beginning."""

    def __init__(self, limit: int, on_line: OnLine | None) -> None:
        self.kept = bytearray()
        self.overflowed = False
        self._limit = limit
        self._on_line = on_line
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        room = self._limit - len(self.kept)
        self.overflowed = self.overflowed or len(data) > room
        self.kept += data[:room]
        if self._on_line is None:
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._hold(line)
            self._hand_out()
        self._hold(rest)

    def close(self) -> None:
        if self._on_line is not None and self._rest:
            self._hand_out()

    def _hold(self, data: bytes) -> None:
        self._rest += data[: max(0, LINE_BYTES - len(self._rest))]

    def _hand_out(self) -> None:
        text = self._rest.decode("utf-8", "replace").rstrip("\r")
        self._rest.clear()
        if self._on_line is not None:
            self._on_line(text)


def _communicate(
    process: subprocess.Popen[bytes],
    stdin: bytes,
    deadline: float,
    lines: tuple[_Lines, _Lines],
    *,
    stop_at_limit: bool,
) -> bool:
    """Follow the program until it ends, and return whether it ran past ``deadline``."""
    with selectors.DefaultSelector() as selector:
        for stream, one in zip((process.stdout, process.stderr), lines, strict=True):
            assert stream is not None  # noqa: S101 - Popen was given pipes
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, one)
        _feed_stdin(process, stdin)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            # The half second is for a child that left its pipes to a grandchild and ended itself.
            _read_ready(selector, min(left, 0.5))
            if stop_at_limit and any(one.overflowed for one in lines):
                return False
            if selector.get_map() and process.poll() is not None and not selector.select(0.2):
                break
    for one in lines:
        one.close()
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return True
    return False


def _read_ready(selector: selectors.BaseSelector, seconds: float) -> None:
    for key, _ in selector.select(seconds):
        data = os.read(key.fd, CHUNK)
        if data:
            key.data.feed(data)
        else:
            selector.unregister(key.fileobj)


def _feed_stdin(process: subprocess.Popen[bytes], data: bytes) -> None:
    import threading

    pipe = process.stdin
    assert pipe is not None  # noqa: S101 - Popen was given pipes

    def write() -> None:
        try:
            pipe.write(data)
            pipe.close()
        except (BrokenPipeError, ValueError):
            return

    if data:
        threading.Thread(target=write, daemon=True).start()
    else:
        pipe.close()

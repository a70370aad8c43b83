"""The supervisor: what a program printed, and nothing of it left running."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients import process as process_module
from clients.process import ProcessError, base_environment, run

ROOT = Path(__file__).resolve().parents[2]
WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


def ends_within(pid: int, seconds: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def test_output_errors_and_code_are_kept_apart() -> None:
    done = run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10)

    assert (done.text, done.error_text, done.returncode, done.timed_out) == ("out\n", "err\n", 3, False)


@settings(max_examples=15, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4))
def test_every_argument_arrives_as_it_was_given(words: list[str]) -> None:
    done = run(["printf", "%s\\0", *words], timeout=10)

    assert done.output.decode() == "".join(f"{word}\0" for word in words)


def test_at_the_time_limit_grandchildren_die_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    started = time.monotonic()

    done = run(["sh", "-c", f"(trap '' TERM; sleep 300) & echo $! > {note}; wait"], timeout=1)

    assert done.timed_out
    assert time.monotonic() - started < 4
    assert ends_within(int(note.read_text()), 2)


def test_a_child_that_leaves_a_grandchild_with_its_pipes_does_not_hold_us(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    started = time.monotonic()

    done = run(["sh", "-c", f"sleep 300 & echo $! > {note}; echo done"], timeout=60)

    assert done.text == "done\n"
    assert time.monotonic() - started < 5
    assert ends_within(int(note.read_text()), 2)


def test_lines_arrive_while_the_program_runs() -> None:
    seen: list[tuple[str, float]] = []
    run(
        ["sh", "-c", "echo first; sleep 1; printf last"],
        timeout=10,
        on_line=lambda text: seen.append((text, time.monotonic())),
    )

    assert [text for text, _ in seen] == ["first", "last"]
    assert seen[1][1] - seen[0][1] > 0.5


def test_output_past_the_limit_is_dropped_and_the_program_goes_on() -> None:
    done = run(["sh", "-c", "yes | head -c 5000000; echo end >&2"], timeout=20, limit_bytes=1000)

    assert len(done.output) == 1000
    assert done.error_text == "end\n"


def test_the_environment_is_only_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "s3cret")
    monkeypatch.setenv("JENKINS_SERVER_COOKIE", "cookie")

    names = {line.partition("=")[0] for line in run(["env"], timeout=10).text.splitlines()}

    assert "A_SECRET" not in names
    assert "JENKINS_SERVER_COOKIE" in names
    assert "EXTRA" in base_environment(EXTRA="1")


def test_what_was_in_the_environment_before_the_start_is_not_passed_on_either() -> None:
    program = "from clients.process import run; print(run(['env'], timeout=10).text)"
    environment = {**os.environ, "TRIVY_SEVERITY": "LOW", "GIT_DIR": "/elsewhere", "A_SECRET": "s3cret"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, cwd=ROOT, check=True)

    names = {line.partition(b"=")[0] for line in done.stdout.splitlines()}

    assert names.isdisjoint({b"TRIVY_SEVERITY", b"GIT_DIR", b"A_SECRET"})
    assert b"PATH" in names


def test_the_program_is_looked_for_on_the_path_that_is_given(tmp_path: Path) -> None:
    program = tmp_path / "own"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)

    assert run(["own"], timeout=5, env={"PATH": f"{tmp_path}:/bin"}).text == "found\n"
    with pytest.raises(ProcessError, match="own"):
        run(["own"], timeout=5, env={"PATH": "/bin"})


def test_a_line_of_a_megabyte_arrives_whole() -> None:
    seen: list[str] = []
    run(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo next"], timeout=20, on_line=seen.append)

    assert [len(line) for line in seen] == [1_000_000, 4]


def test_of_an_endless_line_the_beginning_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.process.LINE_BYTES", 10)
    seen: list[str] = []
    run(["sh", "-c", "printf 0123456789abcdef; echo more; printf rest"], timeout=20, on_line=seen.append)

    assert seen == ["0123456789", "rest"]


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=8)), st.integers(0, 30))
def test_lines_do_not_depend_on_how_the_output_is_cut(pieces: list[bytes], limit: int) -> None:
    seen: list[str] = []
    lines = process_module._Lines(limit, seen.append)
    for piece in pieces:
        lines.feed(piece)
    lines.close()

    whole = b"".join(pieces)
    expected = [line.decode("utf-8", "replace").rstrip("\r") for line in whole.split(b"\n")]
    assert seen == (expected if not whole.endswith(b"\n") and whole else expected[:-1])
    assert (bytes(lines.kept), lines.overflowed) == (whole[:limit], len(whole) > limit)


def test_a_program_that_prints_without_end_can_be_ended_at_the_limit() -> None:
    started = time.monotonic()
    done = run(["yes"], timeout=60, limit_bytes=1_000_000, stop_at_limit=True)

    assert (done.overflowed, done.timed_out, len(done.output)) == (True, False, 1_000_000)
    assert time.monotonic() - started < 10


def test_stdin_larger_than_a_pipe_arrives() -> None:
    data = os.urandom(3_000_000)

    assert run(["cat"], timeout=20, stdin=data).output == data


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ProcessError, match="no-such-program") as failed:
        run(["no-such-program"], timeout=5)
    assert "doctor" in failed.value.fix


def test_a_failure_says_what_failed_with_the_programs_last_words() -> None:
    with pytest.raises(ProcessError) as failed:
        run(["sh", "-c", "echo the reason >&2; exit 1"], timeout=5).check("making it failed", fix="do this")
    assert (failed.value.what, failed.value.why, failed.value.fix) == ("making it failed", "the reason", "do this")

"""The supervisor: what a program printed, and nothing of it left running."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.process import ProcessError, base_environment, run

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

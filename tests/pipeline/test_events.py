"""The spool of events: whole lines, none lost to a crash, nothing in them that steers a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plain_text import plain
from pipeline.progress import watching
from pipeline.runs.events import Event, Events, read


def spooling(spool: Path, *, attempt: int = 1, seen: list[Event] | None = None) -> Events:
    watched = seen if seen is not None else []
    return Events(spool, run="r-1", attempt=attempt, watcher=watched.append)


def test_events_are_numbered_and_kept_and_log_lines_are_only_shown(tmp_path: Path) -> None:
    seen: list[Event] = []
    events = spooling(tmp_path / "events.jsonl", seen=seen)
    events.emit("build", "started")
    events.emit("build", "log", "a line")
    events.emit("build", "finished", seconds=1.5)

    assert [(event["seq"], event["kind"]) for event in read(tmp_path / "events.jsonl")] == [
        (1, "started"),
        (3, "finished"),
    ]
    assert [event.kind for event in seen] == ["started", "log", "finished"]


def test_a_line_that_a_crash_cut_short_takes_no_other_event_with_it(tmp_path: Path) -> None:
    spool = tmp_path / "events.jsonl"
    spooling(spool).emit("build", "started")
    whole = spool.read_bytes()
    for cut in range(len(whole) - 1):
        spool.write_bytes(whole + whole[:cut])
        spooling(spool, attempt=2).emit("build", "progress", "again")

        assert [(event["attempt"], event["kind"]) for event in read(spool)] == [(1, "started"), (2, "progress")]


def test_an_absent_spool_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []


@given(st.lists(st.text(), max_size=5))
def test_every_text_comes_back_as_one_event(tmp_path_factory: object, texts: list[str]) -> None:
    spool = tmp_path_factory.mktemp("spool") / "events.jsonl"  # type: ignore[attr-defined]
    events = spooling(spool)
    for text in texts:
        events.emit("build", "progress", text)

    assert [event["text"] for event in read(spool)] == [plain(text) for text in texts]
    assert all(json.loads(line) for line in spool.read_text().split("\n") if line) if texts else not spool.exists()


@given(st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d[]0;m\x07\\"), max_size=40))
def test_plain_text_has_no_control_characters_and_stays_as_it_is(text: str) -> None:
    shown = plain(text)

    assert not [mark for mark in shown if (ord(mark) < 32 and mark not in "\t\n") or 0x7F <= ord(mark) < 0xA0]
    assert plain(shown) == shown
    shown.encode()


def test_sequences_go_whole_and_text_stays() -> None:
    cases = {
        "\x1b[1;31mred\x1b[0m": "red",
        "\x1b]0;title\x07shown": "shown",
        "\x1b]52;c;ZXZpbA==\x1b\\shown": "shown",
        "\x1b]8;;https://evil\x1b\\link": "link",
        "\x1b]0;never ended": "\ufffd]0;never ended",
        "done\rforged": "done\ufffdforged",
        "one\r\ntwo\tthree": "one\ntwo\tthree",
        "\u202egnp.exe": "\ufffdgnp.exe",
        "na\u00efve \u4e16\u754c \U0001f680": "na\u00efve \u4e16\u754c \U0001f680",
    }
    assert {text: plain(text) for text in cases} == cases


def test_a_watcher_that_has_gone_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    for mode in ("plain", "json"):
        with watching(mode) as watcher:
            watcher(Event("r", 1, 1, 0.0, "build", "started", ""))

"""What a person, a program and a log learn of a failure."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import click
import docker.errors
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import EXIT_CODES, PipelineError, Terminated, exit_code, report
from resources.errors import Kind

ROOT = Path(__file__).resolve().parents[2]


def response(status: int) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    return answer


def test_every_kind_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT_CODES) == set(get_args(Kind))
    assert sorted(EXIT_CODES.values()) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PipelineError("a", "b", kind="policy"), 3),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (Terminated(), 143),
        (click.UsageError("no"), 2),
        (OSError(errno.ENOSPC, "full", "/x"), 5),
        (PermissionError(errno.EACCES, "denied", "/x"), 5),
        (FileNotFoundError(errno.ENOENT, "gone", "/x"), 1),
        (requests.ConnectionError("the engine is gone"), 5),
        (docker.errors.APIError("500", response=response(500)), 5),
        (docker.errors.APIError("400", response=response(400)), 1),
        (ValueError("ours"), 1),
    ],
)
def test_each_failure_has_its_documented_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHIPWAY_HOME", str(tmp_path))
    assert exit_code(error) == code
    assert report(error, as_json=True) == code

    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.out.count("\n") == 1
    assert (document["schema"], document["exit_code"]) == ("shipway/error/v1", code)
    assert set(document) == {"schema", "exit_code", "retryable", "code", "what", "why", "fix"}


def test_a_person_reads_what_failed_why_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    report(PipelineError("a.b", "it failed", why="one\ntwo", fix="do this"), as_json=False)

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "error: it failed\n  one\n  two\n  -> do this\n")


def test_a_defect_leaves_its_traceback_in_a_log_without_what_the_app_was_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHIPWAY_HOME", str(tmp_path))
    argv = ["deploy", ".", "--env", "TOKEN=s3cret", "--env=OTHER=s3cret\nmore", "--host", "h"]
    with pytest.raises(ValueError, match="ours") as raised:
        raise ValueError("ours")
    assert report(raised.value, as_json=False, argv=argv) == 1

    printed = capsys.readouterr().err
    (log,) = (tmp_path / "logs").iterdir()
    assert "Traceback" not in printed
    assert str(log) in printed
    text = log.read_text()
    assert text.startswith("shipway deploy . --env TOKEN=... --env=OTHER=... --host h\n")
    assert "ValueError: ours" in text
    assert "s3cret" not in text
    assert oct(log.stat().st_mode)[-3:] == "600"


@given(st.text())
def test_nothing_that_is_quoted_steers_the_terminal(text: str) -> None:
    from pipeline.errors import _text

    shown = _text({"what": text, "why": text + "\x1b[2J\x9b2J", "fix": text})

    assert not [mark for mark in shown if (ord(mark) < 32 and mark not in "\t\n") or 0x7F <= ord(mark) < 0xA0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_a_signal_ends_the_children_too(tmp_path: Path, number: signal.Signals, code: int) -> None:
    note = tmp_path / "pid"
    program = (
        "import click, pipeline.cli as cli\n"
        "from clients.process import run\n"
        f"def note(line): open({str(note)!r}, 'w').write(line)\n"
        "@click.command()\n"
        "def slow(): run(['sh', '-c', 'echo $$; exec sleep 300'], timeout=300, on_line=note)\n"
        "cli.root.add_command(slow)\n"
        "cli.LazyGroup.get_command = click.Group.get_command\n"
        "cli.main(['slow'])\n"
    )
    started = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE)
    while not note.is_file() or not note.read_text().strip():
        assert started.poll() is None
    child = os.pidfd_open(int(note.read_text()))
    started.send_signal(number)

    assert started.wait(20) == code
    import select

    assert select.select([child], [], [], 5)[0]
    os.close(child)

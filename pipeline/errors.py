"""The one handler of failures: expected errors short with a next step, defects of ours with a traceback in a log."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.plain_text import plain
from resources.errors import Kind, ShipwayError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EXIT_CODES", "PipelineError", "Terminated", "exit_code", "report"]

EXIT_CODES: dict[Kind, int] = {
    "defect": 1,
    "input": 2,
    "policy": 3,
    "not_deployable": 4,
    "outside": 5,
    "build": 6,
    "superseded": 7,
}
INTERRUPTED, TERMINATED = 130, 143


class PipelineError(ShipwayError):
    """A stage failed for a reason that a person can act on."""


class Terminated(BaseException):
    """SIGTERM arrived: unwinds like an interrupt, so that children are stopped and temporary files removed."""


def exit_code(error: BaseException) -> int:
    """Return the documented exit code of ``error``."""
    match error:
        case ShipwayError():
            return EXIT_CODES[error.kind]
        case KeyboardInterrupt():
            return INTERRUPTED
        case Terminated():
            return TERMINATED
        case _:
            return _click_code(error)


def report(error: BaseException, *, as_json: bool, argv: Sequence[str] = ()) -> int:
    """Show ``error`` to whoever asked, and return the exit code.

    With ``as_json`` one ``shipway/error/v1`` document goes to stdout; a person's text goes to stderr.
    """
    document = _document(error, argv)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        sys.stdout.flush()
    else:
        sys.stderr.write(_text(document))
        sys.stderr.flush()
    return int(str(document["exit_code"]))


def _document(error: BaseException, argv: Sequence[str]) -> dict[str, object]:
    code = exit_code(error)
    parts: dict[str, object] = {"schema": "shipway/error/v1", "exit_code": code, "retryable": False}
    if isinstance(error, ShipwayError):
        told = {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix}
        return {**parts, **told, "retryable": error.retryable}
    if code in (INTERRUPTED, TERMINATED):
        what = "interrupted" if code == INTERRUPTED else "terminated"
        fix = "run the same command again: finished stages are not repeated"
        return {**parts, "code": f"cli.{what}", "what": what, "why": "", "fix": fix}
    if _is_engine_trouble(error):
        fix = "run `shipway doctor` to see whether the container engine answers, then run the same command again"
        told = {"code": "engine.failed", "what": "the container engine failed", "why": str(error), "fix": fix}
        return {**parts, **told, "retryable": True}
    if code != 1:
        return {
            **parts,
            "code": "cli.usage" if code == 2 else "machine.storage",
            "what": _click_message(error),
            "why": "",
            "fix": _click_hint(error),
        }
    log = _log_defect(error, argv)
    why = f"{type(error).__name__}: {error}"
    fix = f"this is a defect of Shipway; the details are in {log}"
    return {**parts, "code": "defect", "what": "something went wrong inside Shipway", "why": why, "fix": fix}


def _text(document: dict[str, object]) -> str:
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    mark = "\x1b[31merror\x1b[0m" if colour else "error"
    lines = [f"{mark}: {plain(str(document['what']))}"]
    lines += [f"  {line}" for line in str(document["why"]).splitlines()]
    lines += [f"  -> {line}" for line in str(document["fix"]).splitlines()]
    # What failed often quotes what a repository, a server or a program says.
    return "\n".join([lines[0], *(plain(line) for line in lines[1:])]) + "\n"


def _log_defect(error: BaseException, argv: Sequence[str]) -> Path:
    home = Path(os.environ.get("SHIPWAY_HOME") or tempfile.gettempdir())
    text = f"shipway {' '.join(_without_values(argv))}\n" + "".join(traceback.format_exception(error))
    try:
        folder = home / "logs" if home.is_dir() else Path(tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="shipway-error-", suffix=".log", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as log:
            log.write(text)
        return Path(name)
    except OSError:
        sys.stderr.write(text)
        return Path("the lines above")


def _without_values(argv: Sequence[str]) -> list[str]:
    """Return ``argv`` without the values of ``--env NAME=VALUE``: what an app is given may be private."""
    shown = [re.sub(r"(?s)^(--env=[^=]*=).*", r"\1...", argument) for argument in argv]
    for at, argument in enumerate(argv[:-1]):
        if argument == "--env":
            shown[at + 1] = argv[at + 1].partition("=")[0] + "=..."
    return shown


def _click_code(error: BaseException) -> int:
    import click

    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return 2
    if isinstance(error, OSError) and error.errno is not None and _is_machine_trouble(error.errno):
        return 5
    return 5 if _is_engine_trouble(error) else 1


def _is_machine_trouble(number: int) -> bool:
    import errno

    return number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def _is_engine_trouble(error: BaseException) -> bool:
    """Tell whether the container engine failed or went away; a request that it refuses is a defect of ours."""
    origin = type(error).__module__.partition(".")[0]
    status = getattr(getattr(error, "response", None), "status_code", None)
    return origin in ("docker", "requests", "urllib3") and (status is None or status >= 500)


def _click_message(error: BaseException) -> str:
    import click

    if isinstance(error, click.ClickException):
        return error.format_message()
    return f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)


def _click_hint(error: BaseException) -> str:
    import click

    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"see `{error.ctx.command_path} --help`"
    if isinstance(error, OSError):
        return "make room (or make it writable) and run the same command again: nothing half-written was left"
    return ""

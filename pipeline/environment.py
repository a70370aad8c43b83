"""The environment variables that a person gives an app: ``NAME=value`` texts and ``.env`` files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError

__all__ = ["environment", "secret_looking"]

SECRET_NAME = re.compile(r"(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)(_|$)")
ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def environment(pairs: Iterable[str], file: Path | None = None) -> dict[str, str]:
    """Return the variables of ``NAME=value`` texts over those of a ``.env`` file; raises PipelineError.

    In the file, empty lines and lines that start with ``#`` are passed over, and one pair of quotes around a value is
    taken off.
    """
    found: dict[str, str] = {}
    if file is not None:
        for number, line in enumerate(_lines(file), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                name, value = _pair(line.strip().removeprefix("export "), f"{file}:{number}")
                found[name] = _unquoted(value)
    found.update(_pair(text, "--env") for text in pairs)
    return found


def secret_looking(variables: Iterable[str]) -> list[str]:
    """Return those names of ``variables`` that people give to secrets; what a release holds is committed as it is."""
    return sorted(name for name in variables if SECRET_NAME.search(name.upper()))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PipelineError("env.file", f"{file} can't be read", why=str(error), fix="save it as UTF-8") from error


def _pair(text: str, where: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not ENV_NAME.match(name) or "\0" in value:
        shown = name if equals else text.split()[0] if text.split() else ""
        fix = "write NAME=value, the name in letters, digits and _"
        raise PipelineError("env.pair", f"{where}: {shown!r} isn't an environment variable", fix=fix)
    return name, value


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value

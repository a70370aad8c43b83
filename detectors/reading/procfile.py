"""A Procfile's processes, the one way of saying how an app starts that every language shares."""

from __future__ import annotations

import re

from detectors.folder import Folder
from detectors.found import Found
from detectors.manifests import text_of
from detectors.starting.commands import Command, parse_command

__all__ = ["procfile_line", "procfile_web"]

_PROCESS = re.compile(r"([A-Za-z0-9_-]{1,60})\s*:\s*(.+)")


def procfile_line(folder: Folder, process: str) -> Found[str] | None:
    """Return the command line of ``process``, the first of that name."""
    if not folder.has("Procfile"):
        return None
    for number, line in enumerate(text_of(folder, "Procfile").split("\n"), 1):
        match = _PROCESS.fullmatch(line.strip())
        if match and match[1] == process:
            return Found(match[2], folder.at("Procfile"), number, f"the Procfile's {process} process")
    return None


def procfile_web(folder: Folder, port: int) -> Found[Command] | None:
    """Return the command of the ``web`` process; ``$PORT`` defaults to ``port``."""
    line = procfile_line(folder, "web")
    command = parse_command(line.value, port=port) if line else None
    return Found(command, line.file, line.line, line.why) if line and command else None

"""A Procfile's ``web`` process, the one way of saying how an app starts that every language shares."""

from __future__ import annotations

import re

from detectors.commands import Command, parse_command
from detectors.folder import Folder
from detectors.found import Found
from detectors.manifests import text_of

__all__ = ["procfile_web"]

_WEB = re.compile(r"web\s*:\s*(.+)")


def procfile_web(folder: Folder, port: int) -> Found[Command] | None:
    """Return the command of the ``web`` process; ``$PORT`` defaults to ``port``."""
    if not folder.has("Procfile"):
        return None
    for number, line in enumerate(text_of(folder, "Procfile").split("\n"), 1):
        match = _WEB.fullmatch(line.strip())
        if match and (command := parse_command(match[1], port=port)):
            return Found(command, folder.at("Procfile"), number, "the Procfile's web process")
    return None

"""Makes a sample app complete: lock files that name their index's host are made when the tests run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["prepared"]


def prepared(name: str, folder: Path) -> None:
    """Make ``uv.lock`` where the app is one of uv's."""
    if name == "python-fastapi":
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "lock", "--system-certs"], cwd=folder, check=True, capture_output=True)

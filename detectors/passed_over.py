"""What a folder holds that a person may expect to be used, and isn't: said, so that nothing is ignored silently."""

from __future__ import annotations

from collections.abc import Iterator

from detectors.folder import Folder
from detectors.found import warning
from detectors.model import Evidence
from detectors.reading.procfile import procfile_line

__all__ = ["passed_over"]


def passed_over(folder: Folder) -> Iterator[Evidence]:
    """Yield a warning for a Dockerfile, and for a Procfile's release process."""
    if name := folder.first(("Dockerfile", "Containerfile")):
        why = f"its own {name} is not used: Shipway writes one (`shipway dockerfile` shows it)"
        yield warning(folder.at(name), 1, why)
    if release := procfile_line(folder, "release"):
        why = "the release process is not run, in the build neither: run what it does (migrations) by yourself"
        yield warning(release.file, release.line, why)

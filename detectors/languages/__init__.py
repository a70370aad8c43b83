"""The languages that Shipway knows, in order: where two describe a folder equally well, the earlier one is taken.

A package.json is often only there for a site's assets or a tool, so Node comes last. A language's file is imported only
where one of its markers is found: most of start-up would go into the files of other languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detectors.folder import Folder
    from detectors.language import Language

__all__ = ["LANGUAGES", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One language: ``module`` is its file here, ``names`` what a service's language may be.

    ``markers`` are the names that, at the top of a folder, make it worth a look; ``programs`` are markers that other
    folders hold too, so that they mark only the root; ``anywhere`` are those that count at any depth.
    """

    module: str
    names: tuple[str, ...]
    markers: tuple[str, ...]
    programs: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()

    def marks(self, folder: Folder) -> bool:
        """Return whether ``folder`` holds one of the markers."""
        if folder.first((*self.markers, *self.programs, *self.anywhere)):
            return True
        return bool(self.anywhere) and any(name.rpartition("/")[2] in self.anywhere for name in folder.files)

    def load(self) -> Language:
        """Return what the language's file declares."""
        language: Language = import_module(f"{__name__}.{self.module}").LANGUAGE
        return language


LANGUAGES = (
    Entry(
        "jvm",
        ("java",),
        ("pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "build.sbt"),
    ),
    Entry(
        "python",
        ("python",),
        (
            "requirements.txt",
            "pyproject.toml",
            "Pipfile",
            "setup.py",
            "setup.cfg",
            "uv.lock",
            "poetry.lock",
            "pdm.lock",
        ),
        programs=("main.py", "app.py", "server.py", "wsgi.py", "asgi.py", "streamlit_app.py"),
        anywhere=("manage.py",),
    ),
    Entry("node", ("node",), ("package.json",)),
)

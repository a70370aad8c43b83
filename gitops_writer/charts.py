"""A packaged chart and its library chart in, the files of its immutable copy out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from gitops_writer.errors import GitopsError

__all__ = ["chart_files", "chart_version"]

LIBRARY = "common"
VERSION_LINE = re.compile(r"^version: (\S+)$", re.MULTILINE)


def chart_version(charts: Path | Traversable, name: str) -> str:
    """Return the version of the packaged chart ``name``. Raises GitopsError if there is none."""
    file = charts / name / "Chart.yaml"
    found = VERSION_LINE.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    if found is None:
        raise GitopsError(
            "gitops.no_such_chart",
            f"this Shipway has no chart {name}",
            why=f"{name}/Chart.yaml is missing, or has no line 'version: ...'",
            fix="choose a project type that it has",
        )
    return found.group(1)


def chart_files(charts: Path | Traversable, name: str) -> dict[str, bytes]:
    """Return the files of chart ``name`` by their path in its folder, the library chart vendored below ``charts/``."""
    chart_version(charts, name)
    own = dict(_walk(charts / name, ""))
    library = dict(_walk(charts / LIBRARY, f"charts/{LIBRARY}/"))
    # A developer's `helm dependency build` may have left its own copy behind.
    return {path: data for path, data in own.items() if not path.startswith("charts/")} | library


def _walk(folder: Path | Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith((".", "__")) or entry.name == "Chart.lock":
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()

"""What the root group hands to every folder's commands, so that they need not import the pipeline."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detectors.tree import Tree
    from gitops_writer.mirror import Mirror

__all__ = ["services"]


def services() -> dict[str, Callable[..., Any]]:
    """Return the services by name: ``open_tree`` (target, branch), ``gitops`` () and ``project`` (name)."""
    return {"open_tree": _open_tree, "gitops": _mirror, "project": _project}


@contextmanager
def _open_tree(target: str, branch: str | None) -> Iterator[Tree]:
    if branch is None and "://" not in target and Path(target).is_dir() and not _is_bare(Path(target)):
        from detectors.tree import FolderTree

        yield FolderTree(Path(target))
        return
    from pipeline.config import load
    from pipeline.runs.begin import access_of
    from pipeline.source import opened, parse_target

    config = load()
    with tempfile.TemporaryDirectory(prefix="shipway-source-") as scratch:
        parsed = parse_target(target, allow_http=config.git_allow_http)
        with opened(parsed, branch, access_of(config), Path(scratch) / "source.git") as tree:
            yield tree


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _mirror() -> Mirror:
    from pipeline.config import load
    from pipeline.session import Session

    return Session(load()).mirror


def _project(name: str | None) -> tuple[str, str]:
    from pipeline.config import load
    from pipeline.source import parse_target, project_name

    return load().workspace, name or project_name(parse_target("."))

"""Lays out one build in the run folder: the context, and the Dockerfile with its ignore file beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.git_tree import GitTree, write_context

__all__ = ["lay_out"]


def lay_out(folder: Path, tree: GitTree, root: str, dockerfile: str, ignore: str) -> Path:
    """Write the files below ``root`` to a fresh ``folder`` and return the context's path.

    The repository's own ``.dockerignore`` is honoured; ``ignore`` stands in where it has none.
    """
    shutil.rmtree(folder, ignore_errors=True)
    context = folder / "context"
    context.mkdir(parents=True)
    write_context(tree, root, context)
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    if not (context / ".dockerignore").is_file():
        (folder / "Dockerfile.dockerignore").write_text(ignore, encoding="utf-8")
    return context

"""What all parts share: templates, schemas, tables and policies, and the code that checks documents against them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["charts", "read_text", "resource"]

# A path and not importlib.resources, whose import alone costs the start-up budget of `shipway detect` 3 to 10 ms.
HERE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the packaged resource ``name``, a path such as ``"policies/default.yaml"``."""
    return HERE / name


def read_text(name: str) -> str:
    """Return the text of the packaged resource ``name`` (UTF-8)."""
    return resource(name).read_text(encoding="utf-8")


def charts() -> Path:
    """Return the folder of our Helm charts, one below it for each chart."""
    return HERE.parent / "charts"

"""A parsed manifest: typed access to hostile data, each value with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.errors import DetectionError

__all__ = ["Document", "Path", "broken"]

Path = tuple[str | int, ...]


def broken(file: str, line: int, column: int, why: str, *, code: str = "manifest.broken") -> DetectionError:
    """Return the refusal of a manifest that can't be parsed at ``file``:``line``:``column``."""
    return DetectionError(
        code,
        f"{file}:{line}:{column} can't be read",
        why=why,
        fix="correct the file and commit it",
        kind="not_deployable",
    )


@dataclass(frozen=True, slots=True)
class Document:
    """``value`` as parsed from ``file``; ``lines`` maps paths into it to 1-based lines, as far as they are known."""

    file: str
    value: object
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, *path: str | int) -> int:
        """Return the line of ``path``, or of the nearest part around it that is known."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def get(self, *path: str | int) -> object:
        """Return the value at ``path``, or None."""
        value = self.value
        for part in path:
            if isinstance(value, Mapping) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
                value = value[part]
            else:
                return None
        return value

    def text(self, *path: str | int) -> str | None:
        """Return the non-empty string at ``path``, or None where there is none or something else."""
        value = self.get(*path)
        return value if isinstance(value, str) and value.strip() else None

    def table(self, *path: str | int) -> dict[str, object]:
        """Return the table at ``path``; empty where there is none or something else."""
        value = self.get(*path)
        return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, Mapping) else {}

    def list(self, *path: str | int) -> list[object]:
        """Return the list at ``path``; empty where there is none or something else."""
        value = self.get(*path)
        return list(value) if isinstance(value, list) else []

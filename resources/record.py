"""The base of every record that crosses a process: a frozen dataclass that forbids unknown fields when read."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar

__all__ = ["Record", "to_json"]


class Record:
    """Marks a frozen stdlib dataclass as a record; ``contracts.py`` validates it strictly, extra fields refused."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}


def to_json(record: object) -> str:
    """Return ``record`` as one compact JSON document: keys in field order, UTF-8 text, no trailing newline."""
    value = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

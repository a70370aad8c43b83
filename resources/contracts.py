"""Checks documents that cross a process against their records: JSON Schema out, strict validation in."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from resources.errors import ShipwayError

__all__ = ["ContractError", "parse", "schema_of"]

T = TypeVar("T")


class ContractError(ShipwayError):
    """A document doesn't have the shape of its record."""


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(record_type: type) -> TypeAdapter[Any]:
    if record_type not in _ADAPTERS:
        _ADAPTERS[record_type] = TypeAdapter(record_type)
    return _ADAPTERS[record_type]


def schema_of(record_type: type) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``record_type``, with its title as ``$id``."""
    schema = _adapter(record_type).json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def parse(record_type: type[T], document: bytes | str, *, what: str) -> T:
    """Return ``document`` (JSON) as a ``record_type``; unknown, missing and mistyped fields are refused.

    Raises ContractError naming ``what`` and every wrong field.
    """
    try:
        return _adapter(record_type).validate_json(document)  # type: ignore[no-any-return]
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'document'}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)[:5]
        )
        raise ContractError(
            "contract.invalid",
            f"{what} is not a valid {record_type.__name__}",
            why=wrong,
            fix="delete it and run again",
        ) from error

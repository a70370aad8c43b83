"""The base error of detection."""

from __future__ import annotations

from resources.errors import ShipwayError

__all__ = ["DetectionError"]


class DetectionError(ShipwayError):
    """The input of detection can't be read: a broken manifest (file, line, column), or a bound passed."""

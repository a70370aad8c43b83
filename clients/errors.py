"""The base error of everything that talks to an outside system."""

from __future__ import annotations

from resources.errors import ShipwayError

__all__ = ["ClientError"]


class ClientError(ShipwayError):
    """An outside system or program failed, refused or could not be reached."""

"""The base error of plans."""

from __future__ import annotations

from resources.errors import ShipwayError

__all__ = ["PlanError"]


class PlanError(ShipwayError):
    """A service can't be planned, or its plan can't be written as a Dockerfile."""

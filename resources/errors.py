"""The one shape of an expected failure; each package derives its own base error from it."""

from __future__ import annotations

from typing import Literal

__all__ = ["Kind", "ShipwayError"]

Kind = Literal["defect", "input", "policy", "not_deployable", "outside", "build", "superseded"]
"""Who must act: ``input`` the caller, ``policy`` whoever owns the rule, ``outside`` another system, ``build`` the
app's owner, ``superseded`` nobody (a newer run won). ``pipeline/errors.py`` maps each to its exit code."""


class ShipwayError(Exception):
    """A failure that a person can act on.

    ``code`` is a stable dotted name (``source.no_such_branch``), ``what`` says what failed, ``why`` the cause and
    ``fix`` the next step. ``retryable`` is True only where the same call may succeed later unchanged.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        why: str = "",
        fix: str = "",
        kind: Kind = "input",
        retryable: bool = False,
    ) -> None:
        """Carry the parts; none of them may hold a secret."""
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.fix = fix
        self.kind: Kind = kind
        self.retryable = retryable

"""What can go wrong between a release draft and its commit."""

from __future__ import annotations

from resources.errors import ShipwayError

__all__ = ["GateRefused", "GitopsError", "RemoteError", "Superseded"]


class GitopsError(ShipwayError):
    """The base of this package's errors; by itself, the caller's input is wrong."""


class Superseded(GitopsError):  # noqa: N818 - the name of the outcome
    """A newer run of the project has written meanwhile; nothing is to be done."""

    def __init__(self, what: str, *, why: str) -> None:
        """``why`` names the newer run."""
        super().__init__(
            "gitops.superseded", what, why=why, fix="start a new run if its content is still wanted", kind="superseded"
        )


class GateRefused(GitopsError):  # noqa: N818 - the name of the outcome
    """The desired state would not run, or may not: nothing was committed."""

    def __init__(self, code: str, what: str, *, why: str, fix: str) -> None:
        """``code`` is ``gate.<check>``; ``why`` names files and fields."""
        super().__init__(code, what, why=why, fix=fix, kind="policy")


class RemoteError(GitopsError):
    """The GitOps repository can't be reached, refused, or answered nonsense; ``why`` holds git's own words."""

    def __init__(self, code: str, what: str, *, why: str, fix: str, retryable: bool) -> None:
        """``retryable`` is False where the remote itself said no."""
        super().__init__(code, what, why=why, fix=fix, kind="outside", retryable=retryable)

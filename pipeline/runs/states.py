"""The stages of a deploy in their order, and the state that a run is in while each goes on."""

from __future__ import annotations

__all__ = ["STAGES", "STATES"]

STATES = {
    "checkout": "building",
    "detect": "building",
    "plan": "building",
    "build": "building",
    "scan": "scanning",
    "push": "pushing",
    "release": "updating_gitops",
    "gitops": "updating_gitops",
    "preview": "syncing",
}
"""The run's state during each stage; before the first it is ``queued``, after the last ``deployed``."""

STAGES = tuple(STATES)

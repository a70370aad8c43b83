"""Detection -> why it can't be deployed as a release, if it can't: a value that the stage raises."""

from __future__ import annotations

from detectors.model import Detection
from pipeline.errors import PipelineError

__all__ = ["undeployable"]


def undeployable(detection: Detection) -> PipelineError | None:
    """Return the refusal (``not_deployable``) of ``detection`` with its reason, or None where it can be deployed."""
    if not detection.deployable:
        fix = "see `shipway detect` for what was found; shipway.yaml can say what it is"
        what, why = "this repository can't be deployed", detection.reason or ""
        return PipelineError("detect.not_deployable", what, why=why, fix=fix, kind="not_deployable")
    front = detection.services[0]
    if front.kind == "worker":
        return PipelineError(
            "detect.worker",
            "this is a worker: it serves no HTTP, and a monolithic project is one that does",
            why="; ".join(one.why for one in front.evidence if one.fact == "kind"),
            fix="if it does serve, say `kind: server` and its `port` in shipway.yaml",
            kind="not_deployable",
        )
    return None

"""A deploy, straight: nine typed calls in a row, each leaving a document that makes running it again do nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.preview.sync import Live
from pipeline.runs.states import STAGES
from pipeline.source import Target
from pipeline.stages import Stages
from resources.record import Record

__all__ = ["Outcome", "deploy"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a deploy came: the document of each stage that was reached, ``live`` where the app runs."""

    run_id: str
    documents: Mapping[str, Record]
    live: Live | None


def deploy(stages: Stages, target: Target, *, run_id: str, until: str = STAGES[-1]) -> Outcome:
    """Run the stages of a deploy in order, up to and with ``until``, and return what they left."""
    reached: dict[str, Record] = {}
    for stage, document in _steps(stages, target):
        reached[stage] = document
        if stage == until:
            break
    live = reached.get("preview")
    if isinstance(live, Live):
        stages.finish()
        return Outcome(run_id, reached, live)
    return Outcome(run_id, reached, None)


def _steps(stages: Stages, target: Target) -> Iterator[tuple[str, Record]]:
    source = stages.checkout(target)
    yield "checkout", source
    detection = stages.detect(source)
    yield "detect", detection
    plans = stages.plan(detection)
    yield "plan", plans
    images = stages.build(source, plans)
    yield "build", images
    reports = stages.scan(images)
    yield "scan", reports
    published = stages.push(source, images, reports)
    yield "push", published
    draft = stages.release(source, detection, published, reports)
    yield "release", draft
    yield "gitops", stages.gitops(draft)
    yield "preview", stages.preview()

"""The documents of the run folder: each stage's record with the hash of what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detectors.model import Detection
from gitops_writer.records import Action, Commit, Draft, Release, Source
from pipeline.artifacts import BuildPlan, Image, PublishedImage, ScanReport
from resources.record import Record

__all__ = [
    "DOCUMENTS",
    "CommitDocument",
    "DetectionDocument",
    "DraftDocument",
    "ImageDocument",
    "PlanDocument",
    "PublishedDocument",
    "RunDocument",
    "ScanDocument",
    "SourceDocument",
    "Spec",
]


@dataclass(frozen=True, slots=True)
class Spec(Record):
    """What a run is asked to do; equal specs of an unfinished run are the same run, resumed."""

    action: Action
    workspace: str
    project: str
    target: str
    branch: str | None
    commit: str
    dirty: bool
    env: dict[str, str]
    host: str
    overrides: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class RunDocument(Record):
    """``run.json``: the run's identity and how it stands; ``state`` is the last stage entered or a terminal state."""

    schema: Literal["shipway/run/v1"]
    run_id: str
    generation: int
    attempt: int
    state: str
    spec: Spec
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class SourceDocument(Record):
    """``source.json``: the commit under ``source.git`` in the run folder that everything else is made from."""

    schema: Literal["shipway/run/source/v1"]
    inputs: str
    source: Source


@dataclass(frozen=True, slots=True)
class DetectionDocument(Record):
    """``detection.json``."""

    schema: Literal["shipway/run/detection/v1"]
    inputs: str
    detection: Detection


@dataclass(frozen=True, slots=True)
class PlanDocument(Record):
    """``plan.json``: the plan, the Dockerfile and the ``.dockerignore`` of each service."""

    schema: Literal["shipway/run/plan/v1"]
    inputs: str
    services: dict[str, BuildPlan]
    dockerfiles: dict[str, str]
    ignores: dict[str, str]
    bases: dict[str, str]


@dataclass(frozen=True, slots=True)
class ImageDocument(Record):
    """``image.json``, keyed by service."""

    schema: Literal["shipway/run/image/v1"]
    inputs: str
    services: dict[str, Image]


@dataclass(frozen=True, slots=True)
class ScanDocument(Record):
    """``scan.json``, keyed by service."""

    schema: Literal["shipway/run/scan/v1"]
    inputs: str
    services: dict[str, ScanReport]


@dataclass(frozen=True, slots=True)
class PublishedDocument(Record):
    """``published.json``, keyed by service."""

    schema: Literal["shipway/run/published/v1"]
    inputs: str
    services: dict[str, PublishedImage]


@dataclass(frozen=True, slots=True)
class DraftDocument(Record):
    """``draft.json``: the release before its number."""

    schema: Literal["shipway/run/draft/v1"]
    inputs: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class CommitDocument(Record):
    """``commit.json``: the commit in the GitOps repository and the release that it made current."""

    schema: Literal["shipway/run/commit/v1"]
    inputs: str
    commit: Commit
    release: Release


DOCUMENTS: dict[str, type[Record]] = {
    "run": RunDocument,
    "source": SourceDocument,
    "detection": DetectionDocument,
    "plan": PlanDocument,
    "image": ImageDocument,
    "scan": ScanDocument,
    "published": PublishedDocument,
    "draft": DraftDocument,
    "commit": CommitDocument,
}
"""Every file of the run folder by its stem; ``resources/schemas/<stem>.schema.json`` is generated from it."""

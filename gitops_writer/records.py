"""The records of the GitOps repository: what is released, by which run, and what a commit did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from resources.record import Record

__all__ = ["Action", "Chart", "Checks", "Commit", "Draft", "ImageRef", "Release", "Run", "Source"]

Action = Literal["deploy", "rollback", "redeploy", "destroy"]
ProjectType = Literal["monolithic", "database", "spring-microservice"]
Verdict = Literal["passed", "unscanned"]


@dataclass(frozen=True, slots=True)
class ImageRef(Record):
    """A published image: ``repository`` with its registry host, ``digest`` (``sha256:`` and 64 hex), scan verdict."""

    repository: str
    digest: str
    scan: Verdict


@dataclass(frozen=True, slots=True)
class Chart(Record):
    """The chart that renders a release; ``name`` is the project type."""

    name: ProjectType
    version: str


@dataclass(frozen=True, slots=True)
class Source(Record):
    """Where the code came from: ``repository`` without credentials, ``commit`` (40 hex), ``dirty`` if uncommitted."""

    repository: str
    branch: str
    commit: str
    dirty: bool


@dataclass(frozen=True, slots=True)
class Draft(Record):
    """A release before its number: everything but ``version``, which the writer allots in its compare-and-swap."""

    schema: Literal["shipway/draft/v1"]
    workspace: str
    project: str
    images: dict[str, ImageRef]
    chart: Chart
    env: dict[str, str]
    sealed_secret: str | None
    host: str
    port: int
    health_path: str
    source: Source


@dataclass(frozen=True, slots=True)
class Release(Record):
    """One immutable version snapshot of a project, ``v1.0.N``; ``images`` is keyed by service name."""

    schema: Literal["shipway/release/v1"]
    workspace: str
    project: str
    version: str
    images: dict[str, ImageRef]
    chart: Chart
    env: dict[str, str]
    sealed_secret: str | None
    host: str
    port: int
    health_path: str
    source: Source


@dataclass(frozen=True, slots=True)
class Run(Record):
    """``run.json``: the run that wrote last. Runs of a project are ordered by ``generation``; there is no clock."""

    run_id: str
    generation: int
    action: Action
    release: str


@dataclass(frozen=True, slots=True)
class Commit(Record):
    """What a write did: the commit that holds the run's state, and whether this call made it."""

    sha: str
    run_id: str
    release: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Checks:
    """The questions the gate asks of the world, as callables; each returns None, or why it refuses.

    ``digest_exists(image)`` asks the registry; ``host_allowed(workspace, project, host)`` asks who owns the host.
    """

    digest_exists: Callable[[ImageRef], str | None]
    host_allowed: Callable[[str, str, str], str | None]

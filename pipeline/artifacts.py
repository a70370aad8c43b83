"""The records that the stages leave in the run folder, and the build plan between detection and Dockerfile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detectors.model import Service
from resources.record import Record

__all__ = [
    "BuildPlan",
    "BuildStage",
    "Cache",
    "Copy",
    "Env",
    "Finding",
    "Image",
    "PublishedImage",
    "Run",
    "ScanReport",
    "Secret",
    "Step",
]

SecretId = Literal["ca-bundle", "java-truststore", "pip-conf", "npmrc", "maven-settings"]


@dataclass(frozen=True, slots=True)
class Cache(Record):
    """A BuildKit cache mount: absolute ``target`` in the build; the engine prefixes its id with the workspace."""

    id: str
    target: str


@dataclass(frozen=True, slots=True)
class Secret(Record):
    """A BuildKit secret mount, skipped by the engine when the configuration has no such secret."""

    id: SecretId
    target: str


@dataclass(frozen=True, slots=True)
class Copy(Record):
    """Copies ``sources`` (from the context, or from the build stage ``stage``) to ``target``; ``owned`` by the user."""

    kind: Literal["copy"]
    why: str
    sources: tuple[str, ...]
    target: str
    stage: str | None = None
    owned: bool = False


@dataclass(frozen=True, slots=True)
class Run(Record):
    """Runs ``argv`` in the build; rendered in shell form, each argument quoted."""

    kind: Literal["run"]
    why: str
    argv: tuple[str, ...]
    caches: tuple[Cache, ...] = ()
    secrets: tuple[Secret, ...] = ()
    env: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Env(Record):
    """Sets environment variables in the stage from here on."""

    kind: Literal["env"]
    why: str
    values: dict[str, str]


Step = Copy | Run | Env


@dataclass(frozen=True, slots=True)
class BuildStage(Record):
    """One ``FROM``: ``base`` is a key of the base image table (``python:3.13``) or the name of an earlier stage."""

    name: str
    base: str
    workdir: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class BuildPlan(Record):
    """How one service becomes an image. The last stage is what runs; ``user`` is numeric and never root."""

    service: Service
    stages: tuple[BuildStage, ...]
    user: int
    port: int | None
    env: dict[str, str]
    start: tuple[str, ...]
    healthcheck: tuple[str, ...] | None
    stop_signal: str
    ignore: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Image(Record):
    """A built image in the engine: ``ref`` (its tag), ``digest`` (the image's own id), and what it was built from."""

    ref: str
    digest: str
    platform: str
    size_bytes: int
    bases: dict[str, str]


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One thing a scan found: a vulnerability (``id`` CVE-...), or a secret (``id`` is its rule)."""

    kind: Literal["vulnerability", "secret"]
    id: str
    severity: str
    package: str
    installed: str
    fixed: str
    where: str


@dataclass(frozen=True, slots=True)
class ScanReport(Record):
    """The verdict on an image. ``unscanned`` says that no vulnerability database could be had (policy ``embedded``)."""

    digest: str
    verdict: Literal["passed", "refused", "unscanned"]
    reasons: tuple[str, ...]
    policy: str
    db_updated_at: str | None
    os_family: str
    os_version: str
    packages: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PublishedImage(Record):
    """An image in the registry, confirmed by asking it: ``digest`` is the manifest's, ``tags`` are for people."""

    repository: str
    digest: str
    tags: tuple[str, ...]

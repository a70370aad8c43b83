"""The records of detection: what a repository is and which file and line says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resources.record import Record

__all__ = ["SCHEMA", "Detection", "Evidence", "Kind", "ProjectType", "Service"]

SCHEMA: Literal["shipway/detection/v1"] = "shipway/detection/v1"
Kind = Literal["server", "static", "worker", "database"]
ProjectType = Literal["monolithic", "database", "spring-microservice"]


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """One reason: ``file`` (POSIX path from the repository's root) and ``line`` (1-based) say ``fact`` because ``why``.

    ``fact`` is the name of the Service field it supports, or ``warning``.
    """

    file: str
    line: int
    fact: str
    why: str


@dataclass(frozen=True, slots=True)
class Service(Record):
    """One runnable part of a repository.

    ``root`` is its folder from the repository's root ("." for the root). ``build`` and ``start`` are argv; an argument
    of ``start`` may hold ``${PORT:-N}``. ``manifests`` are the files below ``root`` that installing dependencies needs.
    ``output`` is what the build leaves to run, where a plan needs to know: a folder or a file pattern below ``root``.
    """

    name: str
    root: str
    kind: Kind
    language: str
    language_version: str | None
    framework: str | None
    package_manager: str | None
    build: tuple[str, ...]
    start: tuple[str, ...]
    port: int | None
    health_path: str | None
    manifests: tuple[str, ...]
    output: str | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Detection(Record):
    """What a repository is. ``deployable`` False comes with a ``reason`` that a person can act on, and no services."""

    schema: Literal["shipway/detection/v1"]
    deployable: bool
    reason: str | None
    project_type: ProjectType | None
    services: tuple[Service, ...]

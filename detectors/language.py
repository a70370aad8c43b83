"""What a language's file declares, and how the facts it finds become a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from detectors.errors import DetectionError
from detectors.folder import Folder
from detectors.found import Found, warning
from detectors.model import Evidence, Kind, Service
from detectors.overrides import Asked

__all__ = [
    "Facts",
    "Framework",
    "Inspect",
    "Language",
    "Outcome",
    "Refusal",
    "Request",
    "assemble",
    "find_framework",
    "serving",
]

Facts = Mapping[str, Found[Any]]
"""The fields of Service that were found, by name."""


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework: any of the dependencies ``deps`` names it.

    ``build`` and ``start`` are argv where the app gives none (``{app}`` stands for its module and variable, or file),
    ``output`` what the build leaves to run. ``refused`` says why a framework that is known can't be deployed.
    """

    name: str
    deps: tuple[str, ...] = ()
    kind: Kind = "server"
    port: int | None = None
    build: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    output: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The folder is of the language, but there is nothing to deploy; ``reason`` says why and what to set.

    ``final`` tells that no folder below it could be deployed by itself either.
    """

    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants of a folder: the fields it set, and whether only offline base images may be used."""

    asked: Asked
    offline: bool


Outcome = Service | Refusal | None
"""A service; or why there is none; or None where the folder isn't of the language."""
Inspect = Callable[[Folder, Request], Outcome]


@dataclass(frozen=True, slots=True)
class Language:
    """What a language's file declares: its frameworks by precedence, and how it looks at a folder that is marked."""

    frameworks: tuple[Framework, ...]
    inspect: Inspect


def find_framework(frameworks: Iterable[Framework], name: str) -> Framework | None:
    """Return the framework called ``name``, or None."""
    return next((item for item in frameworks if item.name == name), None)


def assemble(
    folder: Folder,
    request: Request,
    facts: Facts,
    *,
    language: str,
    manifests: Iterable[str],
    warnings: Iterable[Evidence] = (),
) -> Service:
    """Return the service that ``facts`` describe; what a person set beats what was found.

    Raises DetectionError if a value that will be a command or a path can't be one.
    """
    known = {**facts, **_asked(request.asked)}
    values = {name: found.value for name, found in known.items()}
    kind: Kind = values.get("kind", "server")
    if kind == "worker":
        # A worker serves nothing; a port found in passing belongs to something else.
        for name in ("port", "health_path"):
            known.pop(name, None)
            values.pop(name, None)
    evidence = [found.evidence(name) for name, found in known.items()]
    service = Service(
        name="worker" if kind == "worker" else "web",
        root=folder.root,
        kind=kind,
        language=language,
        language_version=values.get("language_version"),
        framework=values.get("framework"),
        package_manager=values.get("package_manager"),
        build=tuple(values.get("build", ())),
        start=tuple(values.get("start", ())),
        port=values.get("port"),
        health_path=values.get("health_path"),
        manifests=tuple(dict.fromkeys(manifests)),
        output=values.get("output"),
        evidence=(*evidence, *dict.fromkeys(warnings)),
    )
    _check(service)
    return service


def serving(service: Service, asked: Asked) -> Service:
    """Return ``service``; a worker that a person gave a port, and didn't call a worker, is a server."""
    if service.kind != "worker" or not (asked.port or asked.health_path):
        return service
    found = asked.port or asked.health_path
    if asked.kind or asked.port is None:
        why = "a worker answers nothing: `port` and `health_path` are left out"
        if asked.kind is None:
            why += ". Set `port` too if it answers HTTP"
        return (
            replace(service, evidence=(*service.evidence, warning(found.file, found.line, why))) if found else service
        )
    evidence = [item for item in service.evidence if item.fact != "kind"]
    notes = [Found("server", asked.port.file, asked.port.line, "it has a port, so it serves").evidence("kind")]
    notes += [item.evidence(fact) for fact, item in (("port", asked.port), ("health_path", asked.health_path)) if item]
    return replace(
        service,
        name="web",
        kind="server",
        port=asked.port.value,
        health_path=asked.health_path.value if asked.health_path else None,
        evidence=(*notes, *evidence),
    )


def _asked(asked: Asked) -> dict[str, Found[Any]]:
    """Return the fields that a person set; version is resolved by the language itself."""
    names = ("kind", "framework", "build", "start", "output", "port", "health_path")
    return {name: value for name in names if (value := getattr(asked, name)) is not None}


def _check(service: Service) -> None:
    values = (*service.build, *service.start, *service.manifests, service.output or "", service.health_path or "")
    for value in values:
        if not value.isprintable() or len(value) > 4096:
            raise DetectionError(
                "service.unprintable",
                f"a command or path of the service in {service.root} holds control characters or is too long",
                why="such a value can't be written into a Dockerfile safely",
                fix="set `start` and `build` in shipway.yaml",
                kind="not_deployable",
            )

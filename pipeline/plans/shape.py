"""What the plans of all languages share: the user, the working folder, secrets, manifests first, the ignored files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from detectors.model import Service
from pipeline.artifacts import BuildPlan, BuildStage, Copy, Secret

__all__ = ["CA_BUNDLE", "CA_FILE", "IGNORE", "WORKDIR", "base_of", "copy_manifests", "copy_source", "finish", "port_of"]

WORKDIR = "/app"
USER = 10001
CA_FILE = "/etc/ssl/certs/ca-certificates.crt"
CA_BUNDLE = Secret("ca-bundle", CA_FILE)
"""A company's certificate authorities, for networks that inspect TLS: mounted while a step runs, never in a layer."""

IGNORE = (
    ".git",
    ".gitignore",
    ".github",
    ".gitlab-ci.yml",
    ".idea",
    ".vscode",
    ".DS_Store",
    ".dockerignore",
    "Dockerfile*",
    "shipway.yaml",
    # Secrets of somebody's machine; `.env.production` and the like are meant to be committed.
    ".env",
    ".env.local",
    ".env.*.local",
)
"""What no build needs, whatever the language; patterns without a slash are meant at every depth."""


def base_of(family: str, service: Service) -> str:
    """Return the key of the base image table for ``family`` at the service's language version."""
    return f"{family}:{service.language_version}" if service.language_version else family


def port_of(service: Service, default: int) -> int | None:
    """Return the port ``service`` listens on, ``default`` where detection found none; None for a worker."""
    return None if service.kind == "worker" else service.port or default


def copy_manifests(manifests: Sequence[str]) -> tuple[Copy, ...]:
    """Return one copy for each folder that holds ``manifests``, so that each keeps its place."""
    folders: dict[str, list[str]] = {}
    for manifest in sorted(set(manifests)):
        folders.setdefault(str(PurePosixPath(manifest).parent), []).append(manifest)
    why = "Manifests first: as long as they stay the same, the dependencies below come from the build cache."
    return tuple(
        Copy("copy", why if index == 0 else "", tuple(names), "./" if folder == "." else f"./{folder}/")
        for index, (folder, names) in enumerate(sorted(folders.items()))
    )


def copy_source(why: str = "The source comes last, since it changes most.") -> Copy:
    """Return the copy of the whole build context, less what ``.dockerignore`` names."""
    return Copy("copy", why, (".",), "./")


def finish(
    service: Service,
    stages: Sequence[BuildStage],
    *,
    port: int | None,
    env: dict[str, str],
    start: tuple[str, ...],
    healthcheck: tuple[str, ...] | None,
    ignore: Sequence[str],
) -> BuildPlan:
    """Return the plan, with what is the same for every language: user, signal, HOME, PORT and the ignored files."""
    # The user has no entry in passwd and the root file system is read-only: /tmp is the only home there is.
    always = {"HOME": "/tmp"} | ({} if port is None else {"PORT": str(port)})  # noqa: S108 - inside the image
    return BuildPlan(
        service=service,
        stages=tuple(stages),
        user=USER,
        port=port,
        env=dict(sorted((always | env).items())),
        start=start,
        healthcheck=None if port is None else healthcheck,
        stop_signal="SIGTERM",
        ignore=(*IGNORE, *ignore),
    )

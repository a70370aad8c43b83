"""Builds with BuildKit in a Docker engine: argv from values, the image's id out, the failing step's output on error."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clients.process import run
from pipeline.artifacts import Image
from pipeline.engines.progress import BuildProgress
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["BuildRequest", "build", "build_argv", "image_digest"]


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One image to build: ``secrets`` maps a secret's id to its file, ``labels`` are OCI labels; seconds."""

    context: Path
    dockerfile: Path
    tag: str
    labels: Mapping[str, str]
    secrets: Mapping[str, Path]
    bases: Mapping[str, str]
    network: str
    timeout: int


def build_argv(request: BuildRequest, *, iid_file: Path) -> tuple[str, ...]:
    """Return the ``docker buildx build`` command for ``request``."""
    labels = [f"--label={name}={value}" for name, value in sorted(request.labels.items())]
    secrets = [f"--secret=id={name},src={file}" for name, file in sorted(request.secrets.items())]
    return (
        "docker",
        "buildx",
        "build",
        "--progress=rawjson",
        "--load",
        f"--network={request.network}",
        f"--file={request.dockerfile}",
        f"--iidfile={iid_file}",
        f"--tag={request.tag}",
        *labels,
        *secrets,
        "--",
        str(request.context),
    )


def build(
    client: DockerClient, env: Mapping[str, str], request: BuildRequest, *, on_line: Callable[[str], None]
) -> Image:
    """Build ``request`` and return the image; ``env`` is the whole environment, naming the engine.

    Raises PipelineError of kind ``build`` with the failing step's own output, or ``outside`` when the engine failed.
    """
    progress = BuildProgress(on_line)
    with tempfile.TemporaryDirectory(prefix="shipway-build-") as scratch:
        iid_file = Path(scratch) / "iid"
        done = run(
            build_argv(request, iid_file=iid_file),
            env=env,
            timeout=request.timeout,
            on_line=progress.feed,
        )
        if done.returncode == 0 and iid_file.is_file():
            return _image(client, iid_file.read_text(encoding="utf-8").strip(), request)
    raise _failure(progress, done.error_text, request, timed_out=done.timed_out)


def image_digest(client: DockerClient, ref: str) -> str | None:
    """Return the id of the image that ``ref`` names in the engine, or None."""
    from docker.errors import ImageNotFound

    try:
        return str(client.images.get(ref).id)
    except ImageNotFound:
        return None


def _image(client: DockerClient, digest: str, request: BuildRequest) -> Image:
    facts: dict[str, Any] = client.images.get(digest).attrs
    platform = f"{facts['Os']}/{facts['Architecture']}"
    return Image(request.tag, digest, platform, int(facts["Size"]), dict(request.bases))


def _failure(progress: BuildProgress, errors: str, request: BuildRequest, *, timed_out: bool) -> PipelineError:
    if timed_out:
        fix = "make the build quicker or raise build_timeout"
        why = f"it ran past {request.timeout} seconds, in: {progress.current or 'its first step'}"
        return PipelineError("build.timeout", "the build took too long", why=why, fix=fix, kind="build")
    if progress.failed_step and not progress.is_the_apps_own:
        fix = (
            "check that the registry of the base images answers, and the engine's disk; then run the same command again"
        )
        why = f"{progress.failed_step}\n{progress.failed_error}"
        what = "the build engine failed"
        return PipelineError("engine.failed", what, why=why, fix=fix, kind="outside", retryable=True)
    if progress.failed_step:
        why = "\n".join([progress.failed_step, *progress.failed_output[-40:], progress.failed_error])
        fix = "this step is the app's own: make it work in a clean checkout, then run the same command again"
        return PipelineError("build.failed", "the build failed", why=why, fix=fix, kind="build")
    tail = [line for line in errors.splitlines() if not line.startswith("{")][-8:]
    return PipelineError(
        "engine.failed",
        "the build engine failed before a step could run",
        why="\n".join(tail),
        fix="run `shipway doctor`; if all is there, run the same command again",
        kind="outside",
        retryable=True,
    )

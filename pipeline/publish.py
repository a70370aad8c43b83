"""Image -> PublishedImage: pushed by the engine, errors in its stream found, confirmed by asking the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from clients.registries.oci import Registry
from pipeline.artifacts import Image, PublishedImage
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["publish", "pushed_digest"]

ATTEMPTS = 3


def publish(
    client: DockerClient,
    registry: Registry,
    image: Image,
    *,
    repository: str,
    tag: str,
    on_line: Callable[[str], None],
) -> PublishedImage:
    """Push ``image`` to ``repository`` (without host) as ``tag`` and return it with the digest that the registry gave.

    Raises PipelineError (``outside``) when the registry refuses, can't be reached, or doesn't have what it accepted.
    """
    import stamina

    full = f"{registry.host}/{repository}"
    client.api.tag(image.digest, full, tag)
    for attempt in stamina.retry_context(on=_is_retryable, attempts=ATTEMPTS, wait_initial=0.5, wait_max=5.0):
        with attempt:
            auth = {"username": registry.username, "password": registry.password} if registry.username else None
            lines = client.api.push(full, tag=tag, stream=True, decode=True, auth_config=auth)
            digest = pushed_digest(_following(lines, on_line), full)
            confirmed = registry.digest(repository, digest)
            if confirmed != digest:
                why = f"it answered {confirmed or 'that it has no such manifest'} for {digest}"
                raise _failed(full, f"the registry accepted the image and doesn't have it: {why}", retryable=True)
    return PublishedImage(full, digest, (tag,))


def pushed_digest(lines: Iterable[dict[str, Any]], full: str) -> str:
    """Return the manifest digest that a push stream reports; an error in the stream is raised.

    The engine answers 200 before the push starts, so that the stream alone says whether it worked.
    """
    digest = ""
    for line in lines:
        if "error" in line or "errorDetail" in line:
            told = str(line.get("error") or line.get("errorDetail"))
            refused = "denied" in told or "unauthorized" in told or "no basic auth" in told
            raise _failed(full, told, retryable=not refused)
        aux = line.get("aux")
        if isinstance(aux, dict) and aux.get("Digest"):
            digest = str(aux["Digest"])
    if not digest:
        raise _failed(full, "the push ended without naming a digest", retryable=True)
    return digest


def _following(lines: Iterable[dict[str, Any]], on_line: Callable[[str], None]) -> Iterable[dict[str, Any]]:
    for line in lines:
        status = str(line.get("status", ""))
        if status and "progressDetail" not in line:
            on_line(status)
        elif status in ("Pushed", "Layer already exists"):
            on_line(f"{line.get('id', '')}: {status}")
        yield line


def _is_retryable(error: Exception) -> bool:
    return bool(getattr(error, "retryable", False))


def _failed(full: str, why: str, *, retryable: bool) -> PipelineError:
    return PipelineError(
        "push.failed",
        f"pushing to {full} failed",
        why=why,
        fix="check that the registry runs and that the account may push there, then run the same command again",
        kind="outside",
        retryable=retryable,
    )

"""Rendered manifests -> what one machine can run of them: a container and the host that leads to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_writer.helm import container_env
from pipeline.errors import PipelineError

__all__ = ["Workload", "memory_bytes", "workload"]

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Workload:
    """A container as its Deployment asks for it. ``image`` ends in ``@sha256:...``; ``memory`` in bytes, 0: none."""

    name: str
    image: str
    env: Mapping[str, str]
    port: int
    user: int
    group: int
    read_only: bool
    scratch: tuple[str, ...]
    memory: int
    health_path: str
    host: str
    grace_seconds: int


def workload(manifests: Sequence[Mapping[str, Any]]) -> Workload:
    """Return the workload of ``manifests``: one Deployment with one container, one Ingress with one host.

    Raises PipelineError when the manifests hold anything else to run.
    """
    deployment = _one(manifests, "Deployment")
    ingress = _one(manifests, "Ingress")
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    security = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    probe = container.get("readinessProbe", {}).get("httpGet", {})
    return Workload(
        name=deployment["metadata"]["name"],
        image=container["image"],
        env=container_env(container),
        port=int(container["ports"][0]["containerPort"]),
        user=int(security.get("runAsUser", 65532)),
        group=int(security.get("runAsGroup", security.get("runAsUser", 65532))),
        read_only=bool(security.get("readOnlyRootFilesystem", False)),
        scratch=_scratch(pod, container),
        memory=memory_bytes(str(container.get("resources", {}).get("limits", {}).get("memory", "0"))),
        health_path=str(probe.get("path", "/")),
        host=str(ingress["spec"]["rules"][0]["host"]),
        grace_seconds=int(pod.get("terminationGracePeriodSeconds", 30)),
    )


def memory_bytes(quantity: str) -> int:
    """Return a Kubernetes memory quantity (``512Mi``) in bytes."""
    for unit, factor in UNITS.items():
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * factor)
    return int(quantity)


def _scratch(pod: Mapping[str, Any], container: Mapping[str, Any]) -> tuple[str, ...]:
    empty = {volume["name"] for volume in pod.get("volumes", ()) if "emptyDir" in volume}
    return tuple(mount["mountPath"] for mount in container.get("volumeMounts", ()) if mount["name"] in empty)


def _one(manifests: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    found = [manifest for manifest in manifests if manifest.get("kind") == kind]
    if len(found) != 1:
        what = f"the preview runs one {kind} a project, and this one renders {len(found)}"
        raise PipelineError("preview.unsupported", what, fix="run it on Kubernetes", kind="not_deployable")
    return found[0]

"""Commit -> running app on one machine: what was COMMITTED, rendered with Helm, run in Docker behind a local host.

It stands in for Argo CD and Kubernetes: a new container is started beside the old one, must run the release's digest
and answer its health path with 2xx or 3xx, and only then gets the host; a release that doesn't is a failed deploy,
and the old one goes on serving.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clients.registries.oci import Registry
from pipeline.errors import PipelineError
from pipeline.preview.router import Router
from pipeline.preview.workload import Workload
from pipeline.runs.folder import fingerprint
from resources.record import Record

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["Live", "Preview"]

POLL_SECONDS = 0.1
LOG_LINES = 30
# On one machine nobody waits out a cluster's grace period: the new release serves already.
STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Live(Record):
    """What runs now: ``state`` is ``healthy``, ``unhealthy`` or ``stopped``; ``status`` is the health path's answer."""

    project: str
    release: str
    image: str
    state: str
    status: int | None
    url: str
    port: int
    container: str


class Preview:
    """The apps of one home in one engine."""

    def __init__(self, client: DockerClient, router: Router, registry: Registry, *, identity: str) -> None:
        self._client = client
        self._router = router
        self._registry = registry
        self._identity = identity

    def sync(
        self, project: str, release: str, wanted: Workload, *, timeout: float, on_line: Callable[[str], None]
    ) -> Live:
        """Make ``wanted`` what ``project`` runs, and return it live; nothing happens when it already is.

        Raises PipelineError of kind ``build`` when the app doesn't become healthy within ``timeout`` seconds; what ran
        before goes on running then.
        """
        port = self._router.ensure()
        labels = {
            "shipway.home": self._identity,
            "shipway.project": project,
            "shipway.release": release,
            "shipway.workload": fingerprint(release, _plain(wanted)),
        }
        before = self._containers(project)
        container = next(
            (one for one in before if one.labels.get("shipway.workload") == labels["shipway.workload"]), None
        )
        if container is None or container.status != "running":
            container = self._replace(container, wanted, labels, on_line)
        self._await_health(container, wanted, timeout, on_line)
        self._router.publish(wanted.host, container.name or "", wanted.port, project=project)
        status = self._await_route(wanted, port)
        for old in before:
            if old.id != container.id:
                on_line(f"stopping {old.labels.get('shipway.release', 'the release before')}")
                _remove(old, min(wanted.grace_seconds, STOP_SECONDS))
        return self._live(container, project, wanted.host, port, status)

    def live(self, project: str, host: str, health_path: str) -> Live | None:
        """Return what ``project`` runs now, asked at ``host``, or None when nothing does."""
        running = [one for one in self._containers(project) if one.status == "running"]
        if not running:
            return None
        port = self._router.ensure()
        return self._live(running[0], project, host, port, _ask(port, health_path, host))

    def stop(self, project: str) -> int:
        """Stop ``project`` and publish it no longer; return how many containers were removed."""
        self._router.withdraw(project)
        containers = self._containers(project)
        for container in containers:
            _remove(container, 10)
        return len(containers)

    def logs(self, project: str, *, lines: int) -> str:
        """Return the last ``lines`` lines that ``project`` printed."""
        return "".join(_log(container, lines) for container in self._containers(project))

    def _containers(self, project: str) -> list[Container]:
        filters: dict[str, Any] = {"label": [f"shipway.home={self._identity}", f"shipway.project={project}"]}
        found: list[Container] = self._client.containers.list(all=True, filters=filters)
        return found

    def _replace(
        self, stale: Container | None, wanted: Workload, labels: Mapping[str, str], on_line: Callable[[str], None]
    ) -> Container:
        if stale is not None:
            _remove(stale, 0)
        image = self._pull(wanted.image, on_line)
        name = f"shipway-{self._identity}-{labels['shipway.project']}-{labels['shipway.workload'][-8:]}"
        on_line(f"starting {labels['shipway.release']}")
        options: dict[str, Any] = {
            "name": name,
            "network": self._router.network,
            "ports": {f"{wanted.port}/tcp": ("127.0.0.1", None)},
            "environment": dict(wanted.env),
            "user": str(wanted.user),
            "read_only": wanted.read_only,
            "tmpfs": dict.fromkeys(wanted.scratch, "rw,mode=1777"),
            "mem_limit": wanted.memory or None,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "labels": dict(labels),
        }
        container: Container = self._client.containers.run(image, detach=True, **options)
        return container

    def _pull(self, image: str, on_line: Callable[[str], None]) -> str:
        """Return the id of the image whose digest is ``image``'s, pulled by digest unless the engine has it."""
        from docker.errors import APIError, ImageNotFound

        try:
            return str(self._client.images.get(image).id)
        except ImageNotFound:
            on_line(f"pulling {image}")
        repository, _, digest = image.partition("@")
        auth = {"username": self._registry.username, "password": self._registry.password}
        try:
            pulled = self._client.images.pull(repository, tag=digest, auth_config=auth if auth["username"] else None)
        except APIError as error:
            fix = "check that the registry runs and still has the image"
            raise PipelineError(
                "preview.pull", f"{image} can't be pulled", why=str(error.explanation), fix=fix, kind="outside"
            ) from error
        return str(pulled.id)

    def _await_health(
        self, container: Container, wanted: Workload, timeout: float, on_line: Callable[[str], None]
    ) -> None:
        deadline = time.monotonic() + timeout
        last = "it never answered"
        while time.monotonic() < deadline:
            container.reload()
            if container.status not in ("running", "created") or container.attrs.get("RestartCount", 0) > 0:
                raise self._unhealthy(container, wanted, "it ended instead of serving")
            mapped = container.ports.get(f"{wanted.port}/tcp")
            status = _ask(int(mapped[0]["HostPort"]), wanted.health_path, wanted.host) if mapped else None
            if status is not None and 200 <= status < 400:
                self._check_digest(container, wanted)
                on_line(f"healthy: {wanted.health_path} answered {status}")
                return
            last = f"{wanted.health_path} answered {status}" if status is not None else last
            time.sleep(POLL_SECONDS)
        raise self._unhealthy(container, wanted, f"{last}, and {timeout:.0f} seconds passed")

    def _check_digest(self, container: Container, wanted: Workload) -> None:
        expected = self._client.images.get(wanted.image).id
        actual = container.attrs.get("Image")
        if actual != expected:
            why = f"it runs {actual}, not {wanted.image}"
            raise PipelineError(
                "preview.wrong_image", "another image runs", why=why, fix="run it again", kind="outside"
            )

    def _unhealthy(self, container: Container, wanted: Workload, why: str) -> PipelineError:
        printed = _log(container, LOG_LINES).rstrip()
        _remove(container, 0)
        return PipelineError(
            "preview.unhealthy",
            "the app was started and did not become healthy; what ran before goes on",
            why=f"{why}\nits last output:\n{printed or '(it printed nothing)'}",
            fix=f"it must answer {wanted.health_path} on port {wanted.port}, on 0.0.0.0, with 2xx or 3xx; "
            "set health_path or port in shipway.yaml if they differ",
            kind="build",
        )

    def _await_route(self, wanted: Workload, port: int) -> int:
        # A reload of nginx is quick but not instant: the old workers may answer once more.
        deadline = time.monotonic() + 10
        status = None
        while time.monotonic() < deadline:
            status = _ask(port, wanted.health_path, wanted.host)
            if status is not None and 200 <= status < 400:
                return status
            time.sleep(POLL_SECONDS)
        why = f"the app is healthy, but {wanted.host} through the router answered {status}"
        raise PipelineError(
            "preview.route", "the host doesn't lead to the app", why=why, kind="outside", retryable=True
        )

    def _live(self, container: Container, project: str, host: str, port: int, status: int | None) -> Live:
        labels = container.labels
        healthy = status is not None and 200 <= status < 400
        image = str(container.image.id) if container.image else ""
        return Live(
            project=project,
            release=labels.get("shipway.release", ""),
            image=image,
            state="healthy" if healthy else "unhealthy",
            status=status,
            url=f"http://{host}:{port}/",
            port=port,
            container=container.name or "",
        )


def _plain(wanted: Workload) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in ("image", "env", "port", "user", "host", "health_path", "memory")}


def _ask(port: int, path: str, host: str) -> int | None:
    """Return the status that ``path`` at ``host`` answers on loopback ``port``, or None when nothing answers."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host, "User-Agent": "shipway-health"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _log(container: Container, lines: int) -> str:
    printed: bytes = container.logs(tail=lines)
    return printed.decode("utf-8", "replace")


def _remove(container: Container, grace: int) -> None:
    from docker.errors import NotFound

    try:
        if grace:
            container.stop(timeout=grace)
        container.remove(force=True)
    except NotFound:
        return

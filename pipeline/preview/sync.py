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
from pipeline.preview.asking import Answer, ask
from pipeline.preview.refusing import Refusing
from pipeline.preview.router import Router, free_port
from pipeline.preview.workload import Workload
from pipeline.runs.folder import fingerprint
from resources.record import Record

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["Live", "Preview", "container_name"]

POLL_SECONDS = 0.1
LOG_LINES = 30
# On one machine nobody waits out a cluster's grace period: the new release serves already.
STOP_SECONDS = 5
ROUTE_SECONDS = 10
PIDS = 512
START_ATTEMPTS = 4
# As an emptyDir is: an engine's own default forbids to execute, which keeps Java from loading its native libraries.
SCRATCH = "rw,exec,nosuid,nodev,mode=1777"


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

    def __init__(
        self, client: DockerClient, router: Router, registry: Registry, *, identity: str, workspace: str
    ) -> None:
        """Take the engine's client, the router and the registry; projects are those of ``workspace``."""
        self._client = client
        self._router = router
        self._registry = registry
        self._identity = identity
        self._workspace = workspace

    def sync(
        self, project: str, release: str, wanted: Workload, *, timeout: float, on_line: Callable[[str], None]
    ) -> Live:
        """Make ``wanted`` what ``project`` runs, and return it live; nothing happens when it already is.

        Raises PipelineError of kind ``build`` when the app can't be started, or doesn't become healthy within
        ``timeout`` seconds; what ran before goes on running then.
        """
        port = self._router.ensure()
        labels = {
            "shipway.home": self._identity,
            "shipway.workspace": self._workspace,
            "shipway.project": project,
            "shipway.release": release,
            "shipway.workload": fingerprint(self._workspace, release, _plain(wanted)),
        }
        before = self._containers(project)
        container = next(
            (one for one in before if one.labels.get("shipway.workload") == labels["shipway.workload"]), None
        )
        fresh = container is None or container.status != "running"
        if container is None or fresh:
            container = self._replace(container, wanted, labels, on_line)
        try:
            self._await_health(container, wanted, timeout, on_line)
        except BaseException:
            # What ran before goes on running, be it the very container that is asked.
            if fresh:
                _remove(container, 0)
            raise
        self._router.publish(wanted.host, container.name or "", wanted.port, app=self._app(project))
        answer = self._await_route(wanted, port, container.name or "")
        for old in before:
            if old.id != container.id:
                on_line(f"stopping {old.labels.get('shipway.release', 'the release before')}")
                _remove(old, min(wanted.grace_seconds, STOP_SECONDS))
        return self._live(container, project, wanted.host, port, answer)

    def live(self, project: str, host: str, health_path: str) -> Live | None:
        """Return what ``project`` runs now, asked at ``host``, or None when nothing does."""
        running = [one for one in self._containers(project) if one.status == "running"]
        if not running:
            return None
        port = self._router.ensure()
        return self._live(running[0], project, host, port, ask(port, health_path, host))

    def stop(self, project: str) -> int:
        """Stop ``project`` and publish it no longer; return how many containers were removed."""
        self._router.withdraw(self._app(project))
        containers = self._containers(project)
        for container in containers:
            _remove(container, 10)
        return len(containers)

    def logs(self, project: str, *, lines: int) -> str | None:
        """Return the last ``lines`` lines that ``project`` printed, or None where it doesn't run."""
        containers = self._containers(project)
        return "".join(_log(container, lines) for container in containers) if containers else None

    def _app(self, project: str) -> str:
        # A dot is in neither name, so that no two projects of two workspaces are one app.
        return f"{self._workspace}.{project}"

    def _containers(self, project: str) -> list[Container]:
        named = {"home": self._identity, "workspace": self._workspace, "project": project}
        filters: dict[str, Any] = {"label": [f"shipway.{name}={value}" for name, value in named.items()]}
        found: list[Container] = self._client.containers.list(all=True, filters=filters)
        return found

    def _replace(
        self, stale: Container | None, wanted: Workload, labels: Mapping[str, str], on_line: Callable[[str], None]
    ) -> Container:
        from docker.types import LogConfig

        if stale is not None:
            _remove(stale, 0)
        image = self._pull(wanted.image, on_line)
        name = container_name(self._identity, labels["shipway.project"], labels["shipway.workload"])
        on_line(f"starting {labels['shipway.release']}")
        options: dict[str, Any] = {
            "name": name,
            "network": self._router.network,
            # What one app may take of a machine that others share.
            "pids_limit": PIDS,
            "log_config": LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
            "environment": dict(wanted.env),
            "user": f"{wanted.user}:{wanted.group}",
            "read_only": wanted.read_only,
            "tmpfs": dict.fromkeys(wanted.scratch, SCRATCH),
            "mem_limit": wanted.memory or None,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "labels": dict(labels),
        }
        return self._started(image, options, wanted.port)

    def _started(self, image: str, options: dict[str, Any], port: int) -> Container:
        from docker.errors import APIError

        for attempt in range(START_ATTEMPTS):
            mapped = {f"{port}/tcp": ("127.0.0.1", free_port())}
            container: Container = self._client.containers.create(image, ports=mapped, **options)
            try:
                container.start()
            except BaseException as error:
                _remove(container, 0)
                if not isinstance(error, APIError) or (error.is_server_error() and attempt + 1 == START_ATTEMPTS):
                    raise
                if error.is_client_error():
                    fix = "correct the start command: `shipway plan` shows it, shipway.yaml can say another"
                    what, why = "the app can't be started; what ran before goes on", str(error.explanation)
                    raise PipelineError("preview.not_started", what, why=why, fix=fix, kind="build") from error
                # Somebody may have taken the port in between: another one is tried.
            else:
                return container
        raise AssertionError  # the loop returns or raises

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
        restarts = container.attrs.get("RestartCount", 0)
        refusing = Refusing()
        while (left := deadline - time.monotonic()) > 0:
            container.reload()
            if container.status not in ("running", "created") or container.attrs.get("RestartCount", 0) > restarts:
                raise self._unhealthy(container, wanted, "it ended instead of serving")
            mapped = container.ports.get(f"{wanted.port}/tcp")
            port = int(mapped[0]["HostPort"]) if mapped else None
            answer = ask(port, wanted.health_path, wanted.host, seconds=min(5.0, left)) if port else None
            if answer and answer.is_healthy:
                self._check_digest(container, wanted)
                on_line(f"healthy: {wanted.health_path} answered {answer.status}")
                return
            if refusing.long_enough(answer):
                break
            time.sleep(POLL_SECONDS)
        raise self._unhealthy(container, wanted, refusing.why(wanted.health_path, timeout))

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
        return PipelineError(
            "preview.unhealthy",
            "the app was started and did not become healthy; what ran before goes on",
            why=f"{why}\nits last output:\n{printed or '(it printed nothing)'}",
            fix=f"it must answer {wanted.health_path} on port {wanted.port}, on 0.0.0.0, with 2xx or 3xx; "
            "set health_path or port in shipway.yaml if they differ",
            kind="build",
        )

    def _await_route(self, wanted: Workload, port: int, name: str) -> Answer:
        # A reload of nginx is quick but not instant: the old workers may answer once more.
        deadline = time.monotonic() + ROUTE_SECONDS
        answer = None
        while time.monotonic() < deadline:
            answer = ask(port, wanted.health_path, wanted.host)
            if answer and answer.is_healthy and answer.served_by == name:
                return answer
            time.sleep(POLL_SECONDS)
        told = f"{answer.status} from {answer.served_by or 'the router itself'}" if answer else "nothing"
        why = f"the app is healthy, but {wanted.host} through the router answered {told}"
        raise PipelineError(
            "preview.route", "the host doesn't lead to the app", why=why, kind="outside", retryable=True,
            fix="run the same command again; `shipway local down` removes a router that doesn't mend",
        )  # fmt: skip

    def _live(self, container: Container, project: str, host: str, port: int, answer: Answer | None) -> Live:
        labels = container.labels
        healthy = answer is not None and answer.is_healthy and answer.served_by == container.name
        image = str(container.image.id) if container.image else ""
        return Live(
            project=project,
            release=labels.get("shipway.release", ""),
            image=image,
            state="healthy" if healthy else "unhealthy",
            status=answer.status if answer else None,
            url=f"http://{host}:{port}/",
            port=port,
            container=container.name or "",
        )


def _plain(wanted: Workload) -> dict[str, Any]:
    return {
        name: getattr(wanted, name)
        for name in ("image", "env", "port", "user", "group", "host", "health_path", "memory")
    }


def container_name(identity: str, project: str, workload: str) -> str:
    """Return the container's name: a label of the domain name system, that the router looks it up by."""
    return f"shipway-{identity}-{project[:24].rstrip('-')}-{fingerprint(project, workload)[-12:]}"


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

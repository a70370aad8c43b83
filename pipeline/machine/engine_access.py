"""Which container engine a home works with, and how its clients reach it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clients.process import base_environment
from pipeline.machine import dockerd
from pipeline.machine.bridge import EngineError
from pipeline.machine.tools import buildx_plugin

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["Engine", "EngineError", "client", "find_engine"]

SYSTEM_SOCKET = Path("/var/run/docker.sock")
PING_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine that answered: ``owned`` means that this home started it and may remove all in it."""

    docker_host: str
    docker_config: Path
    owned: bool

    def environment(self) -> dict[str, str]:
        """Return the whole environment for a Docker client: the supervisor's, the address and the configuration."""
        tls = {name: os.environ[name] for name in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH") if name in os.environ}
        named = {"DOCKER_HOST": self.docker_host, "DOCKER_CONFIG": str(self.docker_config)}
        return base_environment(**(tls if self.docker_host.startswith("tcp:") else {}), **named)


def client(engine: Engine, *, timeout: int = 120) -> DockerClient:
    """Return a docker SDK client of ``engine``; each request may take ``timeout`` seconds."""
    import docker

    return docker.from_env(environment=engine.environment(), timeout=timeout)


def find_engine(home: Path, *, start: bool) -> Engine:
    """Return DOCKER_HOST's engine, else the home's own if it has one, else the machine's, else a new own one.

    An own one starts only with ``start``, and then the caller holds the home's lock.
    Raises EngineError if none answers.
    """
    config = _docker_config(home)
    given = os.environ.get("DOCKER_HOST")
    if given:
        own = given == dockerd.places(home).address
        return _answering(Engine(given, config, owned=own), "DOCKER_HOST names it: start it, or unset DOCKER_HOST")
    if dockerd.is_own(home):
        address = dockerd.start(home) if start else dockerd.places(home).address
        return _answering(Engine(address, config, owned=True), "run the command that started it again")
    if SYSTEM_SOCKET.exists():
        machine = Engine(f"unix://{SYSTEM_SOCKET}", config, owned=False)
        if _ping(machine) is None:
            return machine
    if start:
        return Engine(dockerd.start(home), config, owned=True)
    return _answering(
        Engine(f"unix://{SYSTEM_SOCKET}", config, owned=False), "start Docker, or set DOCKER_HOST to an engine"
    )


def _answering(candidate: Engine, fix: str) -> Engine:
    trouble = _ping(candidate)
    if trouble is None:
        return candidate
    raise EngineError(
        "engine.silent",
        f"the container engine at {candidate.docker_host} doesn't answer",
        why=trouble,
        fix=fix,
        kind="outside",
        retryable=True,
    )


def _ping(candidate: Engine) -> str | None:
    from docker.errors import DockerException

    try:
        with_limit = client(candidate, timeout=PING_SECONDS)
        try:
            with_limit.ping()
        finally:
            with_limit.close()
    except (DockerException, OSError, ValueError) as error:
        return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    return None


def _docker_config(home: Path) -> Path:
    """Make the Docker client's own configuration folder: no login, no context of the person at the keyboard."""
    folder = home / "docker"
    plugins = folder / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    plugin = buildx_plugin(home)
    link = plugins / "docker-buildx"
    if plugin is not None and not (link.is_symlink() and link.readlink() == plugin):
        link.unlink(missing_ok=True)
        link.symlink_to(plugin)
    return folder

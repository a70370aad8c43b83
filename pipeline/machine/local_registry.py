"""The embedded registry of a home: an OCI distribution server on loopback, with a login and a port that stays."""

from __future__ import annotations

import base64
import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from clients.process import find
from pipeline.errors import PipelineError
from pipeline.machine import daemons
from pipeline.machine.home import home_id
from pipeline.machine.tools import search_path
from pipeline.runs.folder import write_atomically

__all__ = ["RegistryAccess", "RegistryError", "access", "candidate_ports", "is_running", "start", "stop"]

NAME = "registry"
USERNAME = "shipway"
START_SECONDS = 30
STOP_SECONDS = 10
LOOPBACK = "127.0.0.1"
# Below the range that the kernel hands out to outgoing connections, so that the port is there after a restart.
FIRST_PORT, PORTS = 20_000, 10_000


class RegistryError(PipelineError):
    """The embedded registry can't be had."""


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """How to reach a registry: ``url`` is host:port without a scheme; the password stands in ``password_file``."""

    url: str
    username: str
    password_file: Path


def candidate_ports(name: str) -> range:
    """Return the ports to try, in order, for the home called ``name`` (hex): different homes start apart."""
    first = FIRST_PORT + int(name, 16) % (PORTS - 50)
    return range(first, first + 50)


def access(home: Path) -> RegistryAccess | None:
    """Return how to reach the registry of ``home`` if it was ever started, running or not."""
    record = home / "registry" / "port"
    if not record.is_file():
        return None
    port = int(record.read_text(encoding="ascii"))
    return RegistryAccess(f"{LOOPBACK}:{port}", USERNAME, home / "registry" / "password")


def start(home: Path) -> RegistryAccess:
    """Start the registry of ``home`` unless it runs, and return how to reach it once it answers to our login.

    Raises RegistryError without the server program or if another program holds the port.
    """
    program = find("docker-registry", path=search_path(home))
    if program is None:
        raise RegistryError(
            "registry.not_installed",
            "the local registry can't be started",
            why="docker-registry isn't installed",
            fix="run `shipway doctor --install`, or set `registry` to one that runs",
            kind="outside",
        )
    reach = _prepare(home)
    port = int(reach.url.rpartition(":")[2])
    if daemons.running(home / "daemons", NAME) is None and not _is_free(port) and not _answers(reach):
        raise RegistryError(
            "registry.port_taken",
            "the local registry can't be started",
            why=f"another program listens on port {port}, which the images in {home} are named after",
            fix="stop that program and run the same command again",
            kind="outside",
        )
    argv = [program, "serve", str(home / "registry" / "config.yml")]
    log = home / "logs" / "registry.log"
    daemons.ensure(home / "daemons", NAME, argv, log=log, ready=lambda: _answers(reach), timeout=START_SECONDS)
    return reach


def is_running(home: Path) -> bool:
    """Whether the registry of ``home`` runs."""
    return daemons.running(home / "daemons", NAME) is not None


def stop(home: Path) -> bool:
    """Stop the registry of ``home``; True if it ran."""
    return daemons.stop(home / "daemons", NAME, timeout=STOP_SECONDS)


def _prepare(home: Path) -> RegistryAccess:
    """Write what the server reads; the port comes last, so that an interrupted call is simply done again."""
    reach = access(home)
    if reach is not None:
        return reach
    import bcrypt

    folder = home / "registry"
    password = secrets.token_urlsafe(32)
    # The cost of bcrypt protects weak passwords; this one has 256 bits, and every request pays for the check.
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4)).decode()
    port = next((port for port in candidate_ports(home_id(home)) if _is_free(port)), None)
    if port is None:
        fix = "end what holds the ports from 20000 on, or set `registry` to one of your own"
        raise RegistryError("registry.no_port", "no port is free for the local registry", fix=fix, kind="outside")
    write_atomically(folder / "password", password.encode())
    write_atomically(folder / "htpasswd", f"{USERNAME}:{hashed}\n".encode())
    write_atomically(folder / "config.yml", _configuration(folder, port).encode())
    write_atomically(folder / "port", str(port).encode())
    return RegistryAccess(f"{LOOPBACK}:{port}", USERNAME, folder / "password")


def _configuration(folder: Path, port: int) -> str:
    # JSON is YAML, with one way to quote.
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(folder / "data")},
                "delete": {"enabled": True},
            },
            "http": {"addr": f"{LOOPBACK}:{port}", "secret": secrets.token_hex(32)},
            "auth": {"htpasswd": {"realm": "shipway", "path": str(folder / "htpasswd")}},
        },
        indent=2,
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _answers(reach: RegistryAccess) -> bool:
    """Whether the server at the address is ours: it lets our login in, and nobody without."""
    password = reach.password_file.read_text(encoding="ascii")
    token = base64.b64encode(f"{reach.username}:{password}".encode()).decode()
    return _status(reach.url, {"Authorization": f"Basic {token}"}) == 200 and _status(reach.url, {}) == 401


def _status(address: str, headers: dict[str, str]) -> int | None:
    # http.client knows no proxy settings, which must never see a request to loopback.
    import http.client

    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/v2/", headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

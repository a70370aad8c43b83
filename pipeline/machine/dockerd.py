"""A home's own container engine, for machines where none runs: dockerd on a socket and a bridge of its own."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from clients.process import find
from pipeline.machine import daemons
from pipeline.machine.bridge import EngineError, make_bridge, remove_bridge
from pipeline.machine.home import home_id, unmount_below
from pipeline.machine.tools import search_path

__all__ = ["EngineError", "Places", "is_own", "places", "start", "stop"]

NAME = "engine"
START_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Places:
    """Where an own engine keeps things; sockets stand in ``run``, since their paths may have 107 bytes at most."""

    data: Path
    run: Path
    log: Path
    records: Path

    @property
    def address(self) -> str:
        """The engine's DOCKER_HOST."""
        return f"unix://{self.run}/docker.sock"


def places(home: Path) -> Places:
    """Return the places of the own engine of ``home``."""
    return Places(
        data=home / "engine",
        run=Path(f"/run/shipway-{home_id(home)}"),
        log=home / "logs" / "engine.log",
        records=home / "daemons",
    )


def is_own(home: Path) -> bool:
    """Whether ``home`` has used an engine of its own: its images are there, so it stays with it."""
    return (home / "engine").is_dir()


def start(home: Path) -> str:
    """Start the own engine of ``home`` unless it runs, and return its DOCKER_HOST once it answers.

    Raises EngineError without root or dockerd, DaemonError if dockerd ends.
    """
    at = places(home)
    program = find("dockerd", path=search_path(home))
    if os.geteuid() != 0 or program is None:
        raise EngineError(
            "engine.none",
            "no container engine answers, and an own one can't be started",
            why="dockerd isn't installed" if program is None else "starting one takes root",
            fix="install and start Docker, or run `shipway doctor --install` and this command as root",
            kind="outside",
        )
    at.run.mkdir(mode=0o700, exist_ok=True)
    at.data.mkdir(mode=0o700, exist_ok=True)
    if daemons.running(at.records, NAME) is None:
        _clear_pid_files(at)
    argv = [*_argv(program, at, home_id(home)), "--bridge", make_bridge(home)]
    daemons.ensure(at.records, NAME, argv, log=at.log, ready=lambda: _answers(at), timeout=START_SECONDS)
    return at.address


def stop(home: Path) -> bool:
    """Stop the own engine of ``home`` and remove what it leaves outside the home: sockets, mounts, its bridge.

    True if it ran.
    """
    at = places(home)
    ran = daemons.stop(at.records, NAME, timeout=STOP_SECONDS)
    unmount_below(at.run)
    unmount_below(at.data)
    shutil.rmtree(at.run, ignore_errors=True)
    remove_bridge(home)
    return ran


def _argv(program: str, at: Places, name: str) -> list[str]:
    # A containerd that the machine already runs is shared by every dockerd: a namespace of its own keeps them apart.
    return [
        program, "--data-root", str(at.data), "--exec-root", f"{at.run}/exec", "--pidfile", f"{at.run}/dockerd.pid",
        "--host", at.address, "--containerd-namespace", f"shipway-{name}",
        "--containerd-plugins-namespace", f"shipway-plugins-{name}",
        # Networks of two engines on one machine begin in different places; the second pool is dockerd's usual one.
        "--default-address-pool", f"base=10.{214 + int(name, 16) % 40}.0.0/16,size=24",
        "--default-address-pool", "base=172.16.0.0/12,size=20",
    ]  # fmt: skip


def _clear_pid_files(at: Places) -> None:
    # After a kill, dockerd would take a process that got the old id since then for itself, and refuse to start.
    for file in (at.run / "dockerd.pid", at.run / "exec/containerd/containerd.pid"):
        file.unlink(missing_ok=True)


def _answers(at: Places) -> bool:
    import http.client
    import socket

    connection = http.client.HTTPConnection("localhost", timeout=5)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(5)
        try:
            wire.connect(f"{at.run}/docker.sock")
            connection.sock = wire
            connection.request("GET", "/_ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

"""The embedded parts of one machine, under SHIPWAY_HOME: engine, registry and GitOps repository, up and down."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clients.process import base_environment, run
from pipeline.errors import PipelineError
from pipeline.machine import dockerd, local_registry
from pipeline.machine.engine_access import Engine, EngineError, client, find_engine
from pipeline.machine.engine_removal import remove_ours
from pipeline.machine.home import LAYOUT, MARK, claim, home_id, lock, remove
from pipeline.machine.local_registry import RegistryAccess

__all__ = [
    "Engine",
    "EngineError",
    "Part",
    "RegistryAccess",
    "client",
    "down",
    "engine",
    "gitops",
    "registry",
    "status",
    "stop",
]

LOCK = "embedded"
GITOPS = "plateform-gitops.git"


@dataclass(frozen=True, slots=True)
class Part:
    """One embedded part as ``status`` sees it: ``where`` is its address or path."""

    name: str
    running: bool
    where: str


def engine(home: Path, *, start: bool = False) -> Engine:
    """Return a container engine: DOCKER_HOST, else the home's own if it has one, else the machine's.

    With ``start``, where none answers, an own one is started (as root). Raises EngineError if none can be had.
    """
    claim(home)
    with lock(home, LOCK):
        return find_engine(home, start=start)


def registry(home: Path) -> RegistryAccess:
    """Return the embedded registry of ``home``, started unless it runs; same address and login every time."""
    claim(home)
    with lock(home, LOCK):
        return local_registry.start(home)


def gitops(home: Path) -> Path:
    """Return the embedded bare GitOps repository of ``home``, made (branch ``main``) unless it is there."""
    claim(home)
    path = home / GITOPS
    with lock(home, LOCK):
        if not (path / "HEAD").is_file():
            _make_gitops(path)
    return path


def status(home: Path) -> tuple[Part, ...]:
    """Return what runs in ``home``; starts nothing."""
    claim(home)
    reach = local_registry.access(home)
    parts = [
        Part("registry", local_registry.is_running(home), reach.url if reach else ""),
        Part("gitops", (home / GITOPS / "HEAD").is_file(), str(home / GITOPS)),
    ]
    try:
        found = find_engine(home, start=False)
    except EngineError as error:
        return (Part("engine", running=False, where=error.why), *parts)
    return (Part("engine", running=True, where=found.docker_host), *parts)


def stop(home: Path) -> tuple[str, ...]:
    """Stop the processes of ``home`` and keep its data; ``engine`` and ``registry`` start them again."""
    if not home.is_dir():
        return ()
    with lock(home, LOCK):
        stopped = ["registry"] if local_registry.stop(home) else []
        if dockerd.is_own(home) and dockerd.stop(home):
            stopped.append("engine")
    return tuple(stopped)


def down(home: Path) -> tuple[str, ...]:
    """Stop and remove everything that ``home`` made on this machine, the folder included; return what went.

    Processes are ended by recorded id and start time. In an engine that isn't ours only what carries our label goes.
    """
    if not any((home / name).exists() for name in (MARK, *LAYOUT)):
        return ()
    with lock(home, LOCK):
        removed = ["the registry"] if local_registry.stop(home) else []
        removed += _empty_engine(home)
        if dockerd.is_own(home):
            dockerd.stop(home)
            removed.append("the engine")
        remove(home)
    return (*removed, str(home))


def _make_gitops(path: Path) -> None:
    env = base_environment(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    fix = "run `shipway doctor` to see whether git is missing"
    # Made aside and renamed: an interrupt leaves no half repository under the name.
    with tempfile.TemporaryDirectory(prefix=".gitops-", dir=path.parent) as room:
        made = Path(room) / path.name
        argv = ["git", "init", "--quiet", "--bare", "--template=", "-b", "main", str(made)]
        run(argv, timeout=30, env=env).check("the GitOps repository could not be made", fix=fix)
        # History there is the audit trail: it only grows.
        protect = ["git", "--git-dir", str(made), "config", "receive.denyNonFastForwards", "true"]
        run(protect, timeout=30, env=env).check("the GitOps repository could not be set up", fix=fix)
        shutil.rmtree(path, ignore_errors=True)
        made.rename(path)


def _empty_engine(home: Path) -> list[str]:
    """Remove our containers, networks, volumes and images.

    An own engine loses every container and network: they hold processes and bridges of the machine, the rest goes with
    its folder.
    """
    try:
        # An own engine that died left containers running: it finds them again when it starts.
        found = find_engine(home, start=dockerd.is_own(home))
    except PipelineError:  # it doesn't even start: what is on disk is removed all the same
        return []
    docker = client(found)
    try:
        return remove_ours(docker, home_id(home), everything=found.owned)
    finally:
        docker.close()

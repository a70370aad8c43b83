"""The table of programs that Shipway uses: what each is for, how it is found and how it is got."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from clients.process import find

__all__ = ["TOOLS", "Tool", "buildx_plugin", "search_path"]

Source = Literal["debian", "buildx", "docker-registry", "distribution"]
"""How a tool is got: an ordinary Debian package; one file out of a Debian package; or with ``pip install``."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One program. ``packages`` are Debian packages, the first one that the machine's apt knows being taken."""

    name: str
    needed_for: str
    find: Callable[[Path], str | None]
    source: Source
    packages: tuple[str, ...] = ()


def search_path(home: Path) -> str:
    """Return where programs are looked for: the home's own, beside this Python, PATH, and the system folders."""
    folders = (home / "tools" / "bin", Path(sys.executable).parent)
    return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def buildx_plugin(home: Path) -> Path | None:
    """Return the buildx plugin of the Docker client: the home's own, the user's, or the system's."""
    user = os.environ.get("DOCKER_CONFIG") or f"{os.environ.get('HOME', '/root')}/.docker"
    folders = [home / "tools" / "docker", Path(user)]
    folders += [
        Path(parent, "docker") for parent in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
    ]
    for folder in folders:
        plugin = folder / "cli-plugins" / "docker-buildx"
        if plugin.is_file() and os.access(plugin, os.X_OK):
            # A link to a link would end in itself when DOCKER_CONFIG is the folder that gets the link.
            return plugin.resolve()
    return None


def _program(name: str) -> Callable[[Path], str | None]:
    return lambda home: find(name, path=search_path(home))


def _engine(home: Path) -> str | None:
    socket = Path("/var/run/docker.sock")
    return (
        os.environ.get("DOCKER_HOST")
        or (f"unix://{socket}" if socket.is_socket() else None)
        or _program("dockerd")(home)
    )


def _buildx(home: Path) -> str | None:
    plugin = buildx_plugin(home)
    return str(plugin) if plugin else None


def _library(name: str) -> Callable[[Path], str | None]:
    def locate(_: Path) -> str | None:
        spec = find_spec(name)
        return spec.origin if spec else None

    return locate


TOOLS = (
    Tool("git", "fetching sources, the GitOps repository", _program("git"), "debian", ("git",)),
    Tool("docker", "building images", _program("docker"), "debian", ("docker-cli", "docker.io")),
    Tool("docker engine", "building and running images", _engine, "debian", ("docker.io",)),
    Tool("docker buildx", "building images with BuildKit", _buildx, "buildx", ("docker-buildx",)),
    Tool("docker-registry", "the local registry, where none is configured", _program("docker-registry"),
         "docker-registry", ("docker-registry",)),
    Tool("mmdebstrap", "base images, where no container registry is reachable", _program("mmdebstrap"),
         "debian", ("mmdebstrap",)),
    Tool("Debian's keyring", "base images: checking what was fetched",
         lambda _: next((str(file) for file in (Path("/usr/share/keyrings/debian-archive-keyring.gpg"),)
                         if file.exists()), None),
         "debian", ("debian-archive-keyring",)),
    Tool("iptables", "an own container engine, where none runs", _program("iptables"), "debian", ("iptables",)),
    Tool("ip", "an own container engine, where none runs", _program("ip"), "debian", ("iproute2",)),
    Tool("trivy", "scanning images", _program("trivy"), "distribution"),
    Tool("helm", "rendering charts", _library("helm_python"), "distribution"),
)  # fmt: skip
"""Everything, in the order in which ``shipway doctor`` shows it."""

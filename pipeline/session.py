"""What the stages act on: engine, registry, GitOps mirror and preview of a configuration, each opened when needed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from clients.registries.oci import Registry
from gitops_writer.mirror import Mirror
from gitops_writer.records import Checks, ImageRef
from pipeline.base_images import build as base_images
from pipeline.config import Config
from pipeline.hosts import host_holder
from pipeline.machine import embedded
from pipeline.machine.home import home_id
from pipeline.preview.router import Router
from pipeline.preview.sync import Preview

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["Session"]

ROUTER_BASE = "nginx:1"
REACHABILITY_SECONDS = 3600


class Session:
    """One configuration's outside world; nothing is started or asked before the first use."""

    def __init__(self, config: Config, *, on_line: Callable[[str], None] = lambda line: None) -> None:
        self.config = config
        self.on_line = on_line

    @property
    def home(self) -> Path:
        """SHIPWAY_HOME."""
        return self.config.home

    @property
    def identity(self) -> str:
        """What marks this home's containers, so that two homes in one engine never meet."""
        return home_id(self.home)

    @cached_property
    def engine(self) -> embedded.Engine:
        """The build engine's address."""
        return embedded.engine(self.home)

    @cached_property
    def docker(self) -> DockerClient:
        """The engine's client; it answered."""
        return embedded.client(self.engine)

    @cached_property
    def registry(self) -> Registry:
        """The configured registry, or the embedded one, started."""
        config = self.config
        if config.registry is not None:
            return Registry(config.registry, config.registry_username, config.registry_password_file, config.ca_bundle)
        access = embedded.registry(self.home)
        return Registry(access.url, access.username, access.password_file)

    @cached_property
    def mirror(self) -> Mirror:
        """The mirror of the configured GitOps remote, or of the embedded bare repository."""
        config = self.config
        remote = config.gitops_remote or str(embedded.gitops(self.home))
        name = hashlib.sha256(f"{remote}\0{config.gitops_branch}".encode()).hexdigest()[:16]
        folder = self.home / "mirrors" / f"{name}.git"
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Mirror(remote, config.gitops_branch, folder, lock=folder.with_suffix(".lock"))

    @cached_property
    def offline(self) -> bool:
        """Whether base images are those made from Debian packages; ``auto`` asks the engine once an hour."""
        if self.config.base_images != "auto":
            return self.config.base_images == "offline"
        record = self.home / "registry-reachable"
        if record.is_file() and time.time() - record.stat().st_mtime < REACHABILITY_SECONDS:
            return record.read_text(encoding="utf-8").strip() != "yes"
        reachable = base_images.hub_reachable(self.engine)
        self.home.mkdir(parents=True, exist_ok=True)
        record.write_text("yes\n" if reachable else "no\n", encoding="utf-8")
        return not reachable

    @cached_property
    def bases(self) -> Mapping[str, str]:
        """The reference of every base image by its key, such as ``python:3.13``."""
        return base_images.bases(offline=self.offline, mirror_prefix=self.config.base_image_mirror)

    def provide_bases(self, keys: set[str], on_line: Callable[[str], None]) -> None:
        """Make the offline base images ``keys`` where they are missing; ordinary ones are the engine's to pull."""
        if self.offline:
            base_images.build(
                self.engine, sorted(keys), self.home, ca_bundle=self.config.ca_bundle, on_progress=on_line
            )

    @cached_property
    def preview(self) -> Preview:
        """The preview; its router's image is provided when the router has to be started."""
        port = self.config.preview_port
        folder = self.home / "preview"
        router = Router(self.docker, folder, identity=self.identity, image=self._router_image, port=port)
        workspace = self.config.workspace
        return Preview(self.docker, router, self.registry, identity=self.identity, workspace=workspace)

    def _router_image(self) -> str:
        self.provide_bases({ROUTER_BASE}, self.on_line)
        return self.bases[ROUTER_BASE]

    @cached_property
    def checks(self) -> Checks:
        """What the gate asks of the world."""
        return Checks(digest_exists=self._digest_exists, host_allowed=self._host_allowed)

    def _digest_exists(self, image: ImageRef) -> str | None:
        host, _, repository = image.repository.partition("/")
        if host != self.registry.host:
            return f"{image.repository} is not in the configured registry {self.registry.host}"
        found = self.registry.digest(repository, image.digest)
        return None if found == image.digest else f"{image.repository}@{image.digest} is not in the registry"

    def _host_allowed(self, workspace: str, project: str, host: str) -> str | None:
        own = f"{project}.{self.config.base_domain}"
        if host.endswith(f".{self.config.base_domain}") and host != own:
            return f"{host} lies under {self.config.base_domain}, where this project's host is {own}"
        holder = host_holder(self.mirror, host)
        if holder is not None and holder != (workspace, project):
            return f"{host} is the host of {holder[1]} in {holder[0]}"
        return None

"""The preview's ingress: one nginx container in front of the apps, routing by host as ingress-nginx does."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.machine.home import lock
from pipeline.preview.asking import SERVED_BY
from pipeline.runs.folder import write_atomically

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["Router", "free_port", "site"]

LISTEN = 8080
MAIN = """worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  server_tokens off;
  # A host may have 253 characters.
  server_names_hash_bucket_size 512;
  client_max_body_size 64m;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  # The container's name is looked up at each request, so that a stopped app can't keep the others from loading.
  resolver 127.0.0.11 valid=1s ipv6=off;
  map $http_upgrade $connection_upgrade { default upgrade; "" close; }
  server {
    listen 8080 default_server;
    default_type text/plain;
    location = /-/ready { return 200 "ready\\n"; }
    location / { return 404 "no app is published under this host name\\n"; }
  }
  include /etc/shipway/sites/*.conf;
}
"""


def site(host: str, container: str, port: int) -> str:
    """Return the nginx server block that sends ``host`` to ``container``; both are DNS names, checked before."""
    return f"""server {{
  listen {LISTEN};
  server_name {host};
  location / {{
    add_header {SERVED_BY} {container} always;
    proxy_hide_header {SERVED_BY};
    set $app http://{container}:{port};
    proxy_pass $app;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_read_timeout 3600s;
  }}
}}
"""


class Router:
    """The router of one home: its sites lie in ``folder``, its container is named after ``identity``."""

    def __init__(
        self, client: DockerClient, folder: Path, *, identity: str, image: Callable[[], str], port: int
    ) -> None:
        """Take what it needs; ``image`` gives the router's image, and is asked only when it has to be started."""
        self._client = client
        self._folder = folder
        self._identity = identity
        self._image = image
        self._first_port = port

    @property
    def network(self) -> str:
        """The name of the network that the router and the apps share."""
        return f"shipway-{self._identity}"

    def ensure(self) -> int:
        """Return the port on loopback that the router answers on, starting it where it doesn't run."""
        # One at a time: an engine makes two networks of one name without a word, and then refuses both as ambiguous.
        with lock(self._folder.parent, "router"):
            container = self._container()
            if container is None or container.status != "running":
                if container is not None:
                    container.remove(force=True)
                container = self._start()
            return self._port(container)

    def publish(self, host: str, container: str, port: int, *, app: str) -> None:
        """Send ``host`` to ``container`` from now on; a configuration that the router refuses is taken back."""
        file = self._folder / "sites" / f"{app}.conf"
        before = file.read_bytes() if file.is_file() else None
        try:
            self._write_site(file, site(host, container, port).encode())
            self._reload()
        except PipelineError:
            # It would keep every other app's next release from its host.
            self._write_site(file, before)
            raise

    def _write_site(self, file: Path, content: bytes | None) -> None:
        if content is None:
            file.unlink(missing_ok=True)
            return
        write_atomically(file, content)
        file.chmod(0o644)

    def withdraw(self, app: str) -> None:
        """Publish ``app`` no longer."""
        (self._folder / "sites" / f"{app}.conf").unlink(missing_ok=True)
        if self._container() is not None:
            self._reload()

    def _reload(self) -> None:
        container = self._container()
        if container is None:
            return
        done = container.exec_run(["nginx", "-s", "reload", "-c", "/etc/shipway/nginx.conf"])
        if done.exit_code != 0:
            why = str(done.output, "utf-8", "replace") if isinstance(done.output, bytes) else ""
            fix = "nothing was changed; `docker logs` of the router has the rest"
            raise PipelineError(
                "preview.router", "the router refused its configuration", why=why, fix=fix, kind="outside"
            )

    def _container(self) -> Container | None:
        from docker.errors import NotFound

        try:
            return self._client.containers.get(f"{self.network}-router")
        except NotFound:
            return None

    def _start(self) -> Container:
        from docker.errors import NotFound

        labels = {"shipway.home": self._identity}
        try:
            self._client.networks.get(self.network)
        except NotFound:
            self._client.networks.create(self.network, driver="bridge", labels=labels)
        (self._folder / "sites").mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / "nginx.conf", MAIN.encode())
        for shared in (self._folder, self._folder / "sites"):
            shared.chmod(0o755)
        (self._folder / "nginx.conf").chmod(0o644)
        options: dict[str, Any] = {
            "name": f"{self.network}-router",
            "network": self.network,
            "ports": {f"{LISTEN}/tcp": ("127.0.0.1", self._free_port())},
            "volumes": {str(self._folder): {"bind": "/etc/shipway", "mode": "ro"}},
            "tmpfs": {"/tmp": "rw"},  # noqa: S108 - inside the container
            "user": "65534",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "restart_policy": {"Name": "unless-stopped"},
            "labels": labels,
        }
        command = ["nginx", "-c", "/etc/shipway/nginx.conf", "-g", "daemon off;"]
        container: Container = self._client.containers.run(self._image(), command, detach=True, **options)
        return container

    def _free_port(self) -> int:
        record = self._folder / "port"
        known = int(record.read_text(encoding="utf-8")) if record.is_file() else None
        candidates = ([known] if known else []) + list(range(self._first_port, self._first_port + 50))
        for port in candidates:
            if _is_free(port):
                write_atomically(record, f"{port}\n".encode())
                return port
        fix = "set preview_port to a free port"
        raise PipelineError("preview.no_port", f"no port from {self._first_port} on is free", fix=fix, kind="outside")

    def _port(self, container: Container) -> int:
        container.reload()
        mapped = container.ports.get(f"{LISTEN}/tcp")
        if not mapped:
            why = bytes(container.logs(tail=5)).decode("utf-8", "replace")
            fix = "run the same command again: a router that ended is started anew"
            raise PipelineError(
                "preview.router", "the router doesn't run", why=why, fix=fix, kind="outside", retryable=True
            )
        return int(mapped[0]["HostPort"])


def free_port() -> int:
    """Return a loopback port that nobody has at the moment.

    An engine counts its own ports up and doesn't see what another engine on the machine has.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

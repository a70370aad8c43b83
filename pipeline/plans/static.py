"""Static sites: files behind nginx, as an ordinary user, with history fallback and caching that a browser may trust."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from shlex import join

from detectors.model import Service
from pipeline.artifacts import BuildPlan, BuildStage, Copy, Run
from pipeline.plans.health import bash_health
from pipeline.plans.shape import WORKDIR, finish, port_of

__all__ = ["served", "static_plan"]

CONFIGURATION = "/etc/nginx/site.conf"
NGINX = (
    "pid /tmp/nginx.pid;",
    "error_log /dev/stderr warn;",
    "events { worker_connections 1024; }",
    "http {",
    "  include /etc/nginx/mime.types;",
    "  default_type application/octet-stream;",
    "  access_log /dev/stdout;",
    "  server_tokens off;",
    "  sendfile on;",
    "  gzip on;",
    "  gzip_types text/css text/javascript application/javascript application/json image/svg+xml;",
    "  client_body_temp_path /tmp/body;",
    "  proxy_temp_path /tmp/proxy;",
    "  fastcgi_temp_path /tmp/fastcgi;",
    "  uwsgi_temp_path /tmp/uwsgi;",
    "  scgi_temp_path /tmp/scgi;",
    "  server {",
    "    listen {port};",
    f"    root {WORKDIR};",
    "    absolute_redirect off;",
    "    add_header X-Content-Type-Options nosniff always;",
    "    location ~ /\\.(?!well-known/) { return 404; }",
    # A missing file is a 404; a path without an extension belongs to the page's own router.
    "    location ~ \\.[0-9A-Za-z]+$ { try_files $uri =404; }",
    "    location / {",
    "      add_header X-Content-Type-Options nosniff always;",
    "      add_header Cache-Control no-cache always;",
    "      try_files $uri $uri/index.html $uri.html /index.html =404;",
    "    }",
    "  }",
    "}",
)


def static_plan(service: Service) -> BuildPlan:
    """Return the plan of a site that needs no build: its files, or those below ``output``, are served as they are."""
    folder = service.output or "."
    return _plan(service, (), Copy("copy", "The site.", (folder,), "./"), ignore=())


def served(service: Service, build: BuildStage, folder: str, *, ignore: Sequence[str]) -> BuildPlan:
    """Return the plan that serves ``folder`` (absolute, in the stage ``build``) by nginx."""
    site = Copy(
        "copy", "The built site alone: no Node, no dependencies.", (str(PurePosixPath(folder)),), "./", build.name
    )
    return _plan(service, (build,), site, ignore=ignore)


def _plan(service: Service, stages: Sequence[BuildStage], site: Copy, *, ignore: Sequence[str]) -> BuildPlan:
    port = port_of(service, 8080) or 8080
    lines = [line.replace("{port}", str(port)) for line in NGINX]
    write = join(["printf", r"%s\n", *lines])
    configure = Run(
        "run",
        "Listens above 1024 and writes below /tmp only, so that an ordinary user and a read-only root do.",
        ("sh", "-c", f"{write} > {CONFIGURATION}"),
    )
    runtime = BuildStage("runtime", "nginx:1", WORKDIR, (configure, site))
    return finish(
        service,
        (*stages, runtime),
        port=port,
        env={},
        start=("nginx", "-c", CONFIGURATION, "-g", "daemon off;"),
        healthcheck=bash_health(service, port),
        ignore=ignore,
    )

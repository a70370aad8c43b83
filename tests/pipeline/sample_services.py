"""The services of ``tests/apps`` as detection describes them, for tests that start from a Service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from detectors.model import Service

__all__ = ["BASES", "SERVICES", "service"]

BASES: Mapping[str, str] = {
    "node:20": "node:20-trixie-slim",
    "python:3.13": "python:3.13-slim-trixie",
    "maven:21": "maven:3.9-eclipse-temurin-21",
    "jre:21": "eclipse-temurin:21-jre",
    "nginx:1": "nginx:1-trixie",
}

_EMPTY = Service(
    name="web",
    root=".",
    kind="server",
    language="node",
    language_version="20",
    framework=None,
    package_manager=None,
    build=(),
    start=("node", "server.js"),
    port=3000,
    health_path=None,
    manifests=(),
    output=None,
    evidence=(),
)


def service(**fields: Any) -> Service:
    """Return a plain Node service with ``fields`` in place of its own."""
    return replace(_EMPTY, **fields)


_PYTHON = service(language="python", language_version="3.13", port=8000)

SERVICES: Mapping[str, Service] = {
    "node-express": service(
        name="node-express",
        framework="express",
        package_manager="npm",
        health_path="/healthz",
        manifests=("package-lock.json", "package.json"),
    ),
    "node-next": service(
        name="node-next",
        framework="nextjs",
        package_manager="npm",
        build=("npm", "run", "build"),
        manifests=("package-lock.json", "package.json"),
        output=".next/standalone",
    ),
    "python-fastapi": replace(
        _PYTHON,
        name="python-fastapi",
        framework="fastapi",
        package_manager="uv",
        start=("uvicorn", "main:app", "--host", "0.0.0.0", "--port", "${PORT:-8000}"),
        health_path="/healthz",
        manifests=("pyproject.toml",),
    ),
    "python-flask": replace(
        _PYTHON,
        name="python-flask",
        framework="flask",
        package_manager="pip",
        start=("gunicorn", "--bind", "0.0.0.0:${PORT:-8000}", "app:app"),
        health_path="/healthz",
        manifests=("requirements.txt",),
    ),
    "python-django": replace(
        _PYTHON,
        name="python-django",
        framework="django",
        package_manager="poetry",
        build=("python", "manage.py", "collectstatic", "--noinput"),
        start=("gunicorn", "--bind", "0.0.0.0:${PORT:-8000}", "site_config.wsgi:application"),
        health_path="/healthz",
        manifests=("poetry.lock", "pyproject.toml"),
    ),
    "java-spring": service(
        name="java-spring",
        language="java",
        language_version="21",
        framework="spring-boot",
        package_manager="maven",
        build=("mvn", "-B", "-DskipTests", "package"),
        start=("java", "-jar", "app.jar"),
        port=8080,
        health_path="/actuator/health",
        manifests=("pom.xml",),
        output="target/*.jar",
    ),
}
"""One for each folder of ``tests/apps``, under its name."""

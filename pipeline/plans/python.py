"""Python: a virtual environment made in one stage, carried to another that has no package manager's leavings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.model import Service
from pipeline.artifacts import BuildPlan, BuildStage, Cache, Copy, Env, Run, Secret, Step
from pipeline.plans.errors import PlanError
from pipeline.plans.health import python_health
from pipeline.plans.shape import CA_BUNDLE, CA_FILE, WORKDIR, base_of, copy_manifests, copy_source, finish, port_of

__all__ = ["python_plan"]

VENV = "/opt/venv"
TOOLS = "/opt/tools"
SYSTEM_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
REQUIREMENTS = "/opt/requirements.txt"
PIP_CACHE = Cache("pip", "/root/.cache/pip")
SECRETS = (CA_BUNDLE, Secret("pip-conf", "/etc/pip.conf"))

SERVERS: Mapping[str, str] = {"gunicorn": "gunicorn==27.0.1", "uvicorn": "uvicorn==0.54.0"}
"""Servers that a start command may name though the app doesn't depend on them, and the version added then."""

IGNORE = ("__pycache__", "*.pyc", ".venv", "/venv", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".coverage")


@dataclass(frozen=True, slots=True)
class Exporter:
    """A package manager whose lock file is turned into requirements with hashes: ``script`` writes REQUIREMENTS."""

    tools: tuple[str, ...]
    lock_file: str
    script: str
    without_lock: str


EXPORTERS: Mapping[str, Exporter] = {
    "poetry": Exporter(
        ("poetry==2.5.1", "poetry-plugin-export==1.10.1"),
        "poetry.lock",
        f"poetry export --only=main --output={REQUIREMENTS}",
        "poetry lock",
    ),
    "pipenv": Exporter(
        ("pipenv==2026.10.3",), "Pipfile.lock", f"pipenv requirements --hash > {REQUIREMENTS}", "pipenv lock"
    ),
}
UV = "uv==0.13.9"


def python_plan(service: Service) -> BuildPlan:
    """Return the plan of a Python service: one stage installs into a virtual environment, the last one only runs it."""
    build = BuildStage(
        "build",
        base_of("python", service),
        WORKDIR,
        (_settings(), _environment(), *_installed(service), *_build(service)),
    )
    runtime = BuildStage("runtime", base_of("python", service), WORKDIR, _runtime_steps(service))
    port = port_of(service, 8000)
    env = {"PATH": f"{VENV}/bin:{SYSTEM_PATH}", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    health = python_health(service, port or 0)
    return finish(service, (build, runtime), port=port, env=env, start=service.start, healthcheck=health, ignore=IGNORE)


def _installed(service: Service) -> tuple[Step, ...]:
    """Return the steps up to the whole environment; a server is added once it is known that the app brings none."""
    source, server = _source(service), _server(service)
    last = (*source, *server) if _is_project(service) else (*server, *source)
    return (*_dependencies(service), *last)


def _settings() -> Env:
    return Env(
        "env",
        "Every tool below trusts the certificate authorities of this one file; a company's own are mounted over it.",
        {
            "PATH": f"{VENV}/bin:{TOOLS}/bin:{SYSTEM_PATH}",
            "PIP_CERT": CA_FILE,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "REQUESTS_CA_BUNDLE": CA_FILE,
            "SSL_CERT_FILE": CA_FILE,
        },
    )


def _environment() -> Run:
    return Run(
        "run",
        "The dependencies' own environment, without pip: what installs is not what runs.",
        ("python", "-m", "venv", "--without-pip", VENV),
    )


def _pip(*arguments: str, environment: str = VENV) -> tuple[str, ...]:
    return ("pip", f"--python={environment}/bin/python", "install", *arguments)


def _dependencies(service: Service) -> tuple[Step, ...]:
    manager = service.package_manager
    if manager == "uv":
        return _uv_dependencies(service)
    if manager is not None and manager in EXPORTERS:
        return _exported_dependencies(service, EXPORTERS[manager])
    if manager in ("pip", None):
        return _pip_dependencies(service)
    raise PlanError(
        "plan.no_such_package_manager",
        f"service {service.name} can't be built: its package manager {manager} has no build plan",
        why=f"build plans exist for pip, uv, {', '.join(EXPORTERS)}",
        fix="add a requirements.txt with the app's dependencies",
        kind="not_deployable",
    )


def _pip_dependencies(service: Service) -> tuple[Step, ...]:
    requirements = _requirements_file(service)
    if requirements is None:
        return ()
    install = Run(
        "run",
        "Installs the dependencies; where the file holds hashes, every download is checked against them.",
        _pip(f"--requirement={requirements}"),
        (PIP_CACHE,),
        SECRETS,
    )
    return (*copy_manifests(service.manifests), install)


def _requirements_file(service: Service) -> str | None:
    """Return the file to install from: the first manifest, which includes the others."""
    return next((name for name in service.manifests if name.endswith(".txt")), None)


def _tools(*packages: str) -> Run:
    # An environment of their own, so that the tools' dependencies never mix with the app's or the image's.
    install = " ".join(_pip(*packages, environment=TOOLS))
    return Run(
        "run",
        "The app's package manager, pinned, in an environment of its own that stays in this stage.",
        ("sh", "-c", f"python -m venv --without-pip {TOOLS} && {install}"),
        (PIP_CACHE,),
        SECRETS,
    )


def _exported_dependencies(service: Service, exporter: Exporter) -> tuple[Step, ...]:
    locked = exporter.lock_file in service.manifests
    export = Run(
        "run",
        "The lock file as requirements with hashes, production dependencies only."
        if locked
        else "There is no lock file: versions are chosen now. Commit one to get the same versions every time.",
        ("sh", "-c", exporter.script if locked else f"{exporter.without_lock} && {exporter.script}"),
        () if locked else (PIP_CACHE,),
        () if locked else SECRETS,
    )
    install = Run(
        "run",
        "pip installs them: it reads the company's index from pip.conf and checks every hash.",
        _pip(f"--requirement={REQUIREMENTS}"),
        (PIP_CACHE,),
        SECRETS,
    )
    return (_tools(*exporter.tools), *copy_manifests(service.manifests), export, install)


def _uv_dependencies(service: Service) -> tuple[Step, ...]:
    settings = Env(
        "env",
        "uv installs into the environment above with the image's Python, and compiles: the image is never written to.",
        {
            "UV_COMPILE_BYTECODE": "1",
            "UV_LINK_MODE": "copy",
            "UV_PROJECT_ENVIRONMENT": VENV,
            "UV_PYTHON_DOWNLOADS": "never",
        },
    )
    why = (
        "Installs exactly what the lock file names, production dependencies only. "
        "uv reads no pip.conf, so its index is handed on."
        if "uv.lock" in service.manifests
        else "There is no uv.lock: versions are chosen now. Commit one to get the same versions every time."
    )
    return (
        _tools(UV),
        settings,
        *copy_manifests(service.manifests),
        _uv_sync(service, why, "--no-install-project"),
    )


def _uv_sync(service: Service, why: str, *flags: str) -> Run:
    frozen = ("--frozen",) if "uv.lock" in service.manifests else ()
    command = " ".join(("uv", "sync", *frozen, "--no-dev", *flags))
    index = 'UV_DEFAULT_INDEX="$(pip config get global.index-url 2>/dev/null)"'
    caches = (Cache("uv", "/root/.cache/uv"),)
    return Run("run", why, ("sh", "-c", f"{index} {command}"), caches, SECRETS)


def _server(service: Service) -> tuple[Step, ...]:
    """Return the step that adds the server of the start command, pinned, unless the app's dependencies brought it."""
    server = service.start[0] if service.start else ""
    if server not in SERVERS:
        return ()
    install = " ".join(_pip(SERVERS[server]))
    why = f"The start command needs {server}: added here only if the app's own dependencies lack it."
    return (Run("run", why, ("sh", "-c", f"test -x {VENV}/bin/{server} || {install}"), (PIP_CACHE,), SECRETS),)


def _is_project(service: Service) -> bool:
    """Whether pip installs the project itself, since its setup.py or pyproject.toml alone names the dependencies."""
    return service.package_manager == "pip" and _requirements_file(service) is None and bool(service.manifests)


def _source(service: Service) -> tuple[Step, ...]:
    """Return the steps that install the project itself, and bring the source where one needs it."""
    if _is_project(service):
        return (copy_source(), Run("run", "The project and its dependencies.", _pip("."), (PIP_CACHE,), SECRETS))
    if service.package_manager == "uv":
        why = "The project itself, if it is a package; else this does nothing."
        return (copy_source(), _uv_sync(service, why, "--no-editable", "--inexact"))
    return (copy_source(),) if service.build else ()


def _build(service: Service) -> tuple[Step, ...]:
    return (Run("run", "The build step of the app.", service.build),) if service.build else ()


def _runtime_steps(service: Service) -> tuple[Step, ...]:
    environment = Copy(
        "copy", "Only the finished environment comes along: no tools, no caches.", (VENV,), VENV, stage="build"
    )
    if service.build:
        return (environment, Copy("copy", "The app, with what its build step made.", (WORKDIR,), "./", stage="build"))
    return (environment, copy_source())

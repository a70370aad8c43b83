"""Node: frozen install from the lock file, a build where there is one, and production dependencies only at run time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import join, quote

from detectors.model import Service
from pipeline.artifacts import BuildPlan, BuildStage, Cache, Copy, Env, Run, Secret, Step
from pipeline.plans.errors import PlanError
from pipeline.plans.health import node_health
from pipeline.plans.shape import CA_BUNDLE, CA_FILE, WORKDIR, base_of, copy_manifests, copy_source, finish, port_of
from pipeline.plans.static import served

__all__ = ["node_plan"]

SECRETS = (CA_BUNDLE, Secret("npmrc", "/root/.npmrc"))
STOPPER = "/opt/stop.cjs"
# An app with a listener of its own ends as it likes; this one only speaks for apps that have none.
STOP = "process.on('SIGTERM', () => process.listenerCount('SIGTERM') > 1 || process.exit(143))"
IGNORE = ("node_modules", ".next", ".turbo", ".npmrc", "npm-debug.log*", "*.tsbuildinfo")


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager: ``install`` as the lock file says, ``unlocked`` without one, ``prune`` to production."""

    lock_files: tuple[str, ...]
    install: tuple[str, ...]
    unlocked: tuple[str, ...]
    production: str
    prune: tuple[str, ...]
    cache: Cache
    setup: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None


MANAGERS: Mapping[str, Manager] = {
    "npm": Manager(
        ("package-lock.json", "npm-shrinkwrap.json"),
        ("npm", "ci", "--no-audit", "--no-fund"),
        ("npm", "install", "--no-audit", "--no-fund"),
        "--omit=dev",
        ("npm", "prune", "--omit=dev", "--no-audit", "--no-fund"),
        Cache("npm", "/root/.npm"),
    ),
    "yarn": Manager(
        ("yarn.lock",),
        ("yarn", "install", "--frozen-lockfile", "--non-interactive"),
        ("yarn", "install", "--non-interactive"),
        "--production",
        ("yarn", "install", "--frozen-lockfile", "--non-interactive", "--production"),
        Cache("yarn", "/root/.cache/yarn"),
        # --force: some images bring a yarn of their own at the same place.
        ("npm", "install", "--global", "--force", "--no-audit", "--no-fund", "yarn@1.22.22"),
        {"YARN_CACHE_FOLDER": "/root/.cache/yarn"},
    ),
    "pnpm": Manager(
        ("pnpm-lock.yaml",),
        ("pnpm", "install", "--frozen-lockfile", "--store-dir=/root/.cache/pnpm"),
        ("pnpm", "install", "--store-dir=/root/.cache/pnpm"),
        "--prod",
        ("pnpm", "prune", "--prod"),
        Cache("pnpm", "/root/.cache/pnpm"),
        ("npm", "install", "--global", "--no-audit", "--no-fund", "pnpm@10.34.8"),
        {"CI": "1"},
    ),
}


def node_plan(service: Service) -> BuildPlan:
    """Return the plan of a Node service; a static site is built with Node and served without it."""
    build = BuildStage("build", base_of("node", service), WORKDIR, _build_steps(service))
    if service.kind == "static":
        return served(service, build, f"{WORKDIR}/{service.output or 'dist'}", ignore=IGNORE)
    runtime = BuildStage("runtime", base_of("node", service), WORKDIR, (*_stopper(service), *_runtime_steps(service)))
    port = port_of(service, 3000)
    env = {"NODE_ENV": "production"} | (
        # Next.js listens on HOSTNAME, which would otherwise be the container's own name.
        {"HOSTNAME": "0.0.0.0", "NEXT_TELEMETRY_DISABLED": "1"} if service.framework == "nextjs" else {}  # noqa: S104
    )
    stages = (build, runtime) if build.steps else (runtime,)
    health = node_health(service, port or 0)
    return finish(service, stages, port=port, env=env, start=_start(service), healthcheck=health, ignore=IGNORE)


def _manager_of(service: Service) -> Manager | None:
    if service.package_manager is None:
        return None
    manager = MANAGERS.get(service.package_manager)
    if manager is None:
        raise PlanError(
            "plan.no_such_package_manager",
            f"service {service.name} can't be built: its package manager {service.package_manager} has no build plan",
            why=f"build plans exist for {', '.join(MANAGERS)}",
            fix="commit a lock file of one of these",
            kind="not_deployable",
        )
    return manager


def _build_steps(service: Service) -> tuple[Step, ...]:
    manager = _manager_of(service)
    installs = _install(service, manager) if manager and service.manifests else ()
    return (*installs, *_compile(service, manager))


def _install(service: Service, manager: Manager) -> tuple[Step, ...]:
    locked = any(name in service.manifests for name in manager.lock_files)
    # Without a build there is nothing that needs the development dependencies.
    production = () if service.build else (manager.production,)
    why = (
        "Installs exactly what the lock file names"
        + (", build tools included." if service.build else ", production dependencies only.")
        if locked
        else "There is no lock file: versions are chosen now. Commit one to get the same versions every time."
    )
    argv = (*(manager.install if locked else manager.unlocked), *production)
    return (
        _settings(service, manager),
        *_setup(manager),
        *copy_manifests(service.manifests),
        Run("run", why, argv, (manager.cache,), SECRETS),
    )


def _settings(service: Service, manager: Manager) -> Env:
    telemetry = {"NEXT_TELEMETRY_DISABLED": "1"} if service.framework == "nextjs" else {}
    why = "Node trusts its own certificate authorities and those of this file, where a company's bundle is mounted."
    return Env("env", why, {"NODE_EXTRA_CA_CERTS": CA_FILE, **(manager.env or {}), **telemetry})


def _setup(manager: Manager) -> tuple[Step, ...]:
    if not manager.setup:
        return ()
    return (Run("run", "The app's package manager, pinned.", manager.setup, (MANAGERS["npm"].cache,), SECRETS),)


def _compile(service: Service, manager: Manager | None) -> tuple[Step, ...]:
    if not service.build:
        return ()
    steps: list[Step] = [copy_source(), _build(service)]
    if manager and service.kind != "static" and not _is_standalone(service):
        why = "Leaves the development dependencies behind."
        steps.append(Run("run", why, manager.prune, (manager.cache,), SECRETS))
    return tuple(steps)


def _build(service: Service) -> Run:
    # Builds may fetch too (fonts, the engine of an ORM), so they trust what the install trusted.
    if service.framework != "nextjs" or service.kind == "static":
        return Run("run", "The build step of the app.", service.build, (), (CA_BUNDLE,))
    why = (
        "The build step of the app. Next.js keeps its compiler's cache from build to build, but no fetched data; "
        "public/ is optional, yet copied below."
    )
    cached = f"{_next_folder(service)}/cache"
    script = f"mkdir -p public && rm -rf {quote(cached)}/fetch-cache && {join(service.build)}"
    cache = Cache(f"next-{_slug(service.name)}", f"{WORKDIR}/{cached}")
    return Run("run", why, ("sh", "-c", script), (cache,), (CA_BUNDLE,))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "app"


def _is_standalone(service: Service) -> bool:
    return service.framework == "nextjs" and (service.output or "").endswith("/standalone")


def _next_folder(service: Service) -> str:
    """Return the folder that Next.js builds into: ``.next``, unless its configuration sets another."""
    return (service.output or ".next").removesuffix("/standalone")


def _needs_stopper(service: Service) -> bool:
    return service.start[:1] == ("node",) and not _is_standalone(service)


def _stopper(service: Service) -> tuple[Step, ...]:
    if not _needs_stopper(service):
        return ()
    why = (
        "As a container's first process Node ignores SIGTERM, unless the app listens for it: without this, every "
        "rollout would wait until it is killed."
    )
    return (Run("run", why, ("sh", "-c", f'echo "{STOP}" > {STOPPER}')),)


def _start(service: Service) -> tuple[str, ...]:
    if not _needs_stopper(service):
        return service.start
    return ("node", f"--require={STOPPER}", *service.start[1:])


def _runtime_steps(service: Service) -> tuple[Step, ...]:
    if _is_standalone(service):
        built = _next_folder(service)
        return (
            Copy(
                "copy",
                "Next.js has traced what the server needs: a small part of node_modules.",
                (f"{WORKDIR}/{built}/standalone",),
                "./",
                stage="build",
            ),
            Copy(
                "copy",
                "Assets, which the server sends itself.",
                (f"{WORKDIR}/{built}/static",),
                f"./{built}/static",
                "build",
            ),
            Copy("copy", "", (f"{WORKDIR}/public",), "./public", "build"),
        )
    if service.build:
        return (Copy("copy", "The built app and its production dependencies.", (WORKDIR,), "./", "build"),)
    if service.package_manager and service.manifests:
        dependencies = Copy(
            "copy", "The dependencies, without the package manager's caches.", (WORKDIR,), "./", "build"
        )
        return (dependencies, copy_source())
    return (copy_source("The app has no dependencies: its source is all it needs."),)

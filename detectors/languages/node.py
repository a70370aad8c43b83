"""Node.js: servers, full-stack frameworks, and the sites that its bundlers build."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from detectors.folder import Folder
from detectors.found import Found, printable, warning
from detectors.language import Facts, Framework, Language, Outcome, Refusal, Request, assemble, find_framework
from detectors.model import Evidence, Service
from detectors.reading.javascript import config_value
from detectors.reading.package_json import FILE, LOCKS, Package, node_versions, package_manager, read_package
from detectors.reading.workspace import Workspace, members
from detectors.starting.node_start import Start, find_start, start_port
from detectors.versions import resolve

__all__ = ["LANGUAGE"]

T = TypeVar("T")
STATIC_PORT = 8080
_NO_ADAPTER = "its server adapters aren't supported yet; set `start` and `output` in shipway.yaml if it builds a server"
_CONFIG_ENDINGS = ("js", "mjs", "cjs", "ts", "mts")

# The first that fits decides, so what stands on another stands before it: full-stack frameworks, then servers, then
# bundlers (a server with a bundler beside it is a server). Servers count only as production dependencies.
FRAMEWORKS = (
    Framework("expo", ("expo", "react-native"), refused="a mobile app has nothing to run on a server"),
    Framework("electron", ("electron",), refused="a desktop app has nothing to run on a server"),
    Framework(
        "nextjs",
        ("next",),
        port=3000,
        build=("node_modules/.bin/next", "build"),
        start=("node_modules/.bin/next", "start"),
        output=".next",
    ),
    Framework("nuxt", ("nuxt", "nuxt3"), port=3000, start=("node", ".output/server/index.mjs"), output=".output"),
    Framework("nestjs", ("@nestjs/core",), port=3000, start=("node", "dist/main"), output="dist"),
    Framework(
        "remix",
        ("@remix-run/serve",),
        port=3000,
        start=("node_modules/.bin/remix-serve", "build/server/index.js"),
        output="build",
    ),
    Framework(
        "react-router",
        ("@react-router/serve",),
        port=3000,
        start=("node_modules/.bin/react-router-serve", "build/server/index.js"),
        output="build",
    ),
    Framework("sveltekit", ("@sveltejs/adapter-node",), port=3000, start=("node", "build"), output="build"),
    Framework("sveltekit", ("@sveltejs/kit",), refused=_NO_ADAPTER),
    Framework("astro", ("@astrojs/node",), port=4321, start=("node", "dist/server/entry.mjs"), output="dist"),
    Framework("adonisjs", ("@adonisjs/core",), port=3333, refused=_NO_ADAPTER),
    Framework("fastify", ("fastify",), port=3000),
    Framework("hono", ("hono",), port=3000),
    Framework("koa", ("koa",), port=3000),
    Framework("express", ("express",), port=3000),
    Framework("gatsby", ("gatsby",), kind="static", output="public"),
    Framework("docusaurus", ("@docusaurus/core",), kind="static", output="build"),
    Framework("eleventy", ("@11ty/eleventy",), kind="static", output="_site"),
    Framework("astro", ("astro",), kind="static", output="dist"),
    Framework("angular", ("@angular/core",), refused=_NO_ADAPTER),
    Framework("create-react-app", ("react-scripts",), kind="static", output="build"),
    Framework("vue-cli", ("@vue/cli-service",), kind="static", output="dist"),
    Framework("vite", ("vite",), kind="static", output="dist"),
    Framework("parcel", ("parcel",), kind="static", output="dist"),
)
_SERVERS = frozenset({"fastify", "hono", "koa", "express"})
# Where a bundler's configuration says what it builds into: the file's stem, and the key.
_OUTPUT_KEYS = {
    "vite": ("vite.config", "outDir"),
    "vue-cli": ("vue.config", "outputDir"),
    "astro": ("astro.config", "outDir"),
}
_HEALTH = ("health", "healthz")


def inspect(folder: Folder, request: Request) -> Outcome:
    """Return the Node service of ``folder``."""
    package = read_package(folder)
    if package.around and (needed := package.around.needed(package.document)):
        return _of_workspace(package, package.around, needed)
    refused: Refusal | None = None
    for framework, found in _matching(package, request):
        if framework.refused and not request.asked.start:
            return Refusal(f"{framework.name} ({found.file}:{found.line}): {framework.refused}", final=True)
        outcome = _service(package, request, framework, found)
        if isinstance(outcome, Service):
            return outcome
        refused = refused or outcome
    plain = _server(package, request, None, None)
    return plain if isinstance(plain, Service) else refused or plain


def _matching(package: Package, request: Request) -> Iterator[tuple[Framework, Found[str]]]:
    if request.asked.framework:
        wanted = find_framework(FRAMEWORKS, request.asked.framework.value)
        if wanted:
            yield replace(wanted, refused=None), request.asked.framework
        return
    for framework in FRAMEWORKS:
        found = package.dependency(*framework.deps, dev=framework.name not in _SERVERS)
        if found:
            yield framework, Found(framework.name, found.file, found.line, found.why)


def _service(package: Package, request: Request, framework: Framework, found: Found[str]) -> Service | Refusal:
    if framework.kind == "static":
        return _static(package, request, framework, found)
    if framework.name == "nextjs":
        mode, folder = _next_output(package), _next_folder(package)
        if mode and mode.value == "export":
            # Of a folder that is set, Next.js makes the one that it exports to.
            return _static(package, request, replace(framework, output=folder or "out"), found)
        framework = replace(framework, output=folder or framework.output)
        if mode and mode.value == "standalone":
            framework = replace(framework, start=("node", "server.js"), output=f"{framework.output}/standalone")
    return _server(package, request, framework, found)


def _server(
    package: Package, request: Request, framework: Framework | None, found: Found[str] | None
) -> Service | Refusal:
    manager, notes = package_manager(package)
    start = _asked_start(request) or find_start(package, manager.value, framework)
    if start is None:
        return _nothing_to_start(package)
    facts, warnings = _shared(package, request, manager, framework)
    facts |= {"kind": _kind(package, framework, start), "start": start.argv, "port": _port(package, start, framework)}
    if framework and found:
        facts["framework"] = found
        if framework.output:
            place = (framework.name == "nextjs" and _next_output(package)) or found
            facts["output"] = _placed(framework.output, place, f"{framework.name} builds into it")
    if health := (start.source.health() if start.source else None) or _next_health(package):
        facts["health_path"] = health
    loopback = start.source.loopback() if start.source else None
    listened = (warning(loopback.file, loopback.line, loopback.why),) if loopback else ()
    return _assembled(package, request, facts, (*notes, *warnings, *start.warnings, *listened))


def _static(package: Package, request: Request, framework: Framework, found: Found[str]) -> Service | Refusal:
    manager, notes = package_manager(package)
    facts, warnings = _shared(package, request, manager, framework)
    if "build" not in facts and not request.asked.build:
        why = f"{package.file} depends on {framework.name} but has no build script."
        return Refusal(f"{why} Add one, or set `build` in shipway.yaml.")
    if framework.name in ("vite", "parcel") and not package.folder.first(("index.html", "src/index.html")):
        why = f"{package.file} builds a library with {framework.name}: there is no index.html."
        return Refusal(f"{why} If a site is in another folder, set `root` in shipway.yaml to it.")
    kind = "server" if request.asked.start else "static"
    facts |= {
        "kind": _placed(kind, found, f"{framework.name} builds a site of files"),
        "framework": found,
        "port": _placed(STATIC_PORT, found, "the port of Shipway's file server"),
        "output": _configured_output(package, framework)
        or _placed(framework.output or ".", found, f"{framework.name} builds into it"),
    }
    return _assembled(package, request, facts, (*notes, *warnings))


def _shared(
    package: Package, request: Request, manager: Found[str], framework: Framework | None
) -> tuple[dict[str, Found[Any]], tuple[Evidence, ...]]:
    """Return the facts that every Node service has."""
    asked = [request.asked.version] if request.asked.version else node_versions(package)
    place = Found("", package.file, package.document.line("engines"), FILE)
    version, warnings = resolve("node", asked, dialect="semver", otherwise=place, offline=request.offline)
    facts: dict[str, Found[Any]] = {"language_version": version, "package_manager": manager}
    if build := package.script("build"):
        facts["build"] = _placed((manager.value, "run", "build"), build, build.why)
    elif framework and framework.build:
        facts["build"] = Found(framework.build, package.file, 1, f"{framework.name} is built so")
    return facts, warnings


def _assembled(package: Package, request: Request, facts: Facts, warnings: tuple[Evidence, ...]) -> Service:
    names = (FILE, *LOCKS, "pnpm-workspace.yaml", ".yarnrc.yml")
    manifests = [name for name in names if package.folder.has(name)]
    if _is_workspace(package):
        manifests += members(package.folder)
    if package.dependency("@prisma/client", "prisma") and package.folder.has("prisma/schema.prisma"):
        # Its install script generates the client from this.
        manifests.append("prisma/schema.prisma")
    return assemble(package.folder, request, facts, language="node", manifests=manifests, warnings=warnings)


def _placed(value: T, place: Found[Any], why: str) -> Found[T]:
    return Found(value, place.file, place.line, why)


def _asked_start(request: Request) -> Start | None:
    asked = request.asked.start
    return Start(asked, None, start_port(asked)) if asked else None


def _kind(package: Package, framework: Framework | None, start: Start) -> Found[str]:
    if framework:
        return Found("server", start.argv.file, start.argv.line, f"{framework.name} serves")
    if start.source is None:
        return Found("server", start.argv.file, start.argv.line, "it has a start command; taken to serve")
    listens = start.source.listens()
    if listens:
        return Found("server", listens.file, listens.line, listens.why)
    return Found("worker", start.source.file, 1, "the code that starts listens on no port")


def _port(package: Package, start: Start, framework: Framework | None) -> Found[int]:
    found = start.port or (start.source.port() if start.source else None)
    port = framework.port if framework and framework.port else 3000
    return found or Found(port, start.argv.file, start.argv.line, "the usual port; the app gets it in PORT")


def _next_config(package: Package, key: str) -> Found[str] | None:
    return config_value(package.folder, tuple(f"next.config.{ending}" for ending in _CONFIG_ENDINGS), key)


def _next_output(package: Package) -> Found[str] | None:
    build = package.script("build")
    if build and "next export" in build.value:  # how Next.js before 13.3 is told
        return _placed("export", build, "the build script exports")
    return _next_config(package, "output")


def _next_folder(package: Package) -> str | None:
    """Return the folder that Next.js is told to build into, below the app's own."""
    found = _next_config(package, "distDir")
    return _inner(found.value) if found else None


def _inner(path: str) -> str | None:
    """Return ``path`` without its dressing, or None if it leads out of the folder, or is the folder itself."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if path.startswith("/") or ".." in parts else "/".join(parts) or None


def _next_health(package: Package) -> Found[str] | None:
    names = [
        f"{src}app{api}/{word}/route.{end}"
        for src in ("", "src/")
        for api in ("/api", "")
        for word in _HEALTH
        for end in ("ts", "js")
    ]
    names += [f"{src}pages/api/{word}.{end}" for src in ("", "src/") for word in _HEALTH for end in ("ts", "js")]
    name = package.folder.first(names) if package.dependency("next") else None
    if name is None:
        return None
    path = (
        name.removeprefix("src/").removeprefix("app/").removeprefix("pages/").partition("/route.")[0].partition(".")[0]
    )
    return Found(f"/{path}", package.folder.at(name), 1, "a health route")


def _configured_output(package: Package, framework: Framework) -> Found[str] | None:
    stem, key = _OUTPUT_KEYS.get(framework.name, ("", ""))
    found = config_value(package.folder, tuple(f"{stem}.{ending}" for ending in _CONFIG_ENDINGS), key) if stem else None
    inner = _inner(found.value) if found else None
    return _placed(inner, found, found.why) if found and inner else None


def _is_workspace(package: Package) -> bool:
    return bool(package.document.get("workspaces")) or package.folder.has("pnpm-workspace.yaml")


def _of_workspace(package: Package, around: Workspace, needed: Found[str]) -> Refusal:
    root, main = package.folder.root, package.document.text("main") or "server.js"
    start = printable(f"node {root}/{main}", 160)
    return Refusal(
        f"{package.file}:{needed.line} depends on {printable(needed.value, 80)}, which comes from the workspace that "
        f"{around.file} locks, so {root} can't be built by itself. Leave `root` out, and set `build` and `start` in "
        f"shipway.yaml to the commands at the workspace's root, such as `start: {start}`.",
        final=True,
    )


def _nothing_to_start(package: Package) -> Refusal:
    document = package.document
    if _is_workspace(package):
        return Refusal(f"{package.file} is the root of a workspace. Set `root` in shipway.yaml to the app's folder.")
    what = "a command-line tool" if document.get("bin") else "a library, or has only development scripts"
    return Refusal(
        f"{package.file} describes {what}: there is no start script, and no file that listens on a port. "
        "Add a start script, or set `start` in shipway.yaml."
    )


LANGUAGE = Language(FRAMEWORKS, inspect)

"""The JVM by Maven: Spring Boot, Quarkus, Micronaut, and programs with a main class. Gradle is recognised only."""

from __future__ import annotations

import re
from typing import Any

from detectors.folder import Folder
from detectors.found import Found, warning
from detectors.language import Framework, Language, Outcome, Refusal, Request, assemble, find_framework
from detectors.manifests import properties, text_of
from detectors.model import Evidence, Service
from detectors.pins import mise_version, pin_file, tool_version
from detectors.reading.jvm_config import Config, read_config
from detectors.reading.pom import Pom, reactor, read_pom
from detectors.reading.xml_text import Node
from detectors.versions import resolve

__all__ = ["LANGUAGE"]

PORT = 8080
GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
JAR = ("java", "-jar", "app.jar")

# By Maven group; ``start`` runs what the plan copies out of ``output``.
FRAMEWORKS = (
    Framework("quarkus", ("io.quarkus", "io.quarkus.platform"), port=PORT, start=("java", "-jar", "quarkus-run.jar")),
    Framework("micronaut", ("io.micronaut", "io.micronaut.platform", "io.micronaut.maven"), port=PORT, start=JAR),
    Framework("spring-boot", ("org.springframework.boot",), port=PORT, start=JAR),
)
# The plugin that makes each framework's runnable archive; without it the module is a library of the app.
PLUGINS = {
    "quarkus": "quarkus-maven-plugin",
    "micronaut": "micronaut-maven-plugin",
    "spring-boot": "spring-boot-maven-plugin",
}
PORT_KEYS = {"quarkus": "quarkus.http.port", "micronaut": "micronaut.server.port", "spring-boot": "server.port"}
_SPRING_SERVES = re.compile(r"web|gateway|server|rest|hateoas|jersey|vaadin|graphql|admin|rsocket|grpc")
_PLAIN_SERVES = re.compile(
    r"javalin|spark-core|undertow|jetty|netty|vertx|dropwizard|helidon|http4k|ktor|tomcat|grizzly"
)


def inspect(folder: Folder, request: Request) -> Outcome:
    """Return the JVM service of ``folder``."""
    if not folder.has("pom.xml"):
        return _without_maven(folder)
    poms = reactor(read_pom(folder))
    runnable = [(pom, framework) for pom in poms for framework in [_framework(pom)] if framework]
    if len(runnable) > 1:
        named = ", ".join(sorted(pom.path for pom, _ in runnable))
        return Refusal(
            f"{folder.at('pom.xml')} builds several services ({named}), which can't be deployed from one Maven project "
            "yet. Give each its own folder or repository with a pom.xml that builds alone.",
            final=True,
        )
    if runnable:
        pom, framework = runnable[0]
        return _service(folder, request, poms, pom, framework)
    return _plain(folder, request, poms)


def _without_maven(folder: Folder) -> Outcome:
    if gradle := folder.first(GRADLE):
        return Refusal(f"{folder.at(gradle)}: Gradle builds can't be deployed yet. Add a pom.xml to build with Maven.")
    if folder.has("build.sbt"):
        return Refusal(
            f"{folder.at('build.sbt')}: sbt builds can't be deployed yet. Add a pom.xml to build with Maven."
        )
    return None


def _framework(pom: Pom) -> tuple[Framework, Found[str]] | None:
    """Return the framework whose plugin makes the module runnable."""
    if pom.project.value("packaging") == "pom":
        return None
    artifacts = list(pom.artifacts())
    for framework in FRAMEWORKS:
        found = next((item for item in artifacts if item.value.partition(":")[0] in framework.deps), None)
        plugins = list(pom.plugins(PLUGINS[framework.name]))
        if found and plugins and _has_main(pom, framework) and _is_executable(pom, framework, plugins):
            return framework, Found(framework.name, found.file, found.line, found.why)
    return None


def _has_main(pom: Pom, framework: Framework) -> bool:
    """Return whether a plugin that the module inherits has something to run in it."""
    own = (node.value("artifactId") for node in pom.project.each("build", "plugins", "plugin"))
    if framework.name != "spring-boot" or pom.parent is None or PLUGINS["spring-boot"] in own:
        return True
    prefix = pom.inner("src/main/")
    names = [name for name in pom.folder.files if name.startswith(prefix) and name.endswith((".java", ".kt"))]
    return any("SpringBootApplication" in pom.folder.source(name) for name in names[:400])


def _is_executable(pom: Pom, framework: Framework, plugins: list[Node]) -> bool:
    """Return whether a WAR can be started by itself, too: Spring Boot's plugin repackages it only where it is told to.

    Its parent tells it, and so may any parent from elsewhere.
    """
    if pom.project.value("packaging") != "war" or framework.name != "spring-boot":
        return True
    outermost = pom
    while outermost.parent:
        outermost = outermost.parent
    goals = {goal.text for plugin in plugins for goal in plugin.each("executions", "execution", "goals", "goal")}
    return outermost.project.first("parent") is not None or "repackage" in goals


def _service(
    folder: Folder, request: Request, poms: list[Pom], pom: Pom, chosen: tuple[Framework, Found[str]]
) -> Service:
    framework, found = chosen
    config = read_config(folder, pom.inner("src/main/resources"))
    single = framework.name == "quarkus" and _is_uber(pom, config)
    output, notes = _output(pom, framework, single=single)
    health, more = _health(pom, config, framework)
    facts: dict[str, Found[Any] | None] = {
        "kind": _kind(pom, framework, found),
        "framework": found,
        "start": Found(
            JAR if single else framework.start, found.file, found.line, f"{framework.name} packages a runnable archive"
        ),
        "port": config.number(PORT_KEYS[framework.name])
        or Found(PORT, found.file, found.line, f"{framework.name}'s default port"),
        "output": output,
        "health_path": health,
    }
    return _assembled(folder, request, poms, pom, facts, (*config.warnings, *notes, *more))


def _assembled(
    folder: Folder,
    request: Request,
    poms: list[Pom],
    pom: Pom,
    facts: dict[str, Found[Any] | None],
    warnings: tuple[Evidence, ...],
) -> Service:
    """Return the service, with the facts that every Maven module has."""
    version, notes = _version(folder, request, pom)
    root = folder.at("pom.xml")
    module = () if pom.path == "." else ("-pl", pom.path, "-am")
    facts |= {
        "language_version": version,
        "package_manager": Found("maven", root, 1, "there is a pom.xml"),
        "build": Found(
            ("mvn", "-B", "-DskipTests", *module, "package"), root, 1, "Maven builds it; tests run elsewhere"
        ),
    }
    if request.asked.framework and (wanted := find_framework(FRAMEWORKS, request.asked.framework.value)):
        facts["framework"] = Found(wanted.name, root, 1, "asked for")
    known = {name: found for name, found in facts.items() if found}
    extra = [name for name in (".mvn/maven.config", ".mvn/extensions.xml", ".mvn/jvm.config") if folder.has(name)]
    manifests = [*(item.inner("pom.xml") for item in poms), *extra]
    return assemble(folder, request, known, language="java", manifests=manifests, warnings=(*notes, *warnings))


def _is_uber(pom: Pom, config: Config) -> bool:
    """Return whether Quarkus is told to make one archive that holds everything."""
    keys = ("quarkus.package.jar.type", "quarkus.package.type")
    return any(found.value == "uber-jar" for key in keys for found in (config.text(key), pom.property(key)) if found)


def _kind(pom: Pom, framework: Framework, found: Found[str]) -> Found[str]:
    names = [item.value.partition(":")[2] for item in pom.artifacts()]
    if framework.name != "spring-boot" or any(_SPRING_SERVES.search(name) for name in names):
        return Found("server", found.file, found.line, f"{framework.name} serves")
    return Found("worker", found.file, found.line, "no dependency of it brings a web server")


def _output(pom: Pom, framework: Framework | None, *, single: bool = False) -> tuple[Found[str], tuple[Evidence, ...]]:
    """Return what ``package`` leaves to run, with a warning where its name can't be worked out.

    ``single`` tells that Quarkus makes one archive instead of a folder.
    """
    if framework and framework.name == "quarkus" and not single:
        return Found(pom.inner("target/quarkus-app"), pom.file, 1, "Quarkus builds into it"), ()
    name = pom.jar_name()
    plugin = next(pom.plugins("spring-boot-maven-plugin"), None)
    classifier = "runner" if single else plugin.value("configuration", "classifier") if plugin else None
    if name and classifier and re.fullmatch(r"[A-Za-z0-9_.-]+", classifier):
        stem, _, ending = name.rpartition(".")
        name = f"{stem}-{classifier}.{ending}"
    if name:
        line = (pom.project.first("build", "finalName") or pom.project.first("artifactId") or pom.project).line
        return Found(pom.inner(f"target/{name}"), pom.file, line, "the name of the archive"), ()
    why = "the archive's name can't be worked out; the only jar in target is taken"
    return Found(pom.inner("target/*.jar"), pom.file, 1, why), (warning(pom.file, 1, why),)


def _health(pom: Pom, config: Config, framework: Framework) -> tuple[Found[str] | None, tuple[Evidence, ...]]:
    wanted = {"spring-boot": "spring-boot-starter-actuator", "quarkus": "quarkus-smallrye-health"}.get(framework.name)
    found = next((item for item in pom.artifacts() if item.value.partition(":")[2] == wanted), None)
    if found is None:
        return None, ()
    if framework.name == "quarkus":
        return Found("/q/health", found.file, found.line, found.why), ()
    if management := config.number("management.server.port"):
        why = f"actuator answers on port {management.value}, not on the app's; set `health_path` to a path of the app"
        return None, (warning(management.file, management.line, why),)
    parts = [config.text(key) for key in ("server.servlet.context-path", "spring.webflux.base-path")]
    base = config.text("management.endpoints.web.base-path")
    prefix = "".join(f"/{part.value.strip('/')}" for part in parts if part and part.value != "/")
    inner = base.value.strip("/") if base else "actuator"
    path = f"{prefix}/{inner}/health" if inner else f"{prefix}/health"
    return (Found(path, found.file, found.line, found.why), ()) if re.fullmatch(r"[\w./~%-]+", path) else (None, ())


def _version(folder: Folder, request: Request, pom: Pom) -> tuple[Found[str], tuple[Evidence, ...]]:
    asked = [request.asked.version] if request.asked.version else [*_pins(folder), *_pom_versions(pom)]
    place = Found("", pom.file, 1, "pom.xml")
    texts = [found for found in asked if found]
    return resolve("maven", texts, dialect="java", otherwise=place, offline=request.offline)


def _pins(folder: Folder) -> list[Found[str] | None]:
    pins = [pin_file(folder, ".java-version"), tool_version(folder, "java"), mise_version(folder, "java")]
    for name, key in ((".sdkmanrc", "java"), ("system.properties", "java.runtime.version")):
        pins.insert(1, _property(folder, name, key))
    return pins


def _property(folder: Folder, name: str, key: str) -> Found[str] | None:
    if not folder.has(name):
        return None
    found = properties(text_of(folder, name)).get(key)
    return Found(found[0], folder.at(name), found[1], name) if found else None


def _pom_versions(pom: Pom) -> list[Found[str]]:
    """Return the first release of Java that the poms ask for; Spring Boot's parent has a default of its own."""
    for name in ("maven.compiler.release", "java.version", "maven.compiler.target", "maven.compiler.source"):
        if (known := pom.property(name)) and (value := pom.fill(known.value)):
            return [Found(value, known.file, known.line, name)]
    for plugin in pom.plugins("maven-compiler-plugin"):
        for tag in ("release", "target", "source"):
            if (node := plugin.first("configuration", tag)) and (value := pom.fill(node.text)):
                return [Found(value, pom.file, node.line, f"maven-compiler-plugin's {tag}")]
    return []


def _plain(folder: Folder, request: Request, poms: list[Pom]) -> Outcome:
    """Return the program of the one module whose archive has a main class."""
    mains = [(pom, node) for pom in poms for node in [_main_class(pom)] if node]
    pom = mains[0][0] if mains else poms[0]
    if not mains and not request.asked.start:
        if poms[0].project.value("packaging") == "war":
            return Refusal(f"{pom.file} builds a WAR for a servlet container, which can't be deployed yet.")
        return Refusal(
            f"{pom.file} builds a library: no module has a main class, or the plugin of "
            "Spring Boot, Quarkus or Micronaut. Add the plugin, or set `start` and `output` in shipway.yaml.",
            final=True,
        )
    line = mains[0][1] if mains else 1
    output, notes = _output(pom, None)
    serves = any(_PLAIN_SERVES.search(item.value) for item in pom.artifacts())
    kind = Found("server" if serves else "worker", pom.file, line, "by its dependencies")
    facts: dict[str, Found[Any] | None] = {
        "kind": kind,
        "start": Found(JAR, pom.file, line, "the archive has a main class"),
        "port": Found(PORT, pom.file, line, "the usual port; the app gets it in PORT"),
        "output": output,
    }
    return _assembled(folder, request, poms, pom, facts, notes)


def _main_class(pom: Pom) -> int | None:
    for artifact in ("maven-shade-plugin", "maven-jar-plugin"):
        for plugin in pom.plugins(artifact):
            waiting = [plugin]
            while waiting:
                node = waiting.pop()
                if node.tag == "mainClass" and pom.project.value("packaging") not in ("pom", "war"):
                    return node.line
                waiting.extend(node.children)
    return None


LANGUAGE = Language(FRAMEWORKS, inspect)

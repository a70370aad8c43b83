"""Java and Kotlin: Maven builds with a JDK, a JRE runs the jar, its dependencies in layers of their own."""

from __future__ import annotations

from shlex import quote

from detectors.model import Service
from pipeline.artifacts import BuildPlan, BuildStage, Cache, Copy, Run, Secret, Step
from pipeline.plans.errors import PlanError
from pipeline.plans.health import bash_health
from pipeline.plans.shape import CA_BUNDLE, WORKDIR, base_of, copy_source, finish, port_of

__all__ = ["jvm_plan"]

MAVEN_CACHE = Cache("maven", "/root/.m2/repository")
SECRETS = (
    CA_BUNDLE,
    # The JDK's own trust store lies in another place in each kind of base image; the one not there harms nobody.
    Secret("java-truststore", "/etc/ssl/certs/java/cacerts"),
    Secret("java-truststore", "/opt/java/openjdk/lib/security/cacerts"),
    Secret("maven-settings", "/root/.m2/settings.xml"),
)
LAYERS = ("dependencies", "spring-boot-loader", "snapshot-dependencies", "application")
IGNORE = ("/target", "*/target", "*.class", ".mvn/wrapper/maven-wrapper.jar")


def jvm_plan(service: Service) -> BuildPlan:
    """Return the plan of a Maven service. Raises PlanError for any other build tool."""
    if service.package_manager != "maven":
        raise PlanError(
            "plan.no_such_package_manager",
            f"service {service.name} can't be built: {service.package_manager} has no build plan",
            why="for Java and Kotlin there is a build plan for Maven only",
            fix="add a pom.xml, or set `root` in shipway.yaml to a folder that has one",
            kind="not_deployable",
        )
    build = BuildStage("build", base_of("maven", service), WORKDIR, _build_steps(service))
    runtime = BuildStage("runtime", base_of("jre", service), WORKDIR, _runtime_steps(service))
    port = port_of(service, 8080)
    # Three quarters of the container's memory for the heap, not the quarter that is the default; a process that
    # ran out of memory ends, so that it is started again.
    env = {"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError"}
    health = bash_health(service, port or 0)
    return finish(service, (build, runtime), port=port, env=env, start=service.start, healthcheck=health, ignore=IGNORE)


def _build_steps(service: Service) -> tuple[Step, ...]:
    compile_ = Run(
        "run",
        "Maven's repository is a cache mount: a changed source line downloads nothing again. "
        "The quick compiler of the JVM alone suits a short-lived process.",
        service.build,
        (MAVEN_CACHE,),
        SECRETS,
        {"MAVEN_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"},
    )
    return (
        copy_source("The whole project: a build of several modules needs all their manifests."),
        compile_,
        _unpack(service),
    )


def _unpack(service: Service) -> Run:
    built = _pattern(service.output or "target/*.jar")
    if _is_folder(service):
        apart = "if test -d /layers/lib; then mv /layers/lib /libraries/; fi"
        script = f"mkdir /layers /libraries && cp -R {built}/. /layers/ && {apart}"
        return Run("run", "What the build leaves to run, its libraries apart from the rest.", ("sh", "-c", script))
    if service.framework != "spring-boot":
        script = f"mkdir /layers && cp {built} /layers/app.jar"
        return Run("run", "The finished jar, under one name.", ("sh", "-c", script))
    folders = " ".join(f"/layers/{layer}" for layer in LAYERS)
    collect = f"mkdir -p {folders} && cp {built} /layers/app.jar"
    extract = "java -Djarmode=tools -jar /layers/app.jar extract --layers --force --destination /layers"
    return Run(
        "run",
        "Spring Boot takes its own jar apart: dependencies, which rarely change, become layers of their own. "
        "A jar that can't be taken apart (Spring Boot before 3.3) stays whole.",
        ("sh", "-c", f"{collect} && {{ {extract} || cp /layers/app.jar /layers/application/; }}"),
    )


def _is_folder(service: Service) -> bool:
    """Whether the build leaves a folder to run, as Quarkus' does, and no archive."""
    return not (service.output or "target/*.jar").endswith((".jar", ".war"))


def _pattern(text: str) -> str:
    """Quote a file pattern for the shell so that ``*`` still is one, and nothing else is anything."""
    quoted = "*".join(quote(part) if part else "" for part in text.split("*"))
    return f"./{quoted}" if quoted.startswith("-") else quoted


def _runtime_steps(service: Service) -> tuple[Step, ...]:
    if _is_folder(service):
        why = "What runs, and no Maven, no compiler: first the libraries, which rarely change."
        libraries = Copy("copy", why, ("/libraries",), "./", "build")
        return (libraries, Copy("copy", "", ("/layers",), "./", "build"))
    if service.framework != "spring-boot":
        return (Copy("copy", "The jar alone: no Maven, no compiler.", ("/layers/app.jar",), "./app.jar", "build"),)
    why = "No Maven and no compiler here: the layers of the jar, those that change most last."
    return tuple(
        Copy("copy", why if index == 0 else "", (f"/layers/{layer}",), "./", "build")
        for index, layer in enumerate(LAYERS)
    )

"""Java by Maven: Spring Boot and the others, the archive's name, configuration, modules."""

from __future__ import annotations

import pytest

from tests.detectors.trees import evidence, reason, service, warnings

BOOT_PARENT = (
    "<parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId>"
    "<version>3.5.0</version></parent>"
)
BOOT_PLUGIN = (
    "<build><plugins><plugin><groupId>org.springframework.boot</groupId>"
    "<artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>"
)


def dependency(group: str, artifact: str) -> str:
    return f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId></dependency>"


WEB = dependency("org.springframework.boot", "spring-boot-starter-web")
ACTUATOR = dependency("org.springframework.boot", "spring-boot-starter-actuator")


def pom(*parts: str, dependencies: str = WEB, build: str = BOOT_PLUGIN, parent: str = BOOT_PARENT) -> str:
    return (
        f'<project xmlns="http://maven.apache.org/POM/4.0.0">\n{parent}\n<artifactId>shop</artifactId>\n<version>1.2</version>\n'
        + "\n".join(parts)
        + f"\n<dependencies>{dependencies}</dependencies>\n{build}\n</project>"
    )


def test_spring_boot_by_maven() -> None:
    found = service({"pom.xml": pom("<properties>\n<java.version>21</java.version></properties>")})
    assert (found.language, found.framework, found.package_manager) == ("java", "spring-boot", "maven")
    assert found.build == ("mvn", "-B", "-DskipTests", "package")
    assert (found.start, found.output) == (("java", "-jar", "app.jar"), "target/shop-1.2.jar")
    assert (found.port, found.health_path, found.manifests) == (8080, None, ("pom.xml",))
    assert (found.language_version, evidence(found, "language_version")) == ("21", "pom.xml:6")


@pytest.mark.parametrize(
    ("part", "output"),
    [
        ("<packaging>war</packaging>", "target/shop-1.2.war"),
        ("<properties><n>${project.artifactId}-x</n></properties>", "target/shop-1.2.jar"),
    ],
)
def test_the_archive_is_named_as_maven_names_it(part: str, output: str) -> None:
    assert service({"pom.xml": pom(part)}).output == output


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("app", "target/app.jar"),
        ("${project.artifactId}", "target/shop.jar"),
        ("${loop}", "target/*.jar"),
        ("../../etc/x", "target/*.jar"),
    ],
)
def test_final_names_are_filled_in_or_left_to_a_pattern(name: str, output: str) -> None:
    build = BOOT_PLUGIN.replace("<build>", f"<build><finalName>{name}</finalName>")
    assert service({"pom.xml": pom("<properties><loop>${loop}</loop></properties>", build=build)}).output == output


@pytest.mark.parametrize(
    ("config", "port", "health"),
    [
        ({"application.properties": "# x\nserver.port=9090\n"}, 9090, "/actuator/health"),
        ({"application.properties": "server.port = ${PORT:7070}"}, 7070, "/actuator/health"),
        (
            {"application.yml": "server:\n  port: 9000\n  servlet:\n    context-path: /api\n"},
            9000,
            "/api/actuator/health",
        ),
        ({"application.yml": "server: {port: '${SERVER_PORT:8081}'}"}, 8081, "/actuator/health"),
        (
            {"application.yml": "a: 1\n---\nspring.config.activate.on-profile: dev\nserver.port: 1\n"},
            8080,
            "/actuator/health",
        ),
        ({"application.yml": "management.endpoints.web.base-path: /manage"}, 8080, "/manage/health"),
        ({"application.yml": "management.server.port: 9001"}, 8080, None),
        ({"application.properties": "server.port=99999"}, 8080, "/actuator/health"),
    ],
)
def test_port_and_health_come_from_the_configuration(config: dict[str, str], port: int, health: str | None) -> None:
    files = {f"src/main/resources/{name}": text for name, text in config.items()}
    found = service({"pom.xml": pom(dependencies=WEB + ACTUATOR), **files})
    assert (found.port, found.health_path) == (port, health)


def test_configuration_that_can_not_be_read_is_warned_of_and_not_refused() -> None:
    found = service({"pom.xml": pom(), "src/main/resources/application.yml": "a: &x 1\nb: *x\nv: @project.version@\n"})
    assert found.port == 8080
    assert any("application.yml" in item and "aliases" in item for item in warnings(found))


def test_boot_without_anything_that_serves_is_a_worker() -> None:
    found = service(
        {"pom.xml": pom(dependencies=dependency("org.springframework.boot", "spring-boot-starter"), parent="")}
    )
    assert (found.kind, found.port) == ("worker", None)


MODULES = pom(
    "<packaging>pom</packaging><modules><module>core</module><module>web</module></modules>", build="", dependencies=""
)
INNER = "<parent><artifactId>shop</artifactId></parent>"


def test_the_module_with_the_plugin_is_built_with_what_it_needs() -> None:
    web = pom(parent=INNER).replace(
        "<artifactId>shop</artifactId>\n<version>", "<artifactId>web</artifactId>\n<version>"
    )
    found = service({"pom.xml": MODULES, "core/pom.xml": pom(build="", parent=INNER), "web/pom.xml": web})
    assert found.build == ("mvn", "-B", "-DskipTests", "-pl", "web", "-am", "package")
    assert found.output == "web/target/web-1.2.jar"
    assert found.manifests == ("pom.xml", "core/pom.xml", "web/pom.xml")


def test_several_boot_modules_are_refused_by_name() -> None:
    told = reason(
        {"pom.xml": MODULES, "core/pom.xml": pom(parent=INNER), "web/pom.xml": pom(parent=INNER)}
        | {f"{module}/src/main/java/{module}.java": "@SpringBootApplication class X {}" for module in ("core", "web")}
    )
    assert "several services (core, web)" in told


@pytest.mark.parametrize(
    ("group", "plugin", "framework", "output"),
    [
        ("io.quarkus.platform", "quarkus-maven-plugin", "quarkus", "target/quarkus-app"),
        ("io.micronaut.maven", "micronaut-maven-plugin", "micronaut", "target/shop-1.2.jar"),
    ],
)
def test_quarkus_and_micronaut_are_named(group: str, plugin: str, framework: str, output: str) -> None:
    made = f"<plugin><groupId>{group}</groupId><artifactId>{plugin}</artifactId></plugin>"
    build = f"<build><plugins>{made}</plugins></build>"
    found = service({"pom.xml": pom(parent="", dependencies="", build=build)})
    assert (found.framework, found.output) == (framework, output)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"build.gradle.kts": ""}, "Gradle builds can't be deployed yet"),
        ({"build.sbt": ""}, "sbt builds can't be deployed yet"),
        ({"pom.xml": pom(build="")}, "builds a library"),
        (
            {"pom.xml": pom("<packaging>war</packaging>", build="", parent="", dependencies="")},
            "a WAR for a servlet container",
        ),
    ],
)
def test_what_can_not_be_deployed_is_refused_with_a_reason(files: dict[str, str], expected: str) -> None:
    assert expected in reason(files)


def test_a_plain_program_by_its_main_class() -> None:
    build = (
        "<build><plugins><plugin><artifactId>maven-shade-plugin</artifactId><executions><execution><configuration>"
        "<transformers><transformer><mainClass>x.Main</mainClass></transformer></transformers>"
        "</configuration></execution></executions></plugin></plugins></build>"
    )
    worker = service({"pom.xml": pom(build=build, parent="", dependencies="")})
    assert (worker.kind, worker.framework, worker.start) == ("worker", None, ("java", "-jar", "app.jar"))
    server = service({"pom.xml": pom(build=build, parent="", dependencies=dependency("io.javalin", "javalin"))})
    assert (server.kind, server.port) == ("server", 8080)


WAR = "<packaging>war</packaging>"
REPACKAGE = "<executions><execution><goals><goal>repackage</goal></goals></execution></executions></plugin>"


def test_a_war_that_nothing_makes_executable_is_refused() -> None:
    told = reason({"pom.xml": pom(WAR, parent="")})
    assert "builds a WAR for a servlet container" in told
    plugin = (
        "<build><plugins><plugin><artifactId>maven-jar-plugin</artifactId><configuration><mainClass>a.B</mainClass>"
    )
    main = plugin + "</configuration></plugin></plugins></build>"
    assert "builds a WAR" in reason({"pom.xml": pom(WAR, parent="", dependencies="", build=main)})


def test_a_war_that_spring_boot_repackages_is_started_like_a_jar() -> None:
    told = {"pom.xml": pom(WAR, parent="", build=BOOT_PLUGIN.replace("</plugin>", REPACKAGE))}
    for files in (told, {"pom.xml": pom(WAR)}):
        found = service(files)
        assert (found.start, found.output) == (("java", "-jar", "app.jar"), "target/shop-1.2.war")


QUARKUS = (
    "<build><plugins><plugin><groupId>io.quarkus</groupId><artifactId>quarkus-maven-plugin</artifactId></plugin>"
    "</plugins></build>"
)


def quarkus(*parts: str) -> str:
    return pom(*parts, parent="", dependencies=dependency("io.quarkus", "quarkus-rest"), build=QUARKUS)


def test_quarkus_leaves_a_folder_or_one_archive_if_it_is_told_to() -> None:
    folder = service({"pom.xml": quarkus()})
    assert (folder.output, folder.start) == ("target/quarkus-app", ("java", "-jar", "quarkus-run.jar"))
    settings = "src/main/resources/application.properties"
    one = {"pom.xml": quarkus(), settings: "quarkus.package.jar.type=uber-jar\n"}
    other = {"pom.xml": quarkus("<properties><quarkus.package.type>uber-jar</quarkus.package.type></properties>")}
    for files in (one, other):
        found = service(files)
        assert (found.output, found.start) == ("target/shop-1.2-runner.jar", ("java", "-jar", "app.jar"))


def test_a_repository_with_gradle_files_too_is_built_by_maven() -> None:
    found = service({"pom.xml": pom(), "build.gradle": "", "settings.gradle": ""})
    assert (found.package_manager, warnings(found)) == ("maven", warnings(service({"pom.xml": pom()})))

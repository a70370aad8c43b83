from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.artifacts import BuildPlan, Copy, Run, Secret
from pipeline.plans import PLANS, PlanError, plan
from pipeline.plans.node import MANAGERS
from pipeline.plans.python import EXPORTERS
from resources.contracts import parse
from resources.record import to_json
from tests.pipeline.sample_services import SERVICES, service

APPS = Path(__file__).parents[1] / "apps"


def runs(built: BuildPlan) -> list[Run]:
    return [step for stage in built.stages for step in stage.steps if isinstance(step, Run)]


def text(run: Run) -> str:
    return " ".join(run.argv)


@pytest.mark.parametrize("app", SERVICES)
class TestEverySampleApp:
    def test_has_a_folder_with_the_manifests_its_plan_copies(self, app: str) -> None:
        assert all((APPS / app / manifest).is_file() for manifest in SERVICES[app].manifests)

    def test_gives_the_same_plan_every_time(self, app: str) -> None:
        assert plan(SERVICES[app]) == plan(SERVICES[app])

    def test_has_a_plan_that_survives_its_document(self, app: str) -> None:
        built = plan(SERVICES[app])
        assert parse(BuildPlan, to_json(built), what="plan.json") == built

    def test_runs_as_a_number_that_is_not_root_and_is_asked_over_http(self, app: str) -> None:
        built = plan(SERVICES[app])
        assert built.user >= 1000
        assert built.stop_signal == "SIGTERM"
        assert built.healthcheck
        assert built.healthcheck[-1] == (SERVICES[app].health_path or "/")

    def test_talks_to_registries_with_the_company_s_certificates_and_index_only(self, app: str) -> None:
        index = {"node": "npmrc", "python": "pip-conf", "java": "maven-settings"}[SERVICES[app].language]
        for run in runs(plan(SERVICES[app])):
            ids = {secret.id for secret in run.secrets}
            if any(word in text(run) for word in ("pip --python", "uv sync", "npm ci", "mvn ")):
                assert {"ca-bundle", index} <= ids
            assert ids <= {"ca-bundle", index, "java-truststore"}

    def test_leaves_no_secret_in_a_layer(self, app: str) -> None:
        for stage in plan(SERVICES[app]).stages:
            for step in stage.steps:
                assert not isinstance(step, Copy) or not any("secret" in source for source in step.sources)

    def test_runs_in_a_stage_that_never_installs(self, app: str) -> None:
        final = plan(SERVICES[app]).stages[-1]
        assert not any(isinstance(step, Run) and (step.secrets or step.caches) for step in final.steps)


@pytest.mark.parametrize("manager", MANAGERS)
def test_node_installs_frozen_with_a_lock_file_and_says_so_without_one(manager: str) -> None:
    lock = MANAGERS[manager].lock_files[0]
    locked = plan(service(package_manager=manager, manifests=("package.json", lock)))
    unlocked = plan(service(package_manager=manager, manifests=("package.json",)))
    assert MANAGERS[manager].install[1:3] == runs(locked)[-2].argv[1:3]
    assert "There is no lock file" in runs(unlocked)[-2].why


def test_node_installs_production_dependencies_only_unless_it_builds() -> None:
    lock = ("package.json", "package-lock.json")
    plain = plan(service(package_manager="npm", manifests=lock))
    building = plan(service(package_manager="npm", manifests=lock, build=("npm", "run", "build")))
    assert "--omit=dev" in runs(plain)[0].argv
    assert "--omit=dev" not in runs(building)[0].argv
    assert any(run.argv[:2] == ("npm", "prune") for run in runs(building))


def test_a_node_app_without_dependencies_has_one_stage() -> None:
    assert [stage.name for stage in plan(service()).stages] == ["runtime"]


def test_a_built_static_site_is_served_without_node() -> None:
    built = plan(
        service(kind="static", package_manager="npm", build=("npm", "run", "build"), output="dist", port=None, start=())
    )
    assert built.stages[-1].base == "nginx:1"
    assert built.start[0] == "nginx"
    assert built.port == 8080


def test_a_worker_has_no_port_and_no_health_check() -> None:
    built = plan(service(kind="worker", port=None))
    assert (built.port, built.healthcheck, "PORT" in built.env) == (None, None, False)


@pytest.mark.parametrize("manager", EXPORTERS)
def test_python_lock_files_become_requirements_that_pip_installs(manager: str) -> None:
    lock = EXPORTERS[manager].lock_file
    python = service(language="python", language_version="3.13", package_manager=manager, start=("python", "a.py"))
    locked = [text(run) for run in runs(plan(replace(python, manifests=(lock,))))]
    assert any(EXPORTERS[manager].script in line and EXPORTERS[manager].without_lock not in line for line in locked)


def test_uv_is_frozen_only_where_there_is_a_lock_file() -> None:
    def sync(*manifests: str) -> str:
        uv = service(language="python", language_version="3.13", package_manager="uv", manifests=manifests)
        return next(text(run) for run in runs(plan(uv)) if "uv sync" in text(run))

    assert "--frozen" in sync("pyproject.toml", "uv.lock")
    assert "--frozen" not in sync("pyproject.toml")


def test_the_server_of_a_start_command_is_added_only_if_the_dependencies_lack_it() -> None:
    lines = [text(run) for run in runs(plan(SERVICES["python-flask"]))]
    assert any(line.startswith("sh -c test -x /opt/venv/bin/gunicorn || pip ") for line in lines)
    plain = service(language="python", language_version="3.13", package_manager="pip", start=("python", "main.py"))
    assert not any("test -x" in text(run) for run in runs(plan(plain)))


def test_pip_installs_from_the_first_manifest_which_includes_the_others() -> None:
    manifests = ("requirements/prod.txt", "requirements/base.txt", "requirements/a.txt")
    built = plan(service(language="python", language_version="3.13", package_manager="pip", manifests=manifests))
    assert any("--requirement=requirements/prod.txt" in text(run) for run in runs(built))


def test_a_project_with_only_setup_files_is_installed_itself_before_a_server_is_added() -> None:
    app = service(language="python", package_manager="pip", manifests=("setup.py",), start=("gunicorn", "shop:app"))
    steps = plan(app).stages[0].steps
    words = [" ".join(step.argv) if isinstance(step, Run) else step.kind for step in steps]
    project = next(index for index, line in enumerate(words) if line.endswith(" install ."))
    server = next(index for index, line in enumerate(words) if "test -x" in line)
    assert words.index("copy") < project < server


def test_manifests_keep_their_folders() -> None:
    manifests = ("requirements.txt", "requirements/base.txt")
    built = plan(service(language="python", language_version="3.13", package_manager="pip", manifests=manifests))
    copies = [step for step in built.stages[0].steps if isinstance(step, Copy)]
    assert [(copy.sources, copy.target) for copy in copies] == [
        (("requirements.txt",), "./"),
        (("requirements/base.txt",), "./requirements/"),
    ]


def test_java_finds_its_trust_store_on_every_kind_of_base() -> None:
    (maven, *_) = runs(plan(SERVICES["java-spring"]))
    stores = {secret.target for secret in maven.secrets if secret.id == "java-truststore"}
    assert stores == {"/etc/ssl/certs/java/cacerts", "/opt/java/openjdk/lib/security/cacerts"}
    assert Secret("maven-settings", "/root/.m2/settings.xml") in maven.secrets


def test_a_hostile_jar_name_is_one_word_for_the_shell() -> None:
    built = plan(replace(SERVICES["java-spring"], output="target/$(id) x*.jar"))
    assert "cp 'target/$(id) x'*.jar /layers/app.jar" in text(runs(built)[1])


def test_a_folder_that_maven_leaves_is_copied_whole_its_libraries_first() -> None:
    built = plan(replace(SERVICES["java-spring"], framework="quarkus", output="target/quarkus-app"))
    assert "cp -R target/quarkus-app/. /layers/" in text(runs(built)[1])
    copies = [step for step in built.stages[-1].steps if isinstance(step, Copy)]
    assert [(copy.sources, copy.target) for copy in copies] == [(("/libraries",), "./"), (("/layers",), "./")]


def test_an_archive_of_any_kind_is_started_under_one_name() -> None:
    for output in ("target/shop-runner.jar", "target/shop.war"):
        built = plan(replace(SERVICES["java-spring"], framework=None, output=output))
        assert f"cp {output} /layers/app.jar" in text(runs(built)[1])


def test_next_js_is_taken_from_the_folder_that_it_builds_into() -> None:
    built = plan(replace(SERVICES["node-next"], output="build/standalone"))
    sources = [source for step in built.stages[-1].steps if isinstance(step, Copy) for source in step.sources]
    assert sources == ["/app/build/standalone", "/app/build/static", "/app/public"]
    cached = [cache.target for run in runs(built) for cache in run.caches if cache.id.startswith("next-")]
    assert cached == ["/app/build/cache"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"language": "cobol"}, "plan.no_such_language"),
        ({"package_manager": "bower"}, "plan.no_such_package_manager"),
        ({"language": "python", "package_manager": "conda"}, "plan.no_such_package_manager"),
        ({"language": "java", "package_manager": "gradle"}, "plan.no_such_package_manager"),
    ],
)
def test_what_has_no_plan_is_refused_with_a_next_step(fields: dict[str, str], code: str) -> None:
    with pytest.raises(PlanError) as refused:
        plan(service(**fields))
    assert refused.value.code == code
    assert refused.value.kind == "not_deployable"
    assert refused.value.fix


def test_every_language_of_the_table_gives_a_plan_that_ends_in_a_start_command() -> None:
    managers = {"java": "maven", "kotlin": "maven"}
    for language in PLANS:
        start = ("nginx",) if language == "static" else ("run",)
        built = plan(service(language=language, package_manager=managers.get(language), start=start))
        assert built.start

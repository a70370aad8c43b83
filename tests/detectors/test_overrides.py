"""shipway.yaml: the example is whole and true, values beat detection, mistakes are told with their line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import DetectionError
from detectors.overrides import overrides_of
from detectors.reading.document import Document
from detectors.reading.yaml_text import yaml_documents
from resources import read_text
from tests.detectors.trees import detection, evidence, package, reason, service, warnings

EXPRESS = {
    "package.json": package(dependencies={"express": "5"}, scripts={"start": "node a.js"}),
    "package-lock.json": "",
}
FASTAPI = {"main.py": "from fastapi import FastAPI\napp = FastAPI()", "requirements.txt": "fastapi\nuvicorn\n"}


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def test_the_example_holds_every_key_and_is_valid() -> None:
    text = read_text("shipway.example.yaml")
    (document,) = yaml_documents("shipway.example.yaml", text)
    found = overrides_of(document)
    assert all(getattr(found.asked, name) is not None for name in found.asked.__slots__)
    assert list(found.services) == ["api", "jobs"]
    assert found.asked.version is not None
    assert found.asked.version.value == "3.13"


def test_the_file_beats_detection_and_the_caller_beats_the_file() -> None:
    files = EXPRESS | {"shipway.yaml": "port: 4000\nhealth_path: /up\nstart: node b.js --x\nbuild: [npm, ci]\n"}
    found = service(files, port=5000)
    assert (found.port, found.health_path, found.start, found.build) == (
        5000,
        "/up",
        ("node", "b.js", "--x"),
        ("npm", "ci"),
    )
    assert (evidence(found, "start"), evidence(found, "port")) == ("shipway.yaml:3", "overrides:1")


def test_a_start_command_makes_an_app_of_what_had_none() -> None:
    files = {"package.json": package(name="x"), "shipway.yaml": "start: node lib.js\nport: 9000\n"}
    found = service(files)
    assert (found.kind, found.start, found.port) == ("server", ("node", "lib.js"), 9000)


def test_a_start_line_that_needs_a_shell_gets_one() -> None:
    found = service(EXPRESS | {"shipway.yaml": 'start: "node migrate.js && node a.js --port $PORT"\n'})
    assert found.start == ("sh", "-c", "node migrate.js && node a.js --port ${PORT:-8080}")


def test_root_says_which_folder() -> None:
    files = below("apps/a", EXPRESS) | below("apps/b", FASTAPI)
    found = service(files, root="apps/b")
    assert (found.root, found.framework, found.manifests) == ("apps/b", "fastapi", ("requirements.txt",))
    assert evidence(found, "framework") == "apps/b/requirements.txt:1"


def test_the_file_in_the_root_that_was_asked_for_is_followed() -> None:
    files = below("apps/b", FASTAPI | {"shipway.yaml": "port: 7000\n"}) | {"shipway.yaml": "port: 1\n"}
    assert service(files, root="apps/b").port == 7000


def test_services_are_listed_by_name() -> None:
    text = (
        "services:\n  api: {root: api}\n  jobs: {root: api, kind: worker, start: python jobs.py}\n  web: {root: web}\n"
    )
    found = detection(below("api", FASTAPI) | below("web", EXPRESS) | {"shipway.yaml": text})
    assert [(item.name, item.kind, item.root) for item in found.services] == [
        ("api", "server", "api"), ("jobs", "worker", "api"), ("web", "server", "web"),
    ]  # fmt: skip
    assert found.project_type == "monolithic"


def test_one_service_that_can_not_be_deployed_refuses_all_by_name() -> None:
    files = below("api", FASTAPI) | {
        "lib/package.json": "{}",
        "shipway.yaml": "services: {a: {root: api}, b: {root: lib}}",
    }
    assert reason(files).startswith("Service b: lib/package.json describes a library")


def test_framework_decides_between_two() -> None:
    files = EXPRESS | FASTAPI
    assert service(files).framework == "fastapi"
    assert service(files, framework="express").framework == "express"
    assert service(files, language="node").framework == "express"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port: 0", "shipway.yaml:1: port has a wrong value"),
        ("port: true", "shipway.yaml:1: port has a wrong value"),
        ("a: 1", "shipway.yaml:1: there is no key a"),
        ("\nprot: 80", "shipway.yaml:2: there is no key prot"),
        ("root: ../x", "shipway.yaml:1: root has a wrong value"),
        ("root: /etc", "shipway.yaml:1: root has a wrong value"),
        ("root: nothing", "shipway.yaml:1: there is no folder nothing in the repository"),
        ("framework: rails", "shipway.yaml:1: rails is no framework that can be deployed"),
        ("language: cobol", "shipway.yaml:1: cobol is no language that can be deployed"),
        ("health_path: http://x", "shipway.yaml:1: health_path has a wrong value"),
        ("start: []", "shipway.yaml:1: start has a wrong value"),
        ('start: "a\\nb"', "shipway.yaml:1: start has a wrong value"),
        ("output: ../../x", "shipway.yaml:1: output has a wrong value"),
        ("kind: database", "shipway.yaml:1: kind has a wrong value"),
        ("services: [a]", "shipway.yaml:1: services has a wrong value"),
        ("services: {A_b: {}}", "shipway.yaml:1: services.A_b has a wrong value"),
        ("services: {a: {services: {}}}", "shipway.yaml:1: there is no key services.a.services"),
        ("- a", "shipway.yaml:1:1 can't be read"),
        ("a: &b 1", "shipway.yaml:1:4 can't be read"),
    ],
)
def test_mistakes_are_told_with_their_line(text: str, told: str) -> None:
    with pytest.raises(DetectionError) as error:
        detection(EXPRESS | {"shipway.yaml": text})
    assert error.value.what == told
    assert error.value.why
    assert error.value.fix


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"health_path": "http://x"}, "--health-path has a wrong value"),
        ({"port": 0}, "--port has a wrong value"),
        ({"root": "nothing"}, "--root: there is no folder nothing in the repository"),
        ({"framework": "rails"}, "--framework: rails is no framework that can be deployed"),
    ],
)
def test_mistakes_on_the_command_line_name_the_option(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(DetectionError) as error:
        detection(EXPRESS, **asked)
    assert error.value.what == told


WORKER = {"main.py": "import time\nwhile True:\n    time.sleep(1)\n"}


def test_a_port_makes_a_server_of_a_worker() -> None:
    found = service(WORKER | {"shipway.yaml": "port: 9000\nhealth_path: /up\n"})
    assert (found.name, found.kind, found.port, found.health_path) == ("web", "server", 9000, "/up")
    assert (evidence(found, "kind"), evidence(found, "health_path")) == ("shipway.yaml:1", "shipway.yaml:2")
    assert service(WORKER, port=9001).port == 9001


def test_a_worker_that_is_called_one_keeps_being_one_and_says_what_it_leaves_out() -> None:
    found = service(WORKER | {"shipway.yaml": "kind: worker\nport: 9000\n"})
    assert (found.kind, found.port) == ("worker", None)
    assert any(told.startswith("shipway.yaml:2 a worker answers nothing") for told in warnings(found))
    (told,) = warnings(service(WORKER, health_path="/up"))
    assert "Set `port` too" in told


def test_a_close_key_is_suggested() -> None:
    with pytest.raises(DetectionError) as error:
        detection(EXPRESS | {"shipway.yaml": "prot: 80"})
    assert error.value.fix == "did you mean port?"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "port:\n"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert service(EXPRESS | {"shipway.yaml": text}).port == 3000


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["root", "kind", "version", "build", "start", "output", "port", "health_path", "services", "x"])


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_value_is_taken_or_refused(value: dict[str, object]) -> None:
    try:
        found = overrides_of(Document("overrides", value))
    except DetectionError:
        return
    for words in (found.asked.start, found.asked.build):
        assert words is None or all(word.isprintable() for word in words.value)
    assert found.asked.root is None or ".." not in found.asked.root.value.split("/")

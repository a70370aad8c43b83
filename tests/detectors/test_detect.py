"""The whole: one app of several, refusals with reasons, broken and hostile repositories."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.errors import DetectionError
from detectors.languages import LANGUAGES
from detectors.model import Detection
from resources.contracts import parse
from resources.record import to_json
from tests.detectors.trees import detection, evidence, outcome, package, reason, service, warnings

EXPRESS = {
    "package.json": package(dependencies={"express": "5"}, scripts={"start": "node a.js"}),
    "package-lock.json": "",
}
FASTAPI = {"main.py": "from fastapi import FastAPI\napp = FastAPI()", "requirements.txt": "fastapi\nuvicorn\n"}


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "The repository is empty. Commit the app's source"),
        ({"README.md": "", "docs/a.png": "", "LICENSE": ""}, "only documents"),
        ({"tests/test_a.py": "", "tests/conftest_test.py": ""}, "only tests"),
        (
            {"go.mod": "module x", "main.go": ""},
            "holds Go (go.mod), which can't be deployed yet; java, python, node can",
        ),
        ({"src/lib.rs": ""}, "holds Rust (src/lib.rs)"),
        ({"Shop.csproj": ""}, "holds .NET (Shop.csproj)"),
        ({"Dockerfile": "FROM x", "run.sh": ""}, "has only a Dockerfile"),
        ({"compose.yaml": "", "x.sh": ""}, "has only compose.yaml"),
        ({"index.html": "", "x.css": ""}, "a site of plain files (index.html)"),
        ({"requirments.txt": "flask"}, "requirments.txt looks like a misspelt requirements.txt"),
        ({"Package.json": "{}"}, "Package.json looks like a misspelt package.json"),
        ({"x.sh": ""}, "add a shipway.yaml"),
    ],
)
def test_what_can_not_be_deployed_is_a_value_with_a_reason(files: dict[str, str], expected: str) -> None:
    assert expected in reason(files)


def test_a_backend_that_is_not_supported_beats_its_asset_bundler() -> None:
    files = {
        "composer.json": "{}",
        "package.json": package(devDependencies={"vite": "7"}, scripts={"build": "vite build"}),
        "index.html": "",
    }
    assert "holds PHP (composer.json)" in reason(files)


def test_two_servers_at_once_are_warned_of() -> None:
    found = service(EXPRESS | FASTAPI)
    assert found.framework == "fastapi"
    assert any(item.startswith("package.json:3 node (express) is here too") for item in warnings(found))


def test_the_only_app_in_a_folder_is_found_and_its_place_is_evidence() -> None:
    found = service(
        below("services/api", FASTAPI) | {"README.md": "", "examples/x/package.json": EXPRESS["package.json"]}
    )
    assert (found.root, evidence(found, "root")) == ("services/api", "services/api/requirements.txt:1")


def test_several_apps_are_named_with_what_to_set() -> None:
    told = reason(below("api", FASTAPI) | below("web", EXPRESS))
    assert "several apps: api (python (fastapi)), web (node (express)). Set `root`" in told


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"package.json": '{\n "name": x}'}, "package.json:2:10"),
        ({"package.json": "[]"}, "package.json:1:1"),
        ({"pom.xml": "<project>"}, "pom.xml:1:10"),
        ({"pyproject.toml": "a ="}, "pyproject.toml:1:4"),
        ({"requirements.txt": b"fl\xff"}, "requirements.txt:1:3"),
        ({"a/package.json": "{"}, "a/package.json:1:2"),
    ],
)
def test_a_broken_manifest_is_told_with_its_place(files: dict[str, str | bytes], place: str) -> None:
    with pytest.raises(DetectionError) as told:
        detection(files)
    assert told.value.what == f"{place} can't be read"
    assert told.value.kind == "not_deployable"


def test_the_same_tree_gives_the_same_bytes_and_a_valid_document() -> None:
    found = detection(EXPRESS | FASTAPI)
    text = to_json(found)
    assert text == to_json(detection(dict(reversed(list((EXPRESS | FASTAPI).items())))))
    assert parse(Detection, text, what="the detection") == found
    assert parse(Detection, to_json(detection({})), what="the detection").reason


def test_values_that_could_not_be_written_to_a_dockerfile_do_not_get_through() -> None:
    hostile = {"package.json": package(scripts={"start": "node a.js\nRUN evil"}), "package-lock.json": ""}
    assert "library" in reason(hostile)
    named = {"package.json": package(dependencies={"express\u001b[31m": "1"}, scripts={"start": "node \u001b[31m.js"})}
    assert "\u001b" not in to_json(detection(named))


# Each property holds the next one twice.
DOUBLING = (
    "<project><properties>"
    + "".join(f"<p{n}>${{p{n + 1}}}${{p{n + 1}}}</p{n}>" for n in range(99))
    + "</properties><build><finalName>${p0}</finalName></build></project>"
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "x = " + "(" * 50_000, "requirements.txt": "fastapi"},
        {"main.py": "FastAPI = " + "-" * 200_000 + "1", "requirements.txt": "fastapi"},
        {"main.py": "FastAPI" + ".a" * 100_000, "requirements.txt": "fastapi"},
        {"main.py": "FastAPI = " + "+".join(["1"] * 60_000), "requirements.txt": "fastapi"},
        {"main.py": "FastAPI = " + "lambda: " * 20_000 + "1", "requirements.txt": "fastapi"},
        {"main.py": "FastAPI\0", "requirements.txt": "fastapi"},
        {f"p{n}/main.py": "FastAPI\n" * 30_000 for n in range(60)} | {"requirements.txt": "fastapi"},
        {f"p{n}/main.py": "# x\n" * 60_000 for n in range(300)} | {"requirements.txt": "fastapi"},
        {f"p{n}/package.json": EXPRESS["package.json"] for n in range(5_000)},
        {"requirements.txt": "a " * 500_000},
        {"requirements.txt": "-r requirements.txt\n" * 50_000},
        {"package.json": package(scripts={"start": "'" * 1_000 + "a" * 500_000})},
        {"package.json": package(main="a.js"), "a.js": "/*" * 120_000},
        {"package.json": package(main="a.js"), "a.js": "`\\" * 120_000},
        {"package.json": package(main="a.js"), "a.js": ".listen( " * 25_000},
        {"package.json": package(main="a.js"), "a.js": "PORT" + " " * 240_000},
        {"pom.xml": "<project>" + "<modules><module>m</module></modules>" * 20_000 + "</project>"},
        {"pom.xml": DOUBLING},
        {"pom.xml": "<project/>", "src/main/resources/application.properties": "a" * 100_000 + "\n" + " " * 20_000},
        {".nvmrc": "9" * 900_000, **EXPRESS},
        {"Procfile": "web: " + "$PORT " * 100_000, **EXPRESS},
        {"shipway.yaml": "start: " + "a" * 60_000, **EXPRESS},
    ],
    ids=range(22),
)  # fmt: skip
def test_hostile_repositories_get_an_answer_in_time(files: dict[str, str]) -> None:
    started = time.monotonic()
    assert outcome(files)
    assert time.monotonic() - started < 5


NAMES = st.sampled_from([
    "package.json", "package-lock.json", ".nvmrc", "server.js", "next.config.js", "tsconfig.json", "requirements.txt",
    "pyproject.toml", "main.py", "manage.py", "Pipfile", "pom.xml", ".java-version", "Procfile", "shipway.yaml",
    "mise.toml", "src/main/resources/application.yml", "a/package.json", "a/pom.xml", "Dockerfile", "go.mod",
    ".tool-versions", "x\n.py",
])  # fmt: skip
SEEDS = st.sampled_from([
    *EXPRESS.values(), *FASTAPI.values(), "{}", '{"scripts": {"start": 1}, "engines": [], "main": {}}', "20\n",
    "[tool.poetry]\n", "<project><dependencies/></project>", "web: node $PORT", "port: 1", "server: {port: 1}",
    "django\n",
])  # fmt: skip
CONTENT = (
    SEEDS.map(str.encode)
    | st.binary(max_size=80)
    | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))
)


@settings(deadline=5000, max_examples=300)
@given(
    files=st.dictionaries(NAMES | st.text("ab/.py", min_size=1, max_size=8), CONTENT, max_size=6), offline=st.booleans()
)
def test_any_tree_gives_a_result_or_a_typed_refusal(files: dict[str, bytes], offline: bool) -> None:
    found = outcome(files, offline=offline)
    if isinstance(found, DetectionError):
        assert found.code
        assert found.what
        return
    assert parse(Detection, to_json(found), what="the detection") == found
    assert found.deployable == (found.reason is None) == bool(found.services)
    for item in found.services:
        assert all(word.isprintable() for word in (*item.start, *item.build, *item.manifests))
        assert item.kind == "static" or item.start
        assert all(note.line >= 1 and note.why.isprintable() for note in item.evidence)


def test_every_language_is_declared_whole() -> None:
    for entry in LANGUAGES:
        language = entry.load()
        assert entry.names
        assert entry.markers
        assert callable(language.inspect)
        assert len({(item.name, item.deps) for item in language.frameworks}) == len(language.frameworks)
        for framework in language.frameworks:
            assert framework.deps
            assert framework.kind != "static" or framework.output or framework.refused


@pytest.mark.parametrize("name", ["Dockerfile", "Containerfile"])
def test_a_dockerfile_that_is_not_used_is_told(name: str) -> None:
    files = {
        "api/main.py": "from fastapi import FastAPI\napp = FastAPI()",
        "api/requirements.txt": "fastapi\nuvicorn\n",
    }
    (told,) = warnings(service(files | {f"api/{name}": "FROM scratch"}))
    assert told.startswith(f"api/{name}:1 its own {name} is not used")
    assert warnings(service(files | {name: "FROM scratch"})) == []

"""The detect command: one JSON document or a table, exit codes, a start without heavy imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from detectors.cli import detect
from detectors.errors import DetectionError
from detectors.model import Detection
from detectors.tree import Tree
from resources.contracts import parse
from tests.detectors.trees import DictTree

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
APP = {"main.py": "from fastapi import FastAPI\napp = FastAPI()", "requirements.txt": "fastapi\n"}


def run(files: dict[str, str], *arguments: str) -> Result:
    @contextmanager
    def open_tree(target: str, branch: str | None) -> Iterator[Tree]:
        assert (target, branch) in ((".", None), ("https://x/y.git", "main"))
        yield DictTree(files)

    return CliRunner().invoke(detect, arguments, obj={"open_tree": open_tree})


def test_json_is_one_compact_document_and_nothing_else() -> None:
    result = run(APP, "https://x/y.git", "--branch", "main", "--json")
    assert result.exit_code == 0
    assert result.output.count("\n") == 1
    assert ": " not in result.output.split('"why"')[0]
    assert parse(Detection, result.output, what="the output").services[0].framework == "fastapi"


def test_what_can_not_be_deployed_ends_with_4_and_its_reason() -> None:
    assert run({}, "--json").exit_code == 4
    assert json.loads(run({}, "--json").output)["deployable"] is False
    assert run({}).output.startswith("not deployable  The repository is empty.")
    assert run({}).exit_code == 4


def test_the_table_is_as_people_know_it() -> None:
    golden = GOLDEN / "table.txt"
    output = run(APP).output
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN"):
        golden.write_text(output)
    assert output == golden.read_text()
    assert "\x1b" not in output


def test_one_of_several_services_can_be_shown() -> None:
    files = {f"a/{name}": text for name, text in APP.items()} | {
        "shipway.yaml": "services: {x: {root: a}, y: {root: a}}"
    }
    assert [item["name"] for item in json.loads(run(files, "--service", "y", "--json").output)["services"]] == ["y"]
    wrong = run(files, "--service", "z").exception
    assert isinstance(wrong, DetectionError)
    assert wrong.why == "the repository has x, y"


def test_root_is_an_option_too() -> None:
    assert json.loads(run({f"a/{name}": text for name, text in APP.items()}, "--root", "a", "--json").output)[
        "deployable"
    ]


def test_what_the_command_line_sets_is_shown_as_such() -> None:
    line = run({f"a/{name}": text for name, text in APP.items()}, "--root", "a").output.split("\n")[1]
    assert line.split() == ["folder", "a", "command", "line", "--root"]


def test_without_a_root_command_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP["main.py"])
    (tmp_path / "requirements.txt").write_text("fastapi")
    result = CliRunner().invoke(detect, [str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.output)["services"][0]["start"][1] == "main:app"


def test_help_says_what_it_does_with_examples() -> None:
    text = run({}, "--help").output
    assert "shipway detect ../shop --root apps/api" in text
    assert "Nothing of the repository is run" in text


@pytest.mark.parametrize(
    ("app", "absent"),
    [
        (None, {"json", "tomllib", "xml"}),
        ("node-express", {"defusedxml", "detectors.reading.pom", "tomllib"}),
        ("java-spring", {"detectors.reading.javascript", "tomllib"}),
    ],
)
def test_start_up_imports_only_what_the_path_needs(app: str | None, absent: set[str]) -> None:
    call = f"detect(['tests/apps/{app}', '--json'], standalone_mode=False)" if app else "pass"
    script = f"import sys\nfrom detectors.cli import detect\ntry:\n    {call}\nexcept SystemExit:\n    pass\n"
    script += "print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint(
        {"pydantic", "docker", "git", "jsonschema", "rich", "httpx", "jinja2", "pipeline", "ruamel.yaml"} | absent
    )

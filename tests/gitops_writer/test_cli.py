"""``shipway history`` and ``shipway gitops``: what people and programs see."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import Command
from click.testing import CliRunner, Result

from gitops_writer.cli import gitops, history
from gitops_writer.errors import GitopsError
from gitops_writer.mirror import Mirror
from gitops_writer.writer import rollback
from tests.gitops_writer.samples import ALLOW, DRAFT, bare, mirror_of, release, same_as_golden

WS, APP = DRAFT.workspace, DRAFT.project


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return mirror_of(bare(tmp_path / "remote.git"))


@pytest.fixture
def deployed(mirror: Mirror) -> Mirror:
    release(mirror, "run-1", 1)
    release(mirror, "run-2", 2)
    rollback(mirror, WS, APP, to=None, run_id="back", generation=3, checks=ALLOW)
    return mirror


def call(command: Command, mirror: Mirror, *arguments: str) -> Result:
    obj: dict[str, Any] = {"gitops": lambda: mirror, "project": lambda name: (WS, name or APP)}
    return CliRunner().invoke(command, arguments, obj=obj, catch_exceptions=False)


def test_history_reads_as_its_golden(deployed: Mirror) -> None:
    text = re.sub(r"\d{4}-\d\d-\d\dT\S+", "<when>                   ", call(history, deployed).stdout)
    assert same_as_golden("history.txt", text.encode())


def test_history_as_json_is_one_document(deployed: Mirror) -> None:
    result = call(history, deployed, "--json")
    document = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert document["schema"] == "shipway/history/v1"
    assert [(it["release"]["version"], it["current"]) for it in document["releases"]] == [
        ("v1.0.2", False),
        ("v1.0.1", True),
    ]


def test_an_empty_history_says_so(mirror: Mirror) -> None:
    result = call(history, mirror)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no releases yet" in result.stderr
    assert json.loads(call(history, mirror, "--json").stdout)["releases"] == []


def test_show_lists_the_committed_files_and_prints_one(deployed: Mirror) -> None:
    listed = call(gitops, deployed, "show").stdout.splitlines()
    assert f"tenants/{WS}/{APP}/values.yaml" in listed
    assert f"apps/{WS}/{APP}.yaml" in listed
    printed = call(gitops, deployed, "show", APP, "run.json").stdout
    assert json.loads(printed) == {"run_id": "back", "generation": 3, "action": "rollback", "release": "v1.0.1"}
    document = json.loads(call(gitops, deployed, "show", "--json").stdout)
    assert set(document["files"]) == set(listed)


def test_render_prints_the_manifests(deployed: Mirror) -> None:
    document = json.loads(call(gitops, deployed, "render", "--json").stdout)
    assert [it["kind"] for it in document["manifests"]] == ["Deployment", "Ingress", "Service", "ServiceAccount"]
    assert call(gitops, deployed, "render").stdout.count("\n---\n") == 3
    assert 'shipway.dev/release: "v1.0.1"' in call(gitops, deployed, "render").stdout
    assert 'shipway.dev/release: "v1.0.2"' in call(gitops, deployed, "render", "--release", "v1.0.2").stdout


@pytest.mark.parametrize("version", ["v1.0.9", "../x"])
def test_render_of_a_release_that_is_not_there_is_refused(deployed: Mirror, version: str) -> None:
    with pytest.raises(GitopsError):
        call(gitops, deployed, "render", "--release", version)


@pytest.mark.parametrize("arguments", [("show",), ("render",), ("show", APP, "nonsense")])
def test_what_is_not_there_is_an_error_that_says_what_to_do(mirror: Mirror, arguments: tuple[str, ...]) -> None:
    with pytest.raises(GitopsError) as caught:
        call(gitops, mirror, *arguments)
    assert "shipway" in caught.value.fix


def test_a_name_that_is_no_project_is_refused_before_git_is_asked(tmp_path: Path) -> None:
    with pytest.raises(GitopsError, match="name"):
        call(history, mirror_of(tmp_path / "nowhere"), "../../etc")


def test_importing_the_commands_imports_nothing_heavy() -> None:
    heavy = ["git", "helm_python", "jsonschema", "pydantic", "ruamel.yaml", "kubernetes_validate"]
    code = f"import sys, gitops_writer.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"

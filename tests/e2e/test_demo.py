"""The demonstration, whole, and that nothing is left of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.machine import embedded
from pipeline.machine.home import home_id
from tests.e2e.machine import Machine, Repository

pytestmark = pytest.mark.e2e


def left_in_the_engine(machine: Machine, home: Path) -> list[str]:
    client = embedded.client(machine.engine)
    filters = {"label": f"shipway.home={home_id(home)}"}
    try:
        containers = [str(one.name) for one in client.containers.list(all=True, filters=dict(filters))]
        networks = [str(one.name) for one in client.networks.list(filters=dict(filters))]
        return containers + networks + [str(image.tags) for image in client.images.list(filters=dict(filters))]
    finally:
        client.close()


def test_it_deploys_changes_rolls_back_and_goes(
    machine: Machine, sample_apps: Mapping[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    arguments = ("demo", "--folder", str(folder), "--progress", "plain")

    ran = machine.shipway(*arguments, "--sample", str(sample_apps["python-flask"]))

    assert ran.code == 0, ran.err[-3000:]
    result = json.loads((folder / "result.json").read_text())
    assert set(result) == {"url", "releases", "stages", "change_to_live_seconds", "rollback_seconds"}
    assert result["releases"] == ["v1.0.1", "v1.0.2"]
    assert result["url"] in ran.out
    assert 'v1.0.2 answers: 200 {"greeting":"Hello","name":"python-flask","version":"v2"}' in ran.err
    assert ran.err.rstrip().splitlines()[-1].endswith('"version":"v1"}'), "the first release answers again"
    named = [stage["name"] for stage in result["stages"]]
    assert named[-9:] == ["checkout", "detect", "plan", "build", "scan", "push", "release", "gitops", "preview"]
    assert result["rollback_seconds"] < 5
    assert left_in_the_engine(machine, folder / "home")

    down = machine.shipway("demo", "--down", "--folder", str(folder))

    assert down.code == 0, down.err
    assert not folder.exists()
    assert left_in_the_engine(machine, folder / "home") == []


def test_any_repository_can_be_shown_and_is_not_touched(
    machine: Machine, repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    before = repository.git("rev-parse", "HEAD"), repository.git("status", "--porcelain")

    ran = machine.shipway("demo", "--folder", str(folder), REPO=str(repository.folder), BRANCH="main")

    assert ran.code == 0, ran.err[-3000:]
    assert len(json.loads((folder / "result.json").read_text())["releases"]) == 2
    assert (repository.git("rev-parse", "HEAD"), repository.git("status", "--porcelain")) == before
    assert machine.shipway("demo", "--down", "--folder", str(folder)).code == 0

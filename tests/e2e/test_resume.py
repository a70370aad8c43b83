"""A run that is killed at any point goes on with the same command: nothing twice, nothing half."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.machine import Machine, Repository

pytestmark = pytest.mark.e2e

DOCUMENTED = ("checkout", "detect", "plan", "build", "scan", "push", "release", "gitops")
POINTS = [f"{stage}:{point}" for stage in DOCUMENTED for point in ("started", "writing", "finished")]
MIDDLES = ["build:log", "push:log", "gitops:progress", "preview:started", "preview:log", "preview:finished"]


def expect_one_release(machine: Machine, project: str) -> None:
    history = machine.shipway("history", project, "--json").document
    assert [entry["release"]["version"] for entry in history["releases"]] == ["v1.0.1"]
    runs = [file for file in (machine.home / "runs").glob("*/run.json") if f'"{project}"' in file.read_text()]
    assert len(runs) == 1, "the second call must resume the first one's run"
    assert not [entry.name for entry in runs[0].parent.iterdir() if entry.name.startswith(".")]
    assert len(machine.containers(project)) == 1


@pytest.mark.parametrize("point", [*POINTS, *MIDDLES])
def test_killed_there_the_same_command_finishes_the_run(machine: Machine, repository: Repository, point: str) -> None:
    project = "kill-" + point.replace(":", "-")
    arguments = (str(repository.folder), "--project", project)

    killed = machine.shipway_killed(point, signal.SIGKILL, "deploy", *arguments)
    assert killed.code == -signal.SIGKILL, killed.err

    report = machine.deployed(*arguments)
    assert machine.get(report["url"]) == (200, "tiny v1 ")
    expect_one_release(machine, project)


@pytest.mark.parametrize(
    "point", ["checkout:started", "build:log", "scan:started", "push:log", "gitops:started", "preview:log"]
)
def test_interrupted_there_it_says_how_to_go_on(machine: Machine, repository: Repository, point: str) -> None:
    project = "int-" + point.replace(":", "-")
    arguments = (str(repository.folder), "--project", project)

    interrupted = machine.shipway_killed(point, signal.SIGINT, "deploy", *arguments)

    assert interrupted.code == 130
    assert "same command again" in interrupted.err
    assert "Traceback" not in interrupted.err
    machine.deployed(*arguments)
    expect_one_release(machine, project)


def test_terminated_by_a_pipeline_it_ends_with_143(machine: Machine, repository: Repository) -> None:
    ended = machine.shipway_killed("build:log", signal.SIGTERM, "deploy", str(repository.folder), "--project", "term-1")

    assert ended.code == 143


def test_a_finished_stage_does_nothing_when_it_is_run_again(machine: Machine, repository: Repository) -> None:
    arguments = (str(repository.folder), "--project", "again-1", "--run-id", "again-run")
    first = machine.shipway("push", *arguments, "--progress", "plain")
    assert first.code == 0, first.err

    second = machine.shipway("push", *arguments, "--progress", "plain")

    assert second.code == 0, second.err
    assert second.err.count("already done") == 6
    assert "done in" not in second.err

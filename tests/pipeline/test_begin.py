"""How a run begins: what was asked for is pinned once, and other runs are in nobody's way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.config import Config, load
from pipeline.errors import PipelineError
from pipeline.runs.begin import Request, begin, exclusive, specify
from pipeline.runs.folder import RunFolder, newest
from resources.errors import ShipwayError
from tests.pipeline.repositories import git, made


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load({"home": tmp_path / "home"}, {})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made(tmp_path / "app", {"a.txt": "1"})


def begun(request: Request, config: Config) -> RunFolder:
    spec, _ = specify(request, config)
    return begin(spec, config, run_id=request.run_id, committed=lambda: 1)


def test_a_run_with_an_id_stays_at_its_commit_when_the_branch_moves(repository: Path, config: Config) -> None:
    request = Request(str(repository), run_id="jenkins-7")
    first = begun(request, config)
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "meanwhile")

    again = begun(request, config)

    assert again.path == first.path
    assert (again.run.attempt, again.run.spec) == (2, first.run.spec)


def test_a_run_without_an_id_follows_the_branch(repository: Path, config: Config) -> None:
    first = begun(Request(str(repository)), config)
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "meanwhile")
    second = begun(Request(str(repository)), config)

    assert second.path != first.path
    assert second.run.generation == first.run.generation + 1


@pytest.mark.parametrize("other", [{"branch": "other"}, {"host": "x.example.com"}, {"env": {"A": "1"}}])
def test_an_id_is_of_one_request(repository: Path, config: Config, other: dict[str, object]) -> None:
    git(repository, "branch", "other")
    begun(Request(str(repository), run_id="jenkins-7"), config)

    with pytest.raises(PipelineError, match="something else"):
        begun(Request(str(repository), run_id="jenkins-7", **other), config)  # type: ignore[arg-type]


@pytest.mark.parametrize("run_id", ["", "..", "a/b", "a\n", "-x", "x" * 65])
def test_what_can_be_no_id_makes_no_folder(repository: Path, config: Config, run_id: str) -> None:
    if run_id:
        with pytest.raises(PipelineError, match="can't be a run's id"):
            begun(Request(str(repository), run_id=run_id), config)
        assert not list((config.home / "runs").glob("**/run.json"))


@pytest.mark.parametrize("where", ["env", "host", "project"])
def test_bytes_that_are_no_text_are_refused_and_not_written(repository: Path, config: Config, where: str) -> None:
    odd = os.fsdecode(b"caf\xe9")
    given: dict[str, object] = {where: {"A": odd} if where == "env" else odd}
    with pytest.raises(ShipwayError) as refused:
        specify(Request(str(repository), **given), config)  # type: ignore[arg-type]
    assert refused.value.kind == "input"
    assert not (config.home / "runs").exists()


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path: Path, config: Config) -> None:
    folder = made(tmp_path / os.fsdecode(b"caf\xe9"), {"a.txt": "1"})
    with pytest.raises(PipelineError, match="UTF-8"):
        specify(Request(str(folder)), config)


def test_dirty_is_for_a_folder(tmp_path: Path, config: Config) -> None:
    (tmp_path / "file").touch()
    for target in (str(tmp_path / "file"), f"file://{tmp_path}/nowhere", "https://git.example.com/a/b.git"):
        with pytest.raises(PipelineError, match="--dirty is for a folder"):
            specify(Request(target, dirty=True), config)


def test_a_run_that_another_one_is_forgetting_is_passed_over(
    repository: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = begun(Request(str(repository)), config)
    honest = Path.glob
    gone = config.home / "runs" / "gone" / "run.json"
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [*honest(self, pattern), gone])

    found = newest(config.home / "runs", "ws-local", kept.run.spec.project)
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "next")
    second = begun(Request(str(repository)), config)

    assert found is not None
    assert found.path == kept.path
    assert second.path != kept.path


def test_a_second_run_of_a_project_is_told_to_wait(config: Config) -> None:
    with exclusive(config, "shop-1"):
        with pytest.raises(PipelineError, match="under way") as refused, exclusive(config, "shop-1"):
            pass
        with exclusive(config, "blog-1"):
            pass
    with exclusive(config, "shop-1"):
        pass

    assert (refused.value.kind, refused.value.retryable) == ("superseded", True)

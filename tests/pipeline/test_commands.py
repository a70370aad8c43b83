"""Commands that write or remove files: only those that they may."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.repositories import made

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    code: int
    err: str


def shipway(*args: str, cwd: Path = ROOT) -> Ran:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-m", "pipeline.cli", *args]
    done = subprocess.run(argv, capture_output=True, cwd=cwd, env=environment, text=True, timeout=60)
    return Ran(done.returncode, done.stderr)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return made(tmp_path / "app", {"requirements.txt": "flask\n", "app.py": "import flask\napp = flask.Flask('x')\n"})


def test_a_dockerfile_is_written_with_its_ignore_file(app: Path) -> None:
    assert shipway("dockerfile", str(app), "--write").code == 0
    assert (app / "Dockerfile").read_text().startswith("#")
    assert (app / ".dockerignore").is_file()


def test_files_that_differ_are_left_and_nothing_is_half_written(app: Path) -> None:
    (app / ".dockerignore").write_text("mine\n")

    ran = shipway("dockerfile", str(app), "--write")

    assert ran.code == 2
    assert "--force" in ran.err
    assert not (app / "Dockerfile").exists()
    assert shipway("dockerfile", str(app), "--write", "--force").code == 0


def test_a_dockerfile_is_not_written_beside_a_url(app: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()

    ran = shipway("dockerfile", f"file://{app}", "--write", cwd=tmp_path / "work")

    assert ran.code == 2
    assert list((tmp_path / "work").iterdir()) == []


def test_the_demo_removes_what_it_made_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "home" / "runs").mkdir(parents=True)
    (folder / "home" / ".shipway-home").write_text("shipway/home/v1\n")
    (folder / "app.git").mkdir()
    (folder / "result.json").write_text("{}")
    (folder / "thesis.tex").write_text("years of work")

    assert shipway("demo", "--down", "--folder", str(folder)).code == 0
    assert [entry.name for entry in folder.iterdir()] == ["thesis.tex"]

    (folder / "app.git").mkdir()
    assert shipway("demo", "--down", "--folder", str(folder)).code == 0
    assert (folder / "app.git").is_dir()


def test_an_empty_demo_folder_goes_too(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / ".shipway-home").write_text("shipway/home/v1\n")

    assert shipway("demo", "--down", "--folder", str(folder)).code == 0
    assert not folder.exists()


@pytest.mark.parametrize("command", [("preview", "stop"), ("preview", "logs"), ("preview", "sync"), ("status",)])
def test_a_project_that_can_be_no_name_is_no_path(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "home" / "preview" / "sites").mkdir(parents=True)
    kept = tmp_path / "home" / "preview" / "kept.conf"
    kept.touch()

    ran = shipway(*command, "../kept", "--home", str(tmp_path / "home"))

    assert ran.code == 2
    assert "name" in ran.err
    assert kept.exists()

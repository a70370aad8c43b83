"""The wheel, installed elsewhere: everything that the program needs is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``shipway`` of a fresh environment with the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("elsewhere") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    shared = Path(sysconfig.get_paths()["purelib"])
    borrowed = folder / "borrowed"
    borrowed.mkdir()
    for entry in shared.iterdir():
        # Not the editable install of the checkout: what is used must come from the wheel.
        if "shipway" not in entry.name:
            (borrowed / entry.name).symlink_to(entry)
    (site / "dependencies.pth").write_text(f"{borrowed}\n")
    return folder / "bin" / "shipway"


def run(program: Path, *args: str, cwd: Path) -> str:
    """Run the installed program far from the checkout."""
    env = {"PATH": os.defpath, "HOME": str(cwd)}
    done = subprocess.run([program, *args], cwd=cwd, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_it_holds_charts_templates_schemas_policies_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "charts/monolithic/Chart.yaml",
        "charts/monolithic/values.schema.json",
        "charts/common/templates/",
        "resources/Dockerfile.j2",
        "resources/base-images.yaml",
        "resources/shipway.example.yaml",
        "resources/policies/embedded.yaml",
        "resources/schemas/detection.schema.json",
    ):
        assert any(name.startswith(needed) for name in names), needed
    assert not [name for name in names if name.startswith("tests/")]


def test_installed_elsewhere_it_writes_a_dockerfile(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "requirements.txt").write_text("flask==3.1.0\n")

    assert "FROM python:" in run(installed, "dockerfile", ".", cwd=tmp_path)
    assert '"framework":"flask"' in run(installed, "detect", ".", "--json", cwd=tmp_path)


def test_installed_elsewhere_every_command_can_be_loaded(installed: Path, tmp_path: Path) -> None:
    listed = run(installed, "--help", cwd=tmp_path)
    for command in ("deploy", "rollback", "status", "history", "gitops", "preview", "base-images", "doctor"):
        assert command in listed
        assert "Usage:" in run(installed, command, "--help", cwd=tmp_path)

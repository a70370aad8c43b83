"""What the tests stand on: real components, started once a session in a home of the tests' own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.base_images import build as base_images
from pipeline.config import load
from pipeline.machine import doctor as machine
from pipeline.machine import embedded
from pipeline.machine.embedded import Engine

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_home() -> Path:
    """The home that keeps the engine's data and the base images between sessions."""
    return Path(os.environ.get("SHIPWAY_TEST_HOME") or ROOT / ".test" / "home")


@pytest.fixture(scope="session")
def tools(test_home: Path) -> Iterator[None]:
    """The programs that Shipway uses, got where they are missing, and on the path of every home of the tests."""
    machine.install(machine.doctor(test_home), test_home)
    patch = pytest.MonkeyPatch()
    patch.setenv("PATH", f"{test_home / 'tools' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def engine(test_home: Path, tools: None) -> Iterator[Engine]:
    """A real container engine: the machine's, or one that the tests start and stop."""
    found = embedded.engine(test_home, start=True)
    patch = pytest.MonkeyPatch()
    patch.setenv("DOCKER_HOST", found.docker_host)
    patch.setenv("DOCKER_CONFIG", str(found.docker_config))
    yield found
    patch.undo()
    embedded.stop(test_home)


@pytest.fixture(scope="session")
def bases(engine: Engine, test_home: Path) -> None:
    """The offline base images, kept in the engine between sessions."""
    base_images.build(engine, (), test_home, ca_bundle=load().ca_bundle)


@pytest.fixture(scope="session")
def sample_apps() -> Mapping[str, Path]:
    """The small real apps, by name."""
    return {folder.name: folder for folder in sorted((ROOT / "tests" / "apps").iterdir()) if folder.is_dir()}

"""One machine for the end-to-end tests: the real engine, and a home with its own registry and GitOps repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.machine import embedded
from pipeline.machine.embedded import Engine
from tests.e2e.machine import Machine, Repository


@pytest.fixture(scope="session")
def machine(engine: Engine, bases: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A home of the session's own, taken down at the end."""
    home = tmp_path_factory.mktemp("home")
    yield Machine(home, engine)
    embedded.down(home)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A git repository with a tiny app: nothing to install, so that it builds in a second."""
    found = Repository(tmp_path / "team" / "tiny")
    found.write_tiny_app()
    found.commit("first")
    return found

"""Every sample app, whole: built by its own package manager, live, changed, and rolled back without a build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.machine import embedded
from tests.e2e.machine import Machine, Repository
from tests.e2e.samples import prepared

pytestmark = pytest.mark.e2e

APPS = {
    "node-express": "server.js",
    "node-next": "app/page.tsx",
    "python-fastapi": "main.py",
    "python-flask": "app.py",
    "python-django": "pages/views.py",
    "java-spring": "src/main/java/com/example/greeting/GreetingController.java",
}


@pytest.mark.parametrize("name", APPS)
def test_deployed_changed_and_rolled_back(
    machine: Machine, sample_apps: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    repository = Repository(tmp_path / "team" / name)
    repository.copy(sample_apps[name])
    prepared(name, repository.folder)
    repository.commit("first")
    arguments = (str(repository.folder), "--project", name, "--env", "GREETING=Grüß $(Gott) $$ 'you'")

    first = machine.deployed(*arguments)
    status, body = machine.get(first["url"])
    assert (status, first["release"]) == (200, "v1.0.1")
    assert name in body
    assert "v1" in body
    assert first["url"].startswith(f"http://{name}.localhost:")
    expect_locked_down(machine, name, first)

    repository.replace(APPS[name], "v1", "v2")
    repository.commit("second")
    second = machine.deployed(*arguments)
    assert second["release"] == "v1.0.2"
    assert "v2" in machine.get(second["url"])[1]

    back = machine.shipway("rollback", name, "--json", "--progress", "json")
    assert back.code == 0, back.err
    assert back.document["release"] == "v1.0.1"
    assert "v1" in machine.get(back.document["url"])[1]
    stages = {json.loads(line)["stage"] for line in back.err.splitlines()}
    assert stages == {"gitops", "preview"}, "a rollback builds nothing"
    machine.shipway("preview", "stop", name)


def expect_locked_down(machine: Machine, name: str, report: Mapping[str, object]) -> None:
    """The container runs the released digest as a numeric non-root user with a read-only root."""
    (container,) = machine.containers(name)
    assert container.status == "running"
    user = container.exec_run(["id", "-u"]).output.decode().strip()
    assert user == "10001"
    assert container.attrs["HostConfig"]["ReadonlyRootfs"] is True
    assert container.attrs["HostConfig"]["CapDrop"] == ["ALL"]
    published = report["published"]
    assert isinstance(published, dict)
    client = embedded.client(machine.engine)
    assert [client.images.get(ref).id for ref in published.values()] == [container.attrs["Image"]]
    client.close()
    variables = dict(item.split("=", 1) for item in container.attrs["Config"]["Env"])
    assert variables["GREETING"] == "Grüß $(Gott) $$ 'you'"

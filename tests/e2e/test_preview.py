"""What is live stays live: apps that can't start, that restarted, with long names, under a host that is taken."""

from __future__ import annotations

import subprocess
import threading

import pytest

from pipeline.machine import embedded
from tests.e2e.machine import Machine, Ran, Repository

pytestmark = pytest.mark.e2e


def deploy(machine: Machine, *args: str) -> Ran:
    return machine.shipway("deploy", "--json", "--progress", "plain", *args)


def test_a_start_command_that_is_not_in_the_image_is_the_apps_failure(machine: Machine, repository: Repository) -> None:
    repository.write("Procfile", "web: no-such-program server.py\n")
    repository.commit("broken")

    ran = deploy(machine, str(repository.folder), "--project", "start-1")

    assert ran.code == 6, ran.err
    assert "no-such-program" in ran.document["why"]
    assert machine.containers("start-1") == []


def test_an_app_that_was_restarted_stays_when_it_is_synced_again(machine: Machine, repository: Repository) -> None:
    report = machine.deployed(str(repository.folder), "--project", "restarted-1")
    (container,) = machine.containers("restarted-1")
    subprocess.run(["kill", "-9", str(container.attrs["State"]["Pid"])], check=True)
    container.wait(condition="next-exit")

    ran = machine.shipway("preview", "sync", "restarted-1", "--json")

    assert ran.code == 0, ran.err
    assert machine.get(report["url"])[0] == 200
    assert [one.id for one in machine.containers("restarted-1")] == [container.id]


def test_a_project_may_have_the_longest_name(machine: Machine, repository: Repository) -> None:
    project = "a-project-with-a-name-of-fifty-three-characters-75811"
    assert len(project) == 53

    report = machine.deployed(str(repository.folder), "--project", project)

    assert machine.get(report["url"])[0] == 200


def test_a_host_leads_to_one_project(machine: Machine, repository: Repository) -> None:
    machine.deployed(str(repository.folder), "--project", "holder-1", "--host", "www.example.com")

    ran = deploy(machine, str(repository.folder), "--project", "second-1", "--host", "www.example.com")

    assert ran.code == 3, ran.err
    assert "holder-1" in ran.document["why"]
    assert machine.containers("second-1") == []


def test_two_projects_at_once_start_one_router(machine: Machine, repository: Repository) -> None:
    for project in ("twice-1", "twice-2"):
        machine.deployed(str(repository.folder), "--project", project)
    client = embedded.client(machine.engine)
    found = [
        one for one in client.containers.list() if str(one.name).endswith("-router") and is_ours(machine, one.labels)
    ]
    for router in found:
        router.remove(force=True)
    for network in client.networks.list(filters={"label": label(machine)}):
        for container in client.containers.list(all=True, filters={"network": str(network.id)}):
            container.remove(force=True)
        network.remove()
    codes: list[int] = []

    def sync(project: str) -> None:
        codes.append(machine.shipway("preview", "sync", project).code)

    threads = [threading.Thread(target=sync, args=(project,)) for project in ("twice-1", "twice-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert codes == [0, 0]
    assert len(client.networks.list(filters={"label": label(machine)})) == 1
    client.close()


def test_a_base_image_that_can_not_be_had_is_not_the_apps_failure(machine: Machine, repository: Repository) -> None:
    unreachable = {"SHIPWAY_BASE_IMAGES": "ordinary", "SHIPWAY_BASE_IMAGE_MIRROR": "127.0.0.1:9"}

    ran = machine.shipway("build", str(repository.folder), "--project", "base-1", "--json", **unreachable)

    assert ran.code == 5, ran.err
    assert "127.0.0.1:9" in ran.document["why"]
    assert ran.document["retryable"] is True


def label(machine: Machine) -> str:
    from pipeline.machine.home import home_id

    return f"shipway.home={home_id(machine.home)}"


def is_ours(machine: Machine, labels: dict[str, str]) -> bool:
    return label(machine) == f"shipway.home={labels.get('shipway.home')}"

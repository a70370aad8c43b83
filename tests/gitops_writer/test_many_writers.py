"""Many writers at once: none lost, none duplicated, no version allotted twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gitops_writer.history import history
from tests.gitops_writer.samples import DRAFT, bare, git, mirror_of, project, release

# Four machines, as far as git can tell, with two writers each.
WRITERS = 8
MACHINES = 4
RELEASES = 3
ROOT = Path(__file__).parents[2]

WORKER = """
import sys
from pathlib import Path
from gitops_writer.errors import Superseded
from gitops_writer.history import next_generation
from tests.gitops_writer.samples import DRAFT, mirror_of, release

remote, name, worker, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
mirror = mirror_of(remote, name)
for number in range(count):
    while True:
        generation = next_generation(mirror, DRAFT.workspace, DRAFT.project)
        try:
            release(mirror, f"{worker}-{number}", generation)
        except Superseded:
            continue
        break
"""


def runs_in(remote: Path) -> Counter[str]:
    log = git(remote, "log", "--format=%(trailers:key=Run-Id,valueonly,separator=%x2C)", "main")
    return Counter(log.split())


def test_writers_of_many_projects_all_land_exactly_once(tmp_path: Path) -> None:
    remote = bare(tmp_path / "remote.git")

    def work(worker: int) -> None:
        mirror = mirror_of(remote, f"machine-{worker % MACHINES}")
        for number in range(1, RELEASES + 1):
            release(mirror, f"run-{worker}-{number}", number, project(f"app-{worker}"))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, range(WRITERS)))
    expected = {f"run-{worker}-{number}": 1 for worker in range(WRITERS) for number in range(1, RELEASES + 1)}
    assert runs_in(remote) == expected
    mirror = mirror_of(remote, "reader")
    for worker in range(WRITERS):
        entries = history(mirror, DRAFT.workspace, f"app-{worker}")
        assert [entry.release.version for entry in entries] == ["v1.0.3", "v1.0.2", "v1.0.1"]


def test_processes_on_one_project_take_turns_and_lose_nothing(tmp_path: Path) -> None:
    remote = bare(tmp_path / "remote.git")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(remote), f"machine-{worker % 2}", f"worker-{worker}", "2"], cwd=ROOT
        )
        for worker in range(WRITERS)
    ]
    assert [process.wait(300) for process in processes] == [0] * WRITERS
    assert runs_in(remote) == {f"worker-{worker}-{number}": 1 for worker in range(WRITERS) for number in range(2)}
    entries = history(mirror_of(remote, "reader"), DRAFT.workspace, DRAFT.project)
    assert [entry.release.version for entry in reversed(entries)] == [f"v1.0.{n}" for n in range(1, 2 * WRITERS + 1)]
    generations = [past.run.generation for entry in reversed(entries) for past in entry.runs]
    assert generations == sorted(set(generations))

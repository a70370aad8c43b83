"""A writer killed again and again: every release lands once, none is lost, none is doubled."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gitops_writer.history import history
from tests.gitops_writer.samples import DRAFT, bare, git, mirror_of

ROOT = Path(__file__).parents[2]
KILLS = 25
RELEASES = 40

# It starts from the first run each time: what has been written is a no-op.
WORKER = """
import sys
from pathlib import Path
from tests.gitops_writer.samples import mirror_of, release

mirror = mirror_of(Path(sys.argv[1]))
for number in range(1, int(sys.argv[2]) + 1):
    release(mirror, f"run-{number}", number)
"""


@pytest.mark.full
def test_kills_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    remote = bare(tmp_path / "remote.git")
    command = [sys.executable, "-c", WORKER, str(remote), str(RELEASES)]
    dice = random.Random(7)
    for _ in range(KILLS):
        worker = subprocess.Popen(command, cwd=ROOT)
        try:
            worker.wait(dice.uniform(0.5, 0.9))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    subprocess.run(command, cwd=ROOT, check=True)
    log = git(remote, "log", "--format=%(trailers:key=Run-Id,valueonly,separator=%x2C)", "main")
    assert Counter(log.split()) == {f"run-{number}": 1 for number in range(1, RELEASES + 1)}
    entries = history(mirror_of(remote, "reader"), DRAFT.workspace, DRAFT.project)
    assert [entry.release.version for entry in reversed(entries)] == [f"v1.0.{n}" for n in range(1, RELEASES + 1)]

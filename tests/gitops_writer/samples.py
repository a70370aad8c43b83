"""What the tests of the writer stand on: a draft, a remote, its mirror, and golden files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from gitops_writer.argo import Target
from gitops_writer.charts import chart_files
from gitops_writer.mirror import Mirror
from gitops_writer.records import Chart, Checks, Commit, Draft, ImageRef, Release, Run, Source
from gitops_writer.render import numbered, render
from gitops_writer.writer import write

CHARTS = Path(__file__).parents[2] / "charts"
GOLDEN = Path(__file__).parent / "golden"
TARGET = Target("https://git.example.com/platform/plateform-gitops.git", "main")
ALLOW = Checks(digest_exists=lambda _: None, host_allowed=lambda *_: None)
DRAFT = Draft(
    schema="shipway/draft/v1",
    workspace="ws-159990218",
    project="tochratana-template-nextjs-7581",
    images={"web": ImageRef("registry.example.com/ws-159990218/web", f"sha256:{'ab' * 32}", "passed")},
    chart=Chart("monolithic", "1.0.0"),
    env={"GREETING": "yes", "RATIO": "1:30", "TEMPLATE": "{{ .Values.host }} $(PORT) $$", "TWO_LINES": "a\nb: c"},
    sealed_secret=None,
    host="tochratana-template-nextjs-7581.apps.example.com",
    port=3000,
    health_path="/healthz",
    source=Source("https://git.example.com/tochratana/template-nextjs.git", "main", "c0ffee" * 6 + "abcd", dirty=False),
)
RELEASE = numbered(DRAFT, "v1.0.3")
RUN = Run("run-7", 7, "deploy", "v1.0.3")


def files_of(release: Release = RELEASE, run: Run = RUN) -> dict[str, bytes]:
    """Return every file of the release's desired state."""
    return render(release, run, target=TARGET, chart=chart_files(CHARTS, "monolithic"), workspaces=["ws-1"])


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder`` without the machine's configuration, and return what it printed."""
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def bare(folder: Path) -> Path:
    """Make an empty bare repository."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", ".")
    return folder


def mirror_of(remote: Path, name: str = "mirror") -> Mirror:
    """Return a mirror of ``remote`` beside it; one ``name`` stands for one machine."""
    return Mirror(str(remote), "main", remote.parent / name, lock=remote.parent / f"{name}.lock")


def release(mirror: Mirror, run_id: str, generation: int, draft: Draft = DRAFT) -> tuple[Commit, Release]:
    """Write ``draft`` as ``run_id``, with every question of the gate answered by yes."""
    return write(mirror, draft, run_id=run_id, generation=generation, checks=ALLOW, charts=CHARTS)


def project(name: str) -> Draft:
    """Return the draft under another project's name."""
    return replace(DRAFT, project=name, host=f"{name}.apps.example.com")


def same_as_golden(name: str, data: bytes) -> bool:
    """Compare ``data`` with the golden file, which SHIPWAY_UPDATE_GOLDEN=1 writes anew."""
    file = GOLDEN / name
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN") == "1":
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
    return file.read_bytes() == data

"""``shipway demo``: the whole way on this machine, and ``--down``, which leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.options import progress

if TYPE_CHECKING:
    from pipeline.progress import Mode

__all__ = ["demo"]


@click.command()
@click.option("--repo", envvar="REPO", help="A folder or git URL to deploy instead of the sample [env: REPO].")
@click.option("--branch", envvar="BRANCH", help="Its branch [env: BRANCH].")
@click.option(
    "--sample",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="tests/apps/python-flask",
    show_default=True,
    help="The folder of the sample app.",
)
@click.option(
    "--folder", type=click.Path(path_type=Path), default=".demo", show_default=True, help="All of it is here."
)
@click.option("--down", is_flag=True, help="Stop and remove everything that the demo made.")
@progress
def demo(repo: str | None, branch: str | None, sample: Path, folder: Path, progress: Mode, *, down: bool) -> None:
    """Deploy an app on this machine, then a change of it, then roll back; every step timed.

    Missing tools are installed with the machine's package client. The times are in FOLDER/result.json.

    \b
    Examples:
      shipway demo
      shipway demo --repo https://git.example.com/team/shop.git
      shipway demo --down
    """
    if down:
        _down(folder.absolute())
    else:
        _run(repo or None, branch or None, sample, folder.absolute(), progress)


def _run(repo: str | None, branch: str | None, sample: Path, folder: Path, mode: Mode) -> None:
    from pipeline.config import load
    from pipeline.demo import BRANCH, Demo, cloned, imported
    from pipeline.runs.begin import access_of
    from pipeline.source import parse_target, project_name

    config = load({"home": folder / "home", "scan_policy": "embedded"})
    run = Demo(folder, config, mode=mode, say=lambda line: click.secho(f"  {line}", dim=True, err=True))
    _title("1/4  This machine")
    run.prepare()
    run.provide_bases()
    repository = folder / "app.git"
    if repo:
        branch = cloned(repo, branch, access_of(config), repository)
        project = project_name(parse_target(repo, allow_http=config.git_allow_http))
    else:
        branch, project = BRANCH, f"demo-{sample.name}-0001"
        imported(sample, repository)
    _title(f"2/4  Deploy {repo or sample.name}")
    first = run.deploy(repository, project, branch)
    _title("3/4  Change a line, deploy again")
    run.change(repository, project, branch)
    _title(f"4/4  Roll back to {first.release}")
    run.rollback(project, first.release)
    file = run.write_result()
    click.echo()
    click.echo(f"live      {click.style(run.result.url, fg='green', bold=True)}")
    click.echo(f"releases  {', '.join(run.result.releases)}, and back to {first.release}")
    click.echo(f"change    {run.result.change_to_live_seconds:.1f} s from commit to live")
    click.echo(f"rollback  {run.result.rollback_seconds:.1f} s, nothing built")
    click.echo(f"times     {file}")
    click.echo("          `make demo-down` removes all of it")


def _title(text: str) -> None:
    click.secho(f"\n{text}", bold=True, err=True)


def _down(folder: Path) -> None:
    from pipeline.machine import embedded

    removed = embedded.down(folder / "home")
    if removed:
        # By name: the folder may be one that somebody keeps other things in.
        shutil.rmtree(folder / "app.git", ignore_errors=True)
        (folder / "result.json").unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    click.echo(f"removed {', '.join(removed)}" if removed else "there was nothing to remove", err=True)

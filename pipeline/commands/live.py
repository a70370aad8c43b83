"""The commands about what is live: rollback, status, and the preview that stands in for Argo CD and Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import as_json, configured, print_json, progress

if TYPE_CHECKING:
    from pipeline.preview.status import ProjectStatus
    from pipeline.progress import Mode
    from pipeline.session import Session

__all__ = ["preview", "rollback", "status"]


@click.command()
@click.argument("project")
@click.option("--to", metavar="RELEASE", help="The release, such as v1.0.3 [default: the one before the current].")
@click.option("--run-id", help="The run's id; the same id resumes the same run.")
@configured
@progress
@as_json
def rollback(
    project: str,
    to: str | None,
    run_id: str | None,
    home: Path | None,
    workspace: str | None,
    progress: Mode,
    *,
    as_json: bool,
) -> None:
    """Make an older release of PROJECT live again; nothing is built.

    \b
    Examples:
      shipway rollback team-shop-1234
      shipway rollback team-shop-1234 --to v1.0.3
    """
    from pipeline.commands.report import rollback_report
    from pipeline.config import load
    from pipeline.runs.execute import execute_rollback

    config = load({"home": home, "workspace": workspace})
    report = rollback_report(execute_rollback(project, config, to=to, run_id=run_id, mode=progress))
    print_json(report.document) if as_json else click.echo(report.text)


@click.command()
@click.argument("project", required=False)
@configured
@as_json
def status(project: str | None, home: Path | None, workspace: str | None, *, as_json: bool) -> None:
    """Show what is live: of PROJECT, or of every project of the workspace."""
    from pipeline.preview.status import project_statuses
    from resources.record import to_json

    found = project_statuses(_session(home, workspace, project), project)
    if as_json:
        print_json(to_json({"schema": "shipway/status/v1", "projects": [_plain(one) for one in found]}))
    elif not found:
        click.echo("nothing is deployed yet: `shipway deploy .`", err=True)
    else:
        click.echo("\n".join(_status_text(one) for one in found))


@click.group()
def preview() -> None:
    """Run what was COMMITTED to the GitOps repository, on this machine.

    The preview stands in for Argo CD and Kubernetes on one machine: it reads the commit, renders the chart with Helm,
    runs the container in Docker as the manifests ask (image by digest, user, read-only root, memory) and routes the
    project's host to it. It is healthy only when the container runs the release's digest and its health path answers
    2xx or 3xx. It keeps no data, scales nothing and knows no cluster.
    """


@preview.command()
@click.argument("project")
@configured
@as_json
def sync(project: str, home: Path | None, workspace: str | None, *, as_json: bool) -> None:
    """Make what is committed for PROJECT what runs."""
    from pipeline.plain_text import plain
    from pipeline.preview.committed import committed_workload
    from pipeline.runs.begin import exclusive
    from resources.record import to_json

    session = _session(home, workspace, project)
    with exclusive(session.config, project):
        release, wanted = committed_workload(session.mirror, session.config.workspace, project)
        live = session.preview.sync(
            project,
            release.version,
            wanted,
            timeout=session.config.health_timeout,
            on_line=lambda line: click.echo(plain(line), err=True),
        )
    print_json(to_json(live)) if as_json else click.echo(f"{live.release} is live at {live.url}")


@preview.command()
@click.argument("project")
@configured
def stop(project: str, home: Path | None, workspace: str | None) -> None:
    """Stop PROJECT; what is committed stays, and `preview sync` starts it again."""
    from pipeline.runs.begin import exclusive

    session = _session(home, workspace, project)
    with exclusive(session.config, project):
        count = session.preview.stop(project)
    click.echo(f"stopped {project}" if count else f"{project} did not run", err=True)


@preview.command()
@click.argument("project")
@click.option("--lines", type=click.IntRange(1, 10_000), default=100, show_default=True)
@configured
def logs(project: str, lines: int, home: Path | None, workspace: str | None) -> None:
    """Print what PROJECT printed last."""
    from pipeline.plain_text import plain

    printed = _session(home, workspace, project).preview.logs(project, lines=lines)
    if printed is None:
        raise click.ClickException(f"{project} doesn't run here; `shipway status` shows what does")
    click.echo(plain(printed), nl=False)


def _session(home: Path | None, workspace: str | None, project: str | None) -> Session:
    from gitops_writer.names import check_project
    from pipeline.config import load
    from pipeline.session import Session

    session = Session(load({"home": home, "workspace": workspace}))
    # Names become paths and labels.
    check_project(session.config.workspace, project or "any")
    return session


def _status_text(one: ProjectStatus) -> str:
    from pipeline.plain_text import plain

    mark = {"healthy": ("\u25cf", "green"), "unhealthy": ("\u25cf", "red"), "failed": ("\u25d0", "yellow")}.get(
        one.state, ("\u25cb", "yellow")
    )
    head = f"{click.style(mark[0], fg=mark[1])} {click.style(one.project, bold=True)}  {one.release}  {one.state}"
    source = plain(one.source)
    lines = [head, f"    {one.url or one.host}", f"    {source} at {one.commit[:12]}, by run {one.run_id}"]
    if one.scan != "passed":
        lines.append("    " + click.style(f"{one.scan}: no vulnerability database could be had", fg="yellow"))
    if one.state == "failed":
        lines.append("    " + click.style(f"{one.release} did not become healthy; {one.running} is live", fg="yellow"))
    return "\n".join(lines)


def _plain(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)

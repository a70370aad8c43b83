"""``shipway history`` and ``shipway gitops``: what the GitOps repository says about a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gitops_writer.history import Entry
    from gitops_writer.mirror import Mirror

__all__ = ["gitops", "history"]

PROJECT = click.argument("project", required=False)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


@click.command()
@PROJECT
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many releases.")
@JSON
@click.pass_obj
def history(obj: Mapping[str, Any], project: str | None, limit: int, *, as_json: bool) -> None:
    """List the releases of PROJECT, newest first; the current one is marked with `*`.

    PROJECT is a project's name; without it, the project of the working folder.

    \b
    Examples:
      shipway history
      shipway history my-app --json
    """
    from gitops_writer.history import History
    from gitops_writer.history import history as releases_of
    from resources.record import to_json

    mirror, workspace, name = _where(obj, project)
    entries = releases_of(mirror, workspace, name, limit=limit)
    if as_json:
        click.echo(to_json(History("shipway/history/v1", workspace, name, entries)))
    elif not entries:
        click.echo(f"{name} has no releases yet: `shipway deploy` makes the first.", err=True)
    else:
        _table([("", "RELEASE", "WHEN", "COMMIT", "BRANCH", "SCAN", "RUNS"), *map(_row, entries)])


@click.group()
def gitops() -> None:
    """Look at the desired state that is committed in the GitOps repository."""


@gitops.command()
@PROJECT
@click.argument("path", required=False)
@JSON
@click.pass_obj
def show(obj: Mapping[str, Any], project: str | None, path: str | None, *, as_json: bool) -> None:
    """List the committed files of PROJECT, or print the one at PATH.

    \b
    Examples:
      shipway gitops show my-app
      shipway gitops show my-app tenants/ws-local/my-app/values.yaml
    """
    mirror, workspace, name = _where(obj, project)
    head = mirror.fetch()
    files = _committed(mirror, head, workspace, name)
    if path is not None:
        files = {known: data for known, data in files.items() if known == path or known.endswith(f"/{path}")}
    if not files:
        raise _nothing(name, path)
    texts = {known: data.decode("utf-8", "replace") for known, data in files.items()}
    if as_json:
        _print_json({"schema": "shipway/desired-state/v1", "commit": head, "files": texts})
    elif path is None:
        click.echo("\n".join(texts))
    else:
        click.echo("".join(texts.values()), nl=False)


@gitops.command()
@PROJECT
@click.option("--release", "version", metavar="v1.0.N", help="An older release instead of the current one.")
@JSON
@click.pass_obj
def render(obj: Mapping[str, Any], project: str | None, version: str | None, *, as_json: bool) -> None:
    """Print the Kubernetes manifests that Argo CD makes of PROJECT's committed state."""
    from gitops_writer.canonical import yaml_stream
    from gitops_writer.names import check_version
    from gitops_writer.stored import manifests

    if version is not None:
        check_version(version)
    mirror, workspace, name = _where(obj, project)
    head = mirror.fetch()
    if head is None:
        raise _nothing(name, None)
    documents = manifests(mirror, head, workspace, name, version=version)
    if as_json:
        _print_json({"schema": "shipway/manifests/v1", "commit": head, "manifests": documents})
    else:
        click.echo(yaml_stream(documents).decode("utf-8"), nl=False)


def _where(obj: Mapping[str, Any], project: str | None) -> tuple[Mirror, str, str]:
    from gitops_writer.names import check_project

    workspace, name = obj["project"](project)
    check_project(workspace, name)
    return obj["gitops"](), workspace, name


def _committed(mirror: Mirror, head: str | None, workspace: str, project: str) -> dict[str, bytes]:
    from gitops_writer.layout import application_path, project_folder

    paths = [*mirror.list(head, project_folder(workspace, project)), application_path(workspace, project)]
    contents = mirror.read_all([(head, path) for path in paths])
    return {path: data for path, data in zip(paths, contents, strict=True) if data is not None}


def _nothing(project: str, path: str | None) -> Exception:
    from gitops_writer.errors import GitopsError

    return GitopsError(
        "gitops.not_deployed",
        f"{project} has no file {path} in the GitOps repository" if path else f"{project} is not deployed",
        why="it isn't among the committed files" if path else "the GitOps repository holds nothing of it",
        fix="run `shipway gitops show` to see them" if path else "run `shipway deploy` first",
    )


def _row(entry: Entry) -> tuple[str, ...]:
    source = entry.release.source
    scans = sorted({image.scan for image in entry.release.images.values()})
    runs = ", ".join(f"{past.run.action} {past.run.run_id}" for past in entry.runs[-3:])
    commit = source.commit[:12] + ("+dirty" if source.dirty else "")
    mark = "*" if entry.current else ""
    return mark, entry.release.version, entry.when, commit, source.branch, ",".join(scans), runs


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_json(document: Mapping[str, Any]) -> None:
    import json

    click.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))

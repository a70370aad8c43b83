"""The ``detect`` command: what a repository is, for people or as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from detectors.model import Detection, Evidence, Service
    from detectors.tree import Tree

__all__ = ["detect"]

NOT_DEPLOYABLE = 4
# The facts in the order in which people ask for them, with their names for people.
_FACTS = {
    "root": "folder",
    "kind": "kind",
    "language_version": "language",
    "framework": "framework",
    "package_manager": "packages",
    "build": "build",
    "output": "output",
    "start": "start",
    "port": "port",
    "health_path": "health",
}


@click.command(
    epilog="Exit codes: 0 it can be deployed; 2 a wrong argument; 4 it can't be deployed (the reason is shown)."
)
@click.argument("target", default=".", metavar="[PATH|GIT-URL]")
@click.option("--branch", metavar="NAME", help="The branch of a git URL; its default branch otherwise.")
@click.option("--root", metavar="FOLDER", help="The app's folder in the repository, such as apps/web.")
@click.option("--service", metavar="NAME", help="Show only this one of several services.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document (shipway/detection/v1) and nothing else."
)
@click.option("--offline-bases", is_flag=True, help="Choose only versions that have an offline base image.")
@click.pass_context
def detect(
    context: click.Context,
    target: str,
    branch: str | None,
    root: str | None,
    service: str | None,
    as_json: bool,
    offline_bases: bool,
) -> None:
    """Say what a repository is, and which file and line says so.

    Nothing of the repository is run, and nothing is written. A shipway.yaml in it is followed.

    \b
    Examples:
      shipway detect
      shipway detect ../shop --root apps/api
      shipway detect https://git.example.com/team/shop.git --branch main --json
    """
    from detectors.detect import detect as detect_tree

    with _open(context, target, branch) as tree:
        found = detect_tree(tree, overrides={"root": root} if root else None, offline=offline_bases)
    if service:
        found = _only(found, service)
    if as_json:
        from resources.record import to_json

        click.echo(to_json(found))
    else:
        _show(found)
    context.exit(0 if found.deployable else NOT_DEPLOYABLE)


def _open(context: click.Context, target: str, branch: str | None) -> AbstractContextManager[Tree]:
    """Return the tree of ``target``: by what the root command brings, or else a folder only."""
    opener = (context.obj or {}).get("open_tree")
    if opener:
        tree: AbstractContextManager[Tree] = opener(target, branch)
        return tree
    from detectors.tree import FolderTree

    return nullcontext(FolderTree(Path(target)))


def _only(found: Detection, name: str) -> Detection:
    from detectors.errors import DetectionError

    chosen = tuple(item for item in found.services if item.name == name)
    if found.deployable and not chosen:
        raise DetectionError(
            "detect.no_such_service",
            f"there is no service {name}",
            why=f"the repository has {', '.join(item.name for item in found.services)}",
            fix="correct --service",
        )
    return replace(found, services=chosen)


def _show(found: Detection) -> None:
    if not found.deployable:
        click.echo(f"{click.style('not deployable', fg='red', bold=True)}  {found.reason}")
        return
    for service in found.services:
        click.echo(f"{click.style(service.name, bold=True)}  {_title(service)}")
        rows = list(_rows(service))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for fact, value, where, why in rows:
            columns = f"{value:<{widths[1]}}  {click.style(f'{where:<{widths[2]}}', dim=True)}  {why}"
            click.echo(f"  {click.style(f'{fact:<{widths[0]}}', fg='cyan')}  {columns}".rstrip())
        for note in service.evidence:
            if note.fact == "warning":
                click.echo(f"  {click.style('warning', fg='yellow')}  {_where(note)}  {note.why}")


def _title(service: Service) -> str:
    what = f"{service.framework} on {service.language}" if service.framework else service.language
    return f"{what}, a {service.kind}"


def _rows(service: Service) -> Iterator[tuple[str, str, str, str]]:
    """Yield each fact of ``service``: its name, its value, where that stands, and why it says so."""
    for field, label in _FACTS.items():
        value = getattr(service, field)
        if value in (None, ()) or (field == "root" and value == "."):
            continue
        note = next((item for item in service.evidence if item.fact == field), None)
        text = f"{service.language} {value}" if field == "language_version" else _text(value)
        yield label, text, _where(note) if note else "", note.why if note else ""


def _text(value: object) -> str:
    return " ".join(map(_word, value)) if isinstance(value, tuple) else str(value)


def _word(word: str) -> str:
    return word if word and not set(word) & set(" \"'\\") else f"'{word}'"


def _where(note: Evidence) -> str:
    from detectors.overrides import CALLER

    return "command line" if note.file == CALLER else f"{note.file}:{note.line}"

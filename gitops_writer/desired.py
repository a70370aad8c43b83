"""A run and the head it finds in, the commit it would make out: every file, gated, and the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitops_writer.argo import Target
from gitops_writer.errors import GateRefused, GitopsError
from gitops_writer.gate import gate
from gitops_writer.layout import chart_folder, sealed_folder
from gitops_writer.mirror import Mirror
from gitops_writer.records import Action, Release, Run
from gitops_writer.render import render
from gitops_writer.stored import chart_at

__all__ = ["Order", "desired_files", "message"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written, whoever wrote before: the run, and where to."""

    workspace: str
    project: str
    run_id: str
    generation: int
    action: Action
    target: Target
    kubernetes: str


def desired_files(
    mirror: Mirror, head: str | None, order: Order, release: Release, chart: Mapping[str, bytes]
) -> Mapping[str, bytes]:
    """Return the files that make ``release`` current on top of ``head``, gated; those of a known chart are left out.

    ``chart`` is this Shipway's chart, or empty where only the repository's copy will do. Raises GateRefused or
    GitopsError.
    """
    run = Run(order.run_id, order.generation, order.action, release.version)
    known = chart_at(mirror, head, release.chart.name, release.chart.version)
    _check_chart(release, known, chart)
    _check_sealed(mirror, head, release)
    workspaces = mirror.folders(head, "apps")
    files = render(release, run, target=order.target, chart=known or chart, workspaces=workspaces)
    gate(files, release, kubernetes=order.kubernetes)
    copied = f"{chart_folder(release.chart.name, release.chart.version)}/" if known else None
    return {path: data for path, data in files.items() if copied is None or not path.startswith(copied)}


def _check_chart(release: Release, known: Mapping[str, bytes], chart: Mapping[str, bytes]) -> None:
    """Refuse a chart that neither side has, and one that changed since it was copied (``known``)."""
    name, version = release.chart.name, release.chart.version
    if known and chart and known != chart:
        raise GateRefused(
            "gate.chart",
            f"chart {name} {version} in the GitOps repository differs from this Shipway's",
            why=f"{chart_folder(name, version)} is immutable: releases that name it must render the same for ever",
            fix="raise the version in the chart's Chart.yaml, or install the Shipway that wrote the copy",
        )
    if not known and not chart:
        raise GitopsError(
            "gitops.no_such_chart",
            f"there is no chart {name} {version}",
            why="neither the GitOps repository nor this Shipway has that version",
            fix="deploy with the version that this Shipway has",
        )


def _check_sealed(mirror: Mirror, head: str | None, release: Release) -> None:
    if release.sealed_secret is None:
        return
    path = f"{sealed_folder(release.workspace, release.project)}/{release.sealed_secret}.yaml"
    if mirror.read(head, path) is None:
        raise GateRefused(
            "gate.sealed",
            f"the secrets of {release.project} aren't in the GitOps repository",
            why=f"{path} is missing, and the pods would wait for it for ever",
            fix="save the secret environment variables again, then deploy",
        )


def message(order: Order, release: Release) -> str:
    """Return the commit's message: one line for people, and the trailers by which the run is found again."""
    trailers = {
        "Run-Id": order.run_id,
        "Generation": str(order.generation),
        "Release": release.version,
        "Project": order.project,
        "Workspace": order.workspace,
    }
    lines = "\n".join(f"{name}: {value}" for name, value in trailers.items())
    return f"{order.action}: {order.workspace}/{order.project} {release.version}\n\n{lines}\n"

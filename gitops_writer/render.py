"""A release and its run in, every file of its desired state out; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from gitops_writer.argo import Target, app_project, application, root
from gitops_writer.canonical import json_document, yaml_document, yaml_stream
from gitops_writer.errors import GitopsError
from gitops_writer.layout import application_path, chart_folder, project_folder, project_path, release_path
from gitops_writer.records import Draft, ImageRef, Release, Run

__all__ = ["numbered", "render", "values"]


def numbered(draft: Draft, version: str) -> Release:
    """Return the release that ``draft`` becomes as ``version``."""
    fields = {name: getattr(draft, name) for name in Draft.__dataclass_fields__ if name != "schema"}
    return Release(schema="shipway/release/v1", version=version, **fields)


def values(release: Release) -> dict[str, Any]:
    """Return the Helm values of a release: a pure function of its record.

    Raises GitopsError for a project type that no chart takes yet, or more images than its chart runs.
    """
    image = _only_image(release)
    source = release.source
    document: dict[str, Any] = {
        "image": {"repository": image.repository, "digest": image.digest},
        "env": {name: value for name, value in release.env.items() if name != "PORT"},
        "host": release.host,
        "port": release.port,
        "healthPath": release.health_path,
        "release": {
            "version": release.version,
            "repository": source.repository,
            "branch": source.branch,
            "commit": source.commit,
            "dirty": source.dirty,
            "scan": image.scan,
        },
    }
    return document if release.sealed_secret is None else {**document, "envSecret": release.sealed_secret}


def render(
    release: Release, run: Run, *, target: Target, chart: Mapping[str, bytes], workspaces: Iterable[str]
) -> dict[str, bytes]:
    """Return the bytes of every file that the run writes, by its path in the repository.

    ``chart`` are the files of the release's chart; ``workspaces`` those that the repository holds already.
    """
    workspace, project = release.workspace, release.project
    folder = project_folder(workspace, project)
    record = json_document(asdict(release))
    copy = chart_folder(release.chart.name, release.chart.version)
    every_workspace = sorted({*workspaces, workspace})
    return {
        **{f"{copy}/{path}": data for path, data in chart.items()},
        f"{folder}/release.json": record,
        release_path(workspace, project, release.version): record,
        f"{folder}/run.json": json_document(asdict(run)),
        f"{folder}/values.yaml": yaml_document(values(release)),
        application_path(workspace, project): yaml_document(application(release, target)),
        project_path(workspace): yaml_document(app_project(workspace, target)),
        "apps/root.yaml": yaml_stream(root(every_workspace, target)),
    }


def _only_image(release: Release) -> ImageRef:
    if release.chart.name != "monolithic" or len(release.images) != 1:
        raise GitopsError(
            "gitops.wrong_images",
            f"chart {release.chart.name} can't run this release",
            why=f"it has {len(release.images)} images; only a monolithic project with one image can be released",
            fix="deploy one service, as project type monolithic",
        )
    return next(iter(release.images.values()))

"""The records that the GitOps repository holds, read at a commit and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

from gitops_writer.errors import GitopsError
from gitops_writer.helm import parse_yaml, render_chart
from gitops_writer.layout import chart_folder, namespace, project_folder, release_path, releases_folder
from gitops_writer.mirror import Mirror
from gitops_writer.names import version_number
from gitops_writer.records import Release, Run
from gitops_writer.render import values as release_values

__all__ = ["State", "chart_at", "manifests", "release_at", "state_at", "versions_at"]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class State:
    """What a project's folder says is current: its run, its release, and the bytes of its values."""

    run: Run
    release: Release
    values: bytes


def state_at(mirror: Mirror, commit: str | None, workspace: str, project: str) -> State | None:
    """Return the project's current state at ``commit``, or None where it has none.

    Raises GitopsError if a file there isn't what Shipway writes.
    """
    folder = project_folder(workspace, project)
    names = ("run.json", "release.json", "values.yaml")
    run, release, values = mirror.read_all([(commit, f"{folder}/{name}") for name in names])
    if run is None and release is None:
        return None
    return State(
        _parse(Run, run, f"{folder}/run.json"), _parse(Release, release, f"{folder}/release.json"), values or b""
    )


def release_at(mirror: Mirror, commit: str | None, workspace: str, project: str, version: str) -> Release | None:
    """Return one release's immutable record, or None if the project has no such release."""
    path = release_path(workspace, project, version)
    record = mirror.read(commit, path)
    return None if record is None else _parse(Release, record, path)


def versions_at(mirror: Mirror, commit: str | None, workspace: str, project: str) -> list[str]:
    """Return the versions of all the project's releases, oldest first."""
    stems = [PurePosixPath(path).stem for path in mirror.list(commit, releases_folder(workspace, project))]
    return sorted((stem for stem in stems if version_number(stem) >= 0), key=version_number)


def chart_at(mirror: Mirror, commit: str | None, name: str, version: str) -> dict[str, bytes]:
    """Return the files of the repository's copy of a chart by their path in it; empty if there is none."""
    folder = f"{chart_folder(name, version)}/"
    paths = mirror.list(commit, folder)
    contents = mirror.read_all([(commit, path) for path in paths])
    return {path.removeprefix(folder): data for path, data in zip(paths, contents, strict=True) if data is not None}


def manifests(
    mirror: Mirror, commit: str, workspace: str, project: str, *, version: str | None = None
) -> list[dict[str, Any]]:
    """Return what Argo CD makes of the project's committed state: its chart copy rendered with its values.yaml.

    Nothing but the commit is read. With ``version``, what it would make of that release. Raises GitopsError if the
    project, or that release of it, isn't there.
    """
    state = state_at(mirror, commit, workspace, project)
    if state is None:
        raise _missing(project, f"commit {commit[:12]} holds no release of it in {workspace}", "deploy it first")
    release, values = state.release, parse_yaml(state.values)
    if version is not None:
        older = release_at(mirror, commit, workspace, project, version)
        if older is None:
            raise _missing(
                f"{project} {version}", "there is no such release", "choose one that `shipway history` lists"
            )
        release, values = older, release_values(older)
    chart = chart_at(mirror, commit, release.chart.name, release.chart.version)
    return render_chart(chart, values, project, namespace(workspace))


def _missing(what: str, why: str, fix: str) -> GitopsError:
    return GitopsError("gitops.not_deployed", f"{what} is not deployed", why=why, fix=fix)


def _parse(record_type: type[T], document: bytes | None, path: str) -> T:
    from resources.contracts import parse

    return parse(record_type, document or b"", what=f"{path} in the GitOps repository")

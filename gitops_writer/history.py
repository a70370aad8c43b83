"""What the GitOps repository remembers of a project: its releases, and the runs that made each current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gitops_writer.git_output import Written
from gitops_writer.layout import project_folder, release_path
from gitops_writer.mirror import Mirror
from gitops_writer.names import check_project
from gitops_writer.records import Release, Run
from gitops_writer.stored import state_at, versions_at
from resources.record import Record

__all__ = ["Entry", "History", "PastRun", "current", "history", "next_generation"]


@dataclass(frozen=True, slots=True)
class PastRun(Record):
    """One run of the past: what it did, its commit, and when that was made (ISO 8601)."""

    run: Run
    sha: str
    when: str


@dataclass(frozen=True, slots=True)
class Entry(Record):
    """One release: the commit that created it and when, whether it is current, and its runs, oldest first."""

    release: Release
    sha: str
    when: str
    current: bool
    runs: tuple[PastRun, ...]


@dataclass(frozen=True, slots=True)
class History(Record):
    """All releases of a project, newest first."""

    schema: Literal["shipway/history/v1"]
    workspace: str
    project: str
    releases: tuple[Entry, ...]


def history(mirror: Mirror, workspace: str, project: str, *, limit: int | None = None) -> tuple[Entry, ...]:
    """Return the project's releases, newest first, at most ``limit``; empty if it was never deployed.

    The remote is asked first. Raises RemoteError if it can't be reached.
    """
    from resources.contracts import parse

    check_project(workspace, project)
    head = mirror.fetch()
    state = state_at(mirror, head, workspace, project)
    versions = versions_at(mirror, head, workspace, project)[::-1][:limit]
    records = mirror.read_all([(head, release_path(workspace, project, version)) for version in versions])
    runs = _runs(mirror, head, workspace, project)
    entries = []
    for version, record in zip(versions, records, strict=True):
        path = release_path(workspace, project, version)
        release = parse(Release, record or b"", what=f"{path} in the GitOps repository")
        own = tuple(past for past in runs if past.run.release == version)
        sha, when = (own[0].sha, own[0].when) if own else ("", "")
        is_current = state is not None and state.run.release == version
        entries.append(Entry(release, sha, when, is_current, own))
    return tuple(entries)


def current(mirror: Mirror, workspace: str, project: str) -> tuple[Release, Run, str] | None:
    """Return the current release, the run that made it so, and that run's commit; None if it was never deployed."""
    check_project(workspace, project)
    head = mirror.fetch()
    state = state_at(mirror, head, workspace, project)
    if state is None:
        return None
    writes: Sequence[Written] = mirror.writes(head, workspace, project, "--max-count=1")
    return state.release, state.run, writes[0].sha if writes else str(head)


def next_generation(mirror: Mirror, workspace: str, project: str) -> int:
    """Return the number of the project's next run: one more than the last committed."""
    check_project(workspace, project)
    state = state_at(mirror, mirror.fetch(), workspace, project)
    return 1 if state is None else state.run.generation + 1


def _runs(mirror: Mirror, head: str | None, workspace: str, project: str) -> list[PastRun]:
    """Return the project's runs, oldest first, each as its own commit recorded it."""
    from resources.contracts import parse

    path = f"{project_folder(workspace, project)}/run.json"
    writes = mirror.writes(head, workspace, project)[::-1]
    records = mirror.read_all([(written.sha, path) for written in writes])
    return [
        PastRun(parse(Run, record, what=f"{path} at {written.sha[:12]}"), written.sha, written.when)
        for written, record in zip(writes, records, strict=True)
        if record is not None
    ]

"""What is live of each project: the committed release beside what really runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitops_writer.stored import State, state_at
from pipeline.errors import PipelineError
from pipeline.preview.sync import Live
from pipeline.session import Session
from resources.record import Record

__all__ = ["ProjectStatus", "project_statuses"]


@dataclass(frozen=True, slots=True)
class ProjectStatus(Record):
    """One project: ``release`` is the committed one, ``running`` the one that runs; ``scan`` its weakest verdict.

    ``state`` is ``healthy``, ``unhealthy``, ``stopped``, or ``failed``: the committed one did not become healthy, and
    another one serves.
    """

    project: str
    release: str
    state: str
    running: str
    url: str
    host: str
    source: str
    commit: str
    run_id: str
    scan: str
    digests: dict[str, str]


def project_statuses(session: Session, project: str | None) -> list[ProjectStatus]:
    """Return the status of ``project``, or of every project of the workspace, by name.

    Raises PipelineError where ``project`` has no release.
    """
    workspace = session.config.workspace
    head = session.mirror.fetch()
    names = [project] if project else _projects(session.mirror.folders(head, f"tenants/{workspace}"))
    states = {name: state_at(session.mirror, head, workspace, name) for name in names}
    if project and states[project] is None:
        fix = "run `shipway status` to see the projects"
        raise PipelineError("project.unknown", f"{workspace} has no project {project}", fix=fix)
    return [_status(session, name, state) for name, state in states.items() if state is not None]


def _projects(folders: Iterable[str]) -> list[str]:
    names = (folder.rstrip("/").rpartition("/")[2] for folder in folders)
    return sorted(name for name in names if not name.startswith("_"))


def _status(session: Session, name: str, state: State) -> ProjectStatus:
    release = state.release
    live: Live | None = session.preview.live(name, release.host, release.health_path)
    verdicts = {image.scan for image in release.images.values()}
    return ProjectStatus(
        project=name,
        release=release.version,
        state=_state(live, release.version),
        running=live.release if live else "",
        url=live.url if live else "",
        host=release.host,
        source=release.source.repository,
        commit=release.source.commit,
        run_id=state.run.run_id,
        scan="unscanned" if "unscanned" in verdicts else "passed",
        digests={service: image.digest for service, image in release.images.items()},
    )


def _state(live: Live | None, committed: str) -> str:
    if live is None:
        return "stopped"
    return live.state if live.release == committed else "failed"

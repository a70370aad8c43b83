"""What the GitOps repository says now -> the workload to run: read from the commit alone, rendered with Helm."""

from __future__ import annotations

from gitops_writer.mirror import Mirror
from gitops_writer.records import Release
from gitops_writer.stored import manifests, state_at
from pipeline.errors import PipelineError
from pipeline.preview.workload import Workload, workload

__all__ = ["committed_workload"]


def committed_workload(mirror: Mirror, workspace: str, project: str) -> tuple[Release, Workload]:
    """Return the project's current release and its workload, as the remote's head has them.

    Raises PipelineError where the project has no release.
    """
    head = mirror.fetch()
    state = state_at(mirror, head, workspace, project)
    if head is None or state is None:
        fix = "run `shipway deploy` first; `shipway status` lists the projects"
        raise PipelineError("project.unknown", f"{workspace} has no project {project}", fix=fix)
    return state.release, workload(manifests(mirror, head, workspace, project))

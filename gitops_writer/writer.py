"""A draft and its run in, one commit in the GitOps repository out: compare-and-swap, recomputed on a lost race."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from gitops_writer.argo import Target
from gitops_writer.charts import chart_files, chart_version
from gitops_writer.desired import Order, desired_files, message
from gitops_writer.errors import GitopsError, RemoteError, Superseded
from gitops_writer.gate import ask
from gitops_writer.kubernetes_schema import DEFAULT_VERSION
from gitops_writer.mirror import Mirror
from gitops_writer.names import check_draft, check_project, check_run_id, check_version, version_number
from gitops_writer.records import Action, Checks, Commit, Draft, Release
from gitops_writer.render import numbered
from gitops_writer.stored import release_at, state_at, versions_at

__all__ = ["rollback", "write"]

# Other machines may win the race; this machine's writers queue at the mirror's lock.
TRIES = 40

Recompute = Callable[[str | None], Release]


def write(
    mirror: Mirror,
    draft: Draft,
    *,
    run_id: str,
    generation: int,
    checks: Checks,
    charts: Path | Traversable,
    action: Action = "deploy",
    target: Target | None = None,
    kubernetes: str = DEFAULT_VERSION,
) -> tuple[Commit, Release]:
    """Release ``draft`` under the next free version and return its commit and its record.

    Called again for the same ``run_id``, it changes nothing and returns the earlier commit. ``charts`` holds the
    packaged charts; ``target`` is the repository as Argo CD sees it (default: the mirror's remote). Raises Superseded
    if a newer run has written, GateRefused, GitopsError for bad input, RemoteError.
    """
    check_draft(draft)
    order = _order(mirror, draft.workspace, draft.project, run_id, generation, action, target, kubernetes)
    own = chart_files(charts, draft.chart.name)
    own_version = chart_version(charts, draft.chart.name)

    def recompute(head: str | None) -> Release:
        versions = versions_at(mirror, head, draft.workspace, draft.project)
        number = version_number(versions[-1]) + 1 if versions else 1
        return numbered(draft, f"v1.0.{number}")

    return _commit(mirror, order, recompute, checks, own if own_version == draft.chart.version else {})


def rollback(
    mirror: Mirror,
    workspace: str,
    project: str,
    *,
    to: str | None,
    run_id: str,
    generation: int,
    checks: Checks,
    action: Action = "rollback",
    target: Target | None = None,
    kubernetes: str = DEFAULT_VERSION,
) -> tuple[Commit, Release]:
    """Make an older release current again, byte for byte, and return the commit and the release.

    ``to`` is its version; None takes the release before the current one. Nothing is built, and the chart is the
    repository's own copy. Raises as ``write`` does, and GitopsError if there is no such release.
    """
    order = _order(mirror, workspace, project, run_id, generation, action, target, kubernetes)
    if to is not None:
        check_version(to)

    def recompute(head: str | None) -> Release:
        return _older_release(mirror, head, order, to)

    return _commit(mirror, order, recompute, checks, {})


def _order(
    mirror: Mirror,
    workspace: str,
    project: str,
    run_id: str,
    generation: int,
    action: Action,
    target: Target | None,
    kubernetes: str,
) -> Order:
    check_project(workspace, project)
    check_run_id(run_id)
    where = target or Target(mirror.remote, mirror.branch)
    return Order(workspace, project, run_id, generation, action, where, kubernetes)


def _commit(
    mirror: Mirror, order: Order, recompute: Recompute, checks: Checks, chart: Mapping[str, bytes]
) -> tuple[Commit, Release]:
    seen = mirror.fetch()
    earlier = _earlier(mirror, seen, order, made=None)
    if earlier is not None:
        return earlier
    # The registry may be slow to answer, and no other writer should wait for that.
    asked = recompute(seen)
    ask(asked, checks)
    made: str | None = None
    with mirror.locked():
        # Writers in other processes may have moved the mirror while this one waited; no network is needed to see that.
        head = mirror.head()
        for attempt in range(TRIES):
            earlier = None if head == seen else _earlier(mirror, head, order, made=made)
            if earlier is not None:
                return earlier
            seen = head
            release = recompute(head)
            if (release.images, release.host) != (asked.images, asked.host):
                ask(asked := release, checks)
            made = mirror.commit(head, desired_files(mirror, head, order, release, chart), message(order, release))
            if mirror.push(made, head):
                return Commit(made, order.run_id, release.version, changed=True), release
            time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))  # noqa: S311 - no secret
            head = mirror.fetch()
    raise RemoteError(
        "gitops.contended",
        f"{order.project} could not be written",
        why=f"other machines moved the branch {TRIES} times meanwhile",
        fix="run the same command again",
        retryable=True,
    )


def _earlier(mirror: Mirror, head: str | None, order: Order, *, made: str | None) -> tuple[Commit, Release] | None:
    """Return what this run has written already, or None; a newer run's writing raises Superseded.

    ``made`` is the commit that this call pushed without learning whether it arrived.
    """
    found = mirror.find_run(head, order.workspace, order.project, order.run_id)
    if found is not None:
        version = found.trailers.get("Release", "")
        release = release_at(mirror, found.sha, order.workspace, order.project, version)
        if release is not None:
            return Commit(found.sha, order.run_id, version, changed=found.sha == made), release
    state = state_at(mirror, head, order.workspace, order.project)
    if state is not None and state.run.generation >= order.generation:
        newer = state.run
        raise Superseded(
            f"run {order.run_id} of {order.project} came too late",
            why=f"run {newer.run_id} (generation {newer.generation}, {newer.action} of {newer.release}) has written;"
            f" this run is generation {order.generation}",
        )
    return None


def _older_release(mirror: Mirror, head: str | None, order: Order, to: str | None) -> Release:
    state = state_at(mirror, head, order.workspace, order.project)
    versions = versions_at(mirror, head, order.workspace, order.project)
    now = state.release.version if state else "none"
    wanted = to
    if wanted is None:
        older = [version for version in versions if version_number(version) < version_number(now)]
        wanted = older[-1] if older else None
    found = release_at(mirror, head, order.workspace, order.project, wanted) if wanted else None
    if found is None:
        if state is None:
            fix = "`shipway status` lists the projects"
            raise GitopsError("gitops.not_deployed", f"{order.workspace} has no project {order.project}", fix=fix)
        has = ", ".join(versions[-10:])
        raise GitopsError(
            "gitops.no_such_release",
            f"{order.project} has no release {to}" if to else f"{order.project} has no release before {now}",
            why=f"its releases are: {has}; current is: {now}",
            fix="choose one of them, or deploy",
        )
    return found

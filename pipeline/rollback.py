"""A rollback: an older release becomes current again by a new commit, and the preview follows. Nothing builds."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_writer.records import Commit, Release
from gitops_writer.writer import rollback as write_rollback
from pipeline.preview.committed import committed_workload
from pipeline.preview.sync import Live
from pipeline.runs.documents import CommitDocument
from pipeline.runs.events import Events
from pipeline.runs.folder import RunFolder, fingerprint
from pipeline.runs.ledger import Ledger
from pipeline.session import Session

__all__ = ["RollbackOutcome", "rollback"]


@dataclass(frozen=True, slots=True)
class RollbackOutcome:
    """What the rollback did."""

    run_id: str
    commit: Commit
    release: Release
    live: Live


def rollback(session: Session, folder: RunFolder, events: Events) -> RollbackOutcome:
    """Make the release that the run's spec names (``to``; without it the one before the current) current, and live.

    Raises GateRefused where its image has left the registry.
    """
    run, spec = folder.run, folder.run.spec
    ledger = Ledger(folder, events)
    inputs = fingerprint(spec, run.run_id)

    def make() -> CommitDocument:
        commit, release = write_rollback(
            session.mirror,
            spec.workspace,
            spec.project,
            to=str(spec.overrides["to"]) if "to" in spec.overrides else None,
            run_id=run.run_id,
            generation=run.generation,
            checks=session.checks,
        )
        events.emit("gitops", "progress", f"{release.version} is current again, by {commit.sha[:12]}")
        return CommitDocument("shipway/run/commit/v1", inputs, commit, release)

    document = ledger.once("gitops", "commit", CommitDocument, inputs, make)
    with ledger.entered("preview"):
        release, wanted = committed_workload(session.mirror, spec.workspace, spec.project)
        live = session.preview.sync(
            spec.project,
            release.version,
            wanted,
            timeout=session.config.health_timeout,
            on_line=lambda line: events.emit("preview", "log", line),
        )
    folder.update(state="deployed")
    return RollbackOutcome(run.run_id, document.commit, document.release, live)

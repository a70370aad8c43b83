"""Executes a request: the run begun or resumed, its events shown and spooled, its end recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gitops_writer.history import next_generation
from pipeline.config import Config
from pipeline.deploy import Outcome, deploy
from pipeline.errors import Terminated
from pipeline.progress import Mode, watching
from pipeline.rollback import RollbackOutcome, rollback
from pipeline.runs.begin import Request, begin, exclusive, rollback_spec, specify
from pipeline.runs.documents import Spec
from pipeline.runs.events import Events
from pipeline.runs.folder import RunFolder
from pipeline.session import Session
from pipeline.stages import Stages
from resources.errors import ShipwayError

__all__ = ["execute_deploy", "execute_rollback"]


def execute_deploy(request: Request, config: Config, *, mode: Mode, until: str) -> Outcome:
    """Run the stages of a deploy up to ``until``; the same unfinished request goes on where it stopped."""
    spec, target = specify(request, config)
    with _running(spec, config, mode, request.run_id) as (session, folder, events):
        return deploy(Stages(session, folder, events), target, run_id=folder.run.run_id, until=until)


def execute_rollback(
    project: str, config: Config, *, to: str | None, run_id: str | None, mode: Mode
) -> RollbackOutcome:
    """Make an older release of ``project`` live again."""
    spec = rollback_spec(config, project, to)
    with _running(spec, config, mode, run_id) as (session, folder, events):
        return rollback(session, folder, events)


@contextmanager
def _running(spec: Spec, config: Config, mode: Mode, run_id: str | None) -> Iterator[tuple[Session, RunFolder, Events]]:
    with exclusive(config, spec.project), watching(mode) as watcher:
        session = Session(config)

        def committed() -> int:
            return next_generation(session.mirror, spec.workspace, spec.project)

        folder = begin(spec, config, run_id=run_id, committed=committed)
        run = folder.run
        events = Events(folder.path / "events.jsonl", run=run.run_id, attempt=run.attempt, watcher=watcher)
        session.on_line = lambda line: events.emit("preview", "log", line)
        try:
            yield session, folder, events
        except ShipwayError as error:
            # A newer run has won: going on with this one could never end well, so that it is closed.
            folder.update(state="cancelled" if error.kind == "superseded" else "failed")
            raise
        except (KeyboardInterrupt, Terminated):
            events.emit("run", "failed", "interrupted; the same command goes on from here")
            raise

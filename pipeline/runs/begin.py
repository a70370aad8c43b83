"""Begins a run: what is to be deployed is resolved to a commit once, and the same unfinished request is resumed."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitops_writer.names import check_project
from gitops_writer.records import Action
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.git import Access
from pipeline.machine.home import claim
from pipeline.runs.documents import RunDocument, Spec
from pipeline.runs.folder import RunFolder, newest, unfinished
from pipeline.source import Target, parse_target, project_name, resolve, snapshot
from pipeline.work_tree import changes
from resources.record import to_json

__all__ = ["Request", "access_of", "begin", "exclusive", "rollback_spec", "specify"]

RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
KEPT_RUNS = 50


@dataclass(frozen=True, slots=True)
class Request:
    """What a person or a pipeline asked for; ``overrides`` beat the repository's ``shipway.yaml``."""

    target: str
    branch: str | None = None
    project: str | None = None
    host: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str | int] = field(default_factory=dict)
    dirty: bool = False
    run_id: str | None = None


def access_of(config: Config) -> Access:
    """Return how repositories are reached under ``config``."""
    return Access(config.git_username, config.git_token_file, config.git_allow_http)


def specify(request: Request, config: Config) -> tuple[Spec, Target]:
    """Return the run's spec, with the commit that the branch stands at now, and the target.

    Raises PipelineError where the target can't be read, or its work tree has uncommitted changes without ``dirty``.
    """
    target = parse_target(request.target, allow_http=config.git_allow_http)
    project = request.project or project_name(target)
    check_project(config.workspace, project)
    branch, commit = _pinned(target, project, request, config) or _position(target, request, config)
    spec = Spec(
        action="deploy",
        workspace=config.workspace,
        project=project,
        target=target.shown,
        branch=branch,
        commit=commit,
        dirty=request.dirty,
        env=request.env,
        host=(request.host or f"{project}.{config.base_domain}").lower().rstrip("."),
        overrides=request.overrides,
    )
    _refuse_odd_bytes(spec)
    return spec, target


def _refuse_odd_bytes(spec: Spec) -> None:
    try:
        to_json(spec).encode()
    except UnicodeEncodeError as error:
        why = f"{error.object[max(0, error.start - 40) : error.start]!r} is followed by a byte that is no text"
        fix = "use UTF-8 in paths, names and values"
        raise PipelineError("input.not_utf8", "the request isn't UTF-8 text", why=why, fix=fix) from error


def _pinned(target: Target, project: str, request: Request, config: Config) -> tuple[str, str] | None:
    """Return where the run of the request's id stands: a branch is resolved once a run, not once a call."""
    if request.run_id is None or not RUN_ID.fullmatch(request.run_id) or request.dirty:
        return None
    folder = RunFolder(config.home / "runs" / request.run_id)
    if not (folder.path / "run.json").is_file():
        return None
    spec = folder.run.spec
    same = (spec.workspace, spec.project, spec.target) == (config.workspace, project, target.shown)
    return (spec.branch or "HEAD", spec.commit) if same and request.branch in (None, spec.branch) else None


def _position(target: Target, request: Request, config: Config) -> tuple[str, str]:
    if request.dirty:
        if target.folder is None or not target.folder.is_dir():
            raise PipelineError("source.dirty_url", "--dirty is for a folder on this machine", fix="leave it out")
        with tempfile.TemporaryDirectory(prefix="shipway-dirty-") as scratch:
            return "uncommitted", snapshot(target.folder, Path(scratch) / "source.git")
    found = resolve(target, request.branch, access_of(config))
    if target.folder is not None and request.branch is None:
        changed = changes(target.folder)
        if changed:
            raise PipelineError(
                "source.dirty",
                f"{target.shown} has changes that aren't committed",
                why=", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else ""),
                fix="commit them, or deploy them as they are with --dirty",
            )
    return found


def begin(spec: Spec, config: Config, *, run_id: str | None, committed: Callable[[], int]) -> RunFolder:
    """Return the folder of a new run, or of the unfinished run that was asked for the same, as its next attempt.

    ``committed`` asks the GitOps repository for the next generation; it is called for a new run alone.
    Raises PipelineError where ``run_id`` names a run that was asked for something else.
    """
    claim(config.home)
    runs = config.home / "runs"
    if run_id is not None and not RUN_ID.fullmatch(run_id):
        raise PipelineError("run.id", f"{run_id!r} can't be a run's id", fix="use at most 64 of A-Z, a-z, 0-9, . _ -")
    folder = _named(runs, run_id, spec) if run_id else unfinished(runs, spec)
    if folder is not None:
        folder.sweep()
        run = folder.run
        folder.update(attempt=run.attempt + 1)
        return folder
    identity = run_id or f"r-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    folder = RunFolder(runs / identity)
    before = newest(runs, spec.workspace, spec.project)
    generation = max(committed(), before.run.generation + 1 if before else 1)
    folder.start(RunDocument("shipway/run/v1", identity, generation, 1, "queued", spec, {}))
    _forget_old(runs)
    return folder


def _named(runs: Path, run_id: str, spec: Spec) -> RunFolder | None:
    folder = RunFolder(runs / run_id)
    if not (folder.path / "run.json").is_file():
        return None
    if folder.run.spec != spec:
        fix = "give each request a run id of its own"
        raise PipelineError("run.other_request", f"run {run_id} was asked for something else", fix=fix)
    return folder


def _forget_old(runs: Path) -> None:
    ages = []
    for file in runs.glob("*/run.json"):
        # Another run may be forgetting the same ones.
        with suppress(FileNotFoundError):
            ages.append((file.parent.stat().st_mtime, file.parent))
    for _, folder in sorted(ages)[:-KEPT_RUNS]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exclusive(config: Config, project: str) -> Iterator[None]:
    """Hold the one active run of ``project`` on this machine; raises PipelineError where another one goes on."""
    import fcntl

    claim(config.home)
    folder = config.home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"run-{config.workspace}-{project}").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PipelineError(
                "run.active",
                f"another run of {project} is under way on this machine",
                fix="wait until it has ended, then run the same command again",
                kind="superseded",
                retryable=True,
            ) from None
        yield


def rollback_spec(config: Config, project: str, to: str | None, *, action: Action = "rollback") -> Spec:
    """Return the spec of a rollback of ``project`` to the release ``to`` (None: the one before the current)."""
    check_project(config.workspace, project)
    overrides: dict[str, str | int] = {"to": to} if to else {}
    return Spec(action, config.workspace, project, "", None, "", False, {}, "", overrides)

"""The demonstration: a repository deployed on this machine, then changed, then rolled back; every step timed.

The repository is a bare one of the demo's own: nobody's working folder is touched.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.git import Access, hardened
from pipeline.progress import watching
from pipeline.runs.events import Events
from pipeline.runs.folder import RunFolder, write_atomically

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.deploy import Outcome
    from pipeline.preview.sync import Live
    from pipeline.progress import Mode

__all__ = ["Demo", "Result", "changed", "imported"]

VERSION = re.compile(rb"(VERSION[^\n]{0,40}[\"'])v1([\"'])")
BRANCH = "main"


@dataclass(slots=True)
class Result:
    """What the demo found, as ``.demo/result.json`` has it; times are seconds of wall time."""

    url: str = ""
    releases: list[str] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)
    change_to_live_seconds: float | None = None
    rollback_seconds: float | None = None

    def document(self) -> bytes:
        """Return the result as JSON."""
        names = ("url", "releases", "stages", "change_to_live_seconds", "rollback_seconds")
        return json.dumps({name: getattr(self, name) for name in names}, indent=2).encode() + b"\n"


class Demo:
    """One demonstration in ``folder`` (``.demo``); ``say`` prints a line for people."""

    def __init__(self, folder: Path, config: Config, *, mode: Mode, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._config = config
        self._mode: Mode = mode
        self._say = say
        self.result = Result()

    def prepare(self) -> None:
        """Get what the machine lacks and start the embedded parts."""
        from pipeline.machine import doctor, embedded

        home = self._config.home
        with self._timed("machine") as log:
            findings = doctor.doctor(home)
            if any(not one.found for one in findings):
                doctor.install(findings, home, on_line=log)
        with self._timed("local"):
            engine = embedded.engine(home, start=True)
            embedded.registry(home)
            embedded.gitops(home)
        self._say("container engine: " + ("our own, under the demo's folder" if engine.owned else engine.docker_host))

    def provide_bases(self) -> None:
        """Make the router's base image where no container registry can be reached; the app's follows with its build."""
        from pipeline.session import ROUTER_BASE, Session

        session = Session(self._config)
        if session.offline:
            self._say("no container registry is reachable: base images are made from Debian packages, once")
        with self._timed("base-images") as log:
            session.provide_bases({ROUTER_BASE}, log)

    def deploy(self, repository: Path, project: str, branch: str) -> Live:
        """Deploy ``branch`` of ``repository``, show what it answers, and keep the stages' times."""
        outcome = self._deploy(repository, project, branch)
        seconds = RunFolder(self._config.home / "runs" / outcome.run_id).run.seconds
        self.result.stages += [{"name": name, "seconds": value} for name, value in seconds.items()]
        return self._shown(outcome)

    def change(self, repository: Path, project: str, branch: str) -> Live:
        """Commit a change to ``repository`` and deploy it as the next release."""
        started = time.monotonic()
        self._say(f"changed: {changed(repository, branch)}")
        outcome = self._deploy(repository, project, branch)
        self.result.change_to_live_seconds = round(time.monotonic() - started, 3)
        return self._shown(outcome)

    def rollback(self, project: str, release: str) -> None:
        """Bring ``release`` back."""
        from pipeline.runs.execute import execute_rollback

        started = time.monotonic()
        outcome = execute_rollback(project, self._config, to=release, run_id=None, mode=self._mode)
        self.result.rollback_seconds = round(time.monotonic() - started, 3)
        self._say(f"{outcome.release.version} answers: {_answer(outcome.live)}")

    def write_result(self) -> Path:
        """Write ``result.json`` and return its path."""
        file = self._folder / "result.json"
        write_atomically(file, self.result.document())
        return file

    def _deploy(self, repository: Path, project: str, branch: str) -> Outcome:
        from pipeline.runs.begin import Request
        from pipeline.runs.execute import execute_deploy

        request = Request(target=str(repository), branch=branch, project=project)
        return execute_deploy(request, self._config, mode=self._mode, until="preview")

    def _shown(self, outcome: Outcome) -> Live:
        live = outcome.live
        if live is None:
            fix = "run the same command again; `shipway status` shows what runs"
            raise PipelineError("demo.not_live", "the app isn't live", fix=fix, kind="outside")
        self.result.url = live.url
        self.result.releases.append(live.release)
        self._say(f"{live.release} answers: {_answer(live)}")
        return live

    @contextmanager
    def _timed(self, stage: str) -> Iterator[Callable[[str], None]]:
        """Show and time one step as the stages of a deploy are; give what takes its log lines."""
        with watching(self._mode) as watcher:
            events = Events(None, run="demo", attempt=1, watcher=watcher)
            started = time.monotonic()
            events.emit(stage, "started")
            yield lambda line: events.emit(stage, "log", line)
            seconds = round(time.monotonic() - started, 3)
            events.emit(stage, "finished", seconds=seconds)
        self.result.stages.append({"name": stage, "seconds": seconds})


def imported(source: Path, into: Path) -> Path:
    """Return a bare repository at ``into`` whose branch ``main`` holds the files of the folder ``source``."""
    from pipeline.source import snapshot

    shutil.rmtree(into, ignore_errors=True)
    commit = snapshot(source.resolve(), into)
    with hardened(into) as git:
        git.call("update-ref", f"refs/heads/{BRANCH}", commit)
        git.call("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    return into


def cloned(target: str, branch: str | None, access: Access, into: Path) -> str:
    """Fetch the tip of ``branch`` of ``target`` into a fresh bare repository ``into``; return the branch's name."""
    from pipeline.source import fetch, parse_target, resolve

    parsed = parse_target(target, allow_http=access.allow_http)
    name, commit = resolve(parsed, branch, access)
    shutil.rmtree(into, ignore_errors=True)
    fetch(parsed, commit, name, into, access)
    with hardened(into) as git:
        git.call("update-ref", f"refs/heads/{name}", commit)
        git.call("symbolic-ref", "HEAD", f"refs/heads/{name}")
    return name


def changed(repository: Path, branch: str) -> str:
    """Commit a change on ``branch`` and return what changed: ``VERSION = "v1"`` becomes v2, else a file is added."""
    from pipeline.git_tree import read_tree

    with hardened(repository) as git:
        head = git.call("rev-parse", f"refs/heads/{branch}").strip()
        tree = read_tree(repository, head)
        path, content, mode = "shipway-demo.txt", b"a change\n", "100644"
        for name in tree.paths:
            entry = tree.entries[name]
            if name.endswith((".py", ".js", ".ts", ".tsx", ".java")) and entry.size < 65536:
                data = tree.read(name)
                if VERSION.search(data):
                    path, content, mode = name, VERSION.sub(rb"\1v2\2", data), entry.mode
                    break
        blob = git.bytes("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        git.call("read-tree", head)
        git.call("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")
        new = git.call("write-tree").strip()
        who = ("-c", "user.name=shipway", "-c", "user.email=shipway@localhost")
        commit = git.call(*who, "commit-tree", "-p", head, "-m", "a change", new).strip()
        git.call("update-ref", f"refs/heads/{branch}", commit, head)
    return f"{path} in commit {commit[:12]}"


def _answer(live: Live) -> str:
    """Return the first line that the app answers at its own host name."""
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=10)
    host = live.url.split("/")[2]
    try:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read(2000).decode("utf-8", "replace").strip()
    finally:
        connection.close()
    return f"{answer.status} {body.splitlines()[0][:120] if body else ''}".strip()

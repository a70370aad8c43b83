"""A persistent bare mirror of the GitOps repository: git plumbing, no work tree, each call under a time limit."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from gitops_writer.errors import GitopsError, RemoteError
from gitops_writer.fast_import import commit_stream
from gitops_writer.git_output import LOG_FORMAT, Written, batch, log, words
from gitops_writer.layout import project_folder
from gitops_writer.lock import HostLock
from gitops_writer.process_group import limited

__all__ = ["Mirror"]

NETWORK_SECONDS = 120.0
LOCAL_SECONDS = 60.0
PUSH_TRIES = 3
# What Popen calls PIPE.
STDIN_PIPE = -1
NO_COMMIT = "0" * 40
MARKER = "shipway-mirror"
BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
PASSWORD = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/@]*:[^/@]*@")
# The machine's own git configuration must change nothing, and nobody can answer a prompt.
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "LC_ALL": "C",
}
SETTINGS = {
    "core.hooksPath": os.devnull,
    "gc.autoDetach": "false",
    "fetch.writeCommitGraph": "true",
}


@dataclass(frozen=True, slots=True)
class _Done:
    status: int
    output: bytes
    errors: str


class Mirror:
    """The branch ``branch`` of ``remote``, mirrored in ``folder``; ``lock`` makes this machine's writers queue.

    ``env`` is added to git's environment: credentials come that way (GIT_ASKPASS, GIT_SSH_COMMAND), never in argv.
    """

    def __init__(self, remote: str, branch: str, folder: Path, *, env: Mapping[str, str] | None = None, lock: Path):
        """Check the names; nothing is read or made yet. Raises GitopsError."""
        if not remote or remote.startswith("-") or not remote.isprintable() or PASSWORD.match(remote):
            raise _bad("the GitOps remote", "it holds a password, or isn't a URL or a path")
        if not BRANCH.fullmatch(branch) or ".." in branch or branch.endswith((".lock", ".")):
            raise _bad("the GitOps branch", f"{ascii(branch)[:100]} isn't a plain branch name")
        # git runs inside the mirror's folder, where a relative path would mean something else.
        self.remote = str(Path(remote).absolute()) if Path(remote).is_dir() else remote
        self.branch, self.folder = branch, folder.absolute()
        self._environment = {**ENVIRONMENT, **(env or {})}
        self._lock = HostLock(lock)
        self._ref = f"refs/heads/{branch}"

    def locked(self) -> AbstractContextManager[None]:
        """Hold this machine's write lock; nests."""
        return self._lock.held()

    def head(self) -> str | None:
        """Return the branch's commit as the mirror knows it, or None; asks no network."""
        with self.locked():
            self._prepare()
            done = self._git("rev-parse", "--verify", "--quiet", f"{self._ref}^{{commit}}")
        return done.output.decode().strip() or None

    def fetch(self) -> str | None:
        """Bring the mirror up to date and return the branch's commit, or None while the remote has no such branch.

        A mirror that is broken is built again. Raises RemoteError if the remote can't be reached.
        """
        with self.locked():
            self._prepare()
            if self._fetch().status == 0:
                return self.head()
            there = self._remote_head()
            if there is None:
                self._git("update-ref", "-d", self._ref)
                return None
            if self._fetch().status != 0:
                self._rebuild()
            return self.head()

    def read(self, commit: str | None, path: str) -> bytes | None:
        """Return the file at ``path`` in ``commit``, or None."""
        return self.read_all([(commit, path)])[0] if commit else None

    def read_all(self, wanted: Sequence[tuple[str | None, str]]) -> Sequence[bytes | None]:
        """Return the file of each (commit, path), or None where there is none; one process for all."""
        names = [f"{commit or NO_COMMIT}:{path}" for commit, path in wanted]
        if not names:
            return []
        if any("\n" in name for name in names):
            raise _bad("a path", "it holds a line break")
        done = self._git("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        return tuple(batch(self._ok(done, "the mirror can't be read").output, len(names)))

    def list(self, commit: str | None, prefix: str) -> Sequence[str]:
        """Return the paths of all files below the folder ``prefix`` in ``commit``, sorted."""
        return self._names(commit, prefix, "-r")

    def folders(self, commit: str | None, prefix: str) -> Sequence[str]:
        """Return the names of the folders directly in ``prefix``, sorted."""
        return [Path(path).name for path in self._names(commit, prefix, "-d")]

    def commit(self, parent: str | None, files: Mapping[str, bytes | None], message: str) -> str:
        """Make a commit on ``parent`` with ``files`` changed (None takes one away) and return its id; no ref moves."""
        author = ("Shipway <shipway@localhost>", int(time.time()))
        with self.locked():
            self._prepare()
            stream = commit_stream(parent, files, message, author)
            # fast-import's own settings: a small commit stays loose objects, which a fetch packs in time.
            done = self._git("fast-import", "--quiet", "--done", stdin=stream)
            sha = self._ok(done, "the commit can't be made").output.decode().strip()
        if not re.fullmatch("[0-9a-f]{40}([0-9a-f]{24})?", sha):
            raise _local("the commit can't be made", f"git fast-import answered {ascii(sha)[:100]}")
        return sha

    def push(self, sha: str, expected: str | None) -> bool:
        """Move the remote's branch from ``expected`` (None: it doesn't exist) to ``sha``; False if it moved meanwhile.

        What happened is asked of the remote, not read from git's words: an answer that was lost, and a lock that
        another push held, come out right. Raises RemoteError with git's words if the remote refused or is gone.
        """
        with self.locked():
            for attempt in range(PUSH_TRIES):
                done = self._push(sha, expected)
                there = sha if done.status == 0 else self._remote_head()
                if there == sha:
                    self._git("update-ref", self._ref, sha)
                    return True
                if there != expected:
                    return False
                # Nothing moved: refused, or another push held the ref's lock and then gave up.
                time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311 - no secret
        raise _refused(done)

    def find_run(self, head: str | None, workspace: str, project: str, run_id: str) -> Written | None:
        """Return the commit that the run ``run_id`` wrote, at or below ``head``, or None."""
        grep = f"^Run-Id: {re.escape(run_id)}$"
        for written in self.writes(head, workspace, project, "--extended-regexp", f"--grep={grep}"):
            if written.trailers.get("Run-Id") == run_id:
                return written
        return None

    def writes(self, head: str | None, workspace: str, project: str, *options: str) -> Sequence[Written]:
        """Return the commits that wrote the project's ``run.json``, newest first."""
        if head is None:
            return []
        path = f"{project_folder(workspace, project)}/run.json"
        done = self._git("log", f"--format={LOG_FORMAT}", *options, head, "--", path)
        return tuple(log(self._ok(done, "the history can't be read").output.decode("utf-8", "replace")))

    def _names(self, commit: str | None, prefix: str, *options: str) -> Sequence[str]:
        if commit is None:
            return []
        done = self._git("ls-tree", "-z", "--name-only", *options, commit, "--", f"{prefix.rstrip('/')}/")
        names = self._ok(done, "the mirror can't be read").output.decode("utf-8", "surrogateescape")
        return sorted(name for name in names.split("\0") if name)

    def _prepare(self) -> None:
        if (self.folder / MARKER).exists():
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            raise _local(f"{self.folder} can't be used for the mirror", "it holds something else")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ok(self._git("init", "--quiet", "--bare", f"--initial-branch={self.branch}", "."), "no mirror was made")
        for name, value in SETTINGS.items():
            self._ok(self._git("config", name, value), "the mirror can't be set up")
        (self.folder / MARKER).touch()

    def _rebuild(self) -> None:
        # The remote answers and has the branch, so the fault lies in the mirror: all it holds is in the remote.
        shutil.rmtree(self.folder)
        self._prepare()
        done = self._fetch()
        if done.status != 0:
            raise _unreachable(done.errors)

    def _fetch(self) -> _Done:
        refspec = f"+{self._ref}:{self._ref}"
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        return self._git("fetch", *options, "--", self.remote, refspec, limit=NETWORK_SECONDS)

    def _push(self, sha: str, expected: str | None) -> _Done:
        lease = f"--force-with-lease={self._ref}:{expected or ''}"
        options = ("--quiet", "--porcelain", "--no-verify", lease)
        return self._git("push", *options, "--", self.remote, f"{sha}:{self._ref}", limit=NETWORK_SECONDS)

    def _remote_head(self) -> str | None:
        done = self._git("ls-remote", "--quiet", "--", self.remote, self._ref, limit=NETWORK_SECONDS)
        if done.status != 0:
            raise _unreachable(done.errors)
        found = [line.split("\t") for line in done.output.decode("utf-8", "replace").splitlines()]
        return next((sha for sha, *name in found if name == [self._ref]), None)

    def _ok(self, done: _Done, what: str) -> _Done:
        if done.status != 0:
            raise _local(what, done.errors)
        return done

    def _git(self, *arguments: str, stdin: bytes = b"", limit: float = LOCAL_SECONDS) -> _Done:
        from git.cmd import Git
        from git.exc import GitCommandNotFound

        # A variable such as GIT_DIR in our own environment would turn git to another repository.
        foreign = [name for name in os.environ if name.startswith("GIT_") and name not in self._environment]
        unset = ["env", *(part for name in foreign for part in ("-u", name))] if foreign else []
        command = [*unset, "git", f"--git-dir={self.folder}", *arguments]
        # GitPython's own kill_after_timeout finds children by `ps`, which small images lack: a group needs no search.
        try:
            process = Git(self.folder).execute(
                command, istream=STDIN_PIPE, as_process=True, env=self._environment, start_new_session=True
            )
        except GitCommandNotFound as error:
            raise _local("git could not be started", str(error)) from error
        with limited(process.pid, limit) as late:
            output, errors = process.communicate(stdin)
        why = f"git {arguments[0]} took longer than {limit:g} seconds" if late.is_set() else words(errors)
        return _Done(process.returncode or (1 if late.is_set() else 0), output, why)


def _bad(what: str, why: str) -> GitopsError:
    return GitopsError("gitops.bad_input", f"{what} can't be used", why=why, fix="correct it in the configuration")


def _local(what: str, why: str) -> RemoteError:
    fix = "look at the folder of the mirror; it may be deleted, it is built again from the remote"
    return RemoteError("gitops.mirror", what, why=why, fix=fix, retryable=False)


def _unreachable(why: str) -> RemoteError:
    fix = "check the remote's address, the network and the credentials, then run the same command again"
    return RemoteError("gitops.unreachable", "the GitOps repository can't be reached", why=why, fix=fix, retryable=True)


def _refused(done: _Done) -> RemoteError:
    status = [line for line in done.output.decode("utf-8", "replace").splitlines() if line.startswith("!")]
    why = "\n".join(part for part in (done.errors, *(line.replace("\t", " ") for line in status)) if part)
    fix = "ask the repository's owner to let this account push to the branch, then run the same command again"
    # A status line means that the remote itself answered no; without one the connection broke.
    return RemoteError(
        "gitops.push_refused", "the GitOps repository refused the commit", why=why, fix=fix, retryable=not status
    )

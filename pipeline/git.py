"""Git for hostile repositories: limits on time and output, no hooks, no configuration but ours, few protocols."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.process import Completed, base_environment, run
from pipeline.errors import PipelineError

__all__ = ["FETCH_SECONDS", "Access", "Blobs", "GitFailed", "Hardened", "hardened"]

QUICK_SECONDS = 60
FETCH_SECONDS = 600
OUTPUT_BYTES = 64 * 1024 * 1024
PIPE = -1
# Of the person's own environment: the agent that holds the keys, and the authorities of a company network.
PASSED = ("SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "USER", "LOGNAME")


class GitFailed(PipelineError):  # noqa: N818 - it reads as what happened; callers translate it
    """A git command failed; ``told`` is what git said. Callers that know more say more."""

    def __init__(self, told: str) -> None:
        """Keep git's own words."""
        fix = "look at what git says, then run the same command again"
        super().__init__("git.failed", "a git command failed", why=told, fix=fix, kind="outside", retryable=True)
        self.told = told


@dataclass(frozen=True, slots=True)
class Access:
    """How a remote is reached: a token in a file, and whether plain http is allowed beyond this machine."""

    username: str | None = None
    token_file: Path | None = None
    allow_http: bool = False
    trusted_folder: str | None = None


@dataclass(frozen=True, slots=True)
class Hardened:
    """A git command in ``folder`` with a closed environment."""

    folder: Path
    env: Mapping[str, str]

    def call(self, *args: str, seconds: int = QUICK_SECONDS) -> str:
        """Run ``git args`` and return its output as text; raises GitFailed."""
        return self.bytes(*args, seconds=seconds).decode("utf-8", "surrogateescape")

    def bytes(self, *args: str, seconds: int = QUICK_SECONDS, stdin: bytes = b"", limit: int = OUTPUT_BYTES) -> bytes:
        """Run ``git args`` with ``stdin`` and return its raw output, at most ``limit`` bytes; raises GitFailed."""
        done = run(
            ["git", *args],
            cwd=self.folder,
            env=self.env,
            timeout=seconds,
            stdin=stdin,
            limit_bytes=limit,
            stop_at_limit=True,
        )
        if done.returncode != 0 or done.timed_out or done.overflowed:
            raise GitFailed(_told(done, seconds, limit))
        return done.output


def _told(done: Completed, seconds: int, limit: int) -> str:
    if done.overflowed:
        return f"git printed more than {limit} bytes"
    if done.timed_out:
        return f"git took longer than {seconds} seconds"
    return done.error_text.strip() or f"git ended with {done.returncode}"


@contextmanager
def hardened(folder: Path, access: Access | None = None) -> Iterator[Hardened]:
    """Give git commands in ``folder`` whose configuration is ours alone, and whose credentials are in no argv."""
    access = access or Access()
    with tempfile.TemporaryDirectory(prefix="shipway-git-") as private:
        yield Hardened(folder, _environment(access, Path(private)))


class Blobs:
    """Reads blobs of the bare repository ``folder`` through one git process, each within a time limit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._process: Any = None

    def read(self, oid: str) -> bytes:
        """Return the content of the blob ``oid``; raises GitFailed."""
        process = self._started()
        watchdog = threading.Timer(QUICK_SECONDS, process.proc.kill)
        watchdog.start()
        try:
            process.stdin.write(f"{oid}\n".encode())
            process.stdin.flush()
            head = process.stdout.readline().split()
            if len(head) != 3:
                raise GitFailed(f"git has no object {oid}")
            content: bytes = process.stdout.read(int(head[2]))
            process.stdout.read(1)
        except OSError as error:
            raise GitFailed(str(error)) from error
        finally:
            watchdog.cancel()
        return content

    def _started(self) -> Any:
        from git import Git

        if self._process is None:
            self._private = tempfile.TemporaryDirectory(prefix="shipway-git-")
            env = _environment(Access(), Path(self._private.name))
            # GitPython adds to our own environment, where a GIT_DIR would turn git to another repository.
            foreign = [name for name in os.environ if name.startswith("GIT_") and name not in env]
            unset = ["env", *(part for name in foreign for part in ("-u", name))] if foreign else []
            argv = [*unset, "git", "cat-file", "--batch"]
            self._process = Git(self._folder).execute(argv, as_process=True, istream=PIPE, env=env)
        return self._process


def _environment(access: Access, private: Path) -> dict[str, str]:
    settings = {
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "core.symlinks": "true",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "credential.helper": "",
        "http.followRedirects": "false",
        "fetch.recurseSubmodules": "false",
        "filter.lfs.smudge": "",
        "filter.lfs.process": "",
        "protocol.version": "2",
    }
    own = private / "config"
    # In a file: git hides the settings of the environment from the program at the other end of a local fetch.
    own.write_text("[safe]\n\tdirectory = *\n" if access.trusted_folder else "", encoding="utf-8")
    env = {f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(settings)}
    env |= {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(settings.values())}
    return {
        **base_environment(**{name: os.environ[name] for name in PASSED if name in os.environ}),
        **env,
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": str(own),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file:http",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ASKPASS": str(_askpass(access, private)),
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        # The commits that we make of uncommitted files have the same id for the same files.
        "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_DATE": "1700000000 +0000",
        "LC_ALL": "C.UTF-8",
    }


def _askpass(access: Access, private: Path) -> Path:
    """Write the program that git asks for a user name and a password; the token stays in its file."""
    script = private / "askpass"
    user, token = private / "username", private / "token"
    user.write_text(access.username or "git", encoding="utf-8")
    token.write_text(_token(access.token_file) if access.token_file else "", encoding="utf-8")
    token.chmod(0o600)
    answer = f'case "$1" in Username*) cat "{user}" ;; *) cat "{token}" ;; esac' if access.token_file else "exit 1"
    script.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    script.chmod(0o700)
    return script


def _token(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fix = "give a readable text file that holds the token and nothing else"
        raise PipelineError(
            "git.token_file", f"the token file {file} can't be read", why=str(error), fix=fix
        ) from error

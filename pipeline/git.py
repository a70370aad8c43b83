"""Git for hostile repositories: GitPython under time limits, no hooks, no machine configuration, few protocols."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from git import Git

__all__ = ["FETCH_SECONDS", "Access", "Blobs", "GitFailed", "Hardened", "hardened"]

QUICK_SECONDS = 60
PIPE = -1
FETCH_SECONDS = 600


class GitFailed(Exception):  # noqa: N818 - it reads as what happened; callers translate it
    """A git command failed; ``told`` is what git said."""

    def __init__(self, told: str) -> None:
        """Keep git's own words."""
        super().__init__(told)
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

    command: Git
    env: Mapping[str, str] = field(default_factory=dict)

    def call(self, *args: str, seconds: int = QUICK_SECONDS) -> str:
        """Run ``git args`` and return its output as text; raises GitFailed."""
        return self.bytes(*args, seconds=seconds).decode("utf-8", "surrogateescape")

    def bytes(self, *args: str, seconds: int = QUICK_SECONDS, stdin: bytes = b"") -> bytes:
        """Run ``git args`` with ``stdin`` and return its raw output."""
        from git import GitCommandError

        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            try:
                output = self.command.execute(
                    ["git", *args],
                    istream=source,
                    env=dict(self.env),
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                    kill_after_timeout=seconds,
                )
            except GitCommandError as error:
                raise GitFailed(_words(error.stderr)) from error
        return output if isinstance(output, bytes) else str(output).encode()


@contextmanager
def hardened(folder: Path, access: Access | None = None) -> Iterator[Hardened]:
    """Give git commands in ``folder`` whose configuration is ours alone, and whose credentials are in no argv."""
    from git import Git

    access = access or Access()
    with tempfile.TemporaryDirectory(prefix="shipway-git-") as private:
        yield Hardened(Git(folder), _environment(access, Path(private)))


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
            argv = ["git", "cat-file", "--batch"]
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
    if access.trusted_folder:
        settings["safe.directory"] = access.trusted_folder
    env = {f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(settings)}
    env |= {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(settings.values())}
    return {
        **env,
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file:http",
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
    token.write_text(
        access.token_file.read_text(encoding="utf-8").strip() if access.token_file else "", encoding="utf-8"
    )
    token.chmod(0o600)
    answer = f'case "$1" in Username*) cat "{user}" ;; *) cat "{token}" ;; esac' if access.token_file else "exit 1"
    script.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    script.chmod(0o700)
    return script


def _words(stderr: object) -> str:
    text = stderr.decode("utf-8", "replace") if isinstance(stderr, bytes) else str(stderr)
    return text.strip().removeprefix("stderr:").strip().strip("'").strip()

"""Command lines that people write (npm scripts, Procfiles, shipway.yaml) as argv; pure, nothing is run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

__all__ = ["Command", "parse_command"]

LONGEST = 2000
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_PORT = re.compile(r"\$PORT\b|\$\{PORT(?::?-(\d+))?\}")
_SHELL = re.compile(r"[;&|<>`\n*?~!()#]|\$[^{]|\$\{(?!PORT)|(?:^|\s)(?:cd|export|source|exec|if|for|\.)\s")
_LAUNCHERS = {"cross-env", "cross-env-shell", "env", "exec", "npx", "bunx"}


@dataclass(frozen=True, slots=True)
class Command:
    """``argv`` without the environment ``env`` set before it; ``needs_shell`` tells that argv is a shell's."""

    argv: tuple[str, ...]
    env: tuple[str, ...]
    needs_shell: bool

    def run(self) -> tuple[str, ...]:
        """Return the argv that runs the command with its environment."""
        # The plan sets this one for every Node service.
        env = tuple(item for item in self.env if item != "NODE_ENV=production")
        return ("env", *env, *self.argv) if env else self.argv


def parse_command(text: str, *, port: int | None = None) -> Command | None:
    """Return ``text`` as a command, or None if it is empty, too long or no sensible line.

    ``$PORT`` and ``${PORT}`` become ``${PORT:-N}`` with the default of the framework, ``port``. A line that needs a
    shell (pipes, several commands, other variables) becomes ``sh -c``.
    """
    line = text.strip()
    if not line or len(line) > LONGEST or not line.isprintable():
        return None
    line = _PORT.sub(lambda match: f"${{PORT:-{match[1] or port or 8080}}}", line)
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if _SHELL.search(_unquoted(line)):
        return Command(("sh", "-c", line), (), needs_shell=True)
    env, argv = _environment(words)
    return Command(argv, env, needs_shell=False) if argv else None


def _unquoted(line: str) -> str:
    """Return ``line`` without what single quotes keep from the shell."""
    return re.sub(r"'[^']*'", "", line)


def _environment(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    env: list[str] = []
    at = 0
    while at < len(words) and (_ASSIGNMENT.fullmatch(words[at]) or words[at] in _LAUNCHERS):
        if words[at] not in _LAUNCHERS:
            env.append(words[at])
        at += 1
    while env and at < len(words) and words[at] == "--":
        at += 1
    return tuple(env), tuple(words[at:])

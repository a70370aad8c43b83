"""Writes values as Dockerfile words that mean exactly the value, whoever chose it; what can't be written is refused."""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from shlex import quote

from pipeline.artifacts import Copy, Run
from pipeline.plans.errors import PlanError

__all__ = [
    "checked",
    "command",
    "comment",
    "copy_words",
    "env_words",
    "exec_form",
    "matching",
    "shell",
    "user",
]

CACHE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]*")
PATH = re.compile(r"/[A-Za-z0-9._/-]*")
SIGNAL = re.compile(r"SIG[A-Z0-9]+")
STAGE = re.compile(r"[a-z][a-z0-9-]*")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_PORT = re.compile(r"\$\{PORT:-([0-9]{1,5})\}")
_PLAIN_COPY = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/+@-]*")
_FILE_PATTERN = re.compile(r"[*?\[\]\\]|^!")
_PROGRAM = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")
_SHELL_WORDS = frozenset(
    "if then else elif fi case esac for while until do done in function select time".split()  # noqa: SIM905
)
# A script that the Dockerfile's own parser sees as the shell will: no flag, no JSON, no continuation, no here-document.
_PLAIN_SCRIPT = re.compile(r"[A-Za-z](?!.*<<).*[^\\\s]")
# Characters that reorder what a person reads; a control character may also end the line.
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def checked(value: str) -> str:
    """Return ``value``; raises PlanError if it holds a control character, a line break or a reordering mark."""
    if any(character in _BIDI or unicodedata.category(character) in _REFUSED for character in value):
        raise _refusal(value, "control characters, line breaks and reordering marks can't be written safely")
    return value


def matching(value: str, pattern: re.Pattern[str], what: str) -> str:
    """Return ``value`` if all of it matches ``pattern``; raises PlanError naming ``what``."""
    if not pattern.fullmatch(value):
        raise _refusal(value, f"it isn't a {what}")
    return value


def user(number: int) -> str:
    """Return ``number`` as user and group; raises PlanError for root."""
    if number < 1:
        raise _refusal(str(number), "an image never runs as root")
    return f"{number}:{number}"


def comment(text: str) -> str:
    """Return ``text`` as comment lines of at most 110 columns. It can't be a parser directive: it is never first."""
    lines = textwrap.wrap(checked(text), width=108, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"# {line}" for line in lines)


def exec_form(argv: Sequence[str]) -> str:
    """Return ``argv`` as a JSON array, which no shell and no expansion touches."""
    return json.dumps([checked(word) for word in argv], ensure_ascii=False)


def command(start: Sequence[str]) -> str:
    """Return the start command as a JSON array; through ``sh -c exec`` only if it holds ``${PORT:-N}``.

    Raises PlanError if ``start`` is empty.
    """
    if not start:
        raise _refusal("", "a start command needs at least one word")
    if not any(_PORT.search(word) for word in start):
        return exec_form(start)
    return exec_form(("sh", "-c", " ".join(("exec", *map(_with_port, start)))))


def _with_port(word: str) -> str:
    """Quote ``word`` for the shell, leaving ``${PORT:-N}`` for it to expand."""
    parts = _PORT.split(word)
    texts = [quote(part) if part else "" for part in parts[0::2]]
    ports = [f'"${{PORT:-{number}}}"' for number in parts[1::2]]
    return "".join(text + port for text, port in zip(texts, [*ports, ""], strict=True)) or "''"


def shell(step: Run) -> str:
    """Return the shell form of ``step``: each argument quoted; the script of a ``sh -c`` stands for itself."""
    if not step.argv:
        raise _refusal("", "a step needs at least one word")
    for word in step.argv:
        checked(word)
    variables = [
        f"{matching(name, ENV_NAME, 'variable name')}={quote(checked(value))}"
        for name, value in sorted((step.env or {}).items())
    ]
    is_script = len(step.argv) == 3 and step.argv[:2] == ("sh", "-c")
    if is_script and not variables and _PLAIN_SCRIPT.fullmatch(step.argv[2]):
        return _on_lines(step.argv[2])
    return " ".join((*variables, _program(step.argv[0]), *map(quote, step.argv[1:])))


def _on_lines(script: str) -> str:
    """Break ``script`` before each command that ``&&`` adds, for people; not where a quoted text might hold it."""
    return script if re.search("['\"]", script) else script.replace(" && ", " && \\\n    ")


def _program(word: str) -> str:
    """Quote the first word also where the shell or the Dockerfile would see a keyword, an assignment or a flag."""
    plain = _PROGRAM.fullmatch(word) and word not in _SHELL_WORDS
    return word if plain else "'" + word.replace("'", "'\"'\"'") + "'"


def copy_words(step: Copy) -> str:
    """Return sources and target of a COPY: plain words where that is the same, else a JSON array, escaped.

    Raises PlanError for a source that a builder would take for a file pattern: builders differ in how to escape one.
    """
    words = [checked(word) for word in (*step.sources, step.target)]
    if not step.sources or not all(words):
        raise _refusal(" ".join(words), "a copy needs sources and a target, none of them empty")
    for source in step.sources:
        if _FILE_PATTERN.search(source):
            raise _refusal(source, "a file name with * ? [ ] \\ or a leading ! is a file pattern to the builder")
    if all(_PLAIN_COPY.fullmatch(word) for word in words):
        return " ".join(words)
    return json.dumps([_variable_free(word) for word in words], ensure_ascii=False)


def _variable_free(word: str) -> str:
    return re.sub(r"""([\\"'$])""", r"\\\1", word)


def env_words(values: Mapping[str, str]) -> str:
    """Return ``NAME="value"`` for each variable in order of name, one a line."""
    return " \\\n    ".join(
        f'{matching(name, ENV_NAME, "variable name")}="{_in_double_quotes(checked(value))}"'
        for name, value in sorted(values.items())
    )


def _in_double_quotes(value: str) -> str:
    return re.sub(r"""([\\"$])""", r"\\\1", value)


def _refusal(value: str, why: str) -> PlanError:
    return PlanError(
        "dockerfile.unsafe_value",
        f"no Dockerfile can be written with the value {value[:120]!a}",
        why=why,
        fix="rename the file, or set the value in shipway.yaml",
        kind="not_deployable",
    )

"""What git prints, parsed; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["LOG_FORMAT", "Written", "batch", "log", "words"]

LOG_FORMAT = "%H%x00%cI%x00%(trailers:only,unfold)%x01"


@dataclass(frozen=True, slots=True)
class Written:
    """A commit of ours: ``sha``, when (ISO 8601), and its trailers."""

    sha: str
    when: str
    trailers: Mapping[str, str]


def batch(output: bytes, count: int) -> Iterator[bytes | None]:
    """Yield the contents in the output of ``git cat-file --batch``; None for what is missing or no file."""
    start = 0
    for _ in range(count):
        end = output.index(b"\n", start)
        header = output[start:end].split(b" ")
        start = end + 1
        if len(header) == 3 and header[1] in {b"blob", b"tree", b"commit", b"tag"} and header[2].isdigit():
            size = int(header[2])
            yield output[start : start + size] if header[1] == b"blob" else None
            start += size + 1
        else:
            yield None


def log(text: str) -> Iterator[Written]:
    """Yield the commits that ``git log --format=LOG_FORMAT`` printed."""
    for entry in text.split("\x01"):
        if entry.strip():
            sha, when, trailers = entry.strip().split("\0")
            pairs = (line.partition(": ") for line in trailers.splitlines())
            yield Written(sha, when, {name: value for name, _, value in pairs if name})


def words(errors: bytes) -> str:
    """Return the end of what git said, without control characters: it may repeat a remote's text."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return "\n".join("".join(c for c in line if c.isprintable()) for line in lines[-12:])

"""A commit as the one stream that ``git fast-import`` reads; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["Author", "commit_stream"]

Author = tuple[str, int]
"""``Name <e-mail>`` and the time in seconds since 1970."""

# Never left behind: the stream takes it away again, so that only the objects stay.
SCRATCH = "refs/shipway/scratch"
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def commit_stream(parent: str | None, files: Mapping[str, bytes | None], message: str, author: Author) -> bytes:
    """Return the stream that makes one commit on ``parent`` and has its id printed.

    ``files`` holds new contents, or None for a path to take away. Raises ValueError for a path that isn't plain.
    """
    return b"".join(_lines(parent, files, message, author))


def _lines(parent: str | None, files: Mapping[str, bytes | None], message: str, author: Author) -> Iterator[bytes]:
    name, seconds = author
    yield f"feature get-mark\ncommit {SCRATCH}\nmark :1\ncommitter {name} {seconds} +0000\n".encode()
    yield _data(message.encode())
    if parent is not None:
        yield f"from {parent}\n".encode()
    for path in sorted(files):
        yield from _change(path, files[path])
    yield f"\nget-mark :1\nreset {SCRATCH}\nfrom {'0' * 40}\n\ndone\n".encode()


def _change(path: str, data: bytes | None) -> Iterator[bytes]:
    if not PATH.fullmatch(path):
        raise ValueError(f"not a plain path: {path!r}")
    if data is None:
        yield f"D {path}\n".encode()
    else:
        yield f"M 100644 inline {path}\n".encode() + _data(data)


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)

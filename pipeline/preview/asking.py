"""One question to an app, with a limit on the whole of it: an app may answer a byte a second, or for ever."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass

__all__ = ["SERVED_BY", "Answer", "ask"]

SERVED_BY = "X-Shipway-Served-By"
"""The header in which the router names the container that an answer came from."""

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
SERVED = re.compile(rb"\r\n" + SERVED_BY.lower().encode() + rb": *([!-~]+) *\r\n")
HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's status and, through the router, the container that gave it."""

    status: int
    served_by: str

    @property
    def is_healthy(self) -> bool:
        """Whether the status is 2xx or 3xx."""
        return 200 <= self.status < 400


def ask(port: int, path: str, host: str, *, seconds: float = 5.0) -> Answer | None:
    """Return what ``path`` at ``host`` answers on loopback ``port`` within ``seconds`` in all, or None."""
    deadline = time.monotonic() + seconds
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: shipway-health\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
            wire.sendall(request.encode("ascii", "ignore"))
            head = _head(wire, deadline)
    except OSError:
        return None
    status = STATUS.match(head)
    # Lower case for the header's name; the value is a container's name, which has no capitals.
    served = SERVED.search(head.lower())
    return Answer(int(status[1]), served[1].decode("ascii") if served else "") if status else None


def _head(wire: socket.socket, deadline: float) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < HEAD_BYTES:
        wire.settimeout(max(0.001, deadline - time.monotonic()))
        more = wire.recv(4096)
        if not more or time.monotonic() > deadline:
            break
        data += more
    return data if b"\r\n\r\n" in data else b""

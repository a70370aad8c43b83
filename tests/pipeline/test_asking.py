"""The question whether an app is healthy."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.preview.asking import Answer, ask


@contextmanager
def answering(*pieces: bytes, pause: float = 0.0) -> Iterator[int]:
    """Answer one connection with ``pieces``, ``pause`` seconds apart, and give the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            wire, _ = server.accept()
            with wire:
                wire.recv(4096)
                for piece in pieces:
                    wire.sendall(piece)
                    time.sleep(pause)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (204, True), (302, True), (404, False), (500, False)])
def test_two_hundreds_and_redirects_are_healthy(status: int, healthy: bool) -> None:
    with answering(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        answer = ask(port, "/", "app.localhost")
    assert answer == Answer(status, "")
    assert answer.is_healthy is healthy


def test_the_container_that_answered_is_named_by_the_router() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nx-shipway-served-by: shipway-1-app-2\r\n\r\nhello") as port:
        assert ask(port, "/", "app.localhost") == Answer(200, "shipway-1-app-2")


def test_an_app_that_drips_is_left_when_the_time_is_over() -> None:
    started = time.monotonic()
    with answering(b"HTTP/1.1 ", *[b"2"] * 30, pause=0.2) as port:
        assert ask(port, "/", "app.localhost", seconds=1) is None
    assert time.monotonic() - started < 3


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ask(port, "/", "app.localhost") is None


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_it_sends_is_an_answer_or_none(data: bytes) -> None:
    with answering(data) as port:
        answer = ask(port, "/", "app.localhost", seconds=2)
    assert answer is None or 100 <= answer.status <= 999

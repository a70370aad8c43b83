"""A registry over real HTTP: what it answers, and what the answer means."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clients.registries.oci import MANIFEST_TYPES, Registry, RegistryError

MANIFEST = b'{"schemaVersion":2}'
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()
BASIC = "Basic " + base64.b64encode(b"robot:s3cret").decode()


class Handler(BaseHTTPRequestHandler):
    """A small registry; ``mode`` says how it behaves."""

    mode = "open"
    tags: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._token()
        elif self._admitted():
            self._manifest()

    do_HEAD = do_GET  # noqa: N815 - http.server's own name

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._admitted():
            self.tags[self.path.rpartition("/")[2]] = body
            self._answer(201, b"", {"Docker-Content-Digest": "sha256:" + hashlib.sha256(body).hexdigest()})

    def _manifest(self) -> None:
        reference = self.path.rpartition("/")[2]
        known = {DIGEST: MANIFEST, **self.tags}
        if reference not in known:
            self._error(404, "MANIFEST_UNKNOWN", "it isn't here")
            return
        content = b"{}" if self.mode == "tampers" else known[reference]
        self._answer(200, content, {"Content-Type": MANIFEST_TYPES[0], "Docker-Content-Digest": DIGEST})

    def _admitted(self) -> bool:
        given = self.headers.get("Authorization", "")
        if self.mode in ("open", "tampers") or (self.mode == "basic" and given == BASIC):
            return True
        if self.mode == "bearer" and given == "Bearer the-token":
            return True
        if self.mode == "resets":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
            return False
        if self.mode.isdigit():
            self._error(int(self.mode), "DENIED", "no \x1b[31mway")
            return False
        realm = "nowhere" if self.mode == "no-realm" else f"http://{self.headers['Host']}/token"
        challenge = f'Bearer realm="{realm}",service="s",scope="repository:team/app:pull"'
        self._error(401, "UNAUTHORIZED", "log in", {"WWW-Authenticate": challenge if self.mode != "basic" else "Basic"})
        return False

    def _token(self) -> None:
        if self.mode == "no-token-json":
            self._answer(200, b"<html>", {})
        elif self.mode == "token-list":
            self._answer(200, b"[]", {})
        elif "scope=repository%3Ateam%2Fapp%3Apull" in self.path and self.headers.get("Authorization") == BASIC:
            self._answer(200, b'{"access_token":"the-token"}', {})
        else:
            self._error(401, "UNAUTHORIZED", "wrong password")

    def _error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self._answer(status, body, headers or {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.mode, Handler.tags = "open", {}
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def registry(server: ThreadingHTTPServer, tmp_path: Path) -> Registry:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    return Registry(f"127.0.0.1:{server.server_address[1]}", "robot", password)


def refused(registry: Registry) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        registry.digest("team/app", DIGEST)
    assert "s3cret" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("mode", ["open", "basic", "bearer"])
def test_a_manifest_that_is_there_has_its_digest(registry: Registry, mode: str) -> None:
    Handler.mode = mode

    assert registry.digest("team/app", DIGEST) == DIGEST
    assert registry.digest("team/app", "sha256:" + "0" * 64) is None


@pytest.mark.parametrize("mode", ["open", "basic", "bearer"])
def test_a_digest_gets_a_further_name(registry: Registry, mode: str) -> None:
    Handler.mode = mode

    registry.tag("team/app", DIGEST, "v1.0.1")

    assert Handler.tags == {"v1.0.1": MANIFEST}
    assert registry.digest("team/app", "v1.0.1") == DIGEST


def test_what_is_not_there_gets_no_name(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="refused"):
        registry.tag("team/app", "sha256:" + "0" * 64, "v1.0.1")
    assert Handler.tags == {}


def test_a_manifest_that_is_not_what_its_digest_says_gets_no_name(registry: Registry) -> None:
    Handler.mode = "tampers"
    with pytest.raises(RegistryError, match="no registry answers"):
        registry.tag("team/app", DIGEST, "v1.0.1")
    assert Handler.tags == {}


@pytest.mark.parametrize(("status", "retryable"), [("403", False), ("429", True), ("500", True), ("503", True)])
def test_a_refusal_says_whether_to_try_again(registry: Registry, status: str, retryable: bool) -> None:
    Handler.mode = status
    error = refused(registry)

    assert (error.kind, error.retryable) == ("outside", retryable)
    assert status in error.why


@pytest.mark.parametrize("mode", ["basic", "bearer"])
def test_a_wrong_password_is_told_and_not_tried_again(registry: Registry, tmp_path: Path, mode: str) -> None:
    Handler.mode = mode
    (tmp_path / "password").write_text("wrong")
    error = refused(registry)

    assert (error.retryable, "registry_password_file" in error.fix) == (False, True)


def test_a_connection_that_breaks_is_to_be_tried_again(registry: Registry) -> None:
    Handler.mode = "resets"
    error = refused(registry)

    assert (error.code, error.retryable) == ("registry.unreachable", True)


def test_a_registry_that_is_down_is_to_be_tried_again(registry: Registry, server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()

    assert refused(registry).retryable


@pytest.mark.parametrize("mode", ["no-token-json", "token-list", "no-realm"])
def test_a_token_service_that_makes_no_sense_is_an_outside_failure(registry: Registry, mode: str) -> None:
    Handler.mode = mode

    assert refused(registry).kind == "outside"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_password_file_that_can_not_be_read_is_named(
    registry: Registry, tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "password").unlink()
    if content is not None:
        (tmp_path / "password").write_bytes(content)

    assert refused(registry).kind == "input"


@pytest.mark.parametrize(
    ("host", "scheme"),
    [("localhost:5000", "http"), ("127.0.0.1:5000", "http"), ("[::1]:5000", "http"), ("harbor.example.com", "https")],
)
def test_only_a_registry_on_this_machine_is_spoken_to_in_the_clear(host: str, scheme: str) -> None:
    assert Registry(host)._scheme == scheme

"""A company's own package index reaches the build as a secret, and its token nothing else."""

from __future__ import annotations

import base64
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.machine import embedded
from tests.e2e.machine import Machine, Repository

pytestmark = pytest.mark.e2e

TOKEN = "t0ken-of-the-company"
WHEEL = "company_greeting-1.0-py3-none-any.whl"


def wheel() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("company_greeting.py", 'TEXT = "from the private index"\n')
        info = "company_greeting-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: company-greeting\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return data.getvalue()


@contextmanager
def index() -> Iterator[int]:
    """Serve one package by the simple repository API to whoever has the token; give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            pages = {"/simple/company-greeting/": f'<a href="/{WHEEL}">{WHEEL}</a>'.encode(), f"/{WHEEL}": wheel()}
            body = pages.get(self.path)
            self.send_response(401 if not given.endswith(TOKEN) else 200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if body and given.endswith(TOKEN):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_package_comes_from_it_and_the_token_stays_out_of_the_image_and_the_run(
    machine: Machine, repository: Repository, tmp_path: Path
) -> None:
    repository.write("requirements.txt", "company-greeting==1.0\n")
    repository.replace("server.py", "import http.server", "import company_greeting\nimport http.server")
    repository.replace("server.py", "tiny {VERSION}", "{company_greeting.TEXT}")
    repository.commit("with the company's package")
    settings = tmp_path / "pip.conf"
    with index() as port:
        settings.write_text(f"[global]\nindex-url = http://ci:{TOKEN}@127.0.0.1:{port}/simple\n")
        # The index is on this machine's loopback, which only a build on its network sees.
        company = {"SHIPWAY_PIP_CONF": str(settings), "SHIPWAY_BUILD_NETWORK": "host"}
        report = machine.deployed(str(repository.folder), "--project", "index-1", **company)

    assert "from the private index" in machine.get(report["url"])[1]
    client = embedded.client(machine.engine)
    image = client.images.get(report["published"]["web"])
    assert TOKEN not in str(image.history()) + str(image.attrs)
    assert not any(TOKEN.encode() in chunk for chunk in image.save())
    client.close()
    for file in (machine.home / "runs" / report["run_id"]).rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file

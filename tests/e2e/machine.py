"""What the end-to-end tests drive: the ``shipway`` command in a home, and git repositories that change."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.machine.embedded import Engine

__all__ = ["Machine", "Ran", "Repository"]

KILL_AT = Path(__file__).with_name("kill_at.py")
TINY_APP = """import http.server
import os
import signal
import sys

VERSION = "v1"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ.get("ANSWER", "200")))
        self.end_headers()
        self.wfile.write(f"tiny {VERSION} {os.environ.get('GREETING', '')}".encode())


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Ran:
    """One finished command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Stdout as the one JSON document that it must be."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded


class Machine:
    """A home and the engine; ``shipway`` runs the command as a person would."""

    def __init__(self, home: Path, engine: Engine) -> None:
        self.home = home
        self.engine = engine

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the command's environment."""
        own = {
            "SHIPWAY_HOME": str(self.home),
            "DOCKER_HOST": self.engine.docker_host,
            "SHIPWAY_SCAN_POLICY": "embedded",
            "SHIPWAY_BASE_IMAGES": "offline",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIPWAY_")}
        return {**kept, **own, **extra}

    def shipway(self, *args: str, **extra: str) -> Ran:
        """Run ``shipway args`` with ``extra`` in the environment and return what it did."""
        return self._run([sys.executable, "-m", "pipeline.cli", *args], extra)

    def shipway_killed(self, at: str, number: int, *args: str) -> Ran:
        """Run ``shipway args``, which sends itself signal ``number`` at the point ``at`` (``stage:point``)."""
        return self._run([sys.executable, str(KILL_AT), at, str(number), *args], {})

    def deployed(self, *args: str, **extra: str) -> dict[str, Any]:
        """Deploy, which must succeed, and return the report."""
        ran = self.shipway("deploy", "--json", "--progress", "plain", *args, **extra)
        assert ran.code == 0, ran.err[-3000:] + ran.out
        return ran.document

    def get(self, url: str, path: str = "/") -> tuple[int, str]:
        """Ask the app at ``url`` by its host name, through the router."""
        host = url.split("/")[2]
        connection = http.client.HTTPConnection("127.0.0.1", int(host.rpartition(":")[2]), timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def containers(self, project: str) -> list[Any]:
        """Return the project's containers, running or not."""
        from pipeline.machine import embedded
        from pipeline.machine.home import home_id

        labels = [f"shipway.home={home_id(self.home)}", f"shipway.project={project}"]
        client = embedded.client(self.engine)
        try:
            return list(client.containers.list(all=True, filters={"label": labels}))
        finally:
            client.close()

    def forget_manifest(self, image: str) -> None:
        """Delete the manifest of ``image`` (``host/repository@digest``) from the registry."""
        import httpx

        from pipeline.machine import embedded

        access = embedded.registry(self.home)
        name, _, digest = image.partition("@")
        repository = name.partition("/")[2]
        auth = (access.username, access.password_file.read_text().strip())
        answer = httpx.delete(f"http://{access.url}/v2/{repository}/manifests/{digest}", auth=auth)
        assert answer.status_code == 202, answer.text

    def _run(self, argv: list[str], extra: dict[str, str]) -> Ran:
        done = subprocess.run(argv, env=self.environment(**extra), capture_output=True, timeout=600)
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass
class Repository:
    """A git repository with a work tree."""

    folder: Path
    commits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ".git").exists():
            self.git("init", "--quiet", "-b", "main")

    def git(self, *args: str) -> str:
        """Run git there."""
        who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", "-C", str(self.folder), *who, *args], capture_output=True, check=True)
        return done.stdout.decode()

    def write(self, path: str, text: str) -> None:
        """Write one file."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def write_tiny_app(self) -> None:
        """Write the tiny app."""
        self.write("server.py", TINY_APP)
        self.write("Procfile", "web: python server.py\n")
        self.write("requirements.txt", "")

    def copy(self, source: Path) -> None:
        """Copy the files of ``source``, build leftovers left out."""
        ignore = shutil.ignore_patterns("node_modules", "target", ".next", ".venv", "__pycache__")
        shutil.copytree(source, self.folder, dirs_exist_ok=True, ignore=ignore)

    def commit(self, message: str) -> str:
        """Commit everything and return the commit's id."""
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.commits.append(self.git("rev-parse", "HEAD").strip())
        return self.commits[-1]

    def replace(self, path: str, old: str, new: str) -> None:
        """Change one file."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

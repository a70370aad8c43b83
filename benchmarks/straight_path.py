"""How long a change and a rollback take until they answer: ours, a hand-written script, and the bare container.

    python benchmarks/straight_path.py [--rounds 5] [--json]

The peer is what people write by hand: ``docker build`` with a plain Dockerfile, ``docker push``, stop, run, wait; it
scans nothing, records nothing and rolls back by building the old commit. The floor is ``docker run`` of an image that
is there, until it answers. What the machine lacks is installed, and an engine started, as `make demo` does (as root).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clients.process import run
from pipeline.base_images.build import bases, build, hub_reachable
from pipeline.config import load
from pipeline.machine import doctor, embedded

APP = """import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"VERSION-0")
    def log_message(self, *args): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""
PLAIN = 'FROM {base}\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD ["python", "server.py"]\n'
NAME = "shipway-benchmark-peer"


class Bench:
    """One repository, deployed by both."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.repository = work / "team" / "bench"
        self.repository.mkdir(parents=True)
        home = Path(os.environ.get("SHIPWAY_BENCH_HOME") or work / "home")
        doctor.install(doctor.doctor(home), home)
        self.engine = embedded.engine(home, start=True)
        self.registry = embedded.registry(home)
        offline = not hub_reachable(self.engine)
        if offline:
            build(self.engine, ["python:3.13", "nginx:1"], home, ca_bundle=load({}).ca_bundle)
        self.base = bases(offline=offline)["python:3.13"]
        self.env = self.engine.environment() | {
            "SHIPWAY_HOME": str(home),
            "SHIPWAY_SCAN_POLICY": "embedded",
            "SHIPWAY_BASE_IMAGES": "offline" if offline else "ordinary",
        }
        self.git("init", "--quiet", "-b", "main")
        (self.repository / "requirements.txt").write_text("")
        (self.repository / "Procfile").write_text("web: python server.py\n")
        self.version = 0
        self.change()
        password = self.registry.password_file.read_text().encode()
        login = ["docker", "login", "--username", self.registry.username, "--password-stdin", self.registry.url]
        self.call(login, stdin=password)

    def call(self, argv: list[str], *, stdin: bytes = b"") -> str:
        done = run(argv, env=self.env, cwd=self.repository, timeout=600, stdin=stdin)
        return done.check(f"{argv[0]} failed").text

    def git(self, *args: str) -> str:
        return self.call(["git", "-c", "user.name=b", "-c", "user.email=b@example.com", *args]).strip()

    def change(self) -> str:
        self.version += 1
        (self.repository / "server.py").write_text(APP.replace("VERSION-0", f"VERSION-{self.version}"))
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", f"version {self.version}")
        return self.git("rev-parse", "HEAD")

    def shipway(self, *args: str) -> dict[str, object]:
        argv = [sys.executable, "-m", "pipeline.cli", *args, "--json", "--progress", "none"]
        document: dict[str, object] = json.loads(self.call(["env", f"PYTHONPATH={Path.cwd()}", *argv]))
        return document

    def peer_deploy(self, commit: str) -> None:
        """Build, push, replace, wait: by hand."""
        with tempfile.TemporaryDirectory() as scratch:
            archive = run(["git", "archive", commit], cwd=self.repository, timeout=60)
            run(["tar", "-x", "-C", scratch], stdin=archive.output, timeout=60)
            (Path(scratch) / "Dockerfile").write_text(PLAIN.format(base=self.base))
            image = f"{self.registry.url}/peer/bench:{commit[:12]}"
            self.call(["docker", "buildx", "build", "--quiet", "--load", "-t", image, scratch])
            self.call(["docker", "push", "--quiet", image])
        self.start(image)

    def start(self, image: str) -> None:
        """Replace the running container by one of ``image``, and wait until it answers."""
        run(["docker", "rm", "--force", NAME], env=self.env, timeout=60)
        self.call(["docker", "run", "--detach", "--name", NAME, "--publish", "127.0.0.1::8000", image])
        port = int(self.call(["docker", "port", NAME, "8000"]).strip().splitlines()[0].rpartition(":")[2])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
                connection.request("GET", "/")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError(run(["docker", "logs", NAME], env=self.env, timeout=60).error_text)

    def close(self) -> None:
        run(["docker", "rm", "--force", NAME], env=self.env, timeout=60)


def timed(action: Callable[..., object], *args: object) -> float:
    """Return how many seconds ``action`` took."""
    started = time.monotonic()
    action(*args)
    return time.monotonic() - started


def measure(bench: Bench, rounds: int) -> list[dict[str, object]]:
    """Return the rows: medians of ``rounds``, each round measuring all three in turn."""
    names = ("change", "back", "detect")
    times: dict[str, dict[str, list[float]]] = {name: {"ours": [], "peer": [], "floor": []} for name in names}
    project = str(bench.shipway("deploy", ".")["project"])
    bench.peer_deploy(bench.git("rev-parse", "HEAD"))
    shipway = str(Path(sys.executable).with_name("shipway"))
    for _ in range(rounds):
        before, after = bench.git("rev-parse", "HEAD"), bench.change()
        old, new = (f"{bench.registry.url}/peer/bench:{commit[:12]}" for commit in (before, after))
        times["change"]["ours"].append(timed(bench.shipway, "deploy", "."))
        times["change"]["peer"].append(timed(bench.peer_deploy, after))
        times["change"]["floor"].append(timed(bench.start, new))
        times["back"]["ours"].append(timed(bench.shipway, "rollback", project))
        times["back"]["peer"].append(timed(bench.peer_deploy, before))
        times["back"]["floor"].append(timed(bench.start, old))
        times["detect"]["ours"].append(timed(bench.call, [shipway, "detect", ".", "--json"]))
        times["detect"]["floor"].append(timed(bench.call, [sys.executable, "-c", "import click"]))
    notes = {
        "change": ("a change of one line to its answer", "the peer scans, gates and records nothing"),
        "back": ("the release before to its answer", "the peer builds the old commit again, from cache"),
        "detect": ("detect, whole process", "floor: python -c 'import click'"),
    }
    return [
        {
            "what": what,
            "ours": _median(times[name]["ours"]),
            "peer": _median(times[name]["peer"]),
            "floor": _median(times[name]["floor"]),
            "unit": "s",
            "note": note,
        }
        for name, (what, note) in notes.items()
    ]


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 3) if values else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="shipway-bench-"))
    try:
        bench = Bench(work)
        rows = measure(bench, chosen.rounds)
        bench.close()
    finally:
        embedded.down(work / "home")
        shutil.rmtree(work, ignore_errors=True)
    if chosen.json:
        print(json.dumps({"name": "straight_path", "rows": rows}))
        return
    print(f"{'':<38}{'ours':>8}{'peer':>8}{'floor':>8}")
    for row in rows:
        cells = "".join(f"{row[who] if row[who] is not None else '-':>8}" for who in ("ours", "peer", "floor"))
        print(f"{row['what']:<38}{cells} {row['unit']}  {row['note']}")


if __name__ == "__main__":
    main()

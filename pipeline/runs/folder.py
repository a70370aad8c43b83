"""The run folder: each stage's document, written atomically, outside every source tree."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pipeline.runs.documents import RunDocument, Spec
from resources.contracts import ContractError, parse
from resources.record import Record, to_json

__all__ = ["RunFolder", "fingerprint", "newest", "unfinished", "write_atomically"]

D = TypeVar("D", bound=Record)
ENDED = ("deployed", "cancelled")


def fingerprint(*parts: object) -> str:
    """Return ``sha256:...`` over ``parts`` (JSON values and records), independent of dict order."""
    plain = [json.loads(to_json(part)) if isinstance(part, Record) else part for part in parts]
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader, or a crash, sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class RunFolder:
    """One run's folder, ``$SHIPWAY_HOME/runs/<run-id>/``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run(self) -> RunDocument:
        """The run's own document."""
        file = self.path / "run.json"
        return parse(RunDocument, file.read_bytes(), what=str(file))

    def start(self, document: RunDocument) -> None:
        """Make the folder and write its ``run.json``."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.write("run", document)

    def sweep(self) -> None:
        """Remove what a crash in the middle of a write left."""
        for file in self.path.glob(".*.json.*"):
            file.unlink(missing_ok=True)

    def update(self, **changes: Any) -> None:
        """Write ``run.json`` with ``changes`` to its fields."""
        self.write("run", replace(self.run, **changes))

    def write(self, stem: str, document: Record) -> None:
        """Write ``<stem>.json`` atomically."""
        write_atomically(self.path / f"{stem}.json", to_json(document).encode() + b"\n")

    def read(self, stem: str, kind: type[D], *, inputs: str) -> D | None:
        """Return ``<stem>.json`` if it was made from ``inputs``; a damaged or older document counts as absent."""
        try:
            document = parse(kind, (self.path / f"{stem}.json").read_bytes(), what=f"{stem}.json")
        except (FileNotFoundError, ContractError):
            return None
        return document if getattr(document, "inputs", None) == inputs else None


def newest(runs: Path, workspace: str, project: str) -> RunFolder | None:
    """Return the project's run of the highest generation under ``runs``, or None."""
    found: list[tuple[int, str, RunFolder]] = []
    for file in runs.glob("*/run.json"):
        folder = RunFolder(file.parent)
        try:
            run = folder.run
        except (ContractError, FileNotFoundError):  # damaged, or being forgotten by another run
            continue
        if (run.spec.workspace, run.spec.project) == (workspace, project):
            found.append((run.generation, run.run_id, folder))
    return max(found, key=lambda one: one[:2])[2] if found else None


def unfinished(runs: Path, spec: Spec) -> RunFolder | None:
    """Return the project's newest run if it was asked for the same and can be gone on with, or None.

    An older one is never gone on with: whatever came after it has won.
    """
    folder = newest(runs, spec.workspace, spec.project)
    return folder if folder and folder.run.spec == spec and folder.run.state not in ENDED else None

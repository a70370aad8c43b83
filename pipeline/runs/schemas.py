"""Writes ``resources/schemas/``: the JSON Schema of every document that crosses a process, from its record.

Run it as ``python -m pipeline.runs.schemas`` after a change to a record.
"""

from __future__ import annotations

import json
from pathlib import Path

from detectors.model import Detection
from gitops_writer.records import Draft, Release, Run
from pipeline.policy import Policy
from pipeline.runs.documents import DOCUMENTS
from pipeline.runs.events import Event
from resources import resource
from resources.contracts import schema_of

__all__ = ["SCHEMAS", "schema_text", "write"]

SCHEMAS: dict[str, type] = {
    **{f"run-{stem}": record for stem, record in DOCUMENTS.items() if stem != "run"},
    "run": DOCUMENTS["run"],
    "event": Event,
    "detection": Detection,
    "policy": Policy,
    "gitops-draft": Draft,
    "gitops-release": Release,
    "gitops-run": Run,
}
"""Every document by the name of its schema file."""


def schema_text(name: str) -> str:
    """Return the schema file ``name`` as it must be."""
    return json.dumps(schema_of(SCHEMAS[name]), indent=2, sort_keys=True) + "\n"


def write(folder: Path) -> None:
    """Write every schema to ``folder`` and remove what is no schema of ours."""
    for file in folder.glob("*.schema.json"):
        file.unlink()
    for name in SCHEMAS:
        (folder / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write(resource("schemas"))

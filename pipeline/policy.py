"""The scan policy: which findings refuse a release."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import PipelineError
from resources import resource
from resources.contracts import parse
from resources.record import Record

__all__ = ["Policy", "load_policy"]


@dataclass(frozen=True, slots=True)
class Policy(Record):
    """``severities`` that refuse, whether a vulnerability without a fix counts, and what an unscanned image means."""

    schema: Literal["shipway/policy/v1"]
    severities: tuple[Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"], ...]
    ignore_unfixed: bool
    secrets: Literal["refuse", "report"]
    unscanned: Literal["refuse", "allow"]


def load_policy(name: str) -> Policy:
    """Return the packaged policy ``name`` (``default``, ``embedded``) or the one in the file of that path."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    packaged = resource(f"policies/{name}.yaml") if name.isidentifier() else None
    try:
        text = packaged.read_text(encoding="utf-8") if packaged is not None else Path(name).read_text(encoding="utf-8")
        document = json.dumps(YAML(typ="safe").load(text))
    except (OSError, YAMLError, TypeError, UnicodeDecodeError) as error:
        fix = "use `default`, `embedded` or the path of a policy file"
        why = "there is no such policy and no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise PipelineError("scan.policy", f"the scan policy {name} can't be read", why=why, fix=fix) from error
    return parse(Policy, document, what=f"the scan policy {name}")

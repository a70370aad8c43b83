"""Host -> the project that has it, by what is committed: one host leads to one app."""

from __future__ import annotations

import json

from gitops_writer.mirror import Mirror

__all__ = ["host_holder"]


def host_holder(mirror: Mirror, host: str) -> tuple[str, str] | None:
    """Return workspace and project whose current release has ``host``, as the mirror knows it, or None."""
    head = mirror.head()
    paths = [path.split("/") for path in mirror.list(head, "tenants")]
    current = [parts for parts in paths if len(parts) == 4 and parts[3] == "release.json"]
    records = mirror.read_all([(head, "/".join(parts)) for parts in current])
    for parts, record in zip(current, records, strict=True):
        if record is not None and _host(record) == host:
            return parts[1], parts[2]
    return None


def _host(record: bytes) -> object:
    try:
        document = json.loads(record)
    except ValueError:
        return None
    return document.get("host") if isinstance(document, dict) else None

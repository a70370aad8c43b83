"""Renders a chart in process: chart files and values in, manifests out; the only importer of helm_python."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitops_writer.errors import GateRefused

if TYPE_CHECKING:
    from helm_python import Chart

__all__ = ["container_env", "parse_yaml", "render_chart"]

DOCUMENT = re.compile(r"^---[ \t]*$", re.MULTILINE)


def render_chart(
    chart_files: Mapping[str, bytes] | Path, values: Mapping[str, Any], release_name: str, namespace: str
) -> list[dict[str, Any]]:
    """Return the manifests that Helm makes of a chart, sorted by kind and name; no cluster is asked.

    ``chart_files`` are the files of one chart by their path in its folder, or that folder. Raises GateRefused with
    Helm's own words if a template or a value is wrong.
    """
    import helm_python

    files = _read(chart_files) if isinstance(chart_files, Path) else chart_files
    try:
        chart = _load(_archive(files))
        rendered = chart.render(dict(values), name=release_name, namespace=namespace)
        documents = [
            helm_python.values_from_yaml(document)
            for path, text in rendered.items()
            if path.endswith((".yaml", ".yml"))
            for document in DOCUMENT.split(text)
        ]
    except helm_python.HelmError as error:
        raise _refused(error) from error
    manifests = [document for document in documents if document]
    return sorted(manifests, key=lambda it: (str(it.get("kind")), str((it.get("metadata") or {}).get("name"))))


def parse_yaml(document: bytes) -> dict[str, Any]:
    """Return one YAML mapping as Helm reads it. Raises GateRefused if Helm can't."""
    import helm_python

    try:
        return helm_python.values_from_yaml(document.decode("utf-8"))
    except (helm_python.HelmError, UnicodeDecodeError) as error:
        raise _refused(error) from error


def container_env(container: Mapping[str, Any]) -> dict[str, str]:
    """Return a rendered container's environment as its program will read it.

    Kubernetes reads ``$$`` as ``$``; the charts double each ``$``, so that no value is expanded.
    """
    return {item["name"]: item["value"].replace("$$", "$") for item in container.get("env") or [] if "value" in item}


def _refused(error: Exception) -> GateRefused:
    return GateRefused(
        "gate.render",
        "Helm can't render the chart with these values",
        why=str(error)[:2000],
        fix="correct the value or the template that Helm names",
    )


def _read(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def _archive(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    # Level 1: it is read back at once, and only from memory.
    with tarfile.open(fileobj=sink, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(files):
            entry = tarfile.TarInfo(f"chart/{path}")
            entry.size = len(files[path])
            archive.addfile(entry, io.BytesIO(files[path]))
    return sink.getvalue()


@lru_cache(maxsize=16)
def _load(archive: bytes) -> Chart:
    from helm_python import Chart

    return Chart.load_archive(archive)

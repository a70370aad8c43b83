"""Checks manifests against Kubernetes' own OpenAPI schemas, strictly: an unknown field is a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gitops_writer.errors import GitopsError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["DEFAULT_VERSION", "kubernetes_faults"]

DEFAULT_VERSION = "1.34"
# kubernetes_validate.validate() reads 1.5 MB of definitions at each call (30 ms); its schemas are kept parsed here.
SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema"


def kubernetes_faults(manifest: Mapping[str, Any], version: str = DEFAULT_VERSION) -> Iterator[str]:
    """Yield what in ``manifest`` a cluster of ``version`` ("1.34") would not accept, by field.

    Raises GitopsError if there are no schemas of that version.
    """
    kind, api = manifest.get("kind"), manifest.get("apiVersion")
    if not (isinstance(kind, str) and isinstance(api, str) and kind.isalnum()):
        yield "kind or apiVersion is missing"
        return
    validator = _validator(version, kind.lower(), api)
    if validator is None:
        yield f"Kubernetes {version} has no {kind} in {api}"
        return
    for error in validator.iter_errors(manifest):
        yield f"{'.'.join(map(str, error.absolute_path)) or 'the manifest'}: {error.message[:300]}"


@cache
def _validator(version: str, kind: str, api: str) -> Draft202012Validator | None:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    # "networking.k8s.io/v1" is filed as "networking-v1".
    name = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    file = _folder(version) / f"{kind}-{name}.json"
    if "/" in name or not file.is_file():
        return None
    schema = json.loads(file.read_text(encoding="utf-8"))
    registry: Registry[Any] = Resource.from_contents(_definitions(version)) @ Registry()
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry)


@cache
def _definitions(version: str) -> Any:
    return json.loads((_folder(version) / "_definitions.json").read_text(encoding="utf-8"))


def _folder(version: str) -> Any:
    folder = SCHEMAS / f"v{version}.0-local-strict"
    if not re.fullmatch(r"1\.\d{1,3}", version) or not folder.is_dir():
        raise GitopsError(
            "gitops.unknown_kubernetes",
            f"manifests can't be checked for Kubernetes {version[:20]}",
            why="there are no schemas of that version in the package kubernetes-validate",
            fix=f"set the cluster's version as in {DEFAULT_VERSION!r}, or upgrade kubernetes-validate",
        )
    return folder

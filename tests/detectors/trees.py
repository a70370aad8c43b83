"""Small trees in memory, and short ways to look at a detection."""

from __future__ import annotations

import json
from collections.abc import Mapping

from detectors.detect import detect
from detectors.errors import DetectionError
from detectors.model import Detection, Service

__all__ = ["DictTree", "detection", "evidence", "outcome", "package", "reason", "service", "warnings"]


class DictTree:
    """A Tree over a dict of path to content."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        self.paths = sorted(self._files)

    def has(self, path: str) -> bool:
        return path in self._files

    def read(self, path: str) -> bytes:
        try:
            return self._files[path]
        except KeyError:
            raise DetectionError("tree.no_such_file", path, kind="not_deployable") from None


def detection(files: Mapping[str, str | bytes], *, offline: bool = False, **overrides: object) -> Detection:
    return detect(DictTree(files), overrides=overrides or None, offline=offline)


def outcome(files: Mapping[str, str | bytes], *, offline: bool = False) -> Detection | DetectionError:
    """What detection says, be it a result or a typed refusal; anything else it raises is a defect."""
    try:
        return detection(files, offline=offline)
    except DetectionError as refusal:
        return refusal


def service(files: Mapping[str, str | bytes], *, offline: bool = False, **overrides: object) -> Service:
    """The only service of the tree."""
    found = detection(files, offline=offline, **overrides)
    assert found.deployable, found.reason
    (only,) = found.services
    return only


def reason(files: Mapping[str, str | bytes], **overrides: object) -> str:
    """Why the tree can't be deployed."""
    found = detection(files, offline=False, **overrides)
    assert not found.deployable, found.services
    assert found.services == ()
    return found.reason or ""


def warnings(found: Service) -> list[str]:
    return [f"{item.file}:{item.line} {item.why}" for item in found.evidence if item.fact == "warning"]


def evidence(found: Service, fact: str) -> str:
    """Where a fact stands, as file:line."""
    (item,) = [item for item in found.evidence if item.fact == fact]
    return f"{item.file}:{item.line}"


def package(**fields: object) -> str:
    """A package.json."""
    return json.dumps(fields, indent=2)

"""The golden detections of the sample apps, as they are on a machine that has only the offline base images."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from detectors.detect import detect
from detectors.tree import FolderTree

GOLDEN = Path(__file__).parent / "golden"
APPS = ("java-spring", "node-express", "node-next", "python-django", "python-fastapi", "python-flask")


@pytest.mark.parametrize("name", APPS)
def test_the_detection_of_a_sample_app_is_as_people_know_it(name: str, sample_apps: Mapping[str, Path]) -> None:
    golden = GOLDEN / f"{name}.json"
    text = json.dumps(asdict(detect(FolderTree(sample_apps[name]), offline=True)), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()

"""What one machine can run of rendered manifests."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.preview.workload import memory_bytes, workload


@pytest.mark.parametrize(
    ("quantity", "count"), [("0", 0), ("512Mi", 536_870_912), ("1Gi", 2**30), ("1G", 10**9), ("1.5Gi", 1_610_612_736)]
)
def test_kubernetes_memory_is_bytes(quantity: str, count: int) -> None:
    assert memory_bytes(quantity) == count


def test_manifests_without_one_deployment_are_refused() -> None:
    manifests: list[dict[str, Any]] = [{"kind": "Service"}]
    with pytest.raises(PipelineError, match="renders 0"):
        workload(manifests)

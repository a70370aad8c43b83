"""What one machine can run of rendered manifests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.errors import PipelineError
from pipeline.preview.sync import container_name
from pipeline.preview.workload import Workload, memory_bytes, workload

MANIFESTS = Path(__file__).parents[1] / "gitops_writer" / "golden" / "manifests.yaml"


def rendered() -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(MANIFESTS.read_text(encoding="utf-8")))


def test_what_the_chart_renders_is_run_as_it_asks() -> None:
    name = "tochratana-template-nextjs-7581"
    assert workload(rendered()) == Workload(
        name=name,
        image="registry.example.com/ws-159990218/web@sha256:" + "ab" * 32,
        env={
            "GREETING": "yes",
            "RATIO": "1:30",
            "TEMPLATE": "{{ .Values.host }} $(PORT) $$",
            "TWO_LINES": "a\nb: c",
            "PORT": "3000",
        },
        port=3000,
        user=10001,
        group=10001,
        read_only=True,
        scratch=("/tmp",),
        memory=512 * 2**20,
        health_path="/healthz",
        host=f"{name}.apps.example.com",
        grace_seconds=35,
    )


def test_two_deployments_are_more_than_one_machine_runs() -> None:
    with pytest.raises(PipelineError, match="renders 2") as refused:
        workload([*rendered(), *rendered()])
    assert refused.value.fix == "run it on Kubernetes"


@pytest.mark.parametrize(
    ("project", "workload_id"),
    [("a" * 53, "sha256:" + "1" * 64), ("a-" * 26 + "a", "sha256:" + "2" * 64), ("x-1", "sha256:" + "3" * 64)],
)
def test_a_container_is_named_by_a_label_of_dns(project: str, workload_id: str) -> None:
    name = container_name("0123456789ab", project, workload_id)

    assert re.fullmatch("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
    assert name != container_name("0123456789ab", project + "b", workload_id)


@pytest.mark.parametrize(
    ("quantity", "count"), [("0", 0), ("512Mi", 536_870_912), ("1Gi", 2**30), ("1G", 10**9), ("1.5Gi", 1_610_612_736)]
)
def test_kubernetes_memory_is_bytes(quantity: str, count: int) -> None:
    assert memory_bytes(quantity) == count


def test_manifests_without_one_deployment_are_refused() -> None:
    manifests: list[dict[str, Any]] = [{"kind": "Service"}]
    with pytest.raises(PipelineError, match="renders 0"):
        workload(manifests)

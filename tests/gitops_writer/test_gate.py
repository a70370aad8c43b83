"""The gate: what would not run is refused, and the refusal says where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_writer.errors import GateRefused, GitopsError
from gitops_writer.gate import ask, gate
from gitops_writer.records import Checks, Release
from tests.gitops_writer.samples import ALLOW, DRAFT, RELEASE, files_of

CHART = "charts/monolithic/1.0.0"
VALUES = "tenants/ws-159990218/tochratana-template-nextjs-7581/values.yaml"
DEPLOYMENT = "charts/monolithic/1.0.0/charts/common/templates/_deployment.tpl"
CONTAINER = "charts/monolithic/1.0.0/charts/common/templates/_container.tpl"


def edited(path: str, old: str, new: str) -> dict[str, bytes]:
    files = files_of()
    assert old.encode() in files[path]
    return {**files, path: files[path].replace(old.encode(), new.encode())}


def refusal(files: dict[str, bytes], release: Release = RELEASE, **options: Any) -> GateRefused:
    with pytest.raises(GateRefused) as caught:
        gate(files, release, **options)
    assert caught.value.kind == "policy"
    return caught.value


def test_a_good_release_passes_and_gives_its_manifests() -> None:
    kinds = [manifest["kind"] for manifest in gate(files_of(), RELEASE, ALLOW)]
    assert kinds == ["Deployment", "Ingress", "Service", "ServiceAccount"]


@pytest.mark.parametrize(
    ("code", "path", "old", "new", "named"),
    [
        ("gate.schema", VALUES, "port: 3000", 'port: "3000"', "port"),
        ("gate.schema", VALUES, "port: 3000", "port: 3000\nsurprise: 1", "surprise"),
        ("gate.schema", VALUES, '"yes"', '"no"', "other values"),
        ("gate.schema", VALUES, '"yes"', "yes", "GREETING"),
        ("gate.render", VALUES, "port: 3000", "port: [3000", "yaml"),
        ("gate.render", DEPLOYMENT, "int64 .app.replicas", "fail", "_deployment.tpl"),
        ("gate.kubernetes", DEPLOYMENT, "revisionHistoryLimit: 2", "revisionHistoryLimits: 2", "revisionHistoryLimits"),
        ("gate.kubernetes", DEPLOYMENT, "replicas: {{", 'replicas: "x"  # {{', "replicas"),
        ("gate.kubernetes", DEPLOYMENT, "apps/v1", "apps/v1beta1", "v1beta1"),
        ("gate.pod_security", CONTAINER, 'drop: ["ALL"]', "drop: []", "capabilities.drop"),
        ("gate.pod_security", DEPLOYMENT, "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"),
        ("gate.image", CONTAINER, "%s@%s", "%s:%s", "not in the release"),
        ("gate.kind", DEPLOYMENT, '"Deployment"', '"DaemonSet"', "AppProject"),
    ],
)
def test_what_would_not_run_is_refused_where_it_is_wrong(code: str, path: str, old: str, new: str, named: str) -> None:
    refused = refusal(edited(path, old, new))
    assert refused.code == code
    assert named in refused.why


def test_a_manifest_in_another_namespace_is_refused() -> None:
    path = "charts/monolithic/1.0.0/charts/common/templates/_names.tpl"
    refused = refusal(edited(path, "namespace: {{ .root.Release.Namespace | quote }}", 'namespace: "kube-system"'))
    assert refused.code == "gate.kind"
    assert "another namespace" in refused.why


@pytest.mark.parametrize("version", [f"1.{minor}" for minor in range(30, 38)])
def test_the_chart_is_valid_for_every_kubernetes_it_names(version: str) -> None:
    assert gate(files_of(), RELEASE, kubernetes=version)


@pytest.mark.parametrize("version", ["0.1", "1.99", "../..", "", "1.34.0"])
def test_an_unknown_kubernetes_is_refused(version: str) -> None:
    with pytest.raises(GitopsError, match="can't be checked"):
        gate(files_of(), RELEASE, kubernetes=version)


def test_an_image_that_left_the_registry_is_refused() -> None:
    with pytest.raises(GateRefused, match="web") as caught:
        ask(DRAFT, Checks(digest_exists=lambda _: "404 not found", host_allowed=lambda *_: None))
    assert caught.value.code == "gate.digest"
    assert DRAFT.images["web"].digest in caught.value.why


def test_a_host_of_another_tenant_is_refused() -> None:
    def owner(workspace: str, project: str, host: str) -> str | None:
        return f"{host} belongs to another workspace than {workspace}"

    with pytest.raises(GateRefused) as caught:
        gate(files_of(), RELEASE, Checks(digest_exists=lambda _: None, host_allowed=owner))
    assert caught.value.code == "gate.host"


def test_a_project_that_begins_with_a_digit_has_a_service_that_kubernetes_takes() -> None:
    release = replace(RELEASE, project="7-zip")
    manifests = {manifest["kind"]: manifest for manifest in gate(files_of(release), release)}
    assert manifests["Service"]["metadata"]["name"] == "svc-7-zip"
    path = manifests["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]
    assert path["backend"]["service"]["name"] == "svc-7-zip"

"""The chart monolithic, rendered by Helm: golden manifests, exact environment, no way past its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import helm_python
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_writer.canonical import yaml_stream
from gitops_writer.charts import chart_files, chart_version
from gitops_writer.errors import GateRefused, GitopsError
from gitops_writer.gate import gate
from gitops_writer.helm import container_env, render_chart
from gitops_writer.records import Release
from gitops_writer.render import values
from tests.gitops_writer.samples import CHARTS, RELEASE, files_of, same_as_golden

FILES = chart_files(CHARTS, "monolithic")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
ENV = st.dictionaries(
    st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(lambda it: it != "PORT"), TEXT
)


def rendered(changes: Mapping[str, Any] | None = None, release: Release = RELEASE) -> dict[str, dict[str, Any]]:
    document = {**values(release), **(changes or {})}
    return {it["kind"]: it for it in render_chart(FILES, document, release.project, release.workspace)}


def pod(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = rendered(changes)["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_the_manifests_are_as_their_golden() -> None:
    assert same_as_golden("manifests.yaml", yaml_stream(gate(files_of(), RELEASE)))


def test_the_same_values_render_the_same() -> None:
    assert rendered() == rendered()


@settings(deadline=None)
@given(ENV)
def test_every_env_value_reaches_the_app_exactly(env: dict[str, str]) -> None:
    container = rendered(release=replace(RELEASE, env=env))["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container_env(container) == {**env, "PORT": "3000"}


def expanded(text: str) -> str:
    """Expand as the kubelet does: "$$" is "$", "$(NAME)" a variable if it is known."""
    return re.sub(r"\$\$|\$\((.*?)\)", lambda it: "$" if it[0] == "$$" else f"<{it[1]}>", text)


@given(TEXT | st.text("$()A", max_size=12))
@settings(deadline=None)
def test_kubernetes_expands_nothing_in_an_env_value(text: str) -> None:
    container = pod({"env": {"A": text}})["containers"][0]
    assert expanded(next(it["value"] for it in container["env"] if it["name"] == "A")) == text


@pytest.mark.parametrize(
    "text", ["yes", "no", "on", "1:30", "0o7", "1e3", "null", "~", "", "{{ .Values.host }}", "a\nb: c"]
)
def test_text_that_looks_like_yaml_or_a_template_stays_text(text: str) -> None:
    release = replace(RELEASE, env={"A": text}, source=replace(RELEASE.source, branch=text.replace("\n", "")))
    manifest = rendered(release=release)["Deployment"]
    assert container_env(manifest["spec"]["template"]["spec"]["containers"][0])["A"] == text
    assert manifest["metadata"]["annotations"]["shipway.dev/source-branch"] == release.source.branch


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"port": "3000"}, "port"),
        ({"port": 0}, "port"),
        ({"port": 70000}, "port"),
        ({"surprise": 1}, "surprise"),
        ({"env": {"A": 1}}, "env"),
        ({"env": {"A-B": "1"}}, "A-B"),
        ({"host": "Example.com"}, "host"),
        ({"host": "*.example.com"}, "host"),
        ({"image": {"repository": "r/x", "digest": "latest"}}, "digest"),
        ({"image": {"repository": "r/x", "digest": f"sha256:{'a' * 64}", "tag": "v1"}}, "tag"),
        ({"runAsUser": 0}, "runAsUser"),
        ({"resources": {"requests": {"cpu": "1", "memory": "lots"}, "limits": {"memory": "1Gi"}}}, "memory"),
        ({"healthPath": "healthz"}, "healthPath"),
        ({"replicas": -1}, "replicas"),
    ],
)
def test_helm_itself_refuses_values_that_the_schema_forbids(change: dict[str, Any], named: str) -> None:
    with pytest.raises(GateRefused) as caught:
        rendered(change)
    assert named in caught.value.why


def test_the_schema_describes_every_value_and_forbids_all_others() -> None:
    def walk(name: str, schema: dict[str, Any]) -> None:
        assert "description" in schema or "$ref" in schema, name
        if "properties" in schema:
            assert schema["additionalProperties"] is False, name
        for key, inner in schema.get("properties", {}).items():
            walk(f"{name}.{key}", inner)

    schema = json.loads(FILES["values.schema.json"])
    for key, inner in schema["properties"].items():
        walk(key, inner)
    assert schema["additionalProperties"] is False


def test_selectors_hold_only_labels_that_never_change() -> None:
    before, after = rendered(), rendered(release=replace(RELEASE, version="v1.0.4", port=8080, env={}))
    assert before["Deployment"]["spec"]["selector"] == after["Deployment"]["spec"]["selector"]
    selector = before["Deployment"]["spec"]["selector"]["matchLabels"]
    assert selector == before["Service"]["spec"]["selector"]
    assert selector.items() <= before["Deployment"]["spec"]["template"]["metadata"]["labels"].items()


def test_a_new_version_of_the_same_content_restarts_no_pod() -> None:
    before, after = rendered(), rendered(release=replace(RELEASE, version="v1.0.4"))
    assert before["Deployment"]["spec"] == after["Deployment"]["spec"]
    assert before["Deployment"]["metadata"] != after["Deployment"]["metadata"]


def test_options_of_the_platform_take_effect() -> None:
    ingress = {"className": "internal", "tlsSecretName": "cert", "annotations": {"a.example.com/b": "yes"}}
    manifests = rendered({"replicas": 3, "imagePullSecrets": ["harbor"], "envSecret": "app-env-1", "ingress": ingress})
    spec = manifests["Deployment"]["spec"]["template"]["spec"]
    assert manifests["Deployment"]["spec"]["replicas"] == 3
    assert spec["imagePullSecrets"] == [{"name": "harbor"}]
    assert spec["containers"][0]["envFrom"] == [{"secretRef": {"name": "app-env-1"}}]
    assert manifests["Ingress"]["spec"]["tls"] == [{"secretName": "cert", "hosts": [RELEASE.host]}]
    assert manifests["Ingress"]["spec"]["ingressClassName"] == "internal"
    assert manifests["Ingress"]["metadata"]["annotations"]["a.example.com/b"] == "yes"


def test_large_numbers_are_not_printed_as_floats() -> None:
    assert pod({"runAsUser": 2147483647})["securityContext"]["runAsUser"] == 2147483647


def test_the_pod_outlives_its_drain_and_grace() -> None:
    spec = pod({"shutdown": {"drainSeconds": 7, "graceSeconds": 40}})
    assert spec["terminationGracePeriodSeconds"] == 47
    assert spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 7


FORBIDDEN = re.compile(
    r"(?:{{-?|\||\(|=)\s*(?:tpl|lookup|rand\w*|uuidv4|now|gen[A-Z]\w+|derivePassword|env|expandenv|getHostByName)\b"
)


def test_no_template_looks_up_guesses_or_runs_text_as_a_template() -> None:
    templates = {path: data.decode() for path, data in FILES.items() if "/templates/" in f"/{path}"}
    assert len(templates) > 6
    assert not {path: found[0] for path, text in templates.items() if (found := FORBIDDEN.search(text))}
    assert FORBIDDEN.search("{{- tpl .Values.x . }}")
    assert FORBIDDEN.search('{{ $x := (lookup "v1" "Secret" "a" "b") }}')


def test_helm_lints_the_copied_chart_clean(tmp_path: Path) -> None:
    folder = tmp_path / "monolithic"
    for path, data in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    report = helm_python.lint(folder, values(RELEASE), strict=True)
    assert [it for it in report["messages"] if it["severity"] > 1] == []
    assert report["errors"] == []
    by_folder = render_chart(folder, values(RELEASE), RELEASE.project, RELEASE.workspace)
    assert by_folder == render_chart(FILES, values(RELEASE), RELEASE.project, RELEASE.workspace)


def test_a_developers_vendored_copy_is_not_taken(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(CHARTS, tmp_path / "charts")
    (tmp_path / "charts/monolithic/charts").mkdir()
    (tmp_path / "charts/monolithic/charts/common-1.0.0.tgz").write_bytes(b"old")
    (tmp_path / "charts/monolithic/Chart.lock").write_text("old")
    assert chart_files(tmp_path / "charts", "monolithic") == FILES


def test_every_dependency_is_the_version_that_is_vendored() -> None:
    assert f"version: {chart_version(CHARTS, 'common')}" in FILES["Chart.yaml"].decode()


def test_a_chart_that_does_not_exist_is_refused() -> None:
    with pytest.raises(GitopsError, match="no chart"):
        chart_files(CHARTS, "nonsense")

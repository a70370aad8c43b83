"""The configuration: which layer wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.errors import PipelineError


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("workspace: ws-file\nbase_domain: file.example\npreview_port: 9000\n")
    env = {"SHIPWAY_HOME": str(tmp_path), "SHIPWAY_WORKSPACE": "ws-env", "SHIPWAY_BASE_DOMAIN": "env.example"}

    config = load({"workspace": "ws-flag"}, env)

    assert (config.workspace, config.base_domain, config.preview_port) == ("ws-flag", "env.example", 9000)
    assert config.sources["workspace"] == "command line"
    assert config.sources["base_domain"] == "environment"
    assert config.sources["preview_port"] == str(tmp_path / "config.yaml")
    assert config.sources["gitops_branch"] == "default"


def test_a_flag_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    assert load({"home": tmp_path, "workspace": None}, {}).workspace == "ws-local"


def test_the_machines_own_trust_is_the_builds_unless_something_else_is_set(tmp_path: Path) -> None:
    bundle, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    bundle.write_text("x")
    other.write_text("y")
    env = {"SHIPWAY_HOME": str(tmp_path), "SSL_CERT_FILE": str(bundle)}

    assert load({}, env).ca_bundle == bundle
    assert load({"ca_bundle": other}, env).ca_bundle == other


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour: red", "colour"),
        ("preview_port: many", "preview_port"),
        ("base_images: some", "base_images"),
        ("npmrc: /nowhere/.npmrc", "npmrc"),
        ("- a list", "mapping"),
        ("a: [", "YAML"),
        ("sources: {}", "sources"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_and_file(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "config.yaml").write_text(text)

    with pytest.raises(PipelineError) as refused:
        load({"home": tmp_path}, {})

    assert named in refused.value.why
    assert "config.yaml" in refused.value.what


@pytest.mark.parametrize(
    "text",
    [
        "registry: https://harbor.example.com",
        "registry: harbor.example.com/project",
        "registry: [a, b]",
        "git_allow_http: maybe",
        "preview_port: 0",
        "preview_port: 70000",
        "preview_port: 80.5",
        "health_timeout: -1",
        "health_timeout: true",
        "ca_bundle: /",
        "trivy_db: /etc/passwd",
        "pip_conf: {a: b}",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_source(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(PipelineError, match=r"config\.yaml") as refused:
        load({"home": tmp_path}, {})
    assert text.partition(":")[0] in refused.value.why
    assert refused.value.fix


def test_an_empty_value_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("registry:\ngitops_remote: null\npip_conf: ~\n")
    found = load({"home": tmp_path}, {})

    assert (found.registry, found.gitops_remote, found.pip_conf) == (None, None, None)
    assert found.sources["registry"] == "default"


@pytest.mark.parametrize(("given", "held"), [("Apps.Example.COM.", "apps.example.com"), ("localhost", "localhost")])
def test_the_base_domain_is_in_the_form_that_hosts_have(tmp_path: Path, given: str, held: str) -> None:
    assert load({"home": tmp_path}, {"SHIPWAY_BASE_DOMAIN": given}).base_domain == held


@pytest.mark.parametrize("registry", ["harbor.example.com", "localhost:5000", "[::1]:5000", "10.0.0.1:443"])
def test_a_registry_is_a_host_with_or_without_a_port(tmp_path: Path, registry: str) -> None:
    assert load({"home": tmp_path}, {"SHIPWAY_REGISTRY": registry}).registry == registry


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PipelineError, match="can't be used"):
        load({"home": tmp_path / "file"}, {})

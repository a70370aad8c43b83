"""The desired state's files: golden, pure, and each in its place."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_writer.argo import application, application_name, root
from gitops_writer.errors import GitopsError
from gitops_writer.helm import parse_yaml
from gitops_writer.records import Chart, Release
from gitops_writer.render import values
from resources.contracts import parse
from tests.gitops_writer.samples import DRAFT, RELEASE, TARGET, files_of, same_as_golden

FOLDER = "tenants/ws-159990218/tochratana-template-nextjs-7581"
PEOPLE_READ = {
    "release.json": f"{FOLDER}/release.json",
    "run.json": f"{FOLDER}/run.json",
    "values.yaml": f"{FOLDER}/values.yaml",
    "application.yaml": "apps/ws-159990218/tochratana-template-nextjs-7581.yaml",
    "app-project.yaml": "apps/ws-159990218/_project.yaml",
    "root.yaml": "apps/root.yaml",
}


@pytest.mark.parametrize(("golden", "path"), PEOPLE_READ.items(), ids=PEOPLE_READ)
def test_a_file_is_as_its_golden(golden: str, path: str) -> None:
    assert same_as_golden(golden, files_of()[path])


def test_the_current_record_is_byte_equal_to_the_release() -> None:
    files = files_of()
    assert files[f"{FOLDER}/release.json"] == files[f"{FOLDER}/releases/v1.0.3.json"]


def test_the_record_reads_back_as_the_same_release() -> None:
    assert parse(Release, files_of()[f"{FOLDER}/release.json"], what="release.json") == RELEASE


def test_the_chart_is_copied_with_its_library_inside() -> None:
    copied = {path for path in files_of() if path.startswith("charts/monolithic/1.0.0/")}
    assert "charts/monolithic/1.0.0/charts/common/Chart.yaml" in copied
    assert "charts/monolithic/1.0.0/templates/deployment.yaml" in copied
    assert not [path for path in copied if "__" in path or "/." in path]


@settings(deadline=None)
@given(st.dictionaries(st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True), st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))  # fmt: skip
def test_values_are_a_pure_function_of_the_record_and_helm_reads_them_so(env: dict[str, str]) -> None:
    release = replace(RELEASE, env=env)
    written = files_of(release)
    assert written == files_of(replace(release, env=dict(reversed(env.items()))))
    assert parse_yaml(written[f"{FOLDER}/values.yaml"]) == values(release)


def test_a_sealed_secret_brings_its_folder_into_the_application() -> None:
    release = replace(RELEASE, sealed_secret="app-env-1234abcd")
    assert values(release)["envSecret"] == "app-env-1234abcd"
    sources = application(release, TARGET)["spec"]["sources"]
    assert [source["path"] for source in sources] == ["charts/monolithic/1.0.0", f"{FOLDER}/sealed"]


def test_no_two_projects_share_an_application() -> None:
    assert application_name("ws-a", "b-c") != application_name("ws-a-b", "c")
    platforms_own = {document["metadata"]["name"] for document in root(["ws-a"], TARGET)}
    assert not platforms_own & {application_name("ws-a", name) for name in ("apps", "root", "platform")}


def test_taking_the_root_away_takes_no_tenant_down() -> None:
    top = next(it for it in root(["ws-a"], TARGET) if it["metadata"]["name"] == "shipway.root")
    assert top["metadata"]["finalizers"] == []


def test_every_workspace_has_one_application_in_the_root() -> None:
    names = [document["metadata"]["name"] for document in root(["ws-b", "ws-a"], TARGET)]
    assert names == ["platform", "shipway.root", "shipway.ws-a", "shipway.ws-b"]


def test_a_project_type_that_no_chart_takes_yet_is_refused() -> None:
    with pytest.raises(GitopsError, match="can't run"):
        values(replace(RELEASE, chart=Chart("database", "1.0.0")))
    with pytest.raises(GitopsError, match="can't run"):
        values(replace(RELEASE, images={**RELEASE.images, "api": RELEASE.images["web"]}))


def test_a_release_is_its_draft_and_a_version() -> None:
    ours = {name: value for name, value in asdict(RELEASE).items() if name not in {"schema", "version"}}
    assert ours == {name: value for name, value in asdict(DRAFT).items() if name != "schema"}

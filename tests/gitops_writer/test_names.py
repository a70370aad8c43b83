"""Names from outside: what may not stand in a path, a manifest or a commit is refused, field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_writer.errors import GitopsError
from gitops_writer.layout import project_folder
from gitops_writer.names import check_draft, check_project, check_run_id, version_number
from gitops_writer.records import Chart, ImageRef
from tests.gitops_writer.samples import DRAFT

IMAGE = DRAFT.images["web"]
BAD: list[tuple[str, dict[str, Any]]] = [
    ("workspace", {"workspace": "159990218"}),
    ("workspace", {"workspace": "ws-../../etc"}),
    ("workspace", {"workspace": "ws-" + "a" * 61}),
    ("workspace", {"workspace": "ws-a\n"}),
    ("project", {"project": "a" * 54}),
    ("project", {"project": "my.app"}),
    ("project", {"project": "MyApp"}),
    ("project", {"project": "é"}),
    ("project", {"project": "-a"}),
    ("project", {"project": "_tenant"}),
    ("project", {"project": ""}),
    ("host", {"host": "Example.com"}),
    ("host", {"host": "*.example.com"}),
    ("host", {"host": "10.0.0.1"}),
    ("host", {"host": f"{'a' * 64}.example.com"}),
    ("host", {"host": "a..b"}),
    ("host", {"host": "a.b/c"}),
    ("port", {"port": 0}),
    ("port", {"port": 65536}),
    ("health_path", {"health_path": "healthz"}),
    ("health_path", {"health_path": "/a b"}),
    ("health_path", {"health_path": "/a\n"}),
    ("env name", {"env": {"A-B": "x"}}),
    ("env name", {"env": {"1A": "x"}}),
    ("env name", {"env": {"": "x"}}),
    ("NUL", {"env": {"A": "a\0b"}}),
    ("Unicode", {"env": {"A": "\udc80"}}),
    ("larger", {"env": {"A": "x" * (128 * 1024 + 1)}}),
    ("in all", {"env": {f"A{n}": "x" * 100_000 for n in range(6)}}),
    ("PORT", {"env": {"PORT": "1"}}),
    ("images", {"images": {}}),
    ("digest", {"images": {"web": ImageRef(IMAGE.repository, "sha256:abc", "passed")}}),
    ("digest", {"images": {"web": ImageRef(IMAGE.repository, IMAGE.digest.upper(), "passed")}}),
    ("repository", {"images": {"web": ImageRef("a b", IMAGE.digest, "passed")}}),
    ("repository", {"images": {"web": ImageRef("r/app@sha256:1", IMAGE.digest, "passed")}}),
    ("service", {"images": {"We b": IMAGE}}),
    ("chart", {"chart": Chart("monolithic", "../1.0.0")}),
    ("sealed", {"sealed_secret": "../x"}),
    ("credentials", {"source": replace(DRAFT.source, repository="https://user:hunter2@example.com/x.git")}),
    ("branch", {"source": replace(DRAFT.source, branch="a\x1b[31m")}),
    ("commit", {"source": replace(DRAFT.source, commit="HEAD")}),
]


@pytest.mark.parametrize(("named", "change"), BAD)
def test_a_bad_field_is_refused_by_name(named: str, change: dict[str, Any]) -> None:
    with pytest.raises(GitopsError) as caught:
        check_draft(replace(DRAFT, **change))
    assert named in caught.value.why
    assert caught.value.kind == "input"
    assert "hunter2" not in caught.value.why


@pytest.mark.parametrize(
    "change",
    [
        {"project": "7-app", "host": "x.localhost"},
        {"project": "a" * 53},
        {"env": {"PORT": "3000", "_": "", "A1": "\n'\"\\\t"}},
        {"images": {"web": replace(IMAGE, repository="127.0.0.1:5000/ws-local/app")}},
    ],
)
def test_a_good_draft_passes(change: dict[str, Any]) -> None:
    check_draft(replace(DRAFT, **change))


@given(st.text(max_size=70), st.text(max_size=60))
def test_names_that_pass_stay_in_their_folder(workspace: str, project: str) -> None:
    try:
        check_project(f"ws-{workspace}", project)
    except GitopsError:
        return
    folder = project_folder(f"ws-{workspace}", project)
    assert folder.split("/") == ["tenants", f"ws-{workspace}", project]
    assert folder.isascii()
    assert not {".", ".."} & set(folder.split("/"))


@pytest.mark.parametrize("run_id", ["", "a b", "a\nGeneration: 99", "-x", "a" * 65, "é"])
def test_a_run_id_that_could_forge_a_trailer_is_refused(run_id: str) -> None:
    with pytest.raises(GitopsError):
        check_run_id(run_id)


@pytest.mark.parametrize(
    ("text", "number"), [("v1.0.0", 0), ("v1.0.17", 17), ("v1.0.01", -1), ("v1.0.", -1), ("v2.0.1", -1)]
)
def test_a_version_is_its_number(text: str, number: int) -> None:
    assert version_number(text) == number

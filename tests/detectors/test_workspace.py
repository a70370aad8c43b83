"""An app in a workspace: what of the workspace it needs is refused or told, and the whole workspace can be deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detectors.trees import outcome, package, reason, service, warnings

APP: dict[str, object] = {"dependencies": {"express": "5"}, "scripts": {"start": "node server.js"}, "main": "server.js"}
ROOT = package(name="shop", workspaces=["apps/*", "packages/*"])


def workspace(app: Mapping[str, object], **files: str) -> dict[str, str]:
    return {
        "package.json": ROOT,
        "package-lock.json": "{}",
        "apps/api/package.json": package(**app),
        "apps/api/server.js": "require('express')().listen(3000)",
        "packages/ui/package.json": package(name="@shop/ui"),
        **files,
    }


def test_an_app_that_needs_nothing_of_it_is_told_whose_lock_file_is_not_used() -> None:
    found = service(workspace(APP), root="apps/api")
    (told,) = warnings(found)
    assert told.startswith(
        "package-lock.json:1 it is the lock file of the whole workspace; apps/api is built by itself"
    )
    assert "commit a lock file beside apps/api/package.json" in told


def test_the_workspace_s_lock_file_names_the_package_manager() -> None:
    files = workspace(APP) | {"yarn.lock": ""}
    del files["package-lock.json"]
    assert service(files, root="apps/api").package_manager == "yarn"


def test_an_app_with_a_lock_file_of_its_own_is_complete() -> None:
    found = service(workspace(APP, **{"apps/api/package-lock.json": "{}"}), root="apps/api")
    assert (found.package_manager, warnings(found)) == ("npm", [])


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("@shop/ui", "*"),
        ("@shop/ui", "^1.0.0"),
        ("@else/x", "workspace:^"),
        ("react", "catalog:"),
        ("x", "file:../../packages/x"),
        ("x", "link:../x"),
    ],
)
def test_a_dependency_that_only_the_workspace_has_is_refused_by_name(name: str, asked: str) -> None:
    told = reason(workspace(APP | {"dependencies": {"express": "5", name: asked}}), root="apps/api")
    assert told.startswith(
        f"apps/api/package.json:4 depends on {name}, which comes from the workspace that package-lock."
    )
    assert "`start: node apps/api/server.js`" in told


def test_the_only_app_of_a_workspace_is_refused_alike_without_a_root() -> None:
    files = workspace(APP | {"dependencies": {"express": "5", "@shop/ui": "*"}})
    assert "depends on @shop/ui" in reason(files)


def test_the_whole_workspace_is_installed_with_the_manifests_of_its_packages() -> None:
    found = service(workspace(APP), start="node apps/api/server.js")
    assert found.manifests == (
        "package.json", "package-lock.json", "apps/api/package.json", "packages/ui/package.json",
    )  # fmt: skip


def test_a_package_json_around_an_app_is_no_workspace_by_itself() -> None:
    files = workspace(APP | {"dependencies": {"express": "5", "@shop/ui": "*"}}) | {"package.json": package(name="x")}
    assert not any("workspace" in told for told in warnings(service(files, root="apps/api")))


def test_pnpm_says_it_in_a_file_of_its_own() -> None:
    files = workspace(APP) | {"package.json": "{}", "pnpm-workspace.yaml": "packages: [apps/*]", "pnpm-lock.yaml": ""}
    del files["package-lock.json"]
    found = service(files, root="apps/api")
    assert found.package_manager == "pnpm"
    assert warnings(found)[0].startswith("pnpm-lock.yaml:1 it is the lock file of the whole workspace")


def test_a_member_of_a_uv_workspace_is_told_too() -> None:
    files = {
        "uv.lock": "",
        "pyproject.toml": "[tool.uv.workspace]\nmembers = ['api']\n",
        "api/pyproject.toml": "[project]\nname = 'a'\ndependencies = ['fastapi', 'uvicorn']\n",
        "api/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    }
    (told,) = warnings(service(files, root="api"))
    assert told.startswith("uv.lock:1 it is the lock file of the whole workspace")


@pytest.mark.parametrize("broken", ["{", "[]", '{"name": 1}', "[" * 5000, '{"name": "@shop/ui"'])
def test_a_broken_manifest_beside_the_app_is_not_its_matter(broken: str) -> None:
    files = workspace(APP | {"dependencies": {"express": "5", "@shop/ui": "*"}})
    assert service(files | {"packages/ui/package.json": broken}, root="apps/api").framework == "express"
    assert service(files | {"package.json": broken}, root="apps/api").framework == "express"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["workspace:*", "@shop/ui", "*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "workspaces", "a"]), inner),
    max_leaves=6,
)


@given(JSON, JSON)
def test_any_manifests_give_a_result(root: object, app: object) -> None:
    outcome({
        "package.json": json.dumps(root),
        "apps/api/package.json": json.dumps({"dependencies": app, "scripts": {"start": "node a.js"}}),
    })  # fmt: skip

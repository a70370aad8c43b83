"""The real scanner with a database: what it finds refuses the release, and a clean image passes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.machine import Machine, Repository
from tests.e2e.vulnerability_db import write_database

pytestmark = pytest.mark.e2e

PACKAGE = '{"name": "shop", "version": "1.0.0", "private": true, "scripts": {"start": "node server.js"}}'
SERVER = "require('http').createServer((q, a) => a.end('shop v1')).listen(process.env.PORT || 3000, '0.0.0.0')\n"
LODASH = '{"name": "lodash", "version": "4.17.20"}'


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """The default policy, and a small database of the tests' own."""
    return {"SHIPWAY_SCAN_POLICY": "default", "SHIPWAY_TRIVY_DB": str(write_database(tmp_path / "db"))}


def vulnerable_shop(folder: Path) -> Repository:
    """Return a repository with a dependency that the database knows a hole of."""
    shop = Repository(folder / "team" / "shop")
    shop.write("package.json", PACKAGE)
    shop.write("server.js", SERVER)
    shop.write("vendor/lodash/package.json", LODASH)
    return shop


def test_a_clean_image_passes_and_the_release_says_so(
    machine: Machine, repository: Repository, settings: dict[str, str]
) -> None:
    report = machine.deployed(str(repository.folder), "--project", "clean-1", **settings)

    assert report["scan"] == {"web": "passed"}
    (entry,) = machine.shipway("history", "clean-1", "--json").document["releases"]
    assert entry["release"]["images"]["web"]["scan"] == "passed"


def test_a_vulnerable_dependency_refuses_the_release_until_it_is_mended(
    machine: Machine, tmp_path: Path, settings: dict[str, str]
) -> None:
    shop = vulnerable_shop(tmp_path)
    shop.commit("first")
    arguments = ("deploy", str(shop.folder), "--project", "shop-1", "--json", "--progress", "plain")

    refused = machine.shipway(*arguments, **settings)
    assert refused.code == 3, refused.err
    assert "CRITICAL CVE-2099-0001 in lodash 4.17.20 (fixed in 4.17.21)" in refused.document["why"]
    assert machine.shipway("history", "shop-1", "--json").document["releases"] == []

    shop.replace("vendor/lodash/package.json", "4.17.20", "4.17.21")
    shop.commit("mended")
    assert machine.shipway(*arguments, **settings).code == 0


def test_a_scanner_configuration_in_the_repository_changes_nothing(
    machine: Machine, tmp_path: Path, settings: dict[str, str]
) -> None:
    shop = vulnerable_shop(tmp_path)
    shop.write("trivy.yaml", "scan:\n  skip-dirs: ['**']\nseverity: [LOW]\n")
    shop.write(".trivyignore", "CVE-2099-0001\n")
    shop.commit("hidden")

    arguments = ("scan", str(shop.folder), "--project", "hidden-1", "--json")
    assert machine.shipway(*arguments, **settings).code == 3


def test_a_secret_in_the_image_refuses_the_release_even_unscanned(machine: Machine, repository: Repository) -> None:
    key = "AKIA" + "Z" * 3 + "QWERTYUIOPASD"
    repository.write("settings.py", f'aws_access_key_id = "{key}"\naws_secret_access_key = "{"aB3/" * 10}"\n')
    repository.commit("leaked")

    ran = machine.shipway("scan", str(repository.folder), "--project", "leaked-1", "--json")

    assert ran.code == 3, ran.err
    assert "settings.py" in ran.document["why"]
    assert key not in ran.out + ran.err


def test_java_archives_without_their_own_database_are_unscanned_and_never_a_pass(
    machine: Machine, sample_apps: Mapping[str, Path], tmp_path: Path, settings: dict[str, str]
) -> None:
    spring = Repository(tmp_path / "team" / "spring")
    spring.copy(sample_apps["java-spring"])
    spring.commit("first")
    arguments = ("scan", str(spring.folder), "--project", "java-1", "--json")

    refused = machine.shipway(*arguments, **settings)
    assert refused.code == 3, refused.err
    assert "Java archives" in refused.document["why"]

    allowed = machine.shipway(*arguments, **{**settings, "SHIPWAY_SCAN_POLICY": "embedded"})
    assert allowed.document["scan"] == {"web": "unscanned"}

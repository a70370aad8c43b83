"""What is missing on a machine, and how it is got."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.machine import debian
from pipeline.machine import doctor as machine
from pipeline.machine.doctor import MachineError
from pipeline.machine.tools import TOOLS, Tool, buildx_plugin

HOSTILE = "http://mirror.example/debian $(touch /tmp/x)"


def lacking(name: str, source: str = "debian") -> Tool:
    return Tool(name, "a test", lambda _: None, source, (f"{name}-package",))  # type: ignore[arg-type]


def test_doctor_tells_of_every_tool_in_the_order_of_the_table(tmp_path: Path) -> None:
    findings = machine.doctor(tmp_path)
    assert [finding.name for finding in findings] == [tool.name for tool in TOOLS]
    assert all(finding.needed_for and finding.how_to_get for finding in findings)
    assert all(bool(finding.where) == finding.found for finding in findings)


def test_doctor_makes_nothing(tmp_path: Path) -> None:
    machine.doctor(tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_install_with_nothing_missing_is_instant_and_makes_nothing(tmp_path: Path) -> None:
    here = tuple(finding for finding in machine.doctor(tmp_path / "home") if finding.found)
    started = time.monotonic()
    machine.install(here, tmp_path / "home")
    assert time.monotonic() - started < 1
    assert not (tmp_path / "home").exists()


def test_without_debian_it_says_exactly_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "TOOLS", (lacking("one"), lacking("two")))
    monkeypatch.setattr(debian, "is_debian", lambda: False)
    with pytest.raises(MachineError) as raised:
        machine.install(machine.doctor(tmp_path), tmp_path)
    assert raised.value.what == "missing on this machine: one, two"
    assert "one-package" in raised.value.fix
    assert "two-package" in raised.value.fix


def test_without_root_it_says_exactly_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "TOOLS", (lacking("one"),))
    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MachineError) as raised:
        machine.install(machine.doctor(tmp_path), tmp_path)
    assert "root" in raised.value.why
    assert "apt-get install --no-install-recommends one-package" in raised.value.fix


def test_a_part_of_our_own_environment_is_not_looked_for_in_debian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "TOOLS", (lacking("part", "distribution"),))
    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(MachineError) as raised:
        machine.install(machine.doctor(tmp_path), tmp_path)
    assert "pip install" in raised.value.fix


def test_a_program_of_the_home_is_found_before_the_systems(tmp_path: Path) -> None:
    program = tmp_path / "tools" / "bin" / "docker-registry"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = {finding.name: finding.where for finding in machine.doctor(tmp_path)}
    assert found["docker-registry"] == str(program)


def test_the_buildx_plugin_of_the_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path / "user", tmp_path / "home" / "tools" / "docker"):
        plugin = folder / "cli-plugins" / "docker-buildx"
        plugin.parent.mkdir(parents=True)
        plugin.write_text("#!/bin/sh\n")
        plugin.chmod(0o755)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "user"))
    assert buildx_plugin(tmp_path / "home") == (
        tmp_path / "home" / "tools" / "docker" / "cli-plugins" / "docker-buildx"
    )
    assert buildx_plugin(tmp_path / "other") == tmp_path / "user" / "cli-plugins" / "docker-buildx"


def test_mirrors_are_debians_own_and_the_security_archive_stands_apart() -> None:
    table = (
        "Docker\tDocker CE\thttps://other.example/linux\n"
        "Debian\tDebian-Security\thttp://mirror.example/debian-security\n"
        "Debian\tDebian\thttp://mirror.example/debian\n"
        "Debian\tDebian\thttp://second.example/debian\n"
    )
    found = debian.mirrors_in(table)
    assert found == debian.Mirrors("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert found.sources("trixie") == (
        f"deb [signed-by={debian.KEYRING}] http://mirror.example/debian trixie main",
        f"deb [signed-by={debian.KEYRING}] http://mirror.example/debian-security trixie-security main",
    )


@pytest.mark.parametrize(
    "uri", ["http://user:word@mirror.example/debian", HOSTILE, "file:/mirror", "copy:/x", "http://a/\x1b[2J", ""]
)
def test_a_mirror_with_a_login_or_odd_characters_is_passed_over(uri: str) -> None:
    assert debian.mirrors_in(f"Debian\tDebian\t{uri}\n") is None


@given(st.text())
def test_reading_mirrors_never_fails_and_gives_plain_uris_only(text: str) -> None:
    for found in (debian.mirrors_in(text), debian.mirrors_in(f"Debian\tDebian\thttp://{text}")):
        if found is not None:
            assert "@" not in found.archive
            assert found.archive.isprintable()
            assert " " not in found.archive


@pytest.mark.e2e
def test_a_file_comes_out_of_a_package_of_another_release(tmp_path: Path) -> None:
    if not debian.is_debian():
        pytest.skip("not a Debian machine")
    target = tmp_path / "tools" / "hostname"
    debian.extract("hostname", "usr/bin/hostname", target, suite="trixie")
    assert target.read_bytes()[:4] == b"\x7fELF"
    assert os.access(target, os.X_OK)
    assert [entry.name for entry in target.parent.iterdir()] == ["hostname"]

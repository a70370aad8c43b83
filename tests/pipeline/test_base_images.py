"""The base image table, and the offline images: made once, and behaving like the ordinary ones."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from docker import DockerClient
from hypothesis import given
from hypothesis import strategies as st

from clients.process import ProcessError
from pipeline.base_images import recipes as base_recipes
from pipeline.base_images import rootfs as base_rootfs
from pipeline.base_images.build import BaseImageError, bases, build, default_version, hub_reachable, listing
from pipeline.base_images.table import table
from pipeline.machine import debian, embedded
from pipeline.machine.embedded import Engine

GOLDEN = Path(__file__).parent / "golden"
OFFLINE = [key for key, image in table().items() if image.offline]
CA = Path("/etc/ssl/certs/ca-certificates.crt")


# --- the table


def test_every_family_has_its_defaults_in_the_table() -> None:
    for family in {image.family for image in table().values()}:
        ordinary, offline = (default_version(family, offline=offline) for offline in (False, True))
        assert f"{family}:{ordinary}" in bases(offline=False)
        assert f"{family}:{offline}" in bases(offline=True)


def test_an_unknown_family_has_no_default() -> None:
    assert default_version("cobol", offline=False) is None


def test_an_end_of_life_is_a_date() -> None:
    for image in table().values():
        assert image.end_of_life is None or date.fromisoformat(image.end_of_life)


def test_offline_images_stand_under_one_prefix_and_say_their_packages() -> None:
    for key, ref in bases(offline=True).items():
        assert ref == f"shipway/base/{key}"
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in table()[key].packages)
        assert table()[key].packages


def test_a_mirror_of_the_hub_stands_before_every_ordinary_image() -> None:
    mirrored = bases(offline=False, mirror_prefix="harbor.example.com/hub/")
    assert mirrored["python:3.13"] == "harbor.example.com/hub/library/python:3.13-slim-trixie"
    assert all(ref.startswith("harbor.example.com/hub/library/") for ref in mirrored.values())


def test_each_family_that_is_built_has_its_recipe() -> None:
    assert {table()[key].family for key in OFFLINE} == set(base_recipes.FAMILIES)


# --- recipes


@pytest.mark.parametrize("key", OFFLINE)
def test_the_dockerfile_of_an_offline_image_is_as_it_was(key: str) -> None:
    image = table()[key]
    text = base_recipes.dockerfile("shipway/base/debian:trixie", image.family, image.packages)
    golden = GOLDEN / f"base-{image.family}.Dockerfile"
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN") == "1":
        golden.write_text(text)
    assert text == golden.read_text()


@given(st.lists(st.text()), st.lists(st.text()))
def test_different_parts_give_different_recipes(one: list[str], other: list[str]) -> None:
    def plain(parts: list[str]) -> list[str]:
        return [part.replace("\0", "").encode("utf-8", "replace").decode() for part in parts]

    one, other = plain(one), plain(other)
    same = base_recipes.recipe(*one, "") == base_recipes.recipe(*other, "")
    assert same == (one == other)


def test_the_order_of_packages_does_not_matter_and_the_mirror_is_no_part_of_a_recipe() -> None:
    assert base_recipes.dockerfile("p", "node", ["b", "a"]) == base_recipes.dockerfile("p", "node", ["a", "b"])
    assert "http" not in base_recipes.dockerfile("p", "node", ["a"]).replace("Acquire::https", "")


def test_no_mirror_stands_in_the_command_but_the_given_ones() -> None:
    argv = base_recipes.rootfs_argv("trixie", ("deb http://mirror.example trixie main",), "cfg", "out.tar")
    assert argv[0] == "mmdebstrap"
    assert [word for word in argv if "http" in word] == ["deb http://mirror.example trixie main"]


# --- refusals


def test_an_unknown_name_is_refused_with_the_names_that_there_are(tmp_path: Path) -> None:
    nowhere = Engine(f"unix://{tmp_path}/none.sock", tmp_path, owned=False)
    with pytest.raises(BaseImageError) as raised:
        build(nowhere, ["python:2.7"], tmp_path)
    assert "python:3.13" in raised.value.fix
    with pytest.raises(BaseImageError) as raised:
        build(nowhere, ["node:22"], tmp_path)
    assert "Debian" in raised.value.why


def test_a_silent_engine_counts_as_no_hub_within_the_time_limit(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen(8)
        started = time.monotonic()
        assert hub_reachable(Engine(f"unix://{tmp_path}/s", tmp_path, owned=False), timeout=0.3) is False
        assert time.monotonic() - started < 3


def test_an_engine_that_is_not_there_counts_as_no_hub(tmp_path: Path) -> None:
    assert hub_reachable(Engine(f"unix://{tmp_path}/none", tmp_path, owned=False)) is False


@pytest.mark.e2e
def test_without_root_it_is_said_what_to_do_instead(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_rootfs, "rootfs_name", lambda: "shipway-test/absent:1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BaseImageError) as raised:
        base_rootfs.ensure_rootfs(engine, tmp_path, lambda _: None)
    assert "ordinary" in raised.value.fix


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="making a root file system takes root")
def test_an_unreachable_mirror_is_told_and_leaves_nothing_half(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_rootfs, "rootfs_name", lambda: "shipway-test/absent:1")
    monkeypatch.setattr(debian, "mirrors", lambda: debian.Mirrors("http://127.0.0.1:9/debian", None))
    with pytest.raises(ProcessError) as raised:
        base_rootfs.ensure_rootfs(engine, tmp_path, lambda _: None)
    assert "mirror" in raised.value.fix
    assert not (tmp_path / "base-images").exists()
    assert base_rootfs.recipe_of(engine, "shipway-test/absent:1") is None


# --- the images themselves


@pytest.fixture(scope="module")
def built(engine: Engine, test_home: Path) -> Mapping[str, str]:
    refs: dict[str, str] = {}
    for name in OFFLINE:
        refs |= build(engine, [name], test_home, ca_bundle=CA if CA.exists() else None)
    return refs


@pytest.fixture
def docker(engine: Engine) -> Iterator[DockerClient]:
    client = embedded.client(engine)
    yield client
    client.close()


def ran(docker: DockerClient, ref: str, script: str, user: str = "10001:10001") -> str:
    """Return what ``script`` prints in the image ``ref``, as an ordinary user without a network."""
    argv = ["sh", "-euc", script]
    out = docker.containers.run(ref, argv, remove=True, user=user, network_mode="none", environment={"HOME": "/tmp"})
    return out.decode()


@pytest.mark.e2e
def test_building_again_does_nothing(
    engine: Engine, built: Mapping[str, str], test_home: Path, docker: DockerClient
) -> None:
    before = {ref: docker.images.get(ref).id for ref in built.values()}
    started = time.monotonic()
    assert build(engine, [], test_home) == built
    assert time.monotonic() - started < 5
    assert {ref: docker.images.get(ref).id for ref in built.values()} == before


@pytest.mark.e2e
def test_an_image_of_another_recipe_is_built_anew(
    engine: Engine, built: Mapping[str, str], test_home: Path, docker: DockerClient
) -> None:
    ref = built["nginx:1"]
    docker.images.get(built["python:3.13"]).tag(*ref.split(":"))
    build(engine, ["nginx:1"], test_home)
    assert base_rootfs.recipe_of(engine, ref) != base_rootfs.recipe_of(engine, built["python:3.13"])
    assert "nginx" in ran(docker, ref, "nginx -v 2>&1")


@pytest.mark.e2e
def test_the_list_tells_which_images_are_there(engine: Engine, built: Mapping[str, str]) -> None:
    rows = {row.image.key: row for row in listing(engine)}
    assert list(rows) == list(table())
    assert all(rows[key].present for key in built)
    assert not rows["python:3.11"].present


@pytest.mark.e2e
@pytest.mark.parametrize("key", OFFLINE)
def test_an_image_holds_no_manuals_lists_or_archives_but_the_licences(
    built: Mapping[str, str], docker: DockerClient, key: str
) -> None:
    script = (
        "find /usr/share/doc /usr/share/man /usr/share/locale /usr/share/info /var/cache/apt/archives "
        "/var/lib/apt/lists -type f ! -name copyright ! -name lock ! -path /usr/share/info/dir 2>/dev/null | head -5;"
        "ls /usr/share/doc/*/copyright | wc -l"
    )
    lines = ran(docker, built[key], script, user="0").split()
    assert len(lines) == 1, lines
    assert int(lines[0]) > 50


@pytest.mark.e2e
def test_python_answers_to_its_ordinary_names_and_pip_may_install(
    built: Mapping[str, str], docker: DockerClient
) -> None:
    ref = built["python:3.13"]
    assert ran(docker, ref, "python --version").startswith("Python 3.13")
    assert "python 3.13" in ran(docker, ref, "pip --version; python -m venv /tmp/v && /tmp/v/bin/pip --version")
    assert "externally" not in ran(docker, ref, "pip install --no-index nothing-here 2>&1 || true")


@pytest.mark.e2e
def test_java_has_a_home_that_an_ordinary_user_can_trust_from(built: Mapping[str, str], docker: DockerClient) -> None:
    for key in ("jre:21", "maven:21"):
        script = (
            'test -r "$JAVA_HOME/lib/security/cacerts"; "$JAVA_HOME/bin/java" -version 2>&1;'
            "keytool -list -cacerts -storepass changeit | grep -c trusted"
        )
        lines = ran(docker, built[key], script).split("\n")
        assert 'version "21' in lines[0]
        assert int(lines[-2]) > 50
    assert "Apache Maven 3" in ran(docker, built["maven:21"], "mvn -v; javac -version 2>&1")


@pytest.mark.e2e
def test_npm_installs_and_runs_as_an_ordinary_user(built: Mapping[str, str], docker: DockerClient) -> None:
    script = (
        "mkdir -p /tmp/lib /tmp/app; cd /tmp/lib; npm init -y >/dev/null; echo 'module.exports = 42' > index.js;"
        "npm pack --silent >/dev/null; cd /tmp/app; npm init -y >/dev/null;"
        "npm install --offline --no-audit --no-fund /tmp/lib/lib-1.0.0.tgz >/dev/null; rm -rf node_modules;"
        "npm ci --offline --no-audit --no-fund >/dev/null; node -p 'require(\"lib\")'; id -u node"
    )
    assert ran(docker, built["node:20"], script).split() == ["42", "1000"]


CONFIGURATION = """
pid /tmp/nginx.pid;
events {}
http {
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  include /etc/nginx/mime.types;
  server { listen 8080; location / { return 200 "as configured"; } }
}
"""


@pytest.mark.e2e
def test_nginx_runs_as_an_ordinary_user_with_the_configuration_it_is_given(
    built: Mapping[str, str], docker: DockerClient, tmp_path: Path
) -> None:
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION)
    file.chmod(0o644)
    tmp_path.chmod(0o755)
    container = docker.containers.run(
        built["nginx:1"],
        detach=True,
        user="101:101",
        read_only=True,
        tmpfs={"/tmp": "mode=1777"},
        cap_drop=["ALL"],
        volumes={str(file): {"bind": "/etc/nginx/nginx.conf", "mode": "ro"}},
    )
    try:
        asked = 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3'
        deadline = time.monotonic() + 20
        answer = ""
        while "as configured" not in answer and time.monotonic() < deadline:
            answer = str(container.exec_run(["bash", "-c", asked]).output)
        assert "200 OK" in answer, container.logs()
        assert "as configured" in answer
        container.stop(timeout=10)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0
    finally:
        container.remove(force=True)

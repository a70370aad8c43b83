"""One host leads to one project."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitops_writer.mirror import Mirror
from pipeline.hosts import host_holder

RECORDS = {
    "tenants/ws-a/shop-1/release.json": b'{"host": "www.example.com"}',
    "tenants/ws-a/shop-1/releases/v1.0.1.json": b'{"host": "old.example.com"}',
    "tenants/ws-b/blog-1/release.json": b'{"host": "blog.example.com"}',
    "tenants/ws-b/broken-1/release.json": b"{",
    "tenants/ws-b/odd-1/release.json": b"[]",
}


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", remote], check=True)
    return Mirror(str(remote), "main", tmp_path / "mirror.git", lock=tmp_path / "lock")


def test_the_current_release_holds_its_host(mirror: Mirror) -> None:
    assert mirror.push(mirror.commit(None, RECORDS, "x\n"), None)

    assert host_holder(mirror, "www.example.com") == ("ws-a", "shop-1")
    assert host_holder(mirror, "blog.example.com") == ("ws-b", "blog-1")
    assert host_holder(mirror, "old.example.com") is None


def test_in_an_empty_repository_every_host_is_free(mirror: Mirror) -> None:
    assert host_holder(mirror, "www.example.com") is None

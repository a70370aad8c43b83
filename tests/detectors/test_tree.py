"""The bounded folder: no link leads out, no loop hangs it, every bound is a typed refusal."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from detectors.detect import detect
from detectors.errors import DetectionError
from detectors.tree import Bounds, FolderTree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "repository"
    inner.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "package.json").write_text("{}")
    return inner


def test_files_are_listed_sorted_and_read(folder: Path) -> None:
    (folder / "b").mkdir()
    (folder / "b" / "x.py").write_bytes(b"1")
    (folder / "a.txt").write_bytes(b"2")
    tree = FolderTree(folder)
    assert list(tree.paths) == ["a.txt", "b/x.py"]
    assert tree.read("b/x.py") == b"1"
    assert tree.has("a.txt")
    assert not tree.has("b")


def test_links_out_of_the_tree_are_absent(folder: Path) -> None:
    (folder / "out.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to("../outside")
    (folder / "package.json").symlink_to("/etc/passwd")
    (folder / "broken").symlink_to("nothing")
    tree = FolderTree(folder)
    assert list(tree.paths) == []
    with pytest.raises(DetectionError) as told:
        tree.read("package.json")
    assert told.value.code == "tree.no_such_file"


def test_a_link_to_a_file_inside_is_that_file_unless_it_is_skipped(folder: Path) -> None:
    (folder / "real.txt").write_text("x")
    (folder / "link.txt").symlink_to("real.txt")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("token")
    (folder / "config").symlink_to(".git/config")
    tree = FolderTree(folder)
    assert list(tree.paths) == ["link.txt", "real.txt"]
    assert tree.read("link.txt") == b"x"


def test_a_file_that_becomes_a_link_after_the_walk_is_not_followed(folder: Path) -> None:
    (folder / "a.txt").write_text("x")
    tree = FolderTree(folder)
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(folder.parent / "secret.txt")
    with pytest.raises(DetectionError) as told:
        tree.read("a.txt")
    assert told.value.code == "tree.unreadable"


def test_loops_pipes_sockets_and_odd_names_are_absent(folder: Path) -> None:
    (folder / "loop").symlink_to(".")
    (folder / "self").symlink_to("self")
    os.mkfifo(folder / "package.json")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s"))
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py")).write_text("")
        (folder / "new\nline.py").write_text("")
        assert list(FolderTree(folder).paths) == []


@pytest.mark.parametrize("name", [".git", "node_modules", ".venv", "__pycache__", ".next"])
def test_what_tools_leave_behind_is_skipped(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "package.json").write_text("{}")
    assert list(FolderTree(folder).paths) == []


def test_too_many_entries_are_a_typed_refusal(folder: Path) -> None:
    for number in range(11):
        (folder / f"{number}").write_text("")
    with pytest.raises(DetectionError) as told:
        FolderTree(folder, Bounds(entries=10))
    assert (told.value.code, told.value.kind) == ("tree.too_many_entries", "not_deployable")


def test_what_is_deeper_than_the_bound_is_not_looked_at(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "x").write_text("")
    (folder / "d" / "y").write_text("")
    assert list(FolderTree(folder).paths) == ["d/y"]


def test_a_file_past_the_bound_is_refused_without_being_read(folder: Path) -> None:
    with (folder / "package.json").open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(DetectionError) as told:
        detect(FolderTree(folder))
    assert told.value.code == "tree.file_too_big"


def test_a_path_that_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DetectionError) as told:
        FolderTree(tmp_path / "absent")
    assert (told.value.code, told.value.kind) == ("source.no_such_folder", "input")


def test_ten_thousand_files_take_little_time(folder: Path) -> None:
    for outer in range(100):
        (folder / str(outer)).mkdir()
        for inner in range(100):
            (folder / str(outer) / f"{inner}.js").touch()
    started = time.monotonic()
    assert len(FolderTree(folder).paths) == 10_000
    assert time.monotonic() - started < 5

"""The run folder: documents kept with their inputs, written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_writer.records import Source
from pipeline.runs.documents import RunDocument, SourceDocument, Spec
from pipeline.runs.folder import RunFolder, fingerprint, newest, unfinished, write_atomically

SPEC = Spec("deploy", "ws-local", "shop-1", "/src", "main", "a" * 40, dirty=False, env={}, host="h", overrides={})


def document(inputs: str = "sha256:1") -> SourceDocument:
    return SourceDocument("shipway/run/source/v1", inputs, Source("https://x/y", "main", "a" * 40, dirty=False))


def begun(runs: Path, run_id: str, generation: int, *, state: str = "building", spec: Spec = SPEC) -> RunFolder:
    folder = RunFolder(runs / run_id)
    folder.start(RunDocument("shipway/run/v1", run_id, generation, 1, state, spec, {}))
    return folder


def test_a_document_made_from_the_same_inputs_is_found_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write("source", document("sha256:1"))

    assert folder.read("source", SourceDocument, inputs="sha256:1") == document("sha256:1")
    assert folder.read("source", SourceDocument, inputs="sha256:2") is None


@pytest.mark.parametrize("damage", [b"", b"{", b'{"schema":"other"}', b"\xff\xfe", b"[]"])
def test_a_damaged_document_counts_as_absent(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "source.json").write_bytes(damage)

    assert RunFolder(tmp_path).read("source", SourceDocument, inputs="sha256:1") is None


def test_a_full_disk_leaves_the_old_document_and_no_debris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "image.json"
    write_atomically(file, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, b"new")

    assert file.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["image.json"]


def test_the_newest_run_that_was_asked_for_the_same_is_gone_on_with(tmp_path: Path) -> None:
    begun(tmp_path, "r-1", 1)
    second = begun(tmp_path, "r-2", 2)

    found = unfinished(tmp_path, SPEC)

    assert found is not None
    assert found.path == second.path


def test_a_run_is_not_gone_on_with_once_another_came_after_it(tmp_path: Path) -> None:
    begun(tmp_path, "r-1", 1)
    other = Spec("rollback", "ws-local", "shop-1", "", None, "", dirty=False, env={}, host="", overrides={})
    begun(tmp_path, "r-2", 2, state="deployed", spec=other)

    assert unfinished(tmp_path, SPEC) is None


@pytest.mark.parametrize("state", ["deployed", "cancelled"])
def test_an_ended_run_is_not_gone_on_with(tmp_path: Path, state: str) -> None:
    begun(tmp_path, "r-1", 1, state=state)

    assert unfinished(tmp_path, SPEC) is None


def test_another_projects_run_is_not_the_newest(tmp_path: Path) -> None:
    begun(tmp_path, "r-1", 9)

    assert newest(tmp_path, "ws-local", "blog-1") is None


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5))
def test_a_fingerprint_depends_on_content_and_not_on_order(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))

    assert fingerprint(value) == fingerprint(turned)
    assert fingerprint(value) != fingerprint({**value, "one more": 1})

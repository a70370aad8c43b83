"""What isn't committed is found, and nothing that the repository's configuration names is run for it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from pipeline.git import GitFailed
from pipeline.work_tree import changes
from tests.pipeline.repositories import git, made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made(tmp_path / "app", {"a.txt": "hello\n", "b/c.txt": "c\n", ".gitignore": "*.log\n"})


def test_a_clean_work_tree_has_none(repository: Path) -> None:
    (repository / "x.log").write_text("ignored")
    (repository / ".git" / "info" / "exclude").write_text("mine\n")
    (repository / "mine").write_text("ignored by this clone")

    assert changes(repository) == []


def test_changed_removed_added_and_unknown_files_are_named(repository: Path) -> None:
    (repository / "a.txt").write_text("jello\n")
    (repository / "b" / "c.txt").unlink()
    (repository / "added").write_text("1")
    git(repository, "add", "added")
    (repository / "na\u00efve \u4e16").write_text("1")

    assert sorted(changes(repository)) == ["a.txt", "added", "b/c.txt", "na\u00efve \u4e16"]


def test_a_change_that_keeps_size_and_time_of_the_index_is_seen(repository: Path) -> None:
    index = (repository / ".git" / "index").stat().st_mtime_ns
    (repository / "a.txt").write_text("jello\n")
    os.utime(repository / "a.txt", ns=(index, index))

    assert changes(repository) == ["a.txt"]


def test_a_bare_repository_and_a_linked_work_tree(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    (tmp_path / "linked" / "new").write_text("1")

    assert changes(tmp_path / "bare.git") == []
    assert changes(tmp_path / "linked") == ["new"]


def test_settings_of_the_file_system_are_followed(repository: Path) -> None:
    git(repository, "config", "core.fileMode", "false")
    (repository / "a.txt").chmod(0o755)

    assert changes(repository) == []


def test_nothing_that_the_configuration_names_is_run(repository: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (repository / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    # Without its tree git wants to fetch it, from wherever the configuration says and by whatever program.
    tree = git(repository, "rev-parse", "HEAD:b")
    for name, value in {
        "filter.x.clean": f"touch {ran}; cat",
        "filter.x.process": f"touch {ran}",
        "diff.x.textconv": f"touch {ran}",
        "core.fsmonitor": f"touch {ran}",
        "core.sshCommand": f"touch {ran}",
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "file:///nowhere",
        "remote.origin.uploadpack": f"touch {ran}; false",
    }.items():
        git(repository, "config", name, value)
    (repository / "a.txt").write_text("jello\n")

    assert changes(repository) == ["a.txt"]

    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with contextlib.suppress(GitFailed):
        assert "a.txt" in changes(repository)
    assert not ran.exists()


def test_what_can_not_be_told_is_not_called_clean(repository: Path) -> None:
    (repository / "a.txt").write_text("jello\n")
    (repository / ".git" / "index").write_bytes(b"DIRC garbage")

    with pytest.raises(GitFailed):
        changes(repository)

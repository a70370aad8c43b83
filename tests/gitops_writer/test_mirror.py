"""The mirror against real git: reading, committing, compare-and-swap, and remotes that misbehave."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_writer import mirror as mirror_module
from gitops_writer.errors import GitopsError, RemoteError
from gitops_writer.fast_import import commit_stream
from gitops_writer.git_output import batch
from gitops_writer.mirror import Mirror
from tests.gitops_writer.samples import bare, git, mirror_of

HOOK = "#!/bin/sh\necho 'policy: tickets only' >&2\nexit 1\n"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "remote.git")


def hook(remote: Path, name: str, text: str) -> None:
    file = remote / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def test_an_empty_remote_has_no_head_and_takes_a_first_commit(remote: Path) -> None:
    mirror = mirror_of(remote)
    assert mirror.fetch() is None
    sha = mirror.commit(None, {"a/b.txt": b"one\n", "c": b""}, "first\n")
    assert mirror.push(sha, None)
    assert git(remote, "rev-parse", "main") == sha
    assert mirror.fetch() == mirror.head() == sha


def test_what_was_committed_is_read_back(remote: Path) -> None:
    mirror = mirror_of(remote)
    binary = bytes(range(256)) * 3
    first = mirror.commit(None, {"a/b": b"\n\n", "a/c/d": binary, "e": b""}, "first\n")
    second = mirror.commit(first, {"a/b": None, "f": b"new"}, "second\n")
    assert mirror.list(first, "a") == ["a/b", "a/c/d"]
    assert mirror.list(second, "a") == ["a/c/d"]
    assert mirror.folders(first, "a") == ["c"]
    assert mirror.read_all([(first, "a/b"), (second, "a/b"), (second, "f"), (second, "e"), (second, "a")]) == (
        b"\n\n",
        None,
        b"new",
        b"",
        None,
    )
    assert mirror.read(second, "a/c/d") == binary
    assert mirror.read(None, "f") is None
    assert mirror.list(None, "a") == []


def test_a_commit_moves_no_ref_and_leaves_none_behind(remote: Path) -> None:
    mirror = mirror_of(remote)
    mirror.commit(None, {"a": b"1"}, "x\n")
    assert git(mirror.folder, "for-each-ref") == ""
    assert git(mirror.folder, "fsck", "--strict", "--no-dangling") == ""


def test_a_push_onto_a_moved_branch_is_lost_and_changes_nothing(remote: Path) -> None:
    ours, theirs = mirror_of(remote, "ours"), mirror_of(remote, "theirs")
    base = ours.commit(None, {"a": b"1"}, "base\n")
    assert ours.push(base, None)
    assert theirs.fetch() == base
    winner = theirs.commit(base, {"a": b"2"}, "winner\n")
    assert theirs.push(winner, base)
    assert not ours.push(ours.commit(base, {"a": b"3"}, "loser\n"), base)
    assert git(remote, "rev-parse", "main") == winner
    assert ours.fetch() == winner


def test_two_first_commits_race_and_one_wins(remote: Path) -> None:
    ours, theirs = mirror_of(remote, "ours"), mirror_of(remote, "theirs")
    assert ours.fetch() is theirs.fetch() is None
    assert ours.push(ours.commit(None, {"a": b"1"}, "x\n"), None)
    assert not theirs.push(theirs.commit(None, {"a": b"2"}, "y\n"), None)


def test_a_branch_that_was_set_back_is_noticed(remote: Path) -> None:
    mirror = mirror_of(remote)
    first = mirror.commit(None, {"a": b"1"}, "1\n")
    second = mirror.commit(first, {"a": b"2"}, "2\n")
    assert mirror.push(first, None)
    assert mirror.push(second, first)
    git(remote, "update-ref", "refs/heads/main", first)
    assert not mirror.push(mirror.commit(second, {"a": b"3"}, "3\n"), second)
    assert mirror.fetch() == first


def test_a_push_that_is_there_already_counts_as_done(remote: Path) -> None:
    mirror, again = mirror_of(remote), mirror_of(remote, "again")
    sha = mirror.commit(None, {"a": b"1"}, "1\n")
    assert mirror.push(sha, None)
    again.fetch()
    assert again.push(sha, None)


def test_a_hook_that_refuses_is_quoted_and_not_retryable(remote: Path) -> None:
    hook(remote, "pre-receive", HOOK)
    mirror = mirror_of(remote)
    with pytest.raises(RemoteError) as caught:
        mirror.push(mirror.commit(None, {"a": b"1"}, "1\n"), None)
    assert "policy: tickets only" in caught.value.why
    assert "hook declined" in caught.value.why
    assert (caught.value.kind, caught.value.retryable) == ("outside", False)
    assert git(remote, "for-each-ref") == ""


def test_a_lost_answer_is_looked_up(remote: Path) -> None:
    # The ref is moved, and then the connection breaks: git reports failure.
    hook(remote, "post-update", "#!/bin/sh\nkill -9 $PPID\n")
    mirror = mirror_of(remote)
    sha = mirror.commit(None, {"a": b"1"}, "1\n")
    assert mirror.push(sha, None)
    assert git(remote, "rev-parse", "main") == sha


def test_a_remote_that_vanished_is_an_outside_failure_to_retry(remote: Path) -> None:
    mirror = mirror_of(remote)
    sha = mirror.commit(None, {"a": b"1"}, "1\n")
    assert mirror.push(sha, None)
    shutil.rmtree(remote)
    for call in (mirror.fetch, lambda: mirror.push(sha, None)):
        with pytest.raises(RemoteError) as caught:
            call()
        assert (caught.value.code, caught.value.retryable) == ("gitops.unreachable", True)
        assert str(remote) in caught.value.why


def test_a_remote_that_hangs_is_given_up_with_all_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "NETWORK_SECONDS", 3)
    marker = tmp_path / "pid"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho $$ > {marker}\nexec sleep 600\n")
    ssh.chmod(0o755)
    env = {"GIT_SSH_COMMAND": str(ssh)}
    mirror = Mirror("ssh://git.invalid/x.git", "main", tmp_path / "m", env=env, lock=tmp_path / "lock")
    started = time.monotonic()
    with pytest.raises(RemoteError, match="can't be reached") as caught:
        mirror.fetch()
    assert "longer than 3 seconds" in caught.value.why
    assert time.monotonic() - started < 20
    state = Path(f"/proc/{marker.read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("harm", ["objects", "HEAD", "lock"])
def test_a_broken_mirror_is_built_again(remote: Path, harm: str) -> None:
    mirror = mirror_of(remote)
    first = mirror.commit(None, {"a": b"1"}, "1\n")
    assert mirror.push(first, None)
    other = mirror_of(remote, "other")
    other.fetch()
    second = other.commit(first, {"a": b"2"}, "2\n")
    assert other.push(second, first)
    if harm == "lock":
        (mirror.folder / "refs/heads/main.lock").touch()
    elif harm == "HEAD":
        (mirror.folder / "HEAD").unlink()
    else:
        shutil.rmtree(mirror.folder / "objects")
    assert mirror.fetch() == second
    assert mirror.read(second, "a") == b"2"


def test_a_folder_that_holds_something_else_is_not_touched(remote: Path) -> None:
    folder = remote.parent / "mirror"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(RemoteError, match="can't be used"):
        mirror_of(remote).fetch()
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_the_machines_own_git_settings_change_nothing(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text('[url "file:///nowhere/"]\n\tinsteadOf = /\n[core]\n\thooksPath = /nowhere\n')
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(bare(tmp_path / "another.git")))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    mirror = mirror_of(remote)
    sha = mirror.commit(None, {"a": b"1"}, "1\n")
    assert mirror.push(sha, None)
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_OBJECT_DIRECTORY")
    assert git(remote, "rev-parse", "main") == sha
    assert git(tmp_path / "another.git", "for-each-ref") == ""


@pytest.mark.parametrize(
    ("remote_url", "branch"),
    [("-oProxyCommand=x", "main"), ("", "main"), ("https://u:p@example.com/x.git", "main"), ("a\nb", "main"),
     ("x", "-f"), ("x", "a..b"), ("x", "a b"), ("x", "*"), ("x", "main.lock")],
)  # fmt: skip
def test_a_remote_or_branch_that_git_could_misread_is_refused(tmp_path: Path, remote_url: str, branch: str) -> None:
    with pytest.raises(GitopsError, match="can't be used"):
        Mirror(remote_url, branch, tmp_path / "m", lock=tmp_path / "lock")


def test_an_ext_remote_runs_nothing(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    mirror = Mirror(f"ext::touch {witness}", "main", tmp_path / "m", lock=tmp_path / "lock")
    with pytest.raises(RemoteError):
        mirror.fetch()
    assert not witness.exists()


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", 'a"b', "a\nb", "a b", "a/../b", ""])
def test_a_path_that_is_not_plain_is_never_committed(path: str) -> None:
    with pytest.raises(ValueError, match="plain path"):
        commit_stream(None, {path: b""}, "x\n", ("a <b>", 0))


@given(st.lists(st.binary(max_size=80) | st.none(), max_size=6))
def test_any_contents_come_out_of_a_batch(contents: list[bytes | None]) -> None:
    sha = b"0" * 40
    output = b"".join(
        b"x:y missing\n" if data is None else b"%s blob %d\n%s\n" % (sha, len(data), data) for data in contents
    )
    assert list(batch(output, len(contents))) == contents


def test_the_environment_of_the_process_is_left_alone(remote: Path) -> None:
    before = dict(os.environ)
    mirror_of(remote).fetch()
    assert dict(os.environ) == before

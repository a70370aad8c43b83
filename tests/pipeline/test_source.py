"""What a person may name, what it is called, and which commit it stands at."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_writer.names import check_project
from pipeline.errors import PipelineError
from pipeline.git import Access, GitFailed, hardened
from pipeline.git_tree import read_tree
from pipeline.source import Target, fetch, parse_target, project_name, resolve, snapshot
from tests.pipeline.repositories import git, made

HERE = Access()

GOOD = [
    "https://git.example.com/team/app.git",
    "https://git.example.com:8443/team/app",
    "ssh://git@git.example.com/team/app.git",
    "ssh://git@git.example.com:2222/team/app.git",
    "git@git.example.com:team/app.git",
    "git@git.example.com:/srv/git/app.git",
    "git.example.com:app.git",
    "http://localhost:3000/team/app.git",
    "http://127.0.0.1:3000/team/app.git",
    "http://[::1]:3000/team/app.git",
]

REFUSED = [
    ("", "source.not_found"),
    ("/no/such/folder", "source.not_found"),
    ("~nobody-has-this-name/app", "source.not_found"),
    ("x" * 5000, "source.not_found"),
    ("a\0b", "source.not_found"),
    ("-oProxyCommand=touch", "source.not_found"),
    ("ext::sh -c touch% /tmp/x", "source.not_found"),
    ("git@-oProxyCommand=x:app.git", "source.not_found"),
    ("git@host:a b", "source.not_found"),
    ("ext://x", "source.scheme"),
    ("git://git.example.com/app.git", "source.scheme"),
    ("javascript://git.example.com/%0aalert(1)", "source.scheme"),
    ("https://git.example.com/team/app name", "source.scheme"),
    ("https://git.example.com/\x1b[31m", "source.url"),
    ("https://git.example.com/\x7f", "source.url"),
    ("https://git.example.com:port/app", "source.url"),
    ("https://git.example.com:99999/app", "source.url"),
    ("https://[git/app", "source.url"),
    ("https:///team/app.git", "source.url"),
    ("http://", "source.url"),
    ("https://me:s3cret@git.example.com/app.git", "source.credentials_in_url"),
    ("https://token@git.example.com/app.git", "source.credentials_in_url"),
    ("ssh://git:s3cret@git.example.com/app.git", "source.credentials_in_url"),
    ("http://git.example.com/app.git", "source.plain_http"),
]


@pytest.mark.parametrize("text", GOOD)
def test_a_git_url_is_taken_as_it_is(text: str) -> None:
    assert parse_target(text) == Target(text, text, None)


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_anything_else_is_refused_with_what_to_change(text: str, code: str) -> None:
    with pytest.raises(PipelineError) as refused:
        parse_target(text)

    assert (refused.value.code, refused.value.kind) == (code, "input")
    assert refused.value.fix
    assert "s3cret" not in f"{refused.value.what}{refused.value.why}{refused.value.fix}"


def test_a_query_and_a_fragment_are_not_shown() -> None:
    target = parse_target("https://git.example.com/app.git?private_token=s3cret#x")

    assert target.shown == "https://git.example.com/app.git"


def test_plain_http_is_allowed_where_the_configuration_says_so() -> None:
    assert parse_target("http://git.example.com/app.git", allow_http=True).folder is None


@given(st.text() | st.from_regex(r"\A[a-z]{0,6}:/{0,3}\S{0,20}\Z"))
def test_no_text_is_a_defect(text: str) -> None:
    try:
        target = parse_target(text)
    except PipelineError:
        return
    assert "\n" not in target.url or target.folder is not None


@given(st.from_regex(r"\A(https://|git@)?[ -~]{1,80}\Z"))
def test_every_name_is_one_that_the_writer_takes(text: str) -> None:
    name = project_name(Target(text, text, None))

    check_project("ws-local", name)
    assert re.fullmatch(r"[a-z][a-z0-9-]*-\d{4}", name)


@pytest.mark.parametrize(
    "same",
    ["https://git.example.com/team/app", "https://git.example.com/team/app/", "https://git.example.com/team/app.git/"],
)
def test_one_repository_has_one_name(same: str) -> None:
    assert project_name(parse_target(same)) == project_name(parse_target("https://git.example.com/team/app.git"))


def test_two_repositories_of_one_name_have_two() -> None:
    names = {project_name(parse_target(f"https://{host}.example.com/team/app.git")) for host in ("a", "b")}

    assert len(names) == 2
    assert all(name.startswith("team-app-") for name in names)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made(tmp_path / "app", {"a.txt": "1\n"})


def stands(text: Path | str, branch: str | None = None) -> tuple[str, str]:
    return resolve(parse_target(str(text)), branch, HERE)


def test_without_a_branch_it_is_where_head_stands(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "-c", "feature/one")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "second")

    assert stands(repository) == ("feature/one", git(repository, "rev-parse", "HEAD"))
    assert stands(repository, "main") == ("main", first)
    assert stands(f"file://{repository}", "main") == ("main", first)


def test_a_tag_is_the_commit_that_it_names(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "light")
    git(repository, "tag", "-a", "heavy", "-m", "annotated")

    assert stands(repository, "light") == ("light", commit)
    assert stands(repository, "heavy") == ("heavy", commit)


def test_a_branch_comes_before_a_tag_of_its_name(repository: Path) -> None:
    git(repository, "tag", "twin")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "second")
    git(repository, "branch", "twin")

    assert stands(repository, "twin")[1] == git(repository, "rev-parse", "HEAD")


def test_a_detached_head_is_a_commit_without_a_branch(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "--detach")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "on nothing")

    assert stands(repository) == ("HEAD", git(repository, "rev-parse", "HEAD"))
    assert stands(repository)[1] != commit


def test_a_linked_work_tree_stands_at_its_own_head(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
    git(tmp_path / "linked", "commit", "--quiet", "--allow-empty", "-m", "there")

    assert stands(tmp_path / "linked") == ("linked", git(tmp_path / "linked", "rev-parse", "HEAD"))


def test_a_bare_repository_is_one(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")

    assert stands(tmp_path / "bare.git")[0] == "main"


def test_an_empty_repository_has_nothing_to_deploy(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no commit") as refused:
        stands(made(tmp_path / "empty"))
    assert refused.value.kind == "not_deployable"


def test_a_branch_that_is_not_there_is_answered_with_those_that_are(repository: Path) -> None:
    with pytest.raises(PipelineError, match="no branch mian") as refused:
        stands(repository, "mian")
    assert refused.value.why == "its branches are: main"


@pytest.mark.parametrize("branch", ["", "-x", "--upload-pack=touch", "a..b", "a b", "a:b", "a\n", "/a", "a^", "a@\x7f"])
def test_what_can_be_no_branch_is_not_asked_for(repository: Path, branch: str) -> None:
    with pytest.raises(PipelineError) as refused:
        stands(repository, branch)
    assert refused.value.code == "source.branch_name"


def test_a_folder_within_a_repository_is_answered_with_how_to_name_it(tmp_path: Path) -> None:
    repository = made(tmp_path / "mono", {"apps/api/a.py": "1"})

    with pytest.raises(PipelineError, match="a part of the repository") as refused:
        stands(repository / "apps" / "api")

    assert refused.value.kind == "input"
    assert f"{repository} --root apps/api" in refused.value.fix


def test_a_folder_and_a_file_that_are_no_repository_are_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "file").touch()
    for path in (tmp_path / "plain", tmp_path / "plain" / "file"):
        with pytest.raises(PipelineError, match="not a git repository"):
            stands(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_folder_of_another_owner_is_read(repository: Path, tmp_path: Path) -> None:
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12_345, 12_345)

    name, commit = stands(repository)
    fetch(parse_target(str(repository)), commit, name, tmp_path / "source.git", HERE)

    assert read_tree(tmp_path / "source.git", commit).paths == ["a.txt"]


def test_a_variable_of_git_in_our_environment_leads_nowhere_else(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made(tmp_path / "other", {"other.txt": "2"})
    before = git(other, "ls-files", "--stage") + git(other, "for-each-ref")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))

    name, commit = stands(repository)
    fetch(parse_target(str(repository)), commit, name, tmp_path / "source.git", HERE)
    tree = read_tree(tmp_path / "source.git", commit)
    content = tree.read("a.txt")
    snapshot(repository, tmp_path / "snapshot.git")
    monkeypatch.undo()

    assert content == b"1\n"
    assert git(other, "ls-files", "--stage") + git(other, "for-each-ref") == before


def test_the_same_files_are_the_same_snapshot(tmp_path: Path) -> None:
    folders = [made(tmp_path / name, {"a.txt": "1"}) for name in ("one", "two")]
    for folder in folders:
        (folder / "new.txt").write_text("new")
        (folder / ".gitignore").write_text("ignored\n")
        (folder / "ignored").write_text(folder.name)

    commits = {snapshot(folder, tmp_path / f"{folder.name}.git") for folder in folders}

    assert len(commits) == 1
    assert read_tree(tmp_path / "one.git", commits.pop()).paths == [".gitignore", "a.txt", "new.txt"]


def test_a_snapshot_that_can_not_be_taken_is_the_callers_to_correct(tmp_path: Path) -> None:
    folder = made(tmp_path / "app", {"a.txt": "1"})
    made(folder / "inner")

    with pytest.raises(PipelineError, match="can't be read") as refused:
        snapshot(folder, tmp_path / "s.git")
    assert refused.value.kind == "input"


class Odd(BaseHTTPRequestHandler):
    """Answers as the path says: a status, or a listing of refs that no honest server gives."""

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        listing = b"# service=git-upload-pack\n"
        body = b"%04x%s0000" % (len(listing) + 4, listing)
        for line in (b"0" * 39 + b"1 HEAD\0symref=HEAD:refs/heads/\x1b[31mred\n", b"0" * 39 + b"1 refs/heads/a\tb\n"):
            body += b"%04x%s" % (len(line) + 4, line)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.end_headers()
        self.wfile.write(body + b"0000" if status == 200 else b"no")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def odd() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (401, "input", "private"),
        (403, "input", "private"),
        (404, "input", "isn't there"),
        (500, "outside", ""),
        (301, "outside", ""),
    ],
)
def test_the_servers_status_says_whose_turn_it_is(odd: str, status: int, kind: str, word: str) -> None:
    with pytest.raises(PipelineError, match="can't be read") as failed:
        stands(f"{odd}/{status}/app.git")
    assert (failed.value.kind, word in failed.value.why) == (kind, True)


def test_refs_that_no_server_has_are_passed_over(odd: str) -> None:
    name, commit = stands(f"{odd}/200/app.git")

    assert (name, commit) == ("HEAD", "0" * 39 + "1")


def command_lines() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            yield file.read_bytes()


def test_a_server_that_never_answers_is_given_up_with_all_its_processes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/silent.git"
        with hardened(Path("/")) as command, pytest.raises(GitFailed, match="git command failed") as failed:
            command.call("ls-remote", "--", url, seconds=1)

        assert "longer than 1 seconds" in failed.value.told
        # Killed is not yet gone.
        deadline = time.monotonic() + 5
        while any(url.encode() in line for line in command_lines()):
            assert time.monotonic() < deadline


def test_a_token_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_bytes(b"\xff\xfe")
    with pytest.raises(PipelineError, match="token file"):
        resolve(parse_target("https://git.invalid/app.git"), None, Access(token_file=token))

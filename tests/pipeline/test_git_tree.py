"""A commit's files as a build context: all that it holds, and nothing outside the folder whatever it says."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.git_tree import read_tree, write_context
from tests.pipeline.repositories import HostileRepository, git, made


@pytest.fixture
def hostile(tmp_path: Path) -> HostileRepository:
    return HostileRepository(tmp_path / "hostile.git")


def written(repository: Path, commit: str, folder: Path, root: str = ".") -> Path:
    folder.mkdir(parents=True)
    write_context(read_tree(repository, commit), root, folder)
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_files_arrive_with_their_content_and_their_executable_bit(tmp_path: Path) -> None:
    repository = made(tmp_path / "app", {"run.sh": "#!/bin/sh\n", "a/b.txt": "b\n", "caf\u00e9 \u4e16.txt": "c"})
    git(repository, "update-index", "--chmod=+x", "run.sh")
    git(repository, "commit", "--quiet", "-m", "executable")

    context = written(repository, git(repository, "rev-parse", "HEAD"), tmp_path / "context")

    assert files(context) == {"run.sh", "a/b.txt", "caf\u00e9 \u4e16.txt"}
    assert oct((context / "run.sh").stat().st_mode)[-3:] == "755"
    assert oct((context / "a/b.txt").stat().st_mode)[-3:] == "644"


def test_only_the_files_below_the_root_are_the_context(tmp_path: Path) -> None:
    repository = made(tmp_path / "app", {"api/a.py": "", "api/x/b.py": "", "apiary/c.py": "", "web/d.js": ""})
    commit = git(repository, "rev-parse", "HEAD")

    assert files(written(repository, commit, tmp_path / "context", "api")) == {"a.py", "x/b.py"}


def test_names_that_differ_in_case_are_two_files(tmp_path: Path) -> None:
    repository = made(tmp_path / "app", {"README": "1", "readme": "2"})

    context = written(repository, git(repository, "rev-parse", "HEAD"), tmp_path / "context")

    assert ((context / "README").read_text(), (context / "readme").read_text()) == ("1", "2")


def test_a_time_stamp_is_made_of_the_content(tmp_path: Path) -> None:
    repository = made(tmp_path / "app", {"a": "same", "b": "same", "c": "diff"})
    commit = git(repository, "rev-parse", "HEAD")
    first = written(repository, commit, tmp_path / "1")
    second = written(repository, commit, tmp_path / "2")

    stamps = {name: (first / name).stat().st_mtime_ns for name in "abc"}

    assert stamps["a"] == stamps["b"] != stamps["c"]
    assert stamps == {name: (second / name).stat().st_mtime_ns for name in "abc"}


def test_submodules_and_git_folders_are_left_out(hostile: HostileRepository, tmp_path: Path) -> None:
    blob = hostile.blob(b"x")
    hook = hostile.tree(("100755", b"post-checkout", blob))
    inner = hostile.commit(hostile.tree(("100644", b"f", blob)))
    commit = hostile.commit(
        hostile.tree(
            ("40000", b".GIT", hook),
            ("40000", b".git", hook),
            ("160000", b"module", inner),
            ("100644", b"ok", blob),
        )
    )
    assert files(written(hostile.folder, commit, tmp_path / "context")) == {"ok"}


def test_a_name_that_holds_a_path_writes_nowhere_else(hostile: HostileRepository, tmp_path: Path) -> None:
    target = tmp_path / "escaped"
    blob = hostile.blob(b"x")
    names = (str(target).encode(), b"../../escaped", b"./../../../escaped", b"..", b".", b"a//b")
    app = hostile.tree(*(("100644", name, blob) for name in names), ("100644", b"ok", blob))
    commit = hostile.commit(hostile.tree(("40000", b"app", app)))

    assert files(written(hostile.folder, commit, tmp_path / "x" / "context", "app")) == {"ok"}
    assert not target.exists()


def test_a_link_and_a_folder_of_one_name_are_refused(hostile: HostileRepository, tmp_path: Path) -> None:
    below = hostile.tree(("100644", b"f", hostile.blob(b"x")))
    commit = hostile.commit(hostile.tree(("120000", b"out", hostile.blob(b"a")), ("40000", b"out", below)))

    with pytest.raises(PipelineError, match="holds out twice"):
        read_tree(hostile.folder, commit)


LINKS = {
    "inside": ("a/b", True),
    "dangling": ("nowhere/at/all", True),
    "up-and-in": ("../context/a/b", True),
    "absolute": ("/etc/passwd", False),
    "up": ("../../../etc/passwd", False),
    "through-another": ("deep/er/up/../../..", False),
    "empty": ("", False),
    "endless": ("a/" * 3000, False),
    "itself": ("itself", True),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_written_only_where_it_stays_inside(hostile: HostileRepository, tmp_path: Path, name: str) -> None:
    target, stays = LINKS[name]
    leaf = hostile.tree(("100644", b"b", hostile.blob(b"x")))
    # `deep/er/up` stays inside by itself, and turns what goes through it outwards.
    up = hostile.tree(("40000", b"er", hostile.tree(("120000", b"up", hostile.blob(b"../..")))))
    link = ("120000", name.encode(), hostile.blob(target.encode()))
    commit = hostile.commit(hostile.tree(("40000", b"a", leaf), ("40000", b"deep", up), link))

    context = written(hostile.folder, commit, tmp_path / "context")

    assert (context / name).is_symlink() is stays
    for path in context.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(context)


def test_a_tree_that_repeats_itself_without_end_is_refused_soon(hostile: HostileRepository) -> None:
    tree = hostile.tree(*(("100644", f"f{n}".encode(), hostile.blob(b"x")) for n in range(10)))
    for _ in range(9):
        tree = hostile.tree(*(("40000", f"d{n}".encode(), tree) for n in range(10)))
    started = time.monotonic()

    with pytest.raises(PipelineError, match="can't be listed") as refused:
        read_tree(hostile.folder, hostile.commit(tree))

    assert refused.value.kind == "not_deployable"
    assert time.monotonic() - started < 30


def test_a_large_file_is_refused_by_name(hostile: HostileRepository, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    blob = git(hostile.folder, "-c", "core.bigFileThreshold=1m", "hash-object", "-w", str(tmp_path / "big"))
    commit = hostile.commit(hostile.tree(("100644", b"model.bin", blob)))
    with pytest.raises(PipelineError) as refused:
        written(hostile.folder, commit, tmp_path / "context")
    assert "model.bin" in refused.value.why


def test_ten_thousand_files_take_seconds(tmp_path: Path) -> None:
    repository = tmp_path / "many.git"
    repository.mkdir()
    git(repository, "init", "--quiet", "--bare")
    stream = b"commit refs/heads/main\ncommitter T <t@example.com> 1 +0000\ndata 1\nx\n"
    stream += b"".join(b"M 100644 inline d%d/f%d\ndata 6\n%06d\n" % (n % 100, n, n) for n in range(10_000))
    subprocess.run(["git", "-C", repository, "fast-import", "--quiet"], input=stream, check=True)
    commit = git(repository, "rev-parse", "main")
    started = time.monotonic()

    context = written(repository, commit, tmp_path / "context")

    assert time.monotonic() - started < 10
    assert (context / "d99" / "f9999").read_text() == "009999"


NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES | st.sampled_from([b"..", b"/x", b"a/..", b".git", b"~"]), st.booleans()), max_size=6))
def test_whatever_names_a_tree_has_nothing_is_written_outside(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[bytes, bool]]
) -> None:
    room = tmp_path_factory.mktemp("names")
    hostile = HostileRepository(room / "r.git")
    blob = hostile.blob(b"../../..")
    leaf = hostile.tree(("100644", b"../../escaped", blob), ("100644", b"f", blob))
    entries = [("40000" if folder else "120000", name, leaf if folder else blob) for name, folder in names]
    commit = hostile.commit(hostile.tree(*entries, ("100644", b"last", blob)))
    outside = files(room)

    try:
        context = written(hostile.folder, commit, room / "x" / "context")
    except PipelineError:
        return

    inside = {f"x/context/{name}" for name in files(context)}
    assert files(room) - inside - {name for name in files(room) if name.startswith("r.git/")} == {
        name for name in outside if not name.startswith("r.git/")
    }

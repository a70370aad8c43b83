"""What goes wrong for users: a clear message, the documented exit code, nothing half-written."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.machine import embedded
from tests.e2e.git_server import GitServer
from tests.e2e.machine import Machine, Ran, Repository

pytestmark = pytest.mark.e2e


def refused(ran: Ran, code: int, *words: str) -> None:
    """The command ended with ``code``, one error document on stdout that holds ``words``, and no traceback."""
    assert ran.code == code, ran.err[-2000:] + ran.out
    document = ran.document
    assert document["schema"] == "shipway/error/v1"
    assert document["exit_code"] == code
    told = f"{document['what']}\n{document['why']}\n{document['fix']}"
    assert document["fix"], told
    for word in words:
        assert word in told
    assert "Traceback" not in ran.err


def deploy(machine: Machine, *args: str, **extra: str) -> Ran:
    return machine.shipway("deploy", "--json", "--progress", "plain", *args, **extra)


def releases(machine: Machine, project: str) -> list[str]:
    found = machine.shipway("history", project, "--json").document["releases"]
    return [entry["release"]["version"] for entry in found]


def test_no_such_path(machine: Machine) -> None:
    refused(deploy(machine, "/no/such/folder"), 2, "/no/such/folder", "git URL")


def test_no_such_server(machine: Machine) -> None:
    refused(deploy(machine, "http://127.0.0.1:9/team/app.git"), 5, "127.0.0.1:9", "network")


def test_no_such_branch_names_the_ones_there_are(machine: Machine, repository: Repository) -> None:
    refused(deploy(machine, str(repository.folder), "--branch", "mian"), 2, "mian", "main")


def test_a_branch_name_that_is_an_option(machine: Machine, repository: Repository) -> None:
    refused(deploy(machine, str(repository.folder), "--branch=--upload-pack=touch"), 2, "branch")


def test_an_empty_repository(machine: Machine, tmp_path: Path) -> None:
    empty = Repository(tmp_path / "empty")
    refused(deploy(machine, str(empty.folder)), 4, "no commit")


def test_a_folder_that_is_no_repository(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    refused(deploy(machine, str(tmp_path / "plain")), 2, "not a git repository", "--dirty")


def test_uncommitted_changes_need_dirty_and_are_recorded(machine: Machine, repository: Repository) -> None:
    repository.replace("server.py", "v1", "v1-uncommitted")
    refused(deploy(machine, str(repository.folder)), 2, "server.py", "--dirty")

    report = machine.deployed(str(repository.folder), "--dirty", "--project", "dirty-1")

    assert machine.get(report["url"])[1].startswith("tiny v1-uncommitted")
    (entry,) = machine.shipway("history", "dirty-1", "--json").document["releases"]
    assert entry["release"]["source"]["dirty"] is True


def test_a_library_with_nothing_to_run(machine: Machine, tmp_path: Path) -> None:
    library = Repository(tmp_path / "library")
    library.write("pyproject.toml", '[project]\nname = "library"\nversion = "1"\n')
    library.write("library/__init__.py", "def add(a, b):\n    return a + b\n")
    library.commit("first")
    refused(deploy(machine, str(library.folder)), 4)


def test_a_build_that_fails_shows_the_steps_own_output(machine: Machine, repository: Repository) -> None:
    repository.write("requirements.txt", "no-such-distribution-of-shipway==9.9.9\n")
    repository.commit("broken")

    ran = deploy(machine, str(repository.folder), "--project", "broken-1")

    refused(ran, 6, "no-such-distribution-of-shipway", "pip")
    assert releases(machine, "broken-1") == []


def test_an_app_that_answers_500_is_a_failed_deploy_and_the_old_release_serves_on(
    machine: Machine, repository: Repository
) -> None:
    arguments = (str(repository.folder), "--project", "answers-500", "--health-timeout", "5")
    first = machine.deployed(*arguments)

    ran = deploy(machine, *arguments, "--env", "ANSWER=500")

    refused(ran, 6, "answered 500", "health")
    assert machine.get(first["url"]) == (200, "tiny v1 ")
    status = machine.shipway("status", "answers-500", "--json").document["projects"][0]
    assert (status["release"], status["running"]) == ("v1.0.2", "v1.0.1")

    back = machine.shipway("rollback", "answers-500", "--json")
    assert back.code == 0, back.err
    assert back.document["release"] == "v1.0.1"


def test_an_app_that_ends_at_once_shows_what_it_printed(machine: Machine, repository: Repository) -> None:
    repository.write("server.py", "raise SystemExit('no database configured')\n")
    repository.commit("broken")
    refused(deploy(machine, str(repository.folder), "--project", "ends-1"), 6, "no database configured")


def test_forged_stage_documents_in_the_repository_gain_nothing(machine: Machine, repository: Repository) -> None:
    digest = "sha256:" + "f" * 64
    for stem in ("scan", "published", "commit", "image"):
        repository.write(f"{stem}.json", f'{{"schema":"shipway/run/{stem}/v1","inputs":"","services":{{}}}}')
        repository.write(f"runs/forged/{stem}.json", f'{{"digest":"{digest}"}}')
    repository.commit("forged")

    report = machine.deployed(str(repository.folder), "--project", "forged-1")

    assert digest not in str(report)
    assert report["scan"] == {"web": "unscanned"}


def test_without_a_database_the_default_policy_refuses_to_release(machine: Machine, repository: Repository) -> None:
    ran = deploy(machine, str(repository.folder), "--project", "unscanned-1", "--policy", "default")

    refused(ran, 3, "no vulnerability database", "policy")
    assert releases(machine, "unscanned-1") == []


def test_a_registry_that_is_down_is_retryable_and_goes_on_from_there(machine: Machine, repository: Repository) -> None:
    arguments = (str(repository.folder), "--project", "registry-1")
    built = machine.shipway("scan", *arguments)
    assert built.code == 0, built.err
    down = deploy(machine, *arguments, SHIPWAY_REGISTRY="127.0.0.1:9")
    refused(down, 5, "127.0.0.1:9", "registry")
    assert down.document["retryable"] is True

    assert machine.deployed(*arguments)["release"] == "v1.0.1"


def test_a_registry_that_refuses_the_login(machine: Machine, repository: Repository, tmp_path: Path) -> None:
    access = embedded.registry(machine.home)
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    login = {
        "SHIPWAY_REGISTRY": access.url,
        "SHIPWAY_REGISTRY_USERNAME": access.username,
        "SHIPWAY_REGISTRY_PASSWORD_FILE": str(wrong),
    }
    refused(deploy(machine, str(repository.folder), "--project", "login-1", **login), 5, "account may push")
    assert releases(machine, "login-1") == []


def test_a_gitops_remote_that_refuses(machine: Machine, repository: Repository, tmp_path: Path) -> None:
    remote = tmp_path / "gitops.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", remote], check=True)
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'this branch is frozen' >&2\nexit 1\n")
    hook.chmod(0o755)
    arguments = (str(repository.folder), "--project", "frozen-1")

    refused(deploy(machine, *arguments, SHIPWAY_GITOPS_REMOTE=str(remote)), 5, "this branch is frozen")

    hook.unlink()
    report = deploy(machine, *arguments, SHIPWAY_GITOPS_REMOTE=str(remote))
    assert report.document["release"] == "v1.0.1"


def test_a_gitops_remote_that_moved_meanwhile_loses_nothing(
    machine: Machine, repository: Repository, tmp_path: Path
) -> None:
    remote = tmp_path / "gitops.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", remote], check=True)
    setting = {"SHIPWAY_GITOPS_REMOTE": str(remote)}
    assert deploy(machine, str(repository.folder), "--project", "moved-1", **setting).code == 0
    other = Repository(tmp_path / "other")
    other.git("pull", "--quiet", str(remote), "main")
    other.write("README.md", "by hand\n")
    other.commit("by hand")
    other.git("push", "--quiet", str(remote), "HEAD:main")

    assert deploy(machine, str(repository.folder), "--project", "moved-2", **setting).code == 0

    listed = subprocess.run(
        ["git", "-C", remote, "ls-tree", "-r", "--name-only", "main"], capture_output=True, check=True
    )
    names = listed.stdout.decode()
    assert "README.md" in names
    assert "tenants/ws-local/moved-1/release.json" in names
    assert "tenants/ws-local/moved-2/release.json" in names


def test_rollback_is_refused_when_the_image_has_left_the_registry(machine: Machine, repository: Repository) -> None:
    arguments = (str(repository.folder), "--project", "gone-1")
    first = machine.deployed(*arguments)
    repository.replace("server.py", "v1", "v2")
    repository.commit("second")
    machine.deployed(*arguments)
    machine.forget_manifest(first["published"]["web"])

    refused(machine.shipway("rollback", "gone-1", "--json"), 3, "registry")

    status = machine.shipway("status", "gone-1", "--json").document["projects"][0]
    assert (status["release"], status["state"]) == ("v1.0.2", "healthy")


def test_rollback_to_a_release_that_never_was(machine: Machine, repository: Repository) -> None:
    machine.deployed(str(repository.folder), "--project", "never-1")
    refused(machine.shipway("rollback", "never-1", "--to", "v1.0.9", "--json"), 2, "v1.0.9")
    refused(machine.shipway("rollback", "no-such-project", "--json"), 2, "no-such-project")


@pytest.mark.parametrize("stage", ["detect", "build", "gitops"])
def test_a_full_disk_says_so_and_leaves_nothing_half(machine: Machine, repository: Repository, stage: str) -> None:
    run_id = f"full-{stage}"
    arguments = (str(repository.folder), "--project", run_id, "--run-id", run_id)
    assert machine.shipway_killed(f"{stage}:started", signal.SIGKILL, "deploy", *arguments).code == -signal.SIGKILL

    with full_disk(machine.home / "runs" / run_id):
        refused(deploy(machine, *arguments), 5, "No space left", "make room")

    assert machine.deployed(*arguments)["release"] == "v1.0.1"


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let ``folder`` lie on a file system without a free byte."""
    aside = folder.with_name(folder.name + "-aside")
    folder.rename(aside)
    folder.mkdir()
    size = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file())
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size * 2 + 1_000_000}", "tmpfs", folder], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", folder], check=True)
        with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(b"\0" * 4096):
                pass
        yield
        (folder / "filler").unlink()
        subprocess.run(["cp", "-a", f"{folder}/.", aside], check=True)
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        aside.rename(folder)


PrivateRepository = tuple[GitServer, Callable[[str], Path]]


@pytest.fixture
def private(repository: Repository, tmp_path: Path) -> Iterator[PrivateRepository]:
    """The tiny app behind a git server that wants a token."""

    def token_file(text: str) -> Path:
        file = tmp_path / f"token-{text}"
        file.write_text(text + "\n")
        return file

    with GitServer(repository.folder.parent, token="right") as server:
        yield server, token_file


def test_a_private_repository_without_credentials(machine: Machine, private: PrivateRepository) -> None:
    refused(deploy(machine, private[0].url("tiny")), 2, "private", "--git-token-file")


def test_a_private_repository_with_wrong_credentials(machine: Machine, private: PrivateRepository) -> None:
    server, token_file = private
    ran = deploy(machine, server.url("tiny"), "--git-token-file", str(token_file("wrong")))
    refused(ran, 2, "refused the credentials")


def test_a_private_repository_with_the_right_credentials(machine: Machine, private: PrivateRepository) -> None:
    server, token_file = private
    report = machine.deployed(
        server.url("tiny"), "--git-token-file", str(token_file("right")), "--project", "private-1"
    )

    assert machine.get(report["url"])[0] == 200
    found = subprocess.run(["grep", "-rl", "right", machine.home / "runs"], capture_output=True)
    secrets = [name for name in found.stdout.decode().split() if "source.git" not in name]
    assert not [name for name in secrets if "right" in Path(name).read_text().replace("copyright", "")]


def test_credentials_in_a_url_are_refused_and_not_shown(machine: Machine) -> None:
    ran = deploy(machine, "https://me:s3cret@git.example.com/team/app.git")
    refused(ran, 2, "--git-token-file")
    assert "s3cret" not in ran.out + ran.err


def test_what_the_command_line_says_beats_the_repository(machine: Machine, repository: Repository) -> None:
    arguments = (str(repository.folder), "--project", "flags-1", "--port", "9100", "--health-path", "/ready")
    report = machine.deployed(*arguments)

    (container,) = machine.containers("flags-1")
    assert "PORT=9100" in container.attrs["Config"]["Env"]
    assert machine.get(report["url"])[0] == 200


def test_stopped_after_a_stage_it_goes_on_from_there(machine: Machine, repository: Repository) -> None:
    arguments = ("deploy", str(repository.folder), "--project", "until-1", "--progress", "plain")
    first = machine.shipway(*arguments, "--until", "detect")
    assert first.code == 0, first.err
    assert "prepare Dockerfile" not in first.err

    second = machine.shipway(*arguments)

    assert second.code == 0, second.err
    assert "detect: already done" in second.err


def test_a_wrong_option_is_a_usage_error(machine: Machine) -> None:
    refused(deploy(machine, "--no-such-option"), 2, "--no-such-option")

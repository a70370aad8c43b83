"""The writer against real git: numbering, no-ops, newer runs, crashes, refusals and rollback."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gitops_writer.errors import GateRefused, GitopsError, RemoteError, Superseded
from gitops_writer.history import current, history, next_generation
from gitops_writer.mirror import Mirror
from gitops_writer.records import Chart, Checks, Commit, Draft, Release
from gitops_writer.stored import manifests
from gitops_writer.writer import rollback, write
from tests.gitops_writer.samples import ALLOW, CHARTS, DRAFT, bare, git, mirror_of, project, release

WS, APP = DRAFT.workspace, DRAFT.project
FOLDER = f"tenants/{WS}/{APP}"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "remote.git")


class CrashedError(Exception):
    """Stands for a SIGKILL."""


class CrashesBeforePush(Mirror):
    def push(self, sha: str, expected: str | None) -> bool:
        raise CrashedError


class CrashesAfterPush(Mirror):
    def push(self, sha: str, expected: str | None) -> bool:
        super().push(sha, expected)
        raise CrashedError


class LosesTheAnswer(Mirror):
    """The push arrives, another writer follows at once, and only then does this one look."""

    follower: Mirror

    def push(self, sha: str, expected: str | None) -> bool:
        assert super().push(sha, expected)
        if self.follower.fetch() == sha:
            release(self.follower, "follower", 1, project("follower"))
        return False


def crash(kind: type[Mirror], remote: Path, run_id: str, generation: int) -> None:
    mirror = kind(str(remote), "main", remote.parent / "mirror", lock=remote.parent / "mirror.lock")
    with pytest.raises(CrashedError):
        release(mirror, run_id, generation)


def roll(mirror: Mirror, to: str | None, run_id: str, checks: Checks = ALLOW) -> tuple[Commit, Release]:
    generation = next_generation(mirror, WS, APP)
    return rollback(mirror, WS, APP, to=to, run_id=run_id, generation=generation, checks=checks)


def test_releases_are_numbered_in_order_and_recorded(remote: Path) -> None:
    mirror = mirror_of(remote)
    for number in (1, 2, 3):
        commit, made = release(mirror, f"run-{number}", number)
        assert (commit.release, made.version, commit.changed) == (f"v1.0.{number}", f"v1.0.{number}", True)
        assert git(remote, "rev-parse", "main") == commit.sha
    assert mirror.read(commit.sha, f"{FOLDER}/release.json") == mirror.read(
        commit.sha, f"{FOLDER}/releases/v1.0.3.json"
    )


def test_a_commit_carries_the_runs_trailers(remote: Path) -> None:
    commit, _ = release(mirror_of(remote), "run-1", 1)
    trailers = git(remote, "log", "-1", "--format=%(trailers:only)", commit.sha).splitlines()
    assert trailers == ["Run-Id: run-1", "Generation: 1", "Release: v1.0.1", f"Project: {APP}", f"Workspace: {WS}"]


def test_a_second_release_touches_only_its_own_files(remote: Path) -> None:
    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    commit, _ = release(mirror, "run-2", 2)
    changed = git(remote, "diff-tree", "-r", "--no-commit-id", "--name-only", commit.sha).splitlines()
    assert changed == [
        f"{FOLDER}/{name}" for name in ("release.json", "releases/v1.0.2.json", "run.json", "values.yaml")
    ]


def test_writing_twice_changes_nothing_and_returns_the_first_commit(remote: Path) -> None:
    mirror = mirror_of(remote)
    first, made = release(mirror, "run-1", 1)
    release(mirror, "run-2", 2)
    again, same = release(mirror_of(remote, "elsewhere"), "run-1", 1)
    assert again == replace(first, changed=False)
    assert same == made
    assert git(remote, "rev-list", "--count", "main") == "2"


@pytest.mark.parametrize("generation", [1, 2])
def test_a_run_that_is_not_newer_is_told_who_wrote_meanwhile(remote: Path, generation: int) -> None:
    mirror = mirror_of(remote)
    release(mirror, "winner", 2)
    with pytest.raises(Superseded) as caught:
        release(mirror, "loser", generation)
    assert "winner" in caught.value.why
    assert caught.value.kind == "superseded"
    assert git(remote, "rev-list", "--count", "main") == "1"


@pytest.mark.parametrize("kind", [CrashesBeforePush, CrashesAfterPush])
def test_the_same_call_after_a_crash_leaves_one_commit(remote: Path, kind: type[Mirror]) -> None:
    release(mirror_of(remote), "run-1", 1)
    crash(kind, remote, "run-2", 2)
    commit, made = release(mirror_of(remote), "run-2", 2)
    assert commit.changed is (kind is CrashesBeforePush)
    assert made.version == "v1.0.2"
    assert git(remote, "rev-list", "--count", "main") == "2"
    assert git(remote, "log", "--format=%H", "--grep=Run-Id: run-2", "main") == commit.sha


def test_a_lost_answer_below_anothers_commit_is_found(remote: Path) -> None:
    mirror = LosesTheAnswer(str(remote), "main", remote.parent / "ours", lock=remote.parent / "ours.lock")
    mirror.follower = mirror_of(remote, "follower")
    commit, made = release(mirror, "run-1", 1)
    assert commit.changed
    assert made.version == "v1.0.1"
    assert git(remote, "log", "--format=%s", "main").splitlines() == [
        f"deploy: {WS}/follower v1.0.1",
        f"deploy: {WS}/{APP} v1.0.1",
    ]


def test_two_machines_that_raced_both_land(remote: Path) -> None:
    ours, theirs = mirror_of(remote, "ours"), mirror_of(remote, "theirs")
    release(ours, "run-1", 1)
    theirs.fetch()
    release(ours, "run-2", 2)
    commit, made = release(theirs, "run-3", 3)
    assert (commit.changed, made.version) == (True, "v1.0.3")


def test_a_refused_release_leaves_nothing(remote: Path) -> None:
    refuse = Checks(digest_exists=lambda _: "gone", host_allowed=lambda *_: None)
    with pytest.raises(GateRefused):
        write(mirror_of(remote), DRAFT, run_id="run-1", generation=1, checks=refuse, charts=CHARTS)
    assert git(remote, "for-each-ref") == ""


def test_a_remote_that_refuses_leaves_nothing_and_its_words_arrive(remote: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'frozen for the weekend'\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RemoteError, match="refused") as caught:
        release(mirror_of(remote), "run-1", 1)
    assert "frozen for the weekend" in caught.value.why
    assert git(remote, "for-each-ref") == ""


@pytest.mark.parametrize(
    "bad", [replace(DRAFT, project="../x"), replace(DRAFT, env={"A": "\0"}), replace(DRAFT, host="x y")]
)
def test_bad_input_reaches_no_repository(remote: Path, bad: Draft) -> None:
    with pytest.raises(GitopsError, match="can't be used"):
        release(mirror_of(remote), "run-1", 1, bad)
    assert not (remote.parent / "mirror").exists()


def test_a_chart_that_changed_without_a_new_version_is_refused(remote: Path, tmp_path: Path) -> None:
    import shutil

    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    changed = tmp_path / "charts"
    shutil.copytree(CHARTS, changed)
    (changed / "monolithic" / "README.md").write_text("other words\n")
    with pytest.raises(GateRefused, match="differs") as caught:
        write(mirror, DRAFT, run_id="run-2", generation=2, checks=ALLOW, charts=changed)
    assert caught.value.code == "gate.chart"


def test_a_chart_that_nobody_has_is_refused(remote: Path) -> None:
    with pytest.raises(GitopsError, match=r"no chart monolithic 9\.9\.9"):
        release(mirror_of(remote), "run-1", 1, replace(DRAFT, chart=Chart("monolithic", "9.9.9")))


def test_a_sealed_secret_that_is_missing_is_refused(remote: Path) -> None:
    with pytest.raises(GateRefused, match="secrets"):
        release(mirror_of(remote), "run-1", 1, replace(DRAFT, sealed_secret="app-env-1234abcd"))


def test_a_rollback_brings_the_older_record_back_byte_for_byte(remote: Path) -> None:
    mirror = mirror_of(remote)
    first, _ = release(mirror, "run-1", 1)
    release(mirror, "run-2", 2, replace(DRAFT, env={"A": "2"}))
    commit, made = roll(mirror, "v1.0.1", "run-3")
    assert (made.version, commit.changed) == ("v1.0.1", True)
    for name in ("release.json", "values.yaml"):
        assert mirror.read(commit.sha, f"{FOLDER}/{name}") == mirror.read(first.sha, f"{FOLDER}/{name}")
    changed = git(remote, "diff-tree", "-r", "--no-commit-id", "--name-only", commit.sha).splitlines()
    assert changed == [f"{FOLDER}/{name}" for name in ("release.json", "run.json", "values.yaml")]


def test_a_rollback_without_a_version_goes_to_the_one_before(remote: Path) -> None:
    mirror = mirror_of(remote)
    for number in (1, 2, 3):
        release(mirror, f"run-{number}", number)
    assert roll(mirror, None, "back-1")[1].version == "v1.0.2"
    assert roll(mirror, None, "back-2")[1].version == "v1.0.1"
    with pytest.raises(GitopsError, match=r"no release before v1\.0\.1"):
        roll(mirror, None, "back-3")


def test_a_deploy_after_a_rollback_gets_a_new_number(remote: Path) -> None:
    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    release(mirror, "run-2", 2)
    roll(mirror, "v1.0.1", "back")
    assert release(mirror, "run-4", 4)[1].version == "v1.0.3"


def test_a_rollback_twice_is_one_commit(remote: Path) -> None:
    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    release(mirror, "run-2", 2)
    first, _ = rollback(mirror, WS, APP, to=None, run_id="back", generation=3, checks=ALLOW)
    again, made = rollback(mirror, WS, APP, to=None, run_id="back", generation=3, checks=ALLOW)
    assert again == replace(first, changed=False)
    assert made.version == "v1.0.1"


def test_a_rollback_to_an_image_that_left_the_registry_is_refused(remote: Path) -> None:
    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    release(mirror, "run-2", 2)
    gone = Checks(digest_exists=lambda image: f"{image.digest[:15]} was deleted", host_allowed=lambda *_: None)
    with pytest.raises(GateRefused, match="can't be deployed") as caught:
        roll(mirror, "v1.0.1", "back", gone)
    assert caught.value.kind == "policy"
    assert git(remote, "rev-list", "--count", "main") == "2"


@pytest.mark.parametrize("to", ["v1.0.9", "v1.0.x", "latest", "../../x"])
def test_a_rollback_to_what_does_not_exist_is_refused(remote: Path, to: str) -> None:
    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    with pytest.raises(GitopsError) as caught:
        roll(mirror, to, "back")
    assert caught.value.kind == "input"


def test_a_rollback_of_what_was_never_deployed_is_refused(remote: Path) -> None:
    with pytest.raises(GitopsError, match="no project"):
        roll(mirror_of(remote), None, "back")


def test_a_redeploy_of_the_current_release_is_a_run_of_its_own(remote: Path) -> None:
    mirror = mirror_of(remote)
    release(mirror, "run-1", 1)
    rollback(mirror, WS, APP, to="v1.0.1", run_id="again", generation=2, checks=ALLOW, action="redeploy")
    entries = history(mirror, WS, APP)
    assert [past.run.action for past in entries[0].runs] == ["deploy", "redeploy"]


def test_history_tells_releases_runs_and_which_is_current(remote: Path) -> None:
    mirror = mirror_of(remote)
    assert history(mirror, WS, APP) == ()
    assert current(mirror, WS, APP) is None
    assert next_generation(mirror, WS, APP) == 1
    shas = [release(mirror, f"run-{number}", number)[0].sha for number in (1, 2)]
    release(mirror, "other", 1, project("other"))
    back, _ = roll(mirror, None, "back")
    entries = history(mirror_of(remote, "elsewhere"), WS, APP)
    assert [(it.release.version, it.current, it.sha) for it in entries] == [
        ("v1.0.2", False, shas[1]),
        ("v1.0.1", True, shas[0]),
    ]
    assert [past.run.run_id for past in entries[1].runs] == ["run-1", "back"]
    assert entries[0].when.endswith(("Z", "+00:00"))
    now = current(mirror, WS, APP)
    assert now is not None
    assert (now[0].version, now[1].action, now[2]) == ("v1.0.1", "rollback", back.sha)
    assert next_generation(mirror, WS, APP) == 4
    assert len(history(mirror, WS, APP, limit=1)) == 1


def test_a_record_that_somebody_edited_is_named(remote: Path) -> None:
    mirror = mirror_of(remote)
    commit, _ = release(mirror, "run-1", 1)
    edited = mirror.commit(commit.sha, {f"{FOLDER}/run.json": b'{"generation": "high"}'}, "by hand\n")
    assert mirror.push(edited, commit.sha)
    with pytest.raises(Exception, match=r"run\.json"):
        current(mirror, WS, APP)


def test_manifests_come_from_the_commit_alone(remote: Path) -> None:
    mirror = mirror_of(remote)
    first, _ = release(mirror, "run-1", 1)
    release(mirror, "run-2", 2, replace(DRAFT, port=9999))
    rendered = {manifest["kind"]: manifest for manifest in manifests(mirror, first.sha, WS, APP)}
    container = rendered["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["ports"][0]["containerPort"] == 3000
    with pytest.raises(GitopsError, match="not deployed"):
        manifests(mirror, first.sha, WS, "nobody")

"""What a command says at its end, to people and to programs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest

from gitops_writer.records import Chart, Commit, ImageRef, Release, Source
from pipeline.artifacts import Finding, Image, PublishedImage, ScanReport
from pipeline.commands.report import deploy_report, plan_text, rollback_report
from pipeline.deploy import Outcome
from pipeline.plans import plan
from pipeline.preview.sync import Live
from pipeline.rollback import RollbackOutcome
from pipeline.runs.documents import CommitDocument, ImageDocument, PublishedDocument, ScanDocument
from resources.record import Record
from tests.pipeline.sample_services import SERVICES

GOLDEN = Path(__file__).with_name("golden")
DIGEST = "sha256:" + "ab" * 32
LIVE = Live("shop-1", "v1.0.3", DIGEST, "healthy", 200, "http://shop-1.localhost:8080/", 8080, "shipway-x")
RELEASE = Release(
    schema="shipway/release/v1",
    workspace="ws-local",
    project="shop-1",
    version="v1.0.3",
    images={"web": ImageRef("localhost:5000/ws-local/shop-1/web", DIGEST, "unscanned")},
    chart=Chart("monolithic", "1.0.0"),
    env={},
    sealed_secret=None,
    host="shop-1.localhost",
    port=8000,
    health_path="/",
    source=Source("https://git.example.com/team/shop", "main", "c0ffee" * 6 + "c0ff", dirty=False),
)
COMMIT = Commit("beef" * 10, "r-1", "v1.0.3", changed=True)


def documents(verdict: str) -> dict[str, Record]:
    finding = Finding("vulnerability", "CVE-2026-1", "LOW", "libc6", "1", "", "debian")
    scanned = ScanReport(DIGEST, verdict, (), "embedded", None, "debian", "13", 90, (finding,))  # type: ignore[arg-type]
    image = Image("localhost:5000/ws-local/shop-1/web:c0ffee", DIGEST, "linux/amd64", 131_400_000, {})
    return {
        "build": ImageDocument("shipway/run/image/v1", "i", {"web": image}),
        "scan": ScanDocument("shipway/run/scan/v1", "i", {"web": scanned}),
        "push": PublishedDocument(
            "shipway/run/published/v1", "i", {"web": PublishedImage("localhost:5000/ws-local/shop-1/web", DIGEST, ())}
        ),
        "gitops": CommitDocument("shipway/run/commit/v1", "i", COMMIT, RELEASE),
        "preview": LIVE,
    }


def expect(name: str, text: str) -> None:
    file = GOLDEN / name
    shown = click.unstyle(text) + "\n"
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_a_deploy_says_what_is_live_and_that_it_was_not_scanned() -> None:
    report = deploy_report(Outcome("r-1", documents("unscanned"), LIVE))

    expect("report-deploy.txt", report.text)
    assert json.loads(report.document) == {
        "schema": "shipway/deploy/v1",
        "run_id": "r-1",
        "images": {"web": DIGEST},
        "scan": {"web": "unscanned"},
        "published": {"web": f"localhost:5000/ws-local/shop-1/web@{DIGEST}"},
        "project": "shop-1",
        "release": "v1.0.3",
        "commit": "beef" * 10,
        "url": "http://shop-1.localhost:8080/",
        "stages": ["build", "scan", "push", "gitops", "preview"],
    }
    assert "\n" not in report.document


def test_a_run_that_stops_after_a_stage_says_as_much_as_there_is() -> None:
    everything = documents("passed")
    for count in range(len(everything)):
        stages = dict(list(everything.items())[:count])
        report = deploy_report(Outcome("r-1", stages, None))

        assert json.loads(report.document)["stages"] == list(stages)
        assert "url" not in json.loads(report.document)
        assert report.text


def test_a_rollback_says_which_release_is_live() -> None:
    report = rollback_report(RollbackOutcome("r-2", COMMIT, RELEASE, LIVE))

    expect("report-rollback.txt", report.text)
    assert json.loads(report.document)["release"] == "v1.0.3"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_plan_names_every_step_with_its_reason(name: str) -> None:
    made = plan(SERVICES[name])
    text = click.unstyle(plan_text("web", made))

    assert all(step.why in text for stage in made.stages for step in stage.steps)
    assert f"runs as {made.user}" in text


def test_a_host_that_leads_elsewhere_comes_with_a_way_to_try_it() -> None:
    live = Live("shop-1", "v1.0.1", "sha256:1", "healthy", 200, "http://shop.example.com:8080/", 8080, "c")

    text = click.unstyle(deploy_report(Outcome("r-1", {}, live)).text)

    assert "curl --resolve shop.example.com:8080:127.0.0.1 http://shop.example.com:8080/" in text

"""What a person or a program reads at the end of a command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.artifacts import BuildPlan, Step
    from pipeline.deploy import Outcome
    from pipeline.preview.sync import Live
    from pipeline.rollback import RollbackOutcome

__all__ = ["Report", "deploy_report", "plan_text", "rollback_report"]


@dataclass(frozen=True, slots=True)
class Report:
    """The same outcome as ``text`` for people and ``document`` (JSON) for programs."""

    text: str
    document: str


def deploy_report(outcome: Outcome) -> Report:
    """Return the report of a deploy, or of the stages that were reached."""
    from pipeline.runs.documents import CommitDocument, ImageDocument, PublishedDocument, ScanDocument

    facts: dict[str, object] = {"schema": "shipway/deploy/v1", "run_id": outcome.run_id}
    lines: list[tuple[str, str]] = []
    for document in outcome.documents.values():
        if isinstance(document, ImageDocument):
            facts["images"] = {name: one.digest for name, one in document.services.items()}
            lines += [
                (f"image {name}", f"{one.ref} ({one.size_bytes / 1e6:.0f} MB)")
                for name, one in document.services.items()
            ]
        elif isinstance(document, ScanDocument):
            facts["scan"] = {name: one.verdict for name, one in document.services.items()}
            lines += [
                (f"scan {name}", _verdict(one.verdict, len(one.findings))) for name, one in document.services.items()
            ]
        elif isinstance(document, PublishedDocument):
            facts["published"] = {name: f"{one.repository}@{one.digest}" for name, one in document.services.items()}
            lines += [(f"digest {name}", one.digest) for name, one in document.services.items()]
        elif isinstance(document, CommitDocument):
            facts |= {"project": document.release.project, "release": document.release.version}
            facts["commit"] = document.commit.sha
            lines += [("project", document.release.project), ("release", document.release.version)]
            lines.append(("commit", document.commit.sha[:12]))
    if outcome.live is not None:
        facts["url"] = outcome.live.url
        lines += _live_lines(outcome.live)
    facts["stages"] = list(outcome.documents)
    return Report(_aligned(lines or [("run", outcome.run_id)]), json.dumps(facts, separators=(",", ":")))


def rollback_report(outcome: RollbackOutcome) -> Report:
    """Return the report of a rollback."""
    lines = [
        ("project", outcome.release.project),
        ("release", outcome.release.version),
        ("commit", outcome.commit.sha[:12]),
        *_live_lines(outcome.live),
    ]
    facts = {
        "schema": "shipway/rollback/v1",
        "run_id": outcome.run_id,
        "project": outcome.release.project,
        "release": outcome.release.version,
        "commit": outcome.commit.sha,
        "url": outcome.live.url,
    }
    return Report(_aligned(lines), json.dumps(facts, separators=(",", ":")))


def plan_text(name: str, plan: BuildPlan) -> str:
    """Return ``plan`` as a person reads it."""
    from pipeline.plain_text import plain

    service = plan.service
    lines = [click.style(f"{name}", bold=True) + f"  {service.language} {service.language_version or ''}".rstrip()]
    for stage in plan.stages:
        lines.append(f"  {stage.name}  (from {stage.base})")
        lines += [f"    {plain(_step(step)):<60} {click.style(step.why, dim=True)}" for step in stage.steps]
    lines.append(
        f"  runs as {plan.user}: {plain(' '.join(plan.start))}" + (f"  on port {plan.port}" if plan.port else "")
    )
    return "\n".join(lines)


def _step(step: Step) -> str:
    from pipeline.artifacts import Copy, Run

    if isinstance(step, Copy):
        return f"copy {' '.join(step.sources)} -> {step.target}"
    if isinstance(step, Run):
        return " ".join(step.argv)
    return " ".join(f"{name}={value}" for name, value in step.values.items())


def _verdict(verdict: str, findings: int) -> str:
    if verdict == "unscanned":
        shown = click.style("UNSCANNED (no vulnerability database)", fg="yellow")
        return f"{shown}, {findings} findings all the same" if findings else shown
    return f"{verdict}, {findings} findings"


def _live_lines(live: Live) -> list[tuple[str, str]]:
    lines = [("live", click.style(live.url, fg="green", bold=True))]
    host = live.url.split("/")[2].rpartition(":")[0]
    if not host.endswith(".localhost"):
        # Only names below localhost lead to this machine by themselves.
        lines.append(("try", f"curl --resolve {host}:{live.port}:127.0.0.1 {live.url}"))
    return lines


def _aligned(lines: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)

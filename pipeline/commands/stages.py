"""The commands that run the stages: each one runs those before it, and what is done already isn't done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import as_json, print_json, progress, request
from pipeline.runs.states import STAGES

if TYPE_CHECKING:
    from pipeline.deploy import Outcome
    from pipeline.progress import Mode
    from pipeline.runs.begin import Request

__all__ = ["build", "commit", "deploy", "push", "release", "scan"]

SETTINGS = (
    "home",
    "workspace",
    "scan_policy",
    "base_images",
    "git_username",
    "git_token_file",
    "health_timeout",
)
OVERRIDES = ("root", "port", "health_path")


def _stage(until: str, text: str) -> click.Command:
    """Return the command that runs the stages up to ``until``."""

    @click.command(name=until, help=text)
    @click.argument("target", default=".")
    @request
    @progress
    @as_json
    def command(target: str, progress: Mode, *, as_json: bool, **given: Any) -> None:
        from pipeline.commands.report import deploy_report

        outcome = _run(target, progress, given, given.pop("until", None) or until)
        report = deploy_report(outcome)
        print_json(report.document) if as_json else click.echo(report.text)

    return command


def _run(target: str, mode: Mode, given: dict[str, Any], until: str) -> Outcome:
    from pipeline.config import load
    from pipeline.runs.execute import execute_deploy

    config = load({name: given.get(name) for name in SETTINGS})
    return execute_deploy(_request(target, given), config, mode=mode, until=until)


def _request(target: str, given: dict[str, Any]) -> Request:
    from pipeline.runs.begin import Request

    return Request(
        target=target,
        branch=given["branch"],
        project=given["project"],
        host=given["host"],
        env=_environment(given),
        overrides={name: given[name] for name in OVERRIDES if given[name] is not None},
        dirty=given["dirty"],
        run_id=given["run_id"],
    )


def _environment(given: dict[str, Any]) -> dict[str, str]:
    from pipeline.environment import environment, secret_looking

    found = environment(given["env_pairs"], given["env_file"])
    named = secret_looking(found)
    if named:
        text = f"warning: {', '.join(named)} will be readable in the GitOps repository: --env is for what isn't secret"
        click.secho(text, fg="yellow", err=True)
    return found


EXAMPLES = """

\b
Examples:
  shipway deploy .
  shipway deploy https://git.example.com/team/shop.git --branch main
  shipway deploy . --env GREETING=hello --host shop.localhost
  shipway deploy . --json --progress json
"""

deploy = _stage("preview", "Take TARGET (a folder or a git URL) to a running URL." + EXAMPLES)
deploy.name = "deploy"
deploy.params.append(
    click.Option(
        ["--until"], type=click.Choice(STAGES), help="Stop after this stage; the next call goes on from there."
    )
)
build = _stage("build", "Build the image of TARGET (a folder or a git URL).")
scan = _stage("scan", "Scan the image of TARGET; exit 3 when the policy refuses it.")
push = _stage("push", "Push the image of TARGET to the registry.")
release = _stage("release", "Draft the release of TARGET; its number comes with the commit.")
commit = _stage("gitops", "Commit the release of TARGET to the GitOps repository; nothing is run.")
commit.name = "commit"

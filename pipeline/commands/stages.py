"""The commands that run the stages: each one runs those before it, and what is done already isn't done again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import as_json, print_json, progress, request
from pipeline.runs.states import STAGES

if TYPE_CHECKING:
    from pipeline.deploy import Outcome
    from pipeline.progress import Mode
    from pipeline.runs.begin import Request

__all__ = ["build", "commit", "deploy", "dockerfile", "plan", "push", "release", "scan"]

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


@click.command()
@click.argument("target", default=".")
@click.option("--branch", help="Branch or tag [default: the folder as it is, or the repository's HEAD].")
@click.option("--service", help="One service of several.")
@click.option("--base-images", type=click.Choice(["offline", "ordinary"]), default="ordinary", show_default=True)
@as_json
@click.pass_context
def plan(
    ctx: click.Context, target: str, branch: str | None, service: str | None, base_images: str, *, as_json: bool
) -> None:
    """Show how the image of TARGET is built, step by step, with each step's reason."""
    from pipeline.commands.report import plan_text
    from resources.record import to_json

    plans = _plans(ctx, target, branch, service, base_images)
    if as_json:
        print_json(
            to_json({"schema": "shipway/plan/v1", "services": {name: _plain(one) for name, one in plans.items()}})
        )
    else:
        click.echo("\n".join(plan_text(name, one) for name, one in plans.items()))


@click.command()
@click.argument("target", default=".")
@click.option("--branch", help="Branch or tag [default: the folder as it is, or the repository's HEAD].")
@click.option("--service", help="One service of several.")
@click.option("--base-images", type=click.Choice(["offline", "ordinary"]), default="ordinary", show_default=True)
@click.option("--write", is_flag=True, help="Write Dockerfile and .dockerignore into the folder TARGET.")
@click.option("--force", is_flag=True, help="With --write: overwrite files that are there.")
@click.pass_context
def dockerfile(
    ctx: click.Context,
    target: str,
    branch: str | None,
    service: str | None,
    base_images: str,
    *,
    write: bool,
    force: bool,
) -> None:
    """Print the Dockerfile that Shipway writes for TARGET (a folder or a git URL).

    \b
    Examples:
      shipway dockerfile .
      shipway dockerfile . --write
    """
    from pipeline.base_images.build import bases
    from pipeline.dockerfile import dockerfile as render
    from pipeline.dockerfile import dockerignore

    references = bases(offline=base_images == "offline")
    plans = _plans(ctx, target, branch, service, base_images)
    if len(plans) != 1:
        raise click.UsageError(f"there are several services, choose one with --service: {', '.join(sorted(plans))}")
    (one,) = plans.values()
    text = render(one, references)
    if not write:
        click.echo(text, nl=False)
        return
    if not Path(target).is_dir():
        raise click.UsageError(f"--write is for a folder on this machine, and {target} is none")
    folder = Path(target) / one.service.root
    _write({folder / "Dockerfile": text, folder / ".dockerignore": dockerignore(one)}, force=force)


def _write(files: dict[Path, str], *, force: bool) -> None:
    from pipeline.runs.folder import write_atomically

    for file, content in files.items():
        if file.exists() and not force and file.read_text(encoding="utf-8", errors="replace") != content:
            raise click.UsageError(f"{file} is there and differs; --force overwrites it")
    for file, content in files.items():
        write_atomically(file, content.encode())
        file.chmod(0o644)
        click.echo(f"wrote {file}", err=True)


def _plans(
    ctx: click.Context, target: str, branch: str | None, service: str | None, base_images: str
) -> dict[str, Any]:
    from detectors.detect import detect
    from pipeline.errors import PipelineError
    from pipeline.plans import plan as make_plan

    with ctx.obj["open_tree"](target, branch) as tree:
        detection = detect(tree, offline=base_images == "offline")
    if not detection.deployable:
        raise PipelineError("detect.not_deployable", detection.reason or "", kind="not_deployable")
    chosen = [one for one in detection.services if service in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in detection.services)
        raise click.UsageError(f"there is no service {service}; there are: {known}")
    return {one.name: make_plan(one) for one in chosen}


def _plain(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)

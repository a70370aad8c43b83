"""``shipway plan`` and ``shipway dockerfile``: what would be built, with nothing built and no state kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.commands.options import as_json, print_json

if TYPE_CHECKING:
    from pipeline.artifacts import BuildPlan

__all__ = ["dockerfile", "plan"]

F = TypeVar("F", bound=Callable[..., Any])
OVERRIDES = ("root", "port", "health_path")


def planned(function: F) -> F:
    """Add TARGET and the options that say what is planned."""
    bases = click.Choice(["offline", "ordinary"])
    for option in (
        click.option("--base-images", type=bases, default="ordinary", show_default=True, help="What it stands on."),
        click.option("--health-path", help="The path that answers when the app is healthy."),
        click.option("--port", type=click.IntRange(1, 65535), help="The port that the app listens on."),
        click.option("--root", help="The folder of the app within the repository."),
        click.option("--service", help="One service of several."),
        click.option("--branch", help="Branch or tag [default: the folder as it is, or the repository's HEAD]."),
        click.argument("target", default="."),
    ):
        function = option(function)
    return function


@click.command()
@planned
@as_json
@click.pass_context
def plan(ctx: click.Context, /, *, as_json: bool, **given: Any) -> None:
    """Show how the image of TARGET is built, step by step, with each step's reason."""
    from dataclasses import asdict

    from pipeline.commands.report import plan_text
    from resources.record import to_json

    plans = _plans(ctx, given)
    if as_json:
        services = {name: asdict(one) for name, one in plans.items()}
        print_json(to_json({"schema": "shipway/plan/v1", "services": services}))
    else:
        click.echo("\n".join(plan_text(name, one) for name, one in plans.items()))


@click.command()
@planned
@click.option("--write", is_flag=True, help="Write Dockerfile and .dockerignore into the folder TARGET.")
@click.option("--force", is_flag=True, help="With --write: overwrite files that are there.")
@click.pass_context
def dockerfile(ctx: click.Context, /, *, write: bool, force: bool, **given: Any) -> None:
    """Print the Dockerfile that Shipway writes for TARGET (a folder or a git URL).

    \b
    Examples:
      shipway dockerfile .
      shipway dockerfile . --root apps/api
      shipway dockerfile . --write
    """
    from pipeline.base_images.build import bases
    from pipeline.dockerfile import dockerfile as render
    from pipeline.dockerfile import dockerignore

    plans = _plans(ctx, given)
    if len(plans) != 1:
        raise click.UsageError(f"there are several services, choose one with --service: {', '.join(sorted(plans))}")
    (one,) = plans.values()
    text = render(one, bases(offline=given["base_images"] == "offline"))
    if not write:
        click.echo(text, nl=False)
        return
    if not Path(given["target"]).is_dir():
        raise click.UsageError(f"--write is for a folder on this machine, and {given['target']} is none")
    folder = Path(given["target"]) / one.service.root
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


def _plans(ctx: click.Context, given: dict[str, Any]) -> dict[str, BuildPlan]:
    from detectors.detect import detect
    from pipeline.plans import plan as make_plan
    from pipeline.undeployable import undeployable

    overrides = {name: given[name] for name in OVERRIDES if given[name] is not None}
    with ctx.obj["open_tree"](given["target"], given["branch"]) as tree:
        detection = detect(tree, overrides=overrides, offline=given["base_images"] == "offline")
    # A worker has a Dockerfile too, though it can't be released as a web app.
    refused = undeployable(detection) if not detection.deployable else None
    if refused:
        raise refused
    chosen = [one for one in detection.services if given["service"] in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in detection.services)
        raise click.UsageError(f"there is no service {given['service']}; there are: {known}")
    return {one.name: make_plan(one) for one in chosen}

"""The commands about this machine: what is missing, its embedded parts, base images, and the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import as_json, print_json

if TYPE_CHECKING:
    from pipeline.config import Config

__all__ = ["base_images", "config", "doctor", "local"]

HOME = click.option("--home", type=click.Path(path_type=Path), help="State folder [env: SHIPWAY_HOME].")


@click.command()
@click.option("--install", is_flag=True, help="Get what is missing with the machine's package client (as root).")
@HOME
@as_json
def doctor(home: Path | None, *, install: bool, as_json: bool) -> None:
    """Say what is missing on this machine, what it is needed for and how to get it; exit 5 if anything is."""
    from pipeline.machine import doctor as machine
    from resources.record import to_json

    where = _config(home).home
    findings = machine.doctor(where)
    if install:
        findings = machine.install(findings, where, on_line=_say)
    missing = [one for one in findings if not one.found]
    if as_json:
        print_json(to_json({"schema": "shipway/doctor/v1", "tools": [_plain(one) for one in findings]}))
    else:
        for one in findings:
            mark = click.style("\u2713", fg="green") if one.found else click.style("\u2717", fg="red")
            click.echo(f"{mark} {one.name:<16} {one.where if one.found else one.needed_for}")
            if not one.found:
                click.echo(f"    -> {one.how_to_get}")
    if missing:
        click.get_current_context().exit(5)


@click.group()
def local() -> None:
    """Start and stop the embedded parts: container engine, registry, GitOps repository."""


@local.command()
@HOME
def up(home: Path | None) -> None:
    """Start what isn't running; an engine of Shipway's own only where the machine has none (as root)."""
    from pipeline.machine import embedded

    where = _config(home).home
    engine = embedded.engine(where, start=True)
    click.echo(f"engine      {engine.docker_host}" + ("  (our own)" if engine.owned else ""))
    click.echo(f"registry    {embedded.registry(where).url}")
    click.echo(f"gitops      {embedded.gitops(where)}")


@local.command()
@HOME
def down(home: Path | None) -> None:
    """Stop and remove everything that Shipway made on this machine: containers, images, registry, state folder."""
    from pipeline.machine import embedded

    removed = embedded.down(_config(home).home)
    click.echo(f"removed {', '.join(removed)}" if removed else "there was nothing to remove", err=True)


@local.command(name="status")
@HOME
@as_json
def local_status(home: Path | None, *, as_json: bool) -> None:
    """Show what runs."""
    from pipeline.machine import embedded
    from resources.record import to_json

    parts = embedded.status(_config(home).home)
    if as_json:
        print_json(to_json({"schema": "shipway/local/v1", "parts": [_plain(one) for one in parts]}))
        return
    for part in parts:
        mark = click.style("\u25cf", fg="green") if part.running else click.style("\u25cb", fg="yellow")
        click.echo(f"{mark} {part.name:<10} {part.where}")


@click.group(name="base-images")
def base_images() -> None:
    """Make the base images that Dockerfiles stand on from Debian packages: for machines without a registry."""


@base_images.command()
@click.argument("names", nargs=-1)
@HOME
def build(names: tuple[str, ...], home: Path | None) -> None:
    """Build the base images NAMES (such as python:3.13), or all; those that are up to date are passed over.

    \b
    Examples:
      shipway base-images build
      shipway base-images build python:3.13 nginx:1
    """
    from pipeline.base_images import build as images
    from pipeline.machine import embedded

    config = _config(home)
    engine = embedded.engine(config.home, start=False)
    wanted = list(names) or sorted(key for key, one in images.table().items() if one.offline)
    images.build(engine, wanted, config.home, ca_bundle=config.ca_bundle, on_progress=_say)


@base_images.command(name="list")
@HOME
@as_json
def list_images(home: Path | None, *, as_json: bool) -> None:
    """List the base images: the ordinary reference, the offline one and whether it is there, and end of life."""
    from pipeline.base_images import build as images
    from pipeline.machine import embedded
    from resources.record import to_json

    rows = images.listing(embedded.engine(_config(home).home))
    if as_json:
        print_json(to_json({"schema": "shipway/base-images/v1", "images": [_plain(one) for one in rows]}))
        return
    for row in rows:
        mark = click.style("\u2713", fg="green") if row.present else " "
        one = row.image
        click.echo(f"{mark} {one.key:<14} {one.ref:<34} {one.offline or '-':<28} {one.end_of_life or ''}".rstrip())


@click.command()
@HOME
@as_json
def config(home: Path | None, *, as_json: bool) -> None:
    """Show every setting, its value and where it comes from."""
    from dataclasses import fields

    from resources.record import to_json

    found = _config(home)
    values = {item.name: getattr(found, item.name) for item in fields(found) if item.name != "sources"}
    if as_json:
        shown = {name: {"value": _shown(value), "source": found.sources[name]} for name, value in values.items()}
        print_json(to_json({"schema": "shipway/config/v1", "settings": shown}))
        return
    for name, value in values.items():
        click.echo(f"{name:<24} {_shown(value) if value is not None else '-':<40} {found.sources[name]}")


def _shown(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _config(home: Path | None) -> Config:
    from pipeline.config import load

    return load({"home": home})


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)


def _plain(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)

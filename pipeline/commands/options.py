"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.progress import MODES

__all__ = ["as_json", "configured", "print_json", "progress", "request"]

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _apply(options: list[Callable[[F], F]], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def as_json(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else.")(
        function
    )


def progress(function: F) -> F:
    """Add ``--progress``."""
    text = "How progress is shown on stderr; auto is a spinner on a terminal and plain lines elsewhere."
    return click.option("--progress", type=click.Choice(MODES), default="auto", show_default=True, help=text)(function)


def configured(function: F) -> F:
    """Add the options that set the configuration for one call."""
    options: list[Callable[[F], F]] = [
        click.option("--home", type=click.Path(path_type=Path), help="State folder [env: SHIPWAY_HOME]."),
        click.option("--workspace", help="The workspace [default: ws-local]."),
    ]
    return _apply(options, function)


def request(function: F) -> F:
    """Add the options of a deploy request and of the build."""
    bases = click.Choice(["auto", "offline", "ordinary"])
    options: list[Callable[[F], F]] = [
        click.option("--branch", help="Branch or tag [default: the repository's HEAD]."),
        click.option("--project", help="The project's name [default: made from the repository's]."),
        click.option("--host", help="The host name [default: PROJECT.localhost]."),
        click.option("--env", "env_pairs", multiple=True, metavar="NAME=VALUE", help="A variable for the app; repeat."),
        click.option("--env-file", type=FILE, help="A .env file of variables for the app (nothing secret)."),
        click.option("--root", help="The folder of the app within the repository."),
        click.option("--port", type=click.IntRange(1, 65535), help="The port that the app listens on."),
        click.option("--health-path", help="The path that answers when the app is healthy."),
        click.option("--dirty", is_flag=True, help="Deploy a folder as it is, uncommitted changes included."),
        click.option("--run-id", help="The run's id; the same id resumes the same run."),
        click.option("--policy", "scan_policy", help="Scan policy: default, embedded, or a file."),
        click.option("--base-images", type=bases, help="Which base images to build on [default: auto]."),
        click.option("--git-username", help="User name for a private repository."),
        click.option("--git-token-file", type=FILE, help="File with the token for a private repository."),
        click.option("--health-timeout", type=click.IntRange(1, 3600), help="Seconds to become healthy [default: 90]."),
    ]
    return configured(_apply(options, function))


def print_json(text: str) -> None:
    """Print one JSON document on stdout."""
    click.echo(text)

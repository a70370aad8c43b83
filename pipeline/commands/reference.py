"""Writes ``docs/reference/commands.md`` from the commands' own help: ``python -m pipeline.commands.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from pipeline.cli import root

__all__ = ["reference"]

WIDTH = 100


def reference() -> str:
    """Return the reference page: each command's help, in the order of ``shipway --help``."""
    pages = ["# Commands\n\nGenerated from `--help`.\n"]
    for path, command in _commands("shipway", root, None):
        # One name whatever started us, and one width whatever the terminal.
        context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
        pages.append(f"## {path}\n\n```\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(pages)


def _commands(path: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path, parent=parent)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _commands(f"{path} {name}", found, context)


if __name__ == "__main__":
    sys.stdout.write(reference())

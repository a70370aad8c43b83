"""The ``shipway`` command: a lazy root group; each command's module is imported only when it is called."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

__all__ = ["COMMANDS", "main", "root"]

COMMANDS: dict[str, tuple[str, str]] = {
    "detect": ("detectors.cli:detect", "Find out what a repository is, with the evidence."),
    "plan": ("pipeline.commands.plans:plan", "Show how the image of a repository is built."),
    "dockerfile": ("pipeline.commands.plans:dockerfile", "Print the Dockerfile that Shipway writes for a repository."),
    "build": ("pipeline.commands.stages:build", "Build the image, with the stages before."),
    "scan": ("pipeline.commands.stages:scan", "Scan the image, with the stages before."),
    "push": ("pipeline.commands.stages:push", "Push the image, with the stages before."),
    "release": ("pipeline.commands.stages:release", "Draft the release, with the stages before."),
    "gitops": ("pipeline.commands.gitops:gitops", "Commit the release to the GitOps repository; look into it."),
    "deploy": ("pipeline.commands.stages:deploy", "Take a repository to a running URL: every stage, resumable."),
    "rollback": ("pipeline.commands.live:rollback", "Make an older release live again, without a build."),
    "status": ("pipeline.commands.live:status", "Show what is live."),
    "history": ("gitops_writer.cli:history", "List a project's releases."),
    "preview": ("pipeline.commands.live:preview", "Run what was committed, on this machine."),
    "base-images": ("pipeline.commands.machine:base_images", "Make base images from Debian packages; list them."),
    "local": ("pipeline.commands.machine:local", "Start and stop this machine's engine, registry and repository."),
    "doctor": ("pipeline.commands.machine:doctor", "Say what is missing on this machine, and how to get it."),
    "config": ("pipeline.commands.machine:config", "Show every setting and where its value comes from."),
    "demo": ("pipeline.commands.demo:demo", "Deploy, change and roll back a sample app on this machine."),
}
"""Every command: where it is, and its line in ``shipway --help``."""


class LazyGroup(click.Group):
    """A group whose commands are imported by name when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command ``cmd_name``, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their lines; nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="shipway", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Take a git repository to a running URL.

    \b
    shipway detect .                    what is it?
    shipway deploy .                    build, scan, push, release, run it
    shipway rollback PROJECT            the release before is live again
    shipway doctor                      is everything there?
    """
    from pipeline.context import services

    ctx.obj = services()


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with the documented code."""
    argv = sys.argv[1:] if args is None else args
    signal.signal(signal.SIGTERM, _terminate)
    # A terminal that goes away ends a run as SIGTERM does, unless `nohup` is used: children are in other groups.
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _terminate)
    try:
        with _utf8():
            code = root.main(args=argv, prog_name="shipway", standalone_mode=False)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the one place where every failure gets its message and code
        from pipeline.errors import report

        sys.exit(report(error, as_json="--json" in argv, argv=argv))
    sys.exit(code if isinstance(code, int) else 0)


def _terminate(number: int, frame: Any) -> None:
    from pipeline.errors import Terminated

    raise Terminated


@contextmanager
def _utf8() -> Iterator[None]:
    # Locale encodings would change what is printed from machine to machine.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    yield


if __name__ == "__main__":
    main()

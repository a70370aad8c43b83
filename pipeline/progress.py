"""Shows a run's events: a spinner and a line a stage on a terminal, plain lines in a log, JSON lines for programs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pipeline.runs.events import Event, Watcher
from resources.record import to_json

__all__ = ["MODES", "Mode", "watching"]

Mode = Literal["auto", "plain", "json", "none"]
MODES = ("auto", "plain", "json", "none")

TITLES = {
    "checkout": "check out", "detect": "detect", "plan": "prepare Dockerfile", "build": "build", "scan": "scan",
    "push": "push", "release": "draft release", "gitops": "update GitOps", "preview": "go live",
    "machine": "get missing tools", "local": "start local parts", "base-images": "base images",
}  # fmt: skip


@contextmanager
def watching(mode: Mode) -> Iterator[Watcher]:
    """Give the watcher of ``mode``; everything goes to stderr."""
    if mode == "auto" and sys.stderr.isatty():
        with _terminal() as watcher:
            yield watcher
    else:
        yield {"json": _json, "none": _nothing}.get(mode, _plain)


def _json(event: Event) -> None:
    _write(to_json(event))


def _nothing(event: Event) -> None:
    """Show nothing; the events are in the run folder."""


def _plain(event: Event) -> None:
    title = TITLES.get(event.stage, event.stage)
    texts = {
        "started": f"{title} ...",
        "progress": f"{title}: {event.text}",
        "log": f"    {event.text}",
        "finished": f"{title}: done in {event.seconds} s",
        "skipped": f"{title}: {event.text}",
        "failed": f"{title}: failed",
    }
    if event.kind in texts:
        _write(texts[event.kind])


def _write(line: str) -> None:
    # Whoever watched may have gone (`2>&1 | head`); a deploy goes on without being watched.
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


@contextmanager
def _terminal() -> Iterator[Watcher]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<19}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[last]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", visible=False, last="")

        def watch(event: Event) -> None:
            title = f"{TITLES.get(event.stage, event.stage):<19}"
            if event.kind == "started":
                progress.reset(task, description=title, visible=True, last="")
            elif event.kind == "log":
                progress.update(task, last=escape(event.text[: max(20, console.width - 45)]))
            elif event.kind == "finished":
                progress.update(task, visible=False)
                console.print(f"[green]\u2713[/] {title} {event.seconds:>7.1f} s")
            elif event.kind == "skipped":
                console.print(f"[dim]\u2713 {title}    {escape(event.text)}[/]")
            elif event.kind == "progress":
                style = "yellow" if event.text.startswith("warning") else "dim"
                console.print(f"  [{style}]{escape(event.text)}[/]")
            elif event.kind == "failed":
                progress.update(task, visible=False)
                console.print(f"[red]\u2717[/] {title}")

        yield watch

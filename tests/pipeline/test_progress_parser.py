"""BuildKit's raw progress: what people see, and which step failed."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.progress import BuildProgress


def vertex(digest: str, name: str, **more: object) -> dict[str, object]:
    return {"vertexes": [{"digest": digest, "name": name, "started": "2026-01-01T00:00:00Z", **more}]}


def log(digest: str, text: str) -> dict[str, object]:
    return {"logs": [{"vertex": digest, "data": base64.b64encode(text.encode()).decode()}]}


def feed(progress: BuildProgress, *documents: dict[str, object], pretty: bool = False) -> None:
    for document in documents:
        for line in json.dumps(document, indent=2 if pretty else None).splitlines():
            progress.feed(line)


def failing(*, pretty: bool) -> BuildProgress:
    progress = BuildProgress(lambda line: None)
    feed(
        progress,
        vertex("sha256:a", "[2/2] RUN npm ci"),
        log("sha256:a", "npm error code E404\nnpm er"),
        log("sha256:a", "ror not found\n"),
        vertex("sha256:b", "[other 1/1] RUN sleep", error="context canceled"),
        vertex("sha256:a", "[2/2] RUN npm ci", error="exit code: 1"),
        pretty=pretty,
    )
    return progress


def test_the_failing_step_is_named_with_its_own_output() -> None:
    for pretty in (False, True):
        progress = failing(pretty=pretty)
        assert progress.failed_step == "[2/2] RUN npm ci"
        assert progress.failed_output == ["npm error code E404", "npm error not found"]
        assert progress.failed_error == "exit code: 1"


def test_each_step_is_announced_once_and_its_lines_follow() -> None:
    seen: list[str] = []
    progress = BuildProgress(seen.append)
    feed(
        progress,
        vertex("sha256:a", "[1/2] FROM python"),
        vertex("sha256:a", "[1/2] FROM python", cached=True),
        vertex("sha256:i", "[internal] load build context"),
        vertex("sha256:b", "[2/2] RUN pip install", cached=True),
        log("sha256:b", "50%\r100%\n"),
    )
    assert seen == ["[1/2] FROM python", "[2/2] RUN pip install  (cached)", "  100%"]


def test_a_last_line_without_a_newline_is_kept() -> None:
    progress = BuildProgress(lambda line: None)
    feed(progress, vertex("a", "RUN x"), log("a", "cut off"), vertex("a", "RUN x", error="killed"))
    assert progress.failed_output == ["cut off"]


@given(st.lists(st.text(max_size=30), max_size=20))
def test_any_text_among_the_progress_is_passed_over(lines: list[str]) -> None:
    progress = BuildProgress(lambda line: None)
    for line in lines:
        progress.feed(line)
    feed(progress, vertex("a", "RUN x", error="boom"))
    assert progress.failed_step in ("RUN x", "")


def test_only_a_step_of_the_dockerfile_is_the_apps_own() -> None:
    names = {
        "[2/2] RUN npm ci": True,
        "[build 3/5] COPY package.json ./": True,
        "[stage-1 2/9] WORKDIR /app": True,
        "[internal] load metadata for docker.io/library/node:24": False,
        "[internal] load build context": False,
        "[build 1/5] FROM docker.io/library/node:24@sha256:1": False,
        "exporting to image": False,
    }
    for name, own in names.items():
        progress = BuildProgress(lambda line: None)
        feed(progress, vertex("sha256:a", name, error="failed"))

        assert (progress.failed_step, progress.is_the_apps_own) == (name, own)


def test_a_line_that_never_ends_is_kept_in_part_and_what_is_drawn_over_is_gone() -> None:
    progress = BuildProgress(lambda line: None)
    feed(progress, vertex("sha256:a", "[2/2] RUN x", error="exit code: 1"))
    for n in range(2000):
        feed(progress, log("sha256:a", f"{n} percent\r"), log("sha256:b", "x" * 1000))

    assert len("".join(progress._rest.values())) < 50_000
    feed(progress, log("sha256:a", "done\r\nnext"))
    assert progress.failed_output == ["done", "next"]

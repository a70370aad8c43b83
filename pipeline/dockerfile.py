"""BuildPlan -> Dockerfile text, and the ``.dockerignore`` beside it: pure, the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from pipeline import docker_words as words
from pipeline.artifacts import BuildPlan, BuildStage
from pipeline.plans.errors import PlanError
from resources import read_text

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["dockerfile", "dockerignore"]

TEMPLATE = "Dockerfile.j2"
FILTERS: Mapping[str, Callable[..., str]] = {
    "checked": words.checked,
    "command": words.command,
    "comment": words.comment,
    "copy_words": words.copy_words,
    "env_words": words.env_words,
    "exec_form": words.exec_form,
    "path": partial(words.matching, pattern=words.PATH, what="plain absolute path"),
    "shell": words.shell,
    "signal": partial(words.matching, pattern=words.SIGNAL, what="signal name"),
    "stage_name": partial(words.matching, pattern=words.STAGE, what="stage name"),
    "user": words.user,
    "word": partial(words.matching, pattern=words.WORD, what="plain word"),
}
"""How each kind of value is written; the template passes every value through one of these."""


def dockerfile(plan: BuildPlan, bases: Mapping[str, str], *, cache_scope: str = "") -> str:
    """Return the Dockerfile of ``plan``.

    ``bases`` maps the keys of the base image table (``python:3.13``) to image references. ``cache_scope``, such as a
    workspace's name, is put before each cache mount's id, so that no two scopes share a cache.

    Raises PlanError for a base that ``bases`` lacks, and for a value that no Dockerfile can hold safely.
    """
    return _template().render(
        plan=plan,
        image_of=lambda stage: _image_of(plan, bases, stage),
        scoped=lambda cache: _scoped(cache_scope, cache.id),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    # Nothing here is HTML; each filter makes its value safe in the place where it stands.
    environment = Environment(  # noqa: S701
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(FILTERS)
    return environment.from_string(read_text(TEMPLATE))


def dockerignore(plan: BuildPlan) -> str:
    """Return the ``.dockerignore`` of ``plan``: what no build needs, and secrets that lie about, at every depth."""
    lines = ["# What the build needs nothing of, and what must never be in an image."]
    for pattern in plan.ignore:
        words.checked(pattern)
        lines.append(pattern if "/" in pattern else f"**/{pattern}")
    return "\n".join(lines) + "\n"


def _scoped(scope: str, cache_id: str) -> str:
    name = f"{scope}-{cache_id}" if scope else cache_id
    return words.matching(name, words.CACHE_ID, "cache id")


def _image_of(plan: BuildPlan, bases: Mapping[str, str], stage: BuildStage) -> str:
    """Return the image of the stage's base, or the name of the earlier stage that it stands on."""
    names = [each.name for each in plan.stages]
    if stage.base in names[: names.index(stage.name)]:
        return words.matching(stage.base, words.STAGE, "stage name")
    if stage.base not in bases:
        raise PlanError(
            "dockerfile.no_such_base",
            f"service {plan.service.name} can't be built: there is no base image {stage.base}",
            why=f"the base images are {', '.join(sorted(bases)) or 'none'}",
            fix="choose another version in shipway.yaml, or add the base image to the table",
            kind="not_deployable",
        )
    return words.matching(bases[stage.base], words.IMAGE, "image reference")

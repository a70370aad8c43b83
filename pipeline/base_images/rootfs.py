"""The root file system that every offline base image stands on: made from Debian packages, imported into the engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from clients.process import base_environment, run
from pipeline.base_images import recipes as base_recipes
from pipeline.base_images.table import rootfs_name, suite
from pipeline.errors import PipelineError
from pipeline.machine import debian
from pipeline.machine.embedded import Engine, client
from pipeline.machine.home import HOME_LABEL, home_id, unmount_below

__all__ = ["RECIPE_LABEL", "BaseImageError", "ensure_rootfs", "recipe_of"]

ROOTFS_SECONDS = 900
RECIPE_LABEL = "shipway.recipe"


class BaseImageError(PipelineError):
    """A base image isn't in the table, or can't be built."""


def ensure_rootfs(engine: Engine, home: Path, say: Callable[[str], None]) -> None:
    """Make the root file system and import it into ``engine``, unless it is there with the same recipe."""
    release = suite()
    if recipe_of(engine, rootfs_name()) == base_recipes.rootfs_recipe(release):
        return
    if os.geteuid() != 0:
        raise BaseImageError(
            "base_images.not_root",
            "the offline base images can't be built",
            why="making a root file system takes root",
            fix="run this as root, or use base images from a container registry (`base_images: ordinary`)",
            kind="outside",
        )
    sources = debian.mirrors().sources(release)
    say(f"making a minimal Debian {release}")
    room = home / "base-images"
    _clear(room)
    room.mkdir(parents=True)
    try:
        _import_rootfs(engine, _make_rootfs(room, release, sources, say), release, home)
    finally:
        _clear(room)


def _clear(room: Path) -> None:
    # A killed bootstrap may have left /dev and /proc mounted below.
    unmount_below(room)
    shutil.rmtree(room, ignore_errors=True)


def _make_rootfs(room: Path, release: str, sources: Sequence[str], say: Callable[[str], None]) -> Path:
    settings = room / "dpkg.cfg"
    settings.write_text("\n".join(base_recipes.ROOTFS_EXCLUDED) + "\n", encoding="utf-8")
    target = room / "rootfs.tar"
    argv = base_recipes.rootfs_argv(release, sources, str(settings), str(target))
    env = base_environment(TMPDIR=str(room), DEBIAN_FRONTEND="noninteractive")
    done = run(argv, timeout=ROOTFS_SECONDS, env=env)
    done.check(
        "a minimal Debian could not be made",
        fix="look at what mmdebstrap says, and whether the machine reaches its package mirror",
    )
    return target


def _import_rootfs(engine: Engine, tar: Path, release: str, home: Path) -> None:
    repository, _, tag = rootfs_name().partition(":")
    changes = [
        f"LABEL {RECIPE_LABEL}={base_recipes.rootfs_recipe(release)}",
        f"LABEL {HOME_LABEL}={home_id(home)}",
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        'CMD ["bash"]',
    ]
    docker = client(engine, timeout=300)
    try:
        # With a label wrong or absent the image would count as missing, and be made again.
        docker.api.import_image_from_file(str(tar), repository=repository, tag=tag, changes=changes)
    finally:
        docker.close()


def recipe_of(engine: Engine, ref: str) -> str | None:
    """Return the recipe that the image ``ref`` in ``engine`` was made by; None if it isn't there or tells none."""
    from docker.errors import ImageNotFound

    docker = client(engine)
    try:
        return docker.images.get(ref).labels.get(RECIPE_LABEL)
    except ImageNotFound:
        return None
    finally:
        docker.close()

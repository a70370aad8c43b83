"""The base images in an engine: the offline ones built when missing, and whether the ordinary ones can be had."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.process import run
from pipeline.base_images import recipes as base_recipes
from pipeline.base_images.rootfs import RECIPE_LABEL, BaseImageError, ensure_rootfs, recipe_of
from pipeline.base_images.table import BaseImage, bases, default_version, rootfs_name, suite, table
from pipeline.machine.embedded import Engine, client
from pipeline.machine.home import HOME_LABEL, claim, home_id, lock

__all__ = [
    "BaseImage",
    "BaseImageError",
    "Listed",
    "bases",
    "build",
    "default_version",
    "hub_reachable",
    "listing",
    "table",
]

OnProgress = Callable[[str], None]
BUILD_SECONDS = 1800
HUB_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of ``shipway base-images list``: ``present`` is whether the engine has the offline image now."""

    image: BaseImage
    present: bool


def hub_reachable(engine: Engine, *, timeout: float = HUB_SECONDS) -> bool:
    """Whether the engine reaches the registry of the ordinary images; it is asked itself, for ``timeout`` seconds."""
    import queue
    import threading

    answer: queue.SimpleQueue[bool] = queue.SimpleQueue()
    ref = next(iter(table().values())).ref

    def ask() -> None:
        from docker.errors import DockerException

        try:
            docker = client(engine, timeout=max(1, int(timeout)))
            docker.images.get_registry_data(ref)
        except (DockerException, OSError):
            answer.put(False)
        else:
            answer.put(True)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.get(timeout=timeout)
    except queue.Empty:
        return False


def listing(engine: Engine) -> tuple[Listed, ...]:
    """Return every row of the table with whether its offline image is in ``engine``."""
    return tuple(
        Listed(image, image.offline is not None and recipe_of(engine, image.offline) is not None)
        for image in table().values()
    )


def build(
    engine: Engine,
    names: Sequence[str],
    home: Path,
    *,
    ca_bundle: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Mapping[str, str]:
    """Build the offline images of the bases ``names`` (none: all) from Debian packages; return their refs by key.

    An image that is there with the same recipe is left alone. ``ca_bundle`` is trusted for a package mirror over
    https; ``on_progress`` gets a line now and then. Raises BaseImageError for an unknown name or a failed build.
    """
    known = bases(offline=True)
    wanted = tuple(dict.fromkeys(names)) or tuple(known)
    for name in wanted:
        if name not in known:
            raise _unknown(name, known)
    say = on_progress or (lambda _: None)
    claim(home)
    with lock(home, "base-images"):
        missing = [table()[name] for name in wanted if not _is_current(engine, table()[name])]
        if missing:
            _require_buildx(engine)
            ensure_rootfs(engine, home, say)
        for image in missing:
            say(f"building {image.offline} from Debian packages")
            _build_one(engine, image, home, ca_bundle, say)
    return {name: known[name] for name in wanted}


def _unknown(name: str, known: Mapping[str, str]) -> BaseImageError:
    return BaseImageError(
        "base_images.unknown",
        f"there is no offline base image {name!r}",
        why="it isn't in the table of base images" if name not in table() else "Debian has no packages for it",
        fix=f"offline base images: {', '.join(known)}",
    )


def _require_buildx(engine: Engine) -> None:
    if run(["docker", "buildx", "version"], timeout=30, env=engine.environment()).returncode != 0:
        raise BaseImageError(
            "base_images.no_buildx",
            "the offline base images can't be built",
            why="the Docker client has no buildx plugin",
            fix="run `shipway doctor --install`",
            kind="outside",
        )


def _is_current(engine: Engine, image: BaseImage) -> bool:
    return image.offline is not None and recipe_of(engine, image.offline) == _recipe(image)


def _recipe(image: BaseImage) -> str:
    text = base_recipes.dockerfile(rootfs_name(), image.family, image.packages)
    return base_recipes.recipe(base_recipes.rootfs_recipe(suite()), text)


def _build_one(engine: Engine, image: BaseImage, home: Path, ca_bundle: Path | None, say: OnProgress) -> None:
    text = base_recipes.dockerfile(rootfs_name(), image.family, image.packages)
    labels = {RECIPE_LABEL: _recipe(image), HOME_LABEL: home_id(home)}
    with tempfile.TemporaryDirectory(prefix="shipway-empty-") as context:
        argv = [
            "docker", "buildx", "build", "--load", "--progress=plain", f"--tag={image.offline}",
            *(f"--label={name}={value}" for name, value in labels.items()),
            *([f"--secret=id=ca-bundle,src={ca_bundle}"] if ca_bundle else []),
            "--file=-", "--", context,
        ]  # fmt: skip
        done = run(argv, timeout=BUILD_SECONDS, env=engine.environment(), stdin=text.encode())
    done.check(
        f"the base image {image.offline} could not be built",
        fix="look at what the build says, and whether containers reach the machine's package mirror",
    )

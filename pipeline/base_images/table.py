"""The base image table: which image a plan's base is, ordinary or offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from resources import read_text

__all__ = ["BaseImage", "bases", "default_version", "rootfs_name", "suite", "table"]


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One row: ``key`` is ``family:version``; ``offline`` the ref of the offline image (None: there is none)."""

    key: str
    ref: str
    offline: str | None
    packages: tuple[str, ...]
    end_of_life: str | None
    default: bool
    offline_default: bool

    @property
    def family(self) -> str:
        """The part of the key before the colon, such as ``python``."""
        return self.key.partition(":")[0]


@cache
def _document() -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(read_text("base-images.yaml"))


@cache
def table() -> Mapping[str, BaseImage]:
    """Return ``resources/base-images.yaml`` as rows by key, in its order."""
    document = _document()
    prefix = document["offline"]["prefix"]
    rows = {}
    for family, entry in document["images"].items():
        for version, row in entry["versions"].items():
            offline = row.get("offline") or {}
            rows[f"{family}:{version}"] = BaseImage(
                key=f"{family}:{version}",
                ref=row["ref"],
                offline=f"{prefix}/{offline['name']}" if offline else None,
                packages=tuple(offline.get("packages", ())),
                end_of_life=row["end_of_life"],
                default=version == entry["default"],
                offline_default=version == entry.get("offline_default"),
            )
    return rows


def bases(*, offline: bool, mirror_prefix: str = "") -> Mapping[str, str]:
    """Return the image of each base that can be had, by key.

    With ``offline`` these are the ones of ``build``; else the ordinary ones, below ``mirror_prefix`` (a registry that
    passes Docker Hub on, such as ``harbor.example.com/hub``) when it is given.
    """
    if offline:
        return {key: image.offline for key, image in table().items() if image.offline}
    return {key: _mirrored(image.ref, mirror_prefix) for key, image in table().items()}


def default_version(family: str, *, offline: bool) -> str | None:
    """Return the version of ``family`` to take when a repository asks for none; None for an unknown family."""
    for image in table().values():
        if image.family == family and (image.offline_default if offline else image.default):
            return image.key.partition(":")[2]
    return None


def _mirrored(ref: str, prefix: str) -> str:
    if not prefix:
        return ref
    # Docker Hub's own images have this folder; only Docker itself lets one leave it out.
    return f"{prefix.rstrip('/')}/{ref if '/' in ref else f'library/{ref}'}"


def rootfs_name() -> str:
    """Return the ref of the image that all offline ones stand on."""
    offline = _document()["offline"]
    return f"{offline['prefix']}/debian:{offline['suite']}"


def suite() -> str:
    """Return the release of Debian that the offline images are made from."""
    return str(_document()["offline"]["suite"])

"""The one resolver of versions: what the repository asks for, in order, against the base images that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from detectors.bases import Family, family
from detectors.found import Found, warning
from detectors.model import Evidence
from detectors.ranges import ANY, Dialect, Range, line_interval, overlap, parse_range

__all__ = ["resolve"]

# Node's names for its long-term lines; "lts/*" and the like are any version that we have.
_ALIASES = {"argon": "4", "carbon": "8", "dubnium": "10", "erbium": "12", "fermium": "14", "gallium": "16"} | {
    "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24",
    "lts": "*", "lts/*": "*", "node": "*", "stable": "*", "current": "*", "latest": "*", "system": "*",
}  # fmt: skip
_VENDOR = re.compile(r"[a-z][a-z_]*(?:[-@/]|(?=\d))", re.IGNORECASE)

Resolved = tuple[Found[str], tuple[Evidence, ...]]


def resolve(
    name: str,
    asked: Sequence[Found[str]],
    *,
    dialect: Dialect,
    otherwise: Found[str],
    offline: bool,
) -> Resolved:
    """Return the version of the family ``name`` that fits what is ``asked``, with warnings.

    ``asked`` holds the texts that ask for a version, the one that decides first; later ones narrow the choice where
    they agree and are warned of where they don't. ``otherwise`` is the evidence when nothing asks (its value is not
    used). ``offline`` leaves only versions that have an offline base image.
    """
    images = family(name)
    understood, warnings = _understood(asked, dialect)
    if not understood:
        default = images.offline_default if offline else images.default
        why = f"nothing asks for a version; {default} is Shipway's default"
        return Found(default, otherwise.file, otherwise.line, why), (*warnings, *_aged(images, default, otherwise))
    wanted, conflicts = _intersection(understood)
    first = understood[0][0]
    version, nearest = _chosen(images, wanted, offline=offline)
    notes = [*warnings, *conflicts, *_nearest_warning(images, first, version, offline=offline, nearest=nearest)]
    found = Found(version, first.file, first.line, f"{first.why} asks for {first.value}")
    return found, (*notes, *_aged(images, version, first))


def _understood(asked: Sequence[Found[str]], dialect: Dialect) -> tuple[list[tuple[Found[str], Range]], list[Evidence]]:
    parsed = [(item, parse_range(_plain(item.value), dialect)) for item in asked]
    lost = [
        warning(item.file, item.line, f"the version {item.value!r} can't be understood and is passed over")
        for item, wanted in parsed
        if wanted is None
    ]
    return [(item, wanted) for item, wanted in parsed if wanted is not None], lost


def _plain(text: str) -> str:
    """Return ``text`` without the words around a version: ``lts/iron``, ``temurin-21.0.2+13``, ``python-3.12.1``."""
    bare = text.strip().lower()
    if bare in _ALIASES:
        return _ALIASES[bare]
    after = bare.removeprefix("lts/")
    return _ALIASES.get(after) or (_VENDOR.sub("", bare, count=1) if _VENDOR.match(bare) else bare)


def _intersection(understood: list[tuple[Found[str], Range]]) -> tuple[Range, list[Evidence]]:
    wanted, conflicts = ANY, []
    for item, asked in understood:
        both = overlap(wanted, asked)
        if both:
            wanted = both
        else:
            first = understood[0][0]
            why = f"{item.why} asks for {item.value}, but {first.file} asks for {first.value}, which decides"
            conflicts.append(warning(item.file, item.line, why))
    return wanted, conflicts


def _chosen(images: Family, wanted: Range, *, offline: bool) -> tuple[str, bool]:
    """Return a version, and whether it is only the nearest to what is wanted."""
    having = images.offline if offline else tuple(images.versions)
    default = images.offline_default if offline else images.default
    fitting = [version for version in having if overlap(wanted, line_interval(version))]
    if fitting:
        return (default if default in fitting else fitting[-1]), False
    return _nearest(having, wanted), True


def _nearest(having: Sequence[str], wanted: Range) -> str:
    """Return the next version above what is wanted, else the highest: newer runtimes run older code more often."""
    low = min((interval.low for interval in wanted), default=(0, 0, 0))
    above = [version for version in having if line_interval(version)[0].low >= low]
    return above[0] if above else having[-1]


def _nearest_warning(
    images: Family, asked: Found[str], version: str, *, offline: bool, nearest: bool
) -> tuple[Evidence, ...]:
    """Return the warning that ``version`` is not what was asked for, where it is not."""
    if not nearest:
        return ()
    having = ", ".join(images.offline if offline else images.versions)
    which = "offline base images have only" if offline else "base images have"
    why = f"{asked.why} asks for {asked.value}; the {which} {images.name} {having}: {version} is taken"
    return (warning(asked.file, asked.line, why),)


def _aged(images: Family, version: str, place: Found[str]) -> tuple[Evidence, ...]:
    end = images.past(version)
    why = f"{images.name} {version} has had no security fixes since {end}"
    return (warning(place.file, place.line, why),) if end else ()

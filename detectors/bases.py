"""The committed, dated table of base images, as detection needs it: which versions there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

__all__ = ["Family", "family", "read_table"]

_RELEASED = re.compile(r'^released: "([^"\n]+)"', re.MULTILINE)
_FAMILY = re.compile(r"^  ([a-z]+):\n((?:    .*\n)+)", re.MULTILINE)
_FIELD = re.compile(r'^    ([a-z_]+): "([^"\n]+)"', re.MULTILINE)
_VERSION = re.compile(r'^      "([^"\n]+)": \{(.*)\}', re.MULTILINE)
_END = re.compile(r'end_of_life: "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Family:
    """The versions of one base image: each with its end of life (ISO date or None), in the table's order."""

    name: str
    released: str
    default: str
    offline_default: str
    versions: Mapping[str, str | None]
    offline: tuple[str, ...]

    def past(self, version: str) -> str | None:
        """Return the end of life of ``version`` where it lies before the table's own date, else None."""
        end = self.versions[version]
        return end if end and end <= self.released else None


@cache
def _table() -> Mapping[str, Family]:
    from resources import read_text

    return read_table(read_text("base-images.yaml"))


def family(name: str) -> Family:
    """Return the family ``name`` of the table; a KeyError is a defect of ours."""
    return _table()[name]


def read_table(text: str) -> Mapping[str, Family]:
    """Return the families of the table ``text``, which is in the one shape that our own file has.

    A YAML parser would take as long as all the rest of a detection; a test holds this reading against one.
    """
    released = _RELEASED.search(text)
    families: dict[str, Family] = {}
    for block in _FAMILY.finditer(text):
        name, body = block.groups()
        fields = dict(_FIELD.findall(body))
        lines = _VERSION.findall(body)
        ends = {version: end[1] if (end := _END.search(rest)) else None for version, rest in lines}
        offline = tuple(version for version, rest in lines if "offline:" in rest)
        default, offline_default = fields["default"], fields["offline_default"]
        families[name] = Family(name, released[1] if released else "", default, offline_default, ends, offline)
    return families

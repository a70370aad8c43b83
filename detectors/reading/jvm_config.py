"""The configuration that a JVM service ships: ``application.properties`` and ``application.yml``, as flat keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detectors.errors import DetectionError
from detectors.folder import Folder
from detectors.found import Found, printable, warning
from detectors.manifests import properties, text_of
from detectors.model import Evidence
from detectors.reading.document import Document
from detectors.reading.yaml_text import yaml_documents

__all__ = ["Config", "read_config"]

CONFIG_BYTES = 128 * 1024
_DEFAULT = re.compile(r"\$\{[^:{}]{1,100}:([^{}]{0,200})\}")


@dataclass(frozen=True, slots=True)
class Config:
    """The keys with their values; ``warnings`` name files that could not be read."""

    values: Mapping[str, Found[str]]
    warnings: tuple[Evidence, ...]

    def text(self, key: str) -> Found[str] | None:
        """Return the value of ``key``; of a placeholder its default."""
        found = self.values.get(_relaxed(key))
        if found is None:
            return None
        value = _DEFAULT.sub(r"\1", found.value).strip().strip("\"'")
        return None if not value or "${" in value else Found(value, found.file, found.line, found.why)

    def number(self, key: str) -> Found[int] | None:
        """Return the port number at ``key``."""
        found = self.text(key)
        if found is None or not re.fullmatch(r"[1-9][0-9]{0,4}", found.value) or int(found.value) > 65535:
            return None
        return Found(int(found.value), found.file, found.line, found.why)


def _relaxed(key: str) -> str:
    return key.lower().replace("-", "").replace("_", "")


def read_config(folder: Folder, resources: str) -> Config:
    """Return the configuration in the folder ``resources``; properties beat YAML, as in Spring.

    The files are the app's own matter, with syntax of their frameworks: what can't be read is warned of, not refused.
    """
    values: dict[str, Found[str]] = {}
    warnings: list[Evidence] = []
    for name in ("application.yaml", "application.yml", "application.properties"):
        for inner in (f"{resources}/{name}", f"{resources}/config/{name}"):
            if folder.has(inner):
                try:
                    values |= _read(folder, inner)
                except DetectionError as error:
                    why = f"it can't be read ({error.why}); if it sets a port, set `port` in shipway.yaml"
                    warnings.append(warning(folder.at(inner), 1, why))
    return Config(values, tuple(warnings))


def _read(folder: Folder, name: str) -> dict[str, Found[str]]:
    text, file = text_of(folder, name, CONFIG_BYTES), folder.at(name)
    if name.endswith(".properties"):
        parsed = properties(text)
        return {_relaxed(key): _found(key, value, file, line) for key, (value, line) in parsed.items()}
    values: dict[str, Found[str]] = {}
    for document in yaml_documents(file, text):
        flat = dict(_flat(document))
        profiled = any(_relaxed(key) in ("spring.config.activate.onprofile", "spring.profiles") for key in flat)
        if not profiled:
            values |= {_relaxed(key): found for key, found in flat.items()}
    return values


def _found(key: str, value: str, file: str, line: int) -> Found[str]:
    return Found(value, file, line, f"{printable(key, 80)} is {printable(value, 80)}")


def _flat(document: Document) -> Iterator[tuple[str, Found[str]]]:
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        path = waiting.pop()
        for key, value in document.table(*path).items():
            inner = (*path, key)
            if isinstance(value, dict):
                waiting.append(inner)
            elif isinstance(value, (str, int)) and not isinstance(value, bool):
                dotted = ".".join(inner)
                yield dotted, _found(dotted, str(value), document.file, document.line(*inner))

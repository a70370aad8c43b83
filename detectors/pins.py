"""Files that pin the version of a tool for any language."""

from __future__ import annotations

from detectors.folder import Folder
from detectors.found import Found
from detectors.manifests import text_of, toml_document

__all__ = ["mise_version", "pin_file", "tool_version"]


def pin_file(folder: Folder, name: str) -> Found[str] | None:
    """Return the first line that says something in a file that holds one version, such as ``.nvmrc``."""
    if not folder.has(name):
        return None
    for number, line in enumerate(text_of(folder, name).split("\n"), 1):
        if bare := line.partition("#")[0].strip():
            return Found(bare[:60], folder.at(name), number, name)
    return None


def tool_version(folder: Folder, *tools: str) -> Found[str] | None:
    """Return the version of the first of ``tools`` in ``.tool-versions``."""
    if not folder.has(".tool-versions"):
        return None
    for number, line in enumerate(text_of(folder, ".tool-versions").split("\n"), 1):
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[0] in tools:
            return Found(words[1][:60], folder.at(".tool-versions"), number, ".tool-versions")
    return None


def mise_version(folder: Folder, *tools: str) -> Found[str] | None:
    """Return the version of the first of ``tools`` in mise's configuration."""
    name = folder.first(("mise.toml", ".mise.toml", ".config/mise.toml"))
    if name is None:
        return None
    document = toml_document(folder, name)
    for tool in tools:
        text = document.text("tools", tool) or document.text("tools", tool, "version")
        if text:
            return Found(text, document.file, document.line("tools", tool), name)
    return None

"""A Maven project: coordinates, properties, dependencies, plugins and modules of its pom.xml files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from detectors.folder import Folder
from detectors.found import Found
from detectors.reading.xml_text import Node, xml_document

__all__ = ["Pom", "reactor", "read_pom"]

MOST_MODULES = 100
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.-]{1,100})\}")
DEEPEST_REFERENCE = 8


@dataclass(frozen=True, slots=True)
class Pom:
    """One pom.xml of ``folder``: ``path`` is its module's folder ("." for the root), ``parent`` the pom around it."""

    folder: Folder
    path: str
    project: Node
    parent: Pom | None

    @property
    def file(self) -> str:
        """The path from the repository's root."""
        return self.folder.at(self.inner("pom.xml"))

    def inner(self, name: str) -> str:
        """Return the path of the module's file ``name`` below the folder."""
        return name if self.path == "." else f"{self.path}/{name}"

    def value(self, *tags: str) -> str | None:
        """Return the text at ``tags`` with its properties filled in, or None if it is absent or can't be."""
        text = self.project.value(*tags)
        return self.fill(text) if text else None

    def fill(self, text: str, depth: int = 0) -> str | None:
        """Return ``text`` with its ``${...}`` replaced, or None where one is not known."""
        if depth > DEEPEST_REFERENCE or len(text) > 1000:
            return None
        names = _REFERENCE.findall(text)
        for name in names:
            known = self.property(name)
            value = self.fill(known.value, depth + 1) if known else None
            if value is None:
                return None
            text = text.replace(f"${{{name}}}", value)
        return text

    def property(self, name: str) -> Found[str] | None:
        """Return the raw text of the property ``name``, from here or a pom around it in the repository."""
        if name.startswith("project."):
            node = self.project.first(*name.removeprefix("project.").split("."))
            if node is None and name in ("project.version", "project.groupId"):
                node = self.project.first("parent", name.removeprefix("project."))
        else:
            # Property names hold dots, which are part of the element's name.
            node = next((item for item in self.project.each("properties", name)), None)
        if node and node.text:
            return Found(node.text, self.file, node.line, name)
        return self.parent.property(name) if self.parent else None

    def artifacts(self) -> Iterator[Found[str]]:
        """Yield ``group:artifact`` of the parent, each plugin and each dependency, from here and the poms around it."""
        for tags in (("parent",), ("build", "plugins", "plugin"), ("dependencies", "dependency")):
            for node in self.project.each(*tags):
                group = node.value("groupId") or ("org.apache.maven.plugins" if tags[-1] == "plugin" else "")
                if node.value("scope") != "test":
                    name = f"{group}:{node.value('artifactId') or ''}"
                    yield Found(name, self.file, node.line, f"{name} is a {tags[-1]}")
        if self.parent:
            yield from self.parent.artifacts()

    def plugins(self, artifact: str) -> Iterator[Node]:
        """Yield the plugins ``artifact``, from here and the poms around it."""
        for node in self.project.each("build", "plugins", "plugin"):
            if node.value("artifactId") == artifact:
                yield node
        if self.parent:
            yield from self.parent.plugins(artifact)

    def jar_name(self) -> str | None:
        """Return the name of the archive that ``package`` leaves in ``target``, or None where it can't be known."""
        name = self.value("build", "finalName")
        if name is None and self.project.value("build", "finalName") is None:
            name = self.fill("${project.artifactId}-${project.version}")
        packaging = self.project.value("packaging") or "jar"
        plain = name and re.fullmatch(r"[A-Za-z0-9_.+-]+", name)
        return f"{name}.{packaging}" if plain and packaging in ("jar", "war") else None


def read_pom(folder: Folder, path: str = ".", parent: Pom | None = None) -> Pom:
    """Return the pom of the module ``path``. Raises DetectionError if it is broken."""
    name = "pom.xml" if path == "." else f"{path}/pom.xml"
    return Pom(folder, path, xml_document(folder, name), parent)


def reactor(root: Pom) -> list[Pom]:
    """Return ``root`` and each module below it; modules outside the folder or without a pom are left out."""
    found, waiting, seen = [root], [root], {root.path}
    while waiting and len(found) < MOST_MODULES:
        pom = waiting.pop(0)
        for node in pom.project.each("modules", "module"):
            path = posixpath.normpath(posixpath.join(pom.path, node.text.removesuffix("/pom.xml")))
            if path not in seen and root.folder.has(f"{path}/pom.xml") and len(found) < MOST_MODULES:
                seen.add(path)
                module = read_pom(root.folder, path, pom)
                found.append(module)
                waiting.append(module)
    return found

"""XML as plain nodes with lines, through defusedxml: no document type, no entities, bounded depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from detectors.folder import Folder
from detectors.reading.document import broken

__all__ = ["Node", "xml_document"]

XML_BYTES = 1024 * 1024
DEEPEST = 64


@dataclass(slots=True)
class Node:
    """One element: ``tag`` without its namespace, stripped ``text``, 1-based ``line``, ``children`` in order."""

    tag: str
    line: int
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def each(self, *tags: str) -> Iterator[Node]:
        """Yield every node reached by descending through ``tags``."""
        if not tags:
            yield self
            return
        for child in self.children:
            if child.tag == tags[0]:
                yield from child.each(*tags[1:])

    def first(self, *tags: str) -> Node | None:
        """Return the first node reached by descending through ``tags``, or None."""
        return next(self.each(*tags), None)

    def value(self, *tags: str) -> str | None:
        """Return the text of the first node reached through ``tags``, or None where it is absent or empty."""
        node = self.first(*tags)
        return (node.text or None) if node else None


class _TooDeepError(Exception):
    """Stops the parser."""


class _Target:
    """What the parser calls; it keeps the line of each element."""

    def __init__(self) -> None:
        self.parser: Any = None
        self.root = Node("", 0)
        self._open = [self.root]

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if len(self._open) > DEEPEST:
            raise _TooDeepError
        node = Node(tag.rpartition("}")[2], self.parser.CurrentLineNumber)
        self._open[-1].children.append(node)
        self._open.append(node)

    def end(self, _tag: str) -> None:
        node = self._open.pop()
        node.text = node.text.strip()

    def data(self, text: str) -> None:
        # Only leaves hold text that we read; and a text that comes in a million pieces must not cost their square.
        node = self._open[-1]
        if len(node.text) < 4096:
            node.text += text

    def close(self) -> None:
        self.root = self.root.children[0]


def xml_document(folder: Folder, name: str) -> Node:
    """Return the root element of the XML manifest ``name``.

    Raises DetectionError naming the place of what is no XML, has a document type or nests too deep.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    data, target = folder.read(name, XML_BYTES), _Target()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.parser = parser.parser
    try:
        parser.feed(data)
        parser.close()
    except ParseError as error:
        raise broken(folder.at(name), error.position[0], error.position[1] + 1, str(error).split(":")[0]) from error
    except DefusedXmlException as error:
        line = target.parser.CurrentLineNumber
        raise broken(folder.at(name), line, 1, "document types and entities are not allowed here") from error
    except _TooDeepError as error:
        raise broken(folder.at(name), target.parser.CurrentLineNumber, 1, "it nests too deep") from error
    except (LookupError, ValueError) as error:
        raise broken(folder.at(name), 1, 1, str(error)) from error
    return target.root

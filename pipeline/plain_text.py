"""What other programs and people wrote -> text that can't steer a terminal or forge a line of ours. Pure."""

from __future__ import annotations

import re

__all__ = ["plain"]

# Colours and cursor moves, then titles, clipboards and links: whole, so that their parameters aren't left as text.
SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f]*(?:\x07|\x1b\\|\x9c)"
)
# Every other control character, other line breaks, marks that turn the direction of text, halves of characters.
CONTROL = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)


def plain(text: str) -> str:
    """Return ``text`` without terminal sequences, and with ``\ufffd`` for what else isn't to be printed.

    Tabs and line feeds stay.
    """
    return CONTROL.sub("\ufffd", SEQUENCE.sub("", text.replace("\r\n", "\n")))

"""Text as XML can hold it."""

from __future__ import annotations


def clean(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return "".join(
        mark
        for mark in text
        if mark in "\t\n\r" or (mark >= " " and not 0xD800 <= ord(mark) < 0xE000 and mark not in "\ufffe\uffff")
    )

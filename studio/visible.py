"""The one gate for text that people see: what strangers wrote is shown, and does nothing.

Names, titles, stories, file names and the words of plugins can hold escape sequences that command a terminal, controls,
marks that turn the direction of writing round, and line breaks that make one message look like two. Here they become
visible as Python would write them: ``\\x1b``, ``\\u202e``, ``\\n``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji cannot do without."""

_NOT_PRINTABLE_IN_JSON = re.compile("[^ -~]")


def visible(text: str, *, lines: bool = False) -> str:
    """A text with everything made visible that is no mark on the page.

    Args:
        lines: whether line breaks and tabs stay, in a text of several lines.
    """
    if text.isprintable():
        return text
    return "".join(_shown(mark, lines) for mark in text)


def markup(text: str, *, lines: bool = False) -> str:
    """A text as HTML shows it, made visible."""
    import html

    return html.escape(visible(text, lines=lines))


def visible_json(value: Any, indent: int | None = None) -> str:
    """Plain data as JSON without a hidden character: they are escaped, and read back as they were."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _NOT_PRINTABLE_IN_JSON.sub(lambda found: _escaped(found[0]), text)


def _shown(mark: str, lines: bool) -> str:
    if unicodedata.category(mark) not in _HIDDEN or mark in _JOINERS or (lines and mark in "\n\t"):
        return mark
    return mark.encode("unicode_escape").decode()


def _escaped(mark: str) -> str:
    """A hidden character outside plain ASCII as JSON escapes it; line breaks between values stay."""
    if mark == "\n" or _shown(mark, False) == mark:
        return mark
    return json.dumps(mark)[1:-1]

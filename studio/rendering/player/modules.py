"""JavaScript modules as one: what a file imports is written out before it.

Notebooks and single-file pages take a script as one text, from which nothing beside it can be reached. Files stay
plain ES modules all the same: they import each other by relative paths, one line each, and no two of them use the
same name on their outermost level.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


@cache
def script(path: Path) -> str:
    """The module at `path`, with everything it imports before it, each file once."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", file.read_text(encoding="utf-8"))) for file in _order(path, {}))


def _order(path: Path, seen: dict[Path, None]) -> list[Path]:
    """The files a module needs, those at the bottom first, and itself."""
    for name in _IMPORT.findall(path.read_text(encoding="utf-8")):
        below = (path.parent / name).resolve()
        if below not in seen:
            _order(below, seen)
    seen[path.resolve()] = None
    return list(seen)

"""The text of a REAPER project as a tree of chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from studio.errors import Place, RecipeError

LARGEST_BYTES = 256 * 1024 * 1024
MOST_LINES, DEEPEST = 1_000_000, 64


@dataclass
class Chunk:
    """A chunk: its tag, the words behind it, and lines (as words) and chunks inside it."""

    tag: str
    words: list[str] = field(default_factory=list)
    inside: list[Chunk | list[str]] = field(default_factory=list)

    def add(self, *words: object) -> None:
        """Add a line."""
        self.inside.append([_said(word) for word in words])

    def open(self, tag: str, *words: object) -> Chunk:
        """Add a chunk."""
        chunk = Chunk(tag, [_said(word) for word in words])
        self.inside.append(chunk)
        return chunk

    def chunks(self, *tags: str) -> Iterator[Chunk]:
        """The chunks of some tags in it."""
        return (each for each in self.inside if isinstance(each, Chunk) and each.tag in tags)

    def lines(self, *tags: str) -> Iterator[list[str]]:
        """The lines in it that begin with some word, without that word."""
        return (each[1:] for each in self.inside if isinstance(each, list) and each and each[0] in tags)

    def line(self, tag: str) -> list[str]:
        """The first such line, or nothing."""
        return next(self.lines(tag), [])

    def number(self, tag: str, index: int = 0, default: float = 0.0) -> float:
        """A number on the first such line."""
        return number(self.line(tag), index, default)


def number(words: list[str], index: int, default: float = 0.0) -> float:
    """The number among some words, or a default where there is none."""
    try:
        value = float(words[index])
    except (IndexError, ValueError):
        return default
    return value if abs(value) < 1e15 else default


def parse(text: str, file: str = "") -> Chunk:
    """Read a project.

    Raises:
        RecipeError: it is no project, is cut short, or has more lines than any song.
    """
    root: Chunk | None = None
    stack: list[Chunk] = []
    for count, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line:
            continue
        if count > MOST_LINES or len(stack) > DEEPEST:
            raise RecipeError("more lines, or chunks inside each other, than a project has.", place=Place(file, count))
        if line == ">":
            if not stack:
                raise RecipeError("a chunk ends that never began.", "Save it again.", place=Place(file, count))
            stack.pop()
        elif line.startswith("<"):
            tag, *words = split(line[1:]) or [""]
            chunk = Chunk(tag, words)
            if stack:
                stack[-1].inside.append(chunk)
            elif root is None:
                root = chunk
            stack.append(chunk)
        elif stack:
            stack[-1].inside.append(split(line))
    if root is None or root.tag != "REAPER_PROJECT":
        raise RecipeError("this is no REAPER project.", "Give an .rpp file.", place=Place(file))
    if stack:
        raise RecipeError("the project is cut short.", "Get a complete copy.", place=Place(file))
    return root


def split(line: str) -> list[str]:
    """The words of a line; what is quoted, by any of three marks, is one."""
    words: list[str] = []
    place = 0
    while place < len(line):
        if line[place] == " ":
            place += 1
        elif line[place] in "\"'`":
            end = line.find(line[place], place + 1)
            end = len(line) if end < 0 else end
            words.append(line[place + 1 : end])
            place = end + 1
        else:
            end = line.find(" ", place)
            end = len(line) if end < 0 else end
            words.append(line[place:end])
            place = end
    return words


def dump(chunk: Chunk, depth: int = 0) -> Iterator[str]:
    """The lines of a chunk."""
    yield "  " * depth + " ".join([f"<{chunk.tag}", *map(_quoted, chunk.words)])
    for each in chunk.inside:
        if isinstance(each, Chunk):
            yield from dump(each, depth + 1)
        else:
            yield "  " * (depth + 1) + " ".join([each[0], *map(_quoted, each[1:])])
    yield "  " * depth + ">"


def _said(word: object) -> str:
    if isinstance(word, bool):
        return str(int(word))
    if isinstance(word, float):
        return repr(word + 0.0)
    return str(word)


def _quoted(word: str) -> str:
    """A word in quotes where it needs them; REAPER has no way to escape all three marks, so the last gives way."""
    word = "".join(" " if mark in "\r\n\t" or not mark.isprintable() else mark for mark in word)
    if word and " " not in word and word[0] not in "\"'`<>":
        return word
    for mark in "\"'`":
        if mark not in word:
            return f"{mark}{word}{mark}"
    return f"`{word.replace('`', chr(39))}`"

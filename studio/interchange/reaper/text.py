"""The text of a REAPER project as a tree of chunks."""

from __future__ import annotations

from collections.abc import Iterator

from studio.errors import Place, RecipeError

LARGEST_BYTES = 256 * 1024 * 1024
MOST_LINES, DEEPEST = 1_000_000, 64


class RppLine:
    """A line: its tag and the words behind it, of which it knows which have been read."""

    __slots__ = ("_read", "seen", "tag", "words")

    def __init__(self, tag: str, words: list[str]) -> None:
        self.tag, self.words = tag, words
        self.seen, self._read = False, 0

    def text(self, index: int, default: str = "") -> str:
        """The word at an index, or a default where there is none."""
        self._read |= 1 << index
        return self.words[index] if index < len(self.words) else default

    def number(self, index: int, default: float = 0.0) -> float:
        """The number at an index, or a default where there is none."""
        return number(self.text(index), default)

    def all(self) -> list[str]:
        """All words."""
        self._read |= (1 << len(self.words)) - 1
        return self.words

    def unread(self) -> list[tuple[int, str]]:
        """The words that nobody has read, each with its place."""
        return [(index, word) for index, word in enumerate(self.words) if not self._read >> index & 1]


class Chunk:
    """A chunk: its tag and the words behind it, and the lines and chunks inside it."""

    __slots__ = ("head", "inside", "seen", "tag")

    def __init__(self, tag: str, words: list[str] | None = None) -> None:
        self.tag, self.head = tag, RppLine(tag, words or [])
        self.inside: list[Chunk | RppLine] = []
        self.seen = False

    def add(self, *words: object) -> None:
        """Add a line."""
        tag, *rest = [_said(word) for word in words]
        self.inside.append(RppLine(tag, rest))

    def open(self, tag: str, *words: object) -> Chunk:
        """Add a chunk."""
        chunk = Chunk(tag, [_said(word) for word in words])
        self.inside.append(chunk)
        return chunk

    def chunks(self, *tags: str) -> Iterator[Chunk]:
        """The chunks of some tags in it, which count as seen."""
        for each in self.inside:
            if isinstance(each, Chunk) and each.tag in tags:
                each.seen = True
                yield each

    def lines(self, *tags: str) -> Iterator[RppLine]:
        """The lines of some tags in it, which count as seen."""
        for each in self.inside:
            if isinstance(each, RppLine) and each.tag in tags:
                each.seen = True
                yield each

    def line(self, tag: str) -> RppLine:
        """The first such line, or one without words."""
        return next(self.lines(tag), RppLine(tag, []))

    def text(self, tag: str) -> str:
        """The words on the first such line."""
        return " ".join(self.line(tag).all())

    def number(self, tag: str, index: int = 0, default: float = 0.0) -> float:
        """A number on the first such line."""
        return self.line(tag).number(index, default)


def number(word: str, default: float = 0.0) -> float:
    """A number, or a default where the word is none."""
    try:
        value = float(word)
    except ValueError:
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
            tag, *words = split(line) or [""]
            stack[-1].inside.append(RppLine(tag, words))
    if root is None or root.tag != "REAPER_PROJECT":
        raise RecipeError("this is no REAPER project.", "Give an .rpp file.", place=Place(file))
    if stack:
        raise RecipeError("the project is cut short.", "Get a complete copy.", place=Place(file))
    return root


def split(line: str) -> list[str]:
    """The words of a line; what is quoted, by any of three marks, is one."""
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
        elif line[at] in "\"'`":
            end = line.find(line[at], at + 1)
            end = len(line) if end < 0 else end
            words.append(line[at + 1 : end])
            at = end + 1
        else:
            end = line.find(" ", at)
            end = len(line) if end < 0 else end
            words.append(line[at:end])
            at = end
    return words


def dump(chunk: Chunk, depth: int = 0) -> Iterator[str]:
    """The lines of a chunk."""
    yield "  " * depth + " ".join([f"<{chunk.tag}", *map(_quoted, chunk.head.words)])
    for each in chunk.inside:
        if isinstance(each, Chunk):
            yield from dump(each, depth + 1)
        else:
            yield "  " * (depth + 1) + " ".join([each.tag, *map(_quoted, each.words)])
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

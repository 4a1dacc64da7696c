"""The words that an audio file carries: title, comment, tempo and key, from ID3, Vorbis comments and LIST INFO."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from studio.headers import chunk_of

_VORBIS = {"bpm": "bpm", "tbpm": "bpm", "tempo": "bpm", "key": "key", "initialkey": "key", "tkey": "key",
           "title": "title", "comment": "comment", "description": "comment"}  # fmt: skip
_ID3 = {"TBPM": "bpm", "TKEY": "key", "TIT2": "title", "COMM": "comment", "TBP": "bpm", "TKE": "key", "TT2": "title"}
_MOST = 1 << 20
"""Bytes of a file that are looked at: tags stand at the beginning, pictures may follow."""


def tags_of(path: Path) -> dict[str, str]:
    """What stands under ``title``, ``comment``, ``bpm`` and ``key``; what is damaged or not there is left out.

    Raises:
        AudioError: libsndfile cannot read the file.
    """
    import soundfile

    with soundfile.SoundFile(path) as file:
        told = {word: text for word, text in file.copy_metadata().items() if word in ("title", "comment")}
    with path.open("rb") as raw:
        head = raw.read(_MOST)
    chunk = chunk_of(path, b"id3 ") or chunk_of(path, b"ID3 ")
    found = [*_id3(head), *_id3(chunk), *_vorbis(head)]
    return told | {word: text for word, text in reversed(found) if text}


def _id3(data: bytes) -> Iterator[tuple[str, str]]:
    """The text frames of an ID3v2 tag (id3.org), versions 2 to 4."""
    if len(data) < 10 or data[:3] != b"ID3" or data[3] not in (2, 3, 4):
        return
    version, position = data[3], 10
    end = min(len(data), 10 + _synchsafe(data[6:10]))
    head, long = (6, 3) if version == 2 else (10, 4)
    while position + head <= end and data[position] and data[position : position + long].isalnum():
        name, size = data[position : position + long].decode("ascii"), data[position + long : position + 2 * long]
        length = _synchsafe(size) if version == 4 else int.from_bytes(size, "big")
        body = data[position + head : min(position + head + length, end)]
        if name in _ID3 and body:
            text = _text(body[4:] if name == "COMM" else body[1:], body[0])
            # A comment begins with a short description of its own.
            yield _ID3[name], text.split("\0")[-1 if name == "COMM" else 0].strip()
        position += head + length


def _synchsafe(data: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(reversed(data)))


def _text(data: bytes, encoding: int) -> str:
    name = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(encoding, "latin-1")
    return data.decode(name, "replace").rstrip("\0")


def _vorbis(head: bytes) -> Iterator[tuple[str, str]]:
    """Vorbis comments: block 4 of a FLAC file, or the second packet of an Ogg stream as far as it lies on one page."""
    for block in _blocks(head):
        try:
            (vendor,) = struct.unpack_from("<I", block)
            (count,) = struct.unpack_from("<I", block, 4 + vendor)
            position = 8 + vendor
            for _ in range(min(count, 1000)):
                (length,) = struct.unpack_from("<I", block, position)
                word, equals, text = (
                    block[position + 4 : position + 4 + length].decode("utf-8", "replace").partition("=")
                )
                if equals and word.lower() in _VORBIS:
                    yield _VORBIS[word.lower()], text.strip()
                position += 4 + length
        except struct.error:
            return


def _blocks(head: bytes) -> Iterator[bytes]:
    if head[:4] == b"fLaC":
        position, last = 4, False
        while not last and position + 4 <= len(head):
            last, kind = bool(head[position] & 0x80), head[position] & 0x7F
            size = int.from_bytes(head[position + 1 : position + 4], "big")
            if kind == 4:
                yield head[position + 4 : position + 4 + size]
            position += 4 + size
    elif head[:4] == b"OggS":
        for mark in (b"\x03vorbis", b"OpusTags"):
            at = head.find(mark, 0, 4096)
            if at >= 0:
                yield head[at + len(mark) :]

"""A page that plays the stems of a render with mute and solo: one file, which needs no server and no network."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.audiofile import probe, stream_audio
from studio.disk import part_of, writing
from studio.errors import MissingError, Place
from studio.rendering.manifest import MANIFEST, Manifest
from studio.rendering.page import clock, policy_of
from studio.rendering.player import LOOK
from studio.rendering.player.chunks import FLAC, OPUS, Codec
from studio.rendering.player.modules import script
from studio.rendering.waveform_summary import WaveformSummarizer
from studio.visible import markup, visible

PAGE = "player.html"
FLAC_SECONDS = 240
"""Up to so many seconds of sound, all tracks together, a page is exact: FLAC; beyond that it is Opus."""

_MOST_PEAKS = 8000
_HERE = Path(__file__).parent


def write_player(folder: Path | str, out: Path | str | None = None, *, codec: str | None = None) -> Path:
    """Write a page that plays a rendered folder: the mix, its stems and its buses.

    Args:
        folder: what `studio render` wrote.
        out: the page; `player.html` in the folder if not given.
        codec: flac (exact, large) or opus (small); chosen by the length if not given.

    Returns:
        The path of the page.

    Raises:
        MissingError: nothing was rendered there, or a file is gone.
        StudioError: the manifest or a file is damaged.
        OutputError: the page cannot be written.
    """
    folder = Path(folder)
    manifest = Manifest.load(folder)
    if not manifest.entries:
        raise MissingError("nothing was rendered there.", "Render into it first.", place=Place(str(folder / MANIFEST)))
    parts = [entry for entry in manifest.entries if entry.role in ("mix", "stem", "bus")]
    entries = sorted(parts, key=lambda entry: entry.role != "mix")
    paths = [_inside(folder, entry.path) for entry in entries]
    seconds = manifest.frames / manifest.rate * len(paths)
    chosen = Codec.of(codec or (FLAC if seconds <= FLAC_SECONDS else OPUS), manifest.rate)
    with ThreadPoolExecutor(thread_name_prefix="studio-player") as pool:
        pictures = list(pool.map(_picture, paths, [index == 0 for index in range(len(paths))]))
        song: dict[str, Any] = {
            "title": visible(manifest.title),
            "rate": chosen.rate,
            "frames": round(manifest.frames * chosen.rate / manifest.rate),
            "chunk": chosen.frames,
            "lead": chosen.lead,
            "tracks": [visible(entry.name) for entry in entries],
            "pictures": [picture | {"step": picture["step"] * chosen.rate / manifest.rate} for picture in pictures],
        }
        if "columns" in song["pictures"][0]:
            song["pictures"][0]["columns"] *= chosen.rate / manifest.rate
        path = Path(out) if out is not None else folder / PAGE
        part = part_of(path)
        with writing(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with part.open("w", encoding="utf-8") as file:
                    file.write(_head(manifest, song))
                    for line in _pieces(chosen, paths, pool):
                        file.write(line)
                    file.write("</body></html>\n")
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
    return path


def _inside(folder: Path, path: str) -> Path:
    """A file of the folder; what a link leads to elsewhere is none of a page's business."""
    found = folder / path
    if not found.resolve().is_relative_to(folder.resolve()):
        raise MissingError(f"{path!r} is a link that leads out of the folder.", place=Place(str(folder / MANIFEST)))
    return found


def _pieces(codec: Codec, paths: list[Path], pool: ThreadPoolExecutor) -> Iterator[str]:
    """All pieces by time, so that a page can begin to play while the rest of it is still being read."""
    streams = [codec.pieces(path) for path in paths]
    index = 0
    while any(pieces := list(pool.map(lambda stream: next(stream, b""), streams))):
        for track, piece in enumerate(pieces):
            if piece:
                yield f'<script type="text/plain" id="p{track}-{index}">{base64.b64encode(piece).decode()}</script>\n'
        index += 1


def _picture(path: Path, whole: bool) -> dict[str, Any]:
    """The outline of a file; with `whole` its spectrum and loudness too."""
    rate, _, frames = probe(path)
    step = max(1, -(-frames // _MOST_PEAKS))
    sketcher = WaveformSummarizer(rate, 2) if whole else None
    rest, peaks = np.zeros((2, 0), np.float32), []
    for block in stream_audio(path, channels=2):
        if sketcher:
            sketcher.push(block)
        joined = np.concatenate([rest, block], axis=1)
        full = joined.shape[1] // step * step
        shaped = joined[:, :full].reshape(2, -1, step)
        peaks.append(np.stack([shaped.min(axis=(0, 2)), shaped.max(axis=(0, 2))], axis=1))
        rest = joined[:, full:]
    if rest.shape[1]:
        peaks.append(np.array([[rest.min(), rest.max()]]))
    outline = bytes_of_peaks(np.concatenate(peaks), whole=whole)
    picture: dict[str, Any] = {"step": step, "peaks": base64.b64encode(outline).decode()}
    if sketcher:
        sketch = sketcher.draw()
        picture |= {
            "spectrum": base64.b64encode(sketch.spectrum).decode(),
            "columns": sketch.span,
            "loudness": list(sketch.loudness.short_term),
        }
    return picture


def bytes_of_peaks(peaks: NDArray[Any], *, whole: bool) -> bytes:
    """Peaks as 127ths of full scale; of what is not the `whole`, of its own highest, so that quiet stems have a shape."""
    top = 1.0 if whole else max(float(np.abs(peaks).max(initial=0.0)), 1e-4)
    return np.rint(np.clip(peaks / top, -1, 1) * 127).astype(np.int8).tobytes()


def _head(manifest: Manifest, song: dict[str, Any]) -> str:
    """Everything but the sound."""
    title = markup(manifest.title or "Untitled")
    facts = [str(manifest.recipe.get(word, "")) for word in ("author", "license")]
    facts += [clock(manifest.frames / manifest.rate), f"{len(song['tracks'])} tracks"]
    about = markup(" · ".join(part for part in facts if part))
    story = markup(str(manifest.recipe.get("story", "")))
    # Inside a script element only the end of one means anything, so no "<" may stand there.
    data = json.dumps(song).replace("<", "\\u003c")
    frame = (_HERE / "page.html").read_text(encoding="utf-8")
    program = script(_HERE / "page.js")
    parts = {
        "policy": policy_of(f"\n{program}\n"),
        "title": title,
        "story": story,
        "facts": about,
        "look": LOOK,
        "song": data,
        "script": program,
    }
    # In one pass, so that nothing that a person wrote is taken for a place to fill.
    return re.sub(r"<!--(\w+)-->", lambda mark: parts[mark[1]], frame)


__all__ = ["PAGE", "bytes_of_peaks", "write_player"]

"""Reading back what a render wrote, with a library that did not write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.audiofile import probe
from studio.disk import file_sha256
from studio.engine.loudness import LoudnessMeter
from studio.errors import AudioError
from studio.levels import decibels
from studio.rendering.manifest import Entry, Manifest

_BLOCK = 65_536
_LOSSY_LU, _EXACT_LU = 0.5, 0.05


@dataclass(frozen=True)
class FileCheck:
    """What was found out about one file."""

    path: str
    sound: bool
    detail: str


def verify(folder: Path) -> list[FileCheck]:
    """Check every file of a render: its hash, and with JUCE's decoders its length and loudness.

    Raises:
        MissingError: the folder has no manifest.
        StudioError: the manifest is damaged, or of another format.
    """
    manifest = Manifest.load(folder)
    found = [_file(folder, entry, manifest) for entry in manifest.entries]
    return [*found, *_sum(folder, manifest, found)]


def _file(folder: Path, entry: Entry, manifest: Manifest) -> FileCheck:
    path = folder / entry.path
    try:
        if not path.is_file():
            return FileCheck(entry.path, False, "it is gone")
        if not path.resolve().is_relative_to(folder.resolve()):
            return FileCheck(entry.path, False, "it is a link that leads out of the folder")
        if file_sha256(path) != entry.sha256:
            return FileCheck(entry.path, False, "its content has changed since the render")
        if entry.channels not in (1, manifest.channels):
            said = f"it is said to have {entry.channels} channels, and the song {manifest.channels}"
            return FileCheck(entry.path, False, said)
        rate, channels, _ = probe(path)
        if (rate, channels) != (manifest.rate, entry.channels):
            wanted = f"{entry.channels} channels at {manifest.rate} Hz"
            return FileCheck(entry.path, False, f"it has {channels} channels at {rate} Hz, not {wanted}")
        meter, frames = LoudnessMeter(manifest.rate, entry.channels, true_peak=False), 0
        for block in _decoded(path):
            meter.push(block)
            frames += block.shape[1]
    except (AudioError, OSError, ValueError, RuntimeError) as error:
        cause = error.cause if isinstance(error, AudioError) else str(error).splitlines()[0]
        return FileCheck(entry.path, False, f"it cannot be read: {cause}")
    found = meter.read().integrated
    off = 0.0 if found == entry.lufs else found - entry.lufs
    lossy = manifest.format in ("ogg", "mp3")
    sound = abs(off) <= (_LOSSY_LU if lossy else _EXACT_LU) and (lossy or frames == entry.frames)
    return FileCheck(
        entry.path,
        bool(sound),
        f"hash as written, {frames - entry.frames:+d} frames, {off:+.3f} LU against the manifest",
    )


def _sum(folder: Path, manifest: Manifest, found: Sequence[FileCheck]) -> Iterator[FileCheck]:
    """Whether the stems and buses that reach the mix add up to it, when nothing lies between."""
    recipe, given = manifest.recipe, manifest.recipe.get("output")
    output = given if isinstance(given, Mapping) else {}
    plain = not recipe.get("master") and manifest.format in ("wav", "flac")
    if not plain or output.get("stems", "post") != "post" or output.get("effects", "wet") == "dry":
        return
    parts = [entry for entry in manifest.entries if entry.in_premaster]
    mixes = [folder / entry.path for entry in manifest.entries if entry.role == "mix"]
    if not parts or len(mixes) != 1 or not all(finding.sound for finding in found):
        return
    worst = 0.0
    streams = [_decoded(folder / entry.path) for entry in parts]
    for mix, *stems in zip(_decoded(mixes[0]), *streams, strict=False):
        # A stem that is written in mono is the same on both sides.
        total = sum((stem.astype(np.float64) for stem in stems), np.zeros((manifest.channels, 1)))
        worst = max(worst, float(np.abs(total - mix).max(initial=0.0)))
    steps = {"16": 2**-15, "24": 2**-23, "32": 2**-23}[manifest.bits] * (len(parts) + 2)
    yield FileCheck("sum of stems", worst <= steps, f"differs from the mix by {decibels(worst):.1f} dBFS")


def _decoded(path: Path) -> Iterator[Block]:
    from pedalboard.io import AudioFile

    with AudioFile(str(path)) as file:
        while file.tell() < file.frames:
            block = file.read(_BLOCK)
            if not block.shape[1]:
                return
            yield block

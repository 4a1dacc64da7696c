"""Stems: what every DAW, Pro Tools, Logic and Live included, can take in: WAV files from bar 1 and a MIDI file.

Broadcast Wave files of 24 bits and one length (EBU Tech 3285), the mix as it was printed, a MIDI file of type 1
with tempo map and markers, and a manifest with the hash of each.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.disk import file_sha256, write_whole
from studio.interchange.notes import merged
from studio.interchange.timeline import Loss, Timeline
from studio.midi.files import write_midi
from studio.rendering.signal_writer import Written
from studio.sessions.building import SongSession
from studio.sessions.printing import Signal, print_signals

MANIFEST = "manifest.json"
FORMAT = 1


def write_stems(session: SongSession, folder: Path, name: str) -> tuple[Loss, ...]:
    """Write the stems of a song into a new folder, and give what they cannot carry.

    A stem that goes above full scale is written as 32-bit float instead of clipping.
    """
    planned, timeline = session.planned, session.timeline
    namer = _Namer(timeline)
    signals = {
        ("stem", name): Signal(strip.post, folder / namer.file(name), f"{timeline.title} — {name}", name, "24")
        for name, strip in {**planned.tracks, **planned.buses}.items()
    }
    signals["mix", "mix"] = Signal(planned.mix, folder / namer.file("Mix"), timeline.title, "mix", "24")
    printed = print_signals(planned, session.engine, list(signals.values()), timeline.frames)
    losses = [*_losses(timeline)]
    loud = [each for each in signals.values() if printed[each.path].loudness.peak_db > 0]
    for each in loud:
        peak = printed[each.path].loudness.peak_db
        losses.append(Loss("24 bits", each.path.name, f"its peak is {peak:+.1f} dBFS: it is 32-bit float instead"))
    again = [Signal(each.node, each.path, each.title, each.name, "32") for each in loud]
    printed |= print_signals(planned, session.engine, again, timeline.frames)
    score = merged(timeline)
    midi = folder / namer.file("MIDI", "mid")
    write_midi(score, midi)
    entries = [_entry(role, name, printed[each.path]) for (role, name), each in signals.items()]
    entries.append({"path": midi.name, "role": "midi", "name": "midi", "sha256": file_sha256(midi)})
    manifest = {
        "manifest": FORMAT,
        "title": timeline.title,
        "author": timeline.author,
        "license": timeline.license,
        "recipe_hash": planned.recipe.hash,
        "rate": timeline.rate,
        "frames": timeline.frames,
        "tempo": [[str(change.beat), float(change.bpm), change.ramp] for change in timeline.tempo.tempos],
        "meter": [[str(change.beat), change.count, change.unit] for change in timeline.tempo.meters],
        "markers": [[str(marker.beat), marker.name] for marker in timeline.markers],
        "files": entries,
        "losses": [asdict(loss) for loss in losses],
    }
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return tuple(losses)


def _losses(timeline: Timeline) -> list[Loss]:
    """What is printed into audio here, whatever the session could have kept live."""
    losses = [Loss("fader, pan and sends", "stems", "they are printed into the audio")]
    if any(change.ramp for change in timeline.tempo.tempos):
        losses.append(Loss("tempo ramps", "MIDI", "a MIDI file has steps: 16 a beat"))
    return losses


def _entry(role: str, name: str, printed: Written) -> dict[str, Any]:
    levels = {"lufs": printed.loudness.integrated, "true_peak_db": printed.loudness.true_peak_db}
    return {
        "path": printed.path.name,
        "role": role,
        "name": name,
        "sha256": printed.sha256,
        **{key: round(value, 2) if abs(value) < 1e6 else str(value) for key, value in levels.items()},
    }


class _Namer:
    """File names as studios hand them over: ``Song_Stem_92bpm.wav``, without spaces and accents."""

    def __init__(self, timeline: Timeline) -> None:
        tempos = timeline.tempo.tempos
        self._title = plain(timeline.title) or "Song"
        self._bpm = f"_{float(tempos[0].bpm):.4g}bpm" if len(tempos) == 1 else ""
        self._taken: set[str] = set()

    def file(self, name: str, ending: str = "wav") -> str:
        base = f"{self._title}_{plain(name) or 'Stem'}"
        unique, count = base, 2
        while unique.casefold() in self._taken:
            unique, count = f"{base}{count}", count + 1
        self._taken.add(unique.casefold())
        return f"{unique}{self._bpm}.{ending}"


def plain(name: str) -> str:
    """A name in letters, digits and dashes that every system and every courier leaves alone."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = "".join(mark if mark.isalnum() else " " for mark in ascii_only).split()
    return "-".join(words)[:60]

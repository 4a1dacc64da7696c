"""An 8-part, 3-minute song against two scripts a competent user would write; then a knob turned, and nothing."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pedalboard
import soundfile
from midi2audio import FluidSynth

import studio
from studio.midi import read_midi, split, write_midi
from studio.recipe import Recipe
from studio.sources.fonts import aliases
from tests.benchmarks.table import Row, alternating, seconds, show, spread
from tests.listening import log_mel_distance_db, rms_db
from tests.songs import band_file

RATE, PARTS, SONG_SECONDS, ROUNDS = 44_100, 8, 180, 3
SEND = 10 ** (-12 / 20)

CHAINS = [
    ["highpass", {"compressor": {"threshold": -24, "link": False}}],
    [{"low_shelf": {"gain": 3}}, {"compressor": {"threshold": -24, "link": False}}, "chorus"],
]


def board(part: int) -> pedalboard.Pedalboard:
    """The same effects, by hand."""
    squeeze = pedalboard.Compressor(-24, 3, 8, 120)
    if part % 2 == 0:
        return pedalboard.Pedalboard([pedalboard.HighpassFilter(80), squeeze])
    return pedalboard.Pedalboard([pedalboard.LowShelfFilter(150, 3, 0.7071), squeeze, pedalboard.Chorus()])


def recipe(folder: Path) -> Recipe:
    tracks = {
        f"part {part + 1}": {
            "part": {"drums": True} if part == PARTS - 1 else {"channel": part + 1},
            "chain": CHAINS[part % 2],
            "send": {"room": -12},
        }
        for part in range(PARTS)
    }
    song = Recipe(
        score="song.mid",
        tracks=tracks,
        buses={"room": {"chain": [{"reverb": {"wet": 1, "dry": 0}}]}},
        master={"chain": [{"compressor": {"threshold": -18, "link": False}}, {"gain": 6}]},
    )
    song.save(folder / "song.yaml")
    return Recipe.load(folder / "song.yaml")


def render_part(folder: Path, part: int) -> np.ndarray:
    """A part through midi2audio and its effects."""
    midi, wav = folder / f"part{part}.mid", folder / f"part{part}.wav"
    FluidSynth(str(aliases()["gm"].find()), sample_rate=RATE).midi_to_audio(str(midi), str(wav))
    dry, _ = soundfile.read(wav, dtype="float32")
    return board(part)(dry.T, RATE)  # type: ignore[no-any-return]


def mix(folder: Path, stems: list[np.ndarray], pool: ThreadPoolExecutor | None) -> None:
    """Sum, reverb bus, master, and everything written as 24-bit WAV."""
    frames = max(stem.shape[1] for stem in stems) + 2 * RATE
    total, sent = np.zeros((2, frames), np.float32), np.zeros((2, frames), np.float32)
    for stem in stems:
        total[:, : stem.shape[1]] += stem
        sent[:, : stem.shape[1]] += stem * np.float32(SEND)
    room = pedalboard.Reverb(room_size=0.5, wet_level=1, dry_level=0)(sent, RATE)
    master = pedalboard.Pedalboard([pedalboard.Compressor(-18, 3, 8, 120), pedalboard.Gain(6)])
    files = {f"stem{index}": stem for index, stem in enumerate(stems)} | {
        "room": room,
        "mix": master(total + room, RATE),
    }

    def write(name: str) -> None:
        soundfile.write(folder / f"{name}.out.wav", files[name].T, RATE, "PCM_24")

    list((pool.map if pool else map)(write, files))


def straightforward(folder: Path) -> None:
    """One thing after the other."""
    mix(folder, [render_part(folder, part) for part in range(PARTS)], None)


def threaded(folder: Path) -> None:
    """Written by hand for these two cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        mix(folder, list(pool.map(lambda part: render_part(folder, part), range(PARTS))), pool)


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mirepoix-bench-"))
    os.environ["STUDIO_CACHE"] = str(folder / "cache")
    band_file(folder / "song.mid", seconds=SONG_SECONDS, parts=PARTS)
    for index, part in enumerate(split(read_midi(folder / "song.mid"))):
        write_midi(part.score, folder / f"part{index}.mid")
    song = recipe(folder)

    def ours(report: bool) -> None:
        studio.render(song, folder / "out", report=report)

    def clear() -> None:
        """A cold cache, no output, and nothing of the last work still on its way to the disk."""
        for name in ("cache", "out"):
            shutil.rmtree(folder / name, ignore_errors=True)
        os.sync()

    quiet = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet[1], 1)  # midi2audio lets FluidSynth talk
    try:
        times = alternating(
            ROUNDS,
            clear,
            straightforward=lambda: straightforward(folder),
            threaded=lambda: threaded(folder),
            ours=lambda: ours(report=False),
            reported=lambda: ours(report=True),
        )
    finally:
        os.dup2(quiet[0], 1)
    medians = {name: statistics.median(values) for name, values in times.items()}
    mine, _ = soundfile.read(folder / "out" / "mix.wav", dtype="float32")
    theirs, _ = soundfile.read(folder / "mix.out.wav", dtype="float32")
    frames = min(len(mine), len(theirs))
    level = rms_db(mine[:frames]) - rms_db(theirs[:frames])
    distance = log_mel_distance_db(mine[:frames].T, theirs[:frames].T, RATE)
    faster, against = medians["straightforward"] / medians["ours"], medians["ours"] / medians["threaded"]
    show(
        f"{PARTS} parts, {SONG_SECONDS} s, 2–3 effects a track, reverb bus, master; stems, bus and mix as 24-bit WAV, cold cache",
        [
            Row("straightforward script (midi2audio, soundfile, pedalboard, numpy)", spread(times["straightforward"])),
            Row("the same with a thread pool", spread(times["threaded"])),
            Row("studio.render", spread(times["ours"])),
            Row("studio.render with report", spread(times["reported"])),
            Row("faster than the straightforward script", f"{faster:.2f}×", "≥ 1.7×", faster >= 1.7),
            Row("time against the threaded script", f"{against:.2f}×", "≤ 1.05×", against <= 1.05),
            Row("same sound: level, log-mel distance", f"{level:+.3f} dB, {distance:.3f} dB", "0.1, 0.5 dB",
                abs(level) < 0.1 and distance < 0.5),
        ],
    )  # fmt: skip
    _again(folder, song, medians["reported"])


def _again(folder: Path, song: Recipe, full: float) -> None:
    """The same song once more: a knob turned, and nothing turned."""
    heard = statistics.median(_in_memory(folder, song) for _ in range(3))
    studio.render(song)
    ratios = [2 + 0.1 * turn for turn in range(1, 6)]
    knob = [seconds(lambda ratio=ratio: studio.render(song.set("part 4.compressor.ratio", ratio))) for ratio in ratios]
    nothing = [seconds(lambda: studio.render(song)) for _ in range(5)]
    written = [
        seconds(lambda ratio=ratio: studio.render(song.set("part 4.compressor.ratio", ratio + 2), folder / "out"))
        for ratio in ratios
    ]
    still = [
        seconds(lambda: studio.render(song.set("part 4.compressor.ratio", ratios[-1] + 2), folder / "out"))
        for _ in range(5)
    ]
    rows = []
    for what, times, whole, most in (
        ("a knob turned on one track, to be heard", knob, heard, 0.15),
        ("nothing changed, to be heard", nothing, heard, 0.03),
        ("a knob turned on one track, files and report written", written, full, 0.15),
        ("nothing changed, files and report in place", still, full, 0.03),
    ):
        share = statistics.median(times) / whole
        rows.append(Row(what, f"{share:.1%} of {whole:.2f} s", f"≤ {most:.0%}", share <= most))
    show("The same song again", rows)


def _in_memory(folder: Path, song: Recipe) -> float:
    shutil.rmtree(folder / "cache", ignore_errors=True)
    os.sync()
    return seconds(lambda: studio.render(song))


if __name__ == "__main__":
    main()

"""`check` tells everything in one reading: planted mistakes of every kind, each on its own line and nothing besides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.errors import StudioError
from studio.recipe import Recipe
from studio.rendering import render
from studio.rendering.checking import check
from tests.songs import band_file

NOISE = "play: {noise: {length: 1 s}}"

# Tracks, each with planted mistakes in the lines that end with "#!".
KINDS = {
    "unknown knob": NOISE + "\nchain:\n  - chorus:\n      depht: 0.2 #!\n      mix: 0.1",
    "unknown step": NOISE + "\nchain:\n  - corus: {mix: 0.1} #!\n  - chorus",
    "unknown step alone": NOISE + "\nchain:\n  - chorus\n  - revreb #!",
    "out of range": NOISE + "\npan: 2 #!",
    "unit": NOISE + "\nchain:\n  - lowpass: 4 kHzz #!",
    "unknown word": NOISE + "\nvolum: -3 dB #!",
    "no number": NOISE + "\nvolume: loud #!",
    "no list": NOISE + "\nchain:\n  - warp: soon #!",
    "time": NOISE + "\nvolume:\n  - [0 bars, -3 dB]\n  - [2 barz, -6 dB] #!\n  - [4 bars, -9 dBB] #!",
    "order of points": NOISE + "\npan:\n  - [4 bars, 0.1]\n  - [2 bars, 0.2] #!",
    "order on the tempo map": NOISE + "\npan: [[1 bar, 0.1], [1 s, 0.2]] #!",
    "section": NOISE + "\nvolume:\n  - [1 bar, -3 dB]\n  - [verze, -6 dB] #!",
    "section as a length": "play:\n  noise:\n    length: verse #!",
    "bar 0": NOISE + "\nvolume: [[bar 0, -3 dB]] #!",
    "shape": NOISE + "\npan:\n  - [0 bars, 0]\n  - [2 bars, 1, bouncy] #!",
    "wave": NOISE + "\npan:\n  lfo: wobble #!\n  period: 1 bar\n  from: -1\n  to: 1",
    "lfo without end": NOISE + "\npan: {lfo: sine, period: 1 bar, from: -1} #!",
    "choice": NOISE + "\nchain:\n  - resample:\n      quality: awful #!",
    "switch": NOISE + "\nmute: perhaps #!",
    "audio file": "play:\n  audio: nowhere.wav #!",
    "damaged audio": "play:\n  audio: broken.wav #!",
    "font": "part: all\nplay: {soundfont: nowhere.sf2} #!",
    "damaged font": "part: all\nplay: {soundfont: broken.sf2} #!",
    "program": "part: all\nplay: {soundfont: {program: Kazoo of doom}} #!",
    "bank": "part: all\nplay: {soundfont: {bank: 77}} #!",
    "part": "part: {channel: 16} #!",
    "part twice": "part: {which: all, channel: 1} #!",
    "bus": NOISE + "\nto: nowhere #!",
    "send": NOISE + "\nsend:\n  nowhere: -3 dB #!",
    "sidechain": NOISE + "\nchain:\n  - ducker:\n      sidechain: nobody #!",
    "no sidechain": NOISE + "\nchain:\n  - ducker: {depth: 3 dB} #!",
    "nested": NOISE + "\nchain:\n  - layers:\n      - - chorus\n        - lowpas: 3 kHz #!\n      - - delay: {tim: 1/8} #!",
    "bands": NOISE + "\nchain:\n  - multiband:\n      bands: [[], []] #!",
    "long delay": NOISE + "\nchain:\n  - delay: {time: 60 s} #!",
    "markers": "play: {audio: loop.wav}\nchain:\n  - warp:\n    - [0 s, 2 s]\n    - [0.1 s, 1 s] #!",
    "marker outside": "play: {audio: loop.wav}\nchain:\n  - warp:\n    - [0 s, 0 s]\n    - [9 s, 9 s] #!",
    "trim": "play: {audio: loop.wav}\nchain:\n  - trim: {start: 9 s} #!",
    "formants": "play: {audio: loop.wav}\nchain:\n  - stretch: {method: signalsmith, formant_semitones: 3} #!",
    "kind": NOISE + "\nchain:\n  - quantise #!",
    "source with notes": NOISE + "\nnotes: [quantise] #!",
    "nothing to play #!": "chain: [chorus]",
    "preset": NOISE + "\nchain:\n  - preset: taap #!",
    "preset's knob": NOISE + "\nchain:\n  - preset: {use: tape, waer: 0.2} #!",
    "encoder": NOISE + "\nchain:\n  - mp3: {quality: 10} #!",
    "several files": "play:\n  clips:\n    - file: gone.wav #!\n    - file: away.wav #!",
    "response": NOISE + "\nchain:\n  - convolution: nowhere.wav #!",
    "clips": "play:\n  clips:\n    - {file: loop.wav, at: 0 bars}\n    - {file: gone.wav} #!\n    - file: loop.wav\n      gian: 3 dB #!",
    "clip's offset": "play:\n  clips:\n    - {file: loop.wav, offset: 1 bar} #!",
    "second time": NOISE + "\npan: 0.1\npan: 0.2 #!",
    "tag": NOISE + "\nvolume: !!python/name:os.system x #!",
    "colour": NOISE + "\ncolour: greenish #!",
    "notes": "part: all\nnotes:\n  - quantise: {grid: 2 s} #!\n  - transpose: {semitone: 3} #!",
    "voice": "part: all\nplay: {voice: kazoo} #!",
    "send's own": NOISE + "\nsend:\n  room:\n    level: 30 dB #!\n    pre: maybe #!",
    "no step": NOISE + "\nchain:\n  - {chorus: {}, reverb: {}} #!\n  - 3 #!\n  - [chorus] #!",
    "no sound": "play: 3 #!",
    "program of a part": "part: {program: Kazoo} #!",
    "family of a part": "part: {family: Foo} #!",
    "models": NOISE + "\nchain:\n  - latent: {model: foo} #!\n  - sing: {voice: kazoo} #!\n  - transfer: {target: gone.wav} #!",
    "plugins": NOISE + "\nchain:\n  - plugin: {file: gone.vst3} #!\n  - torchscript: broken.ts #!",
    "engine": "play: {audio: loop.wav}\nchain:\n  - fit: {method: signalsmith} #!",
    "knob of a rack": NOISE + "\nchain:\n  - rack: {chain: [chorus], knobs: {x: {drives: {chorus.dpth: [0, 1]}}}} #!",
    "no length": NOISE + "\nchain:\n  - parallel: {chain: [{delay: {time: 0 s}}]} #!\n  - tremolo: {period: 0 s} #!",
    "falling": NOISE + "\nchain:\n  - multiband: {crossovers: [3 kHz, 200 Hz]} #!",
    "part to follow": NOISE + "\nchain:\n  - tune: {part: {channel: 14}} #!\n  - harmonise: {voices: [0]} #!",
    "excerpt": "part: all\nnotes:\n  - excerpt: {from: 9 bars} #!\n  - velocity: {low: 100, high: 10} #!",
    "from zero": NOISE + "\nvolume:\n  - [0 s, -3 dB, exponential] #!",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    band_file(tmp_path / "song.mid", seconds=1, parts=2)
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, (11_025, 2))
    soundfile.write(tmp_path / "loop.wav", sound, 44_100)
    (tmp_path / "broken.wav").write_bytes(b"RIFF no wave at all")
    (tmp_path / "broken.ts").write_bytes(b"no model at all")
    (tmp_path / "broken.sf2").write_bytes(b"RIFF no font at all")
    return tmp_path


def planted(folder: Path, copies: int = 2) -> tuple[Path, list[int]]:
    """A recipe with every kind of mistake, and the lines they stand in."""
    lines = [
        "recipe: 1",
        "titel: x #!",
        "score: song.mid",
        "rate: 3 #!",
        "meter: 4/5 #!",
        "sections:",
        "  verse: 0–2 bars",
        "  chorus: 1–3 bars #!",
        "  3rd: 2 bars #!",
        "  none: 4–4 bars #!",
        "  bridge: soon #!",
        "  one: [verse, two] #!",
        "  two:",
        "    - one #!",
        "  end: {from: 9 bars, lenght: 1 bar} #!",
        "arrangement:",
        "  - verse",
        "  - choruss × 2 #!",
        "  - section: verse",
        "    transpose: 99 st #!",
        "    without: [nobody] #!",
        "  - {section: verse, tempo: 9999} #!",
        "tempo: 99999 bpm #!",
        "tracks:",
    ]
    for number in range(copies):
        for name, text in KINDS.items():
            label, mark, _ = name.replace("'", "").partition(" #!")
            lines += [f"  {label} {number}: {mark.strip()}", *(f"    {line}" for line in text.split("\n"))]
    lines += [
        "  good:", "    " + NOISE, "    chain: [chorus, lowpass: 3 kHz]", "    send: {room: -6 dB}",
        "  other:", "    " + NOISE, "    send: {other: -6 dB}",
        "  first:", "    " + NOISE, "    chain: [{ducker: {sidechain: second}}] #!",
        "  second:", "    " + NOISE, "    chain: [{gate: {sidechain: first}}] #!",
        "buses:", "  room: {chain: [reverb]}", "  idle: {chain: [reverb]} #!",
        "  other: {chain: [reverb]} #!",
        "  one:", "    to: two #!", "  two:", "    to: one #!",
        "knobs:",
        "  a:", "    value: 0.5", "    drives:",
        "      good.chorus.dpeth: [0, 1] #!", "      good.revreb.mix: [0, 1] #!", "      godo.pan: [0, 1] #!",
        "      good.lowpass.cutoff: [1 kHz, 3 kHzz] #!", "      good.pan: [0] #!", "      good.volume: [-6 dB, 0 dB]",
        "  b: {value: 7} #!", "  d: {range: [1, 0]} #!", "  e: {unit: parsec} #!", "  f: {taper: log, range: [0, 1]} #!",
        "  g: {drives: {good.mute: [0, 1]}} #!",
        "  c: {drives: {good.volume: [-3 dB, 0 dB]}} #!",
        "master:", "  chain: [lowpas] #!", "  loudness: -14 LUFFS #!", "output:", "  format: wave #!",
    ]  # fmt: skip
    path = folder / "bad.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path, [number for number, line in enumerate(lines, 1) if line.endswith("#!")]


def test_more_than_100_planted_mistakes_are_told_in_one_reading_each_on_its_line_and_nothing_besides(
    desk: Path,
) -> None:
    path, lines = planted(desk)
    errors = check(path).errors
    places = [error.place for error in errors]
    assert all(place is not None and place.file == str(path) for place in places)
    found = [place.line for place in places if place is not None]
    assert len(lines) > 100
    assert sorted(set(found)) == lines, [str(error) for error in errors if error.place.line not in lines]  # type: ignore[union-attr]
    assert len(found) == len(lines), "each is told once"
    for error in errors:
        assert error.place is not None and error.place.column and error.cause
        line, caret = error.place.excerpt().split("\n")
        assert caret.endswith("^") and len(caret) <= len(line) + 3


def test_each_mistake_alone_is_told_with_the_same_words_and_stops_a_render(desk: Path) -> None:
    for name, text in KINDS.items():
        mark = " #!" if name.endswith("#!") else ""
        lines = ["score: song.mid", "tracks:", f"  one:{mark}", *(f"    {line}" for line in text.split("\n"))]
        lines += ["  good:", f"    {NOISE}", "    send: {room: -6 dB}", "buses: {room: {chain: [reverb]}}"]
        (desk / "one.yaml").write_text("\n".join(lines) + "\n")
        checked = check(desk / "one.yaml")
        wrong = [number for number, line in enumerate(lines, 1) if line.endswith("#!")]
        assert [error.place.line for error in checked.errors if error.place] == wrong, name
        assert checked.plan is None
        with pytest.raises(StudioError):
            render(Recipe.load(desk / "one.yaml"), desk / "out", report=False, cache=False)


def test_places_lead_through_shorthands_to_line_and_column(desk: Path) -> None:
    text = "tracks:\n  a:\n    play: {noise: {length: 1 s}}\n    chain: [{layers: [[chorus, {lowpas: 3}], [{delay: {tim: 1}}]]}]\n"
    (desk / "x.yaml").write_text(text)
    line = text.split("\n")[3]
    found = [(error.place.line, error.place.column) for error in check(desk / "x.yaml").errors if error.place]
    assert found == [(4, line.index("lowpas") + 1), (4, line.index("tim") + 1)]


def test_a_missing_part_names_its_track_wherever_it_is_said(desk: Path) -> None:
    (desk / "lost.yaml").write_text("score: song.mid\ntracks:\n  ok: {part: all}\n  lost: {part: {channel: 8}}\n")
    [error] = check(desk / "lost.yaml").errors
    assert "'lost'" in error.cause and error.path[:2] == ("tracks", "lost")
    with pytest.raises(StudioError) as caught:
        render(Recipe.load(desk / "lost.yaml"), desk / "out")
    assert caught.value.cause == error.cause


def test_what_cannot_be_written_is_known_beforehand(desk: Path) -> None:
    text = "rate: 96 kHz\ntracks:\n  a: {play: {noise: {length: 1 s}}}\noutput:\n  format: mp3\n"
    (desk / "x.yaml").write_text(text)
    [error] = check(desk / "x.yaml").errors
    assert error.place is not None and error.place.line == 5 and "mp3" in error.cause


def test_a_sound_recipe_has_a_plan_and_no_errors(desk: Path) -> None:
    (desk / "x.yaml").write_text("score: song.mid\ntracks: {a: {part: all, chain: [chorus]}}\n")
    checked = check(desk / "x.yaml")
    assert not checked.errors and checked.plan is not None and list(checked.plan.tracks) == ["a"]


@pytest.mark.parametrize(
    "line",
    [
        "    pan 0.2 #!", "\tpan: 0.2 #!", "      pan: 0.2 #!", "   pan: 0.2 #!", "    pan: [0.2 #!", "    to: 'mas #!",
        "    to: a: b #!", "    to: @x #!", "    to: *x #!",
    ],
)  # fmt: skip
def test_a_line_that_is_no_yaml_is_told_with_all_that_is_wrong_besides(desk: Path, line: str) -> None:
    text = f"tracks:\n  a:\n    play: {{noise: {{length: 1 s}}}}\n{line}\n    volum: 3 dB #!\n    mute: perhaps #!\n"
    (desk / "x.yaml").write_text(text)
    assert [error.place.line for error in check(desk / "x.yaml").errors if error.place] == [4, 5, 6]


def test_a_track_that_a_score_leaves_out_needs_nothing(desk: Path) -> None:
    lost = "  lost: {part: {channel: 16, optional: true}, play: {soundfont: nowhere.sf2}}\n"
    (desk / "x.yaml").write_text(f"score: song.mid\ntracks:\n  a: {{part: all}}\n{lost}")
    assert not check(desk / "x.yaml").errors


def test_a_length_that_cannot_be_is_told_with_the_rest(desk: Path) -> None:
    (desk / "x.yaml").write_text(f"length: 0 s\ntracks:\n  a:\n    {NOISE}\n    pan: 7\n")
    assert [error.place.line for error in check(desk / "x.yaml").errors if error.place] == [1, 5]

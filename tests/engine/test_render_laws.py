"""The engine's laws, on a song with everything in it: automation, side-chains, sends, transforms, macros, loudness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import studio
from studio.engine import Cache
from studio.recipe import Recipe
from tests.listening import null_db, rms_db
from tests.songs import band_file

SONG = """
score: band.mid
knobs:
  dust: {value: 0.4, drives: {keys.chorus.depth: [0, 0.8], master.lowpass.cutoff: [18 kHz, 6 kHz]}}
tracks:
  keys:
    part: {channel: 1}
    notes: [{humanise: {timing: 4 ms}}]
    chain:
      - chorus: {rate: {lfo: sine, period: 1 bar, from: 0.5 Hz, to: 4 Hz}}
      - parallel: {mix: 0.4, chain: [{brickwall: {ceiling: -30 dB}}, {echo: {time: 1/8., pingpong: true}}]}
    pan: {lfo: triangle, period: 2 beats, from: -0.7, to: 0.7}
    send: {room: -10 dB, late: {level: -16 dB, pre: true}}
  bass:
    part: {channel: 2}
    chain: [{ducker: {sidechain: drums, depth: 6 dB}}, {brickwall: -20 dB}]
    to: low
  drums:
    part: {drums: true}
    volume: [[0 beats, -12 dB], [4 beats, 0 dB, smooth]]
    chain: [{compressor: {threshold: -30 dB, link: false}}]
  wind:
    play: {noise: {length: 1 bar, level: -30 dB}}
    chain: [{place: 1 beat}, {repeat: 2}, {ladder: {cutoff: [[0 s, 300 Hz], [2 s, 5 kHz, exponential]]}}, {fade_out: 1 beat}]
buses:
  low: {chain: [{multiband: {crossovers: [120], bands: [[compressor], []]}}], send: {room: -20 dB}}
  room: {chain: [{reverb: {wet: 1, dry: 0, room_size: 0.4}}], volume: -3 dB}
  late: {chain: [{delay: {time: 1/8, mix: 1}}], to: room}
master: {chain: [{lowpass: 15 kHz}], loudness: -16 LUFS}
tail: 3 s
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    band_file(folder / "band.mid", seconds=3, parts=3)
    return folder


@pytest.fixture(scope="module")
def song(desk: Path) -> Recipe:
    return Recipe.loads(SONG, desk)


@pytest.fixture(scope="module")
def reference(song: Recipe) -> dict[str, np.ndarray]:
    return sounds(song, block=65_536, workers=1)


def sounds(song: Recipe, **options: int) -> dict[str, np.ndarray]:
    result = studio.render(song, cache=False, **options)
    stems = {f"stem {name}": stem.samples for name, stem in result.stems.items()}
    buses = {f"bus {name}": bus.samples for name, bus in result.buses.items()}
    return {"mix": result.mix.samples, "premaster": result.premaster.samples, **stems, **buses}


@settings(max_examples=6, deadline=None)
@given(block=st.integers(256, 40_000), workers=st.integers(1, 6))
def test_any_block_size_and_any_number_of_threads_give_the_same_bits(
    song: Recipe, reference: dict[str, np.ndarray], block: int, workers: int
) -> None:
    again = sounds(song, block=block, workers=workers)
    for name, expected in reference.items():
        assert np.array_equal(again[name], expected), name


@pytest.fixture(scope="module")
def moment(song: Recipe) -> tuple[Recipe, dict[str, np.ndarray]]:
    """A tenth of a second of the song, and its sounds in one go."""
    short = song.set("length", "0.1 s")
    return short, sounds(short, block=65_536, workers=1)


@pytest.mark.parametrize("block", [1, 63, 65])
def test_blocks_shorter_than_a_cell_of_the_grid_give_the_same_bits(
    moment: tuple[Recipe, dict[str, np.ndarray]], block: int
) -> None:
    short, whole = moment
    again = sounds(short, block=block, workers=2)
    for name, expected in whole.items():
        assert np.array_equal(again[name], expected), name


def test_two_renders_write_the_same_files(song: Recipe, tmp_path: Path) -> None:
    for name in ("one", "two"):
        studio.render(song, tmp_path / name, cache=False, block=4096 if name == "one" else 50_000)
    for path in (tmp_path / "one").rglob("*.wav"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
    manifests = [(tmp_path / name / "manifest.json").read_text() for name in ("one", "two")]
    assert manifests[0] == manifests[1]


def test_stems_and_buses_that_reach_the_master_add_up_to_what_enters_it(song: Recipe) -> None:
    result = studio.render(song, cache=False)
    parts = {**result.stems, **result.buses}
    total = sum(parts[name].samples.astype(np.float64) for name in result.plan.direct)
    assert set(result.plan.direct) == {"keys", "drums", "wind", "low", "room"}
    assert null_db(total, result.premaster.samples) < -120


def test_a_branch_with_latency_stays_in_time_with_the_others(desk: Path) -> None:
    """The same part twice, once through a look-ahead limiter that does nothing, once turned round: silence."""
    text = """
    {score: band.mid, tracks: {
      late: {part: all, chain: [{brickwall: {ceiling: 0 dB, lookahead: 15 ms}}, {gain: 0 dB}]},
      round: {part: all, chain: [invert]}}}
    """
    result = studio.render(Recipe.loads(text, desk), cache=False)
    assert null_db(result.mix.samples, np.zeros_like(result.mix.samples)) < -110
    assert rms_db(result.stems["late"].samples) > -60


def test_sends_before_and_after_the_fader_differ_by_the_fader(desk: Path) -> None:
    text = """
    {score: band.mid, tracks: {a: {part: all, volume: -12 dB, send: {post: -6 dB, before: {level: -6 dB, pre: true}}}},
     buses: {post: {}, before: {}}}
    """
    result = studio.render(Recipe.loads(text, desk), cache=False)
    post, before = result.buses["post"].samples, result.buses["before"].samples
    assert null_db(post * 10 ** (12 / 20), before) < -120
    assert null_db(before * 10 ** (-6 / 20), result.stems["a"].samples) < -120


def test_mute_and_solo_leave_out_what_they_should_and_a_muted_side_chain_is_still_heard(desk: Path) -> None:
    text = """
    {score: band.mid, tracks: {bass: {part: {channel: 2}, chain: [{ducker: {sidechain: drums, depth: 20 dB}}]},
     drums: {part: {drums: true}}, keys: {part: {channel: 1}}}}
    """
    song = Recipe.loads(text, desk)
    whole = studio.render(song, cache=False)
    muted = studio.render(song.set("drums.mute", True), cache=False)
    assert list(muted.stems) == ["bass", "keys"]
    frames = min(muted.frames, whole.frames)
    assert np.array_equal(muted.stems["bass"].samples[:, :frames], whole.stems["bass"].samples[:, :frames])
    alone = studio.render(song.set("keys.solo", True), cache=False)
    assert list(alone.stems) == ["keys"]
    assert np.array_equal(alone.mix.samples, alone.stems["keys"].samples)


def test_dry_stems_have_no_effects_and_pre_stems_no_fader(desk: Path) -> None:
    text = "{score: band.mid, tracks: {a: {part: all, volume: -6 dB, chain: [{distortion: 30 dB}]}}}"
    song = Recipe.loads(text, desk)

    def stem(**output: str) -> np.ndarray:
        turned = song
        for knob, value in output.items():
            turned = turned.set(f"output.{knob}", value)
        return studio.render(turned, cache=False).stems["a"].samples

    post, pre, dry = stem(), stem(stems="pre"), stem(effects="dry", stems="pre")
    assert null_db(pre * 10 ** (-6 / 20), post) < -120
    plain = studio.render(Recipe.loads("{score: band.mid, tracks: {a: {part: all}}}", desk), cache=False)
    assert np.array_equal(dry, plain.stems["a"].samples)
    assert rms_db(pre) > rms_db(dry) + 10


def test_the_length_may_be_fixed_and_a_tail_is_kept_to_its_end(desk: Path) -> None:
    text = "{score: band.mid, tracks: {a: {part: all, chain: [{reverb: {room_size: 0.9}}]}}, tail: 20 s}"
    song = Recipe.loads(text, desk)
    rung = studio.render(song, cache=False)
    assert rung.frames > 6 * 44_100
    assert np.abs(rung.mix.samples[:, -64:]).max() < 2e-5
    cut = studio.render(song.set("length", "1 bar"), cache=False)
    assert cut.frames == cut.mix.frames == cut.stems["a"].frames == 88_200
    assert np.array_equal(cut.mix.samples, rung.mix.samples[:, :88_200])
    longer = studio.render(song.set("length", "60 s"), cache=False)
    assert longer.mix.frames == 60 * 44_100 and not longer.mix.samples[:, -1000:].any()


def test_turning_a_knob_changes_the_keys_of_its_own_branch_and_of_nothing_else(song: Recipe) -> None:
    before = {node.name: node.key for node in studio.plan(song).nodes()}
    after = {node.name: node.key for node in studio.plan(song.set("keys.echo.mix", 0.9)).nodes()}
    changed = {name for name in before if before[name] != after[name]}
    assert before.keys() == after.keys() and changed == {
        "keys · chorus → parallel", "keys · fader", "keys → room", "keys → late", "late · delay", "room · input",
        "room · reverb", "room · fader", "premaster", "master · lowpass", "mix",
    }  # fmt: skip
    assert "bass · soundfont" in before and "low · multiband" in before


def test_what_is_not_heard_changes_no_key(song: Recipe) -> None:
    keys = [node.key for node in studio.plan(song).nodes()]
    for address, value in (("title", "Another"), ("author", "Somebody"), ("output.bits", "16")):
        assert [node.key for node in studio.plan(song.set(address, value)).nodes()] == keys


def test_a_second_render_is_served_from_the_cache_and_a_knob_renders_only_its_branch(
    song: Recipe, tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache")
    events: list[tuple[str, str]] = []
    first = studio.render(song, cache=cache)
    again = studio.render(song, cache=cache, listener=lambda event: events.append((event.kind, event.name)))
    assert np.array_equal(first.mix.samples, again.mix.samples)
    assert {kind for kind, _ in events} == {"cached"}
    events.clear()
    studio.render(
        song.set("bass.brickwall", -30), cache=cache, listener=lambda event: events.append((event.kind, event.name))
    )
    started = {name for kind, name in events if kind == "started"}
    assert started and not any(name.startswith(("keys", "drums", "wind")) for name in started)

"""Instruments as plugins, played in other people's hosts: notes, velocities, bend, pedal, release, loops, many voices."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from mido import Message
from pedalboard import VST3Plugin

from studio.audio import Block
from studio.exporting.export import Exported, export
from studio.exporting.instrument.card import InstrumentCard
from studio.exporting.plugin.clap_probe import play_notes
from studio.exporting.plugin.design import Design
from tests.exporting.instrument.conftest import PLAY, SMALL
from tests.listening import cents, pitch_hz, rms_db

RATE = 44_100
Play = Callable[..., Block]


@pytest.fixture
def play(vst3: Exported) -> Play:
    def played(messages: Sequence[Any], seconds: float = 2.0, rate: int = RATE, block: int = 512) -> Block:
        plugin = VST3Plugin(str(vst3.path))
        late = plugin.reported_latency_samples
        ordered = sorted(messages, key=lambda message: message.time)
        out = plugin(ordered, seconds + late / rate, rate, num_channels=2, buffer_size=block)
        return np.asarray(out[:, late : late + round(seconds * rate)])

    return played


def note(key: int, start: float, end: float, velocity: int = 100) -> list[Message]:
    return [
        Message("note_on", note=key, velocity=velocity, time=start),
        Message("note_off", note=key, velocity=64, time=end),
    ]


def at(sound: Block, start: float, end: float) -> Block:
    return sound[:, round(start * RATE) : round(end * RATE)]


def test_it_is_verified_in_two_hosts_and_says_so(vst3: Exported) -> None:
    card = vst3.card
    assert isinstance(card, InstrumentCard) and card.heard
    assert [name.split()[0] for name in card.heard.distances] == ["pedalboard", "dawdreamer"]
    for found in card.heard.distances.values():
        assert abs(found.level_db) < 1
        assert found.mel_db < 2
        assert found.onset_ms < 3
        assert found.pitch_cents < 6
    assert card.heard.failures == ()
    assert next(iter(card.heard.said.values()))["instrument"]
    written = json.loads(vst3.files[0].read_text())
    assert written["zones"] == card.zones and written["state"].startswith("verified")
    page = vst3._repr_html_()
    assert "<table>" in page and "data:image/png" in page and "the recipe against itself" in page
    assert "<script" not in page and "&quot;" in page


def test_the_name_is_what_was_given_and_the_chain_has_its_latency(vst3: Exported) -> None:
    plugin = VST3Plugin(str(vst3.path))
    assert plugin.name == 'Keys "ü"; // \U0001f600'
    assert plugin.is_instrument and not plugin.is_effect
    assert plugin.reported_latency_samples == 220 + 60


@pytest.mark.parametrize("block", [64, 333, 4096])
def test_blocks_change_nothing(play: Play, block: int) -> None:
    notes = [*note(60, 0.1, 0.8), *note(64, 0.30003, 1.5, 30), *note(67, 0.5, 0.9, 127)]
    assert np.array_equal(play(notes), play(notes, block=block))


@cache
def tuned(key: int) -> float:
    """The pitch that the recipe itself gives."""
    from studio.exporting.instrument.phrase import Phrase, Tone, original

    made = original(Design.of(PLAY), Phrase((Tone(0.64, 1.6, key, 100),), (), 2.0))
    return pitch_hz(at(made, 0.8, 1.5), RATE)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("key", [55, 58, 65])
def test_keys_are_in_tune_at_any_rate(play: Play, key: int, rate: int) -> None:
    sound = play(note(key, 0.1, 1.2), rate=rate)
    heard = pitch_hz(sound[:, round(0.3 * rate) : rate], rate)
    assert abs(cents(heard, tuned(key))) < 3


def test_the_wheel_bends_two_semitones_either_way(play: Play) -> None:
    wheel = [Message("pitchwheel", pitch=pitch, time=time) for pitch, time in ((8191, 1.0), (-8192, 2.0), (0, 3.0))]
    sound = play([*note(60, 0.1, 3.9), *wheel], 4.0)
    straight, up, down, back = (pitch_hz(at(sound, start, start + 0.7), RATE) for start in (0.2, 1.1, 2.1, 3.1))
    assert abs(cents(up, straight) - 200) < 2
    assert abs(cents(down, straight) + 200) < 2
    assert abs(cents(back, straight)) < 2


def test_the_pedal_holds_what_was_let_go(play: Play) -> None:
    pedal = [Message("control_change", control=64, value=value, time=time) for value, time in ((127, 0.05), (0, 1.2))]
    held, let_go = play([*note(60, 0.1, 0.4), *pedal]), play(note(60, 0.1, 0.4))
    assert rms_db(at(held, 0.9, 1.1)) > rms_db(at(let_go, 0.9, 1.1)) + 30
    assert rms_db(at(held, 1.8, 2.0)) < rms_db(at(held, 0.9, 1.1)) - 40


def test_a_key_held_down_outlives_the_pedal(play: Play) -> None:
    pedal = [Message("control_change", control=64, value=value, time=time) for value, time in ((127, 0.05), (0, 0.5))]
    sound = play([*note(60, 0.1, 1.9), *pedal])
    assert rms_db(at(sound, 1.5, 1.8)) > rms_db(at(sound, 0.2, 0.4)) - 20


def test_louder_is_louder_at_every_velocity(play: Play) -> None:
    levels = [
        rms_db(at(play(note(60, 0.1, 0.8, velocity), 1.0), 0.1, 0.8)) for velocity in (1, 20, 40, 60, 80, 100, 127)
    ]
    assert all(more > less for less, more in pairwise(levels))
    assert levels[-1] - levels[3] == pytest.approx(40 * np.log10(127 / 60), abs=1.5)


def test_a_note_sounds_on_when_its_sample_is_over(play: Play) -> None:
    sound = play(note(60, 0.1, 3.8), 4.0)
    levels = [rms_db(at(sound, start, start + 0.2)) for start in np.arange(0.4, 3.6, 0.2)]
    steps = np.diff(levels)
    assert np.all(np.abs(steps - np.median(steps)) < 1.2), "it goes on to fall as it did, without a seam"
    assert levels[-1] > levels[0] - 40


def test_sixty_notes_at_once_and_the_next_ones_without_a_click(play: Play) -> None:
    many = [message for key in range(30, 94) for message in note(key, 0.1, 1.4 + key / 1000, 40)]
    more = [message for key in range(30, 94) for message in note(key, 0.6, 1.5 + key / 1000, 41)]
    sound = play([*many, *more])
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 1.01
    everything = [Message("control_change", control=123, value=127, time=0.7)]
    assert rms_db(at(play([*many, *everything]), 1.8, 2.0)) < -60


def test_nothing_is_heard_before_a_note_and_all_is_over_after_it(play: Play) -> None:
    sound = play(note(60, 1.0, 1.3), 4.0)
    assert not at(sound, 0, 0.999).any()
    assert rms_db(at(sound, 3.5, 4.0)) < -100


def test_dawdreamer_hears_the_same_bits(vst3: Exported, play: Play) -> None:
    import dawdreamer

    notes = [(0.1, 0.6, 60), (0.3, 0.9, 65)]
    engine = dawdreamer.RenderEngine(RATE, 333)
    plugin = engine.make_plugin_processor("keys", str(vst3.path))
    for start, end, key in notes:
        plugin.add_midi_note(key, 100, start, end - start)
    engine.load_graph([(plugin, [])])
    engine.render(2.0)
    late = plugin.get_latency_samples()
    theirs = engine.get_audio()[:, late:]
    ours = play([message for start, end, key in notes for message in note(key, start, end)])
    frames = min(theirs.shape[1], ours.shape[1])
    assert rms_db(theirs[:, :frames] - ours[:, :frames]) - rms_db(ours) < -100


def test_clap_is_the_same_instrument(tmp_path: Any, play: Play) -> None:
    made = export(PLAY, tmp_path / "Keys.clap", name="Keys", grid=SMALL)
    assert isinstance(made.card, InstrumentCard) and made.card.heard
    assert "our own CLAP probe" in made.card.heard.distances
    theirs = play_notes(made.path, [(0.1, 0.8, 60, 100)], RATE, 2 * RATE)[:, : 2 * RATE]
    assert rms_db(theirs - play(note(60, 0.1, 0.8))) < -100

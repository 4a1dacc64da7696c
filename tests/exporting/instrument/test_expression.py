"""What a player moves while notes sound: controllers, pressure, bend, pedals and MPE, in every format, as in the recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from mido import Message
from pedalboard import VST3Plugin

from studio.audio import Block
from studio.exporting.instrument.grid import Grid
from studio.exporting.instrument.phrase import Phrase, Tone, original
from studio.exporting.instrument.sampling import sampled
from studio.exporting.plugin import clap_probe, lv2_probe, vst3_probe
from studio.exporting.plugin.build import build
from studio.exporting.plugin.bundle import standing
from studio.exporting.plugin.compilers import compilers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.source import write_source
from studio.exporting.target import Target
from tests.listening import cents, pitch_hz, rms_db
from tests.once import once_a_run

RATE = 44_100
KEY = 60
HZ = 130.81
"""What key 60 sounds like on a drawbar organ: an octave lower."""

FORMS = ("vst3", "clap", "lv2")
Messages = Sequence[tuple[float, bytes]]


@pytest.fixture(scope="module")
def organ() -> Design:
    """A steady sound on one key; no chain behind it, so that what moves is the instrument."""
    target = Target.parse("{soundfont: {program: 16, reverb: 0, chorus: 0}}")
    assert target.playing
    grid = Grid(lowest=KEY, highest=KEY, velocities=(100,), seconds=2.0)
    return Design("Organ", target, sampled(target.playing, grid))


@pytest.fixture(scope="module")
def plugins(organ: Design, objects: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """It in every format."""

    def build_all(folder: Path) -> dict[str, Path]:
        made = {}
        for form in FORMS:
            [compiler] = compilers()
            library = build(write_source(organ), FORMATS[form].shell, compiler, lambda phrase: None)
            path = made[form] = folder / f"Organ.{form}"
            with standing(path, FORMATS[form].lay(organ, "Organ", [(compiler, library)]), organ):
                pass
        return made

    return once_a_run(tmp_path_factory, "organ", build_all)


@pytest.fixture
def play(plugins: dict[str, Path], organ: Design) -> Callable[..., Block]:
    def played(form: str, messages: Messages, seconds: float = 2.0) -> Block:
        events = [(round(time * RATE), message) for time, message in sorted(messages, key=lambda each: each[0])]
        frames = round(seconds * RATE)
        if form == "clap":
            out = clap_probe.play_events(plugins["clap"], events, RATE, frames)
        elif form == "lv2":
            out = lv2_probe.play_events(plugins["lv2"], organ.uri, events, RATE, frames, 333)
        elif form == "vst3":
            out = vst3_probe.play_events(plugins["vst3"], events, RATE, frames)
        else:
            plugin = VST3Plugin(str(plugins["vst3"]))
            given = [Message.from_bytes(data, time=time) for time, data in messages]
            out = plugin(given, seconds, RATE, num_channels=2, buffer_size=512)
        return np.asarray(out[:, :frames])

    return played


def note(start: float, end: float, key: int = KEY, channel: int = 0, velocity: int = 100) -> list[tuple[float, bytes]]:
    return [(start, bytes((0x90 | channel, key, velocity))), (end, bytes((0x80 | channel, key, 64)))]


def turn(time: float, number: int, value: int, channel: int = 0) -> tuple[float, bytes]:
    return time, bytes((0xB0 | channel, number, value))


def wheel(time: float, place: float, channel: int = 0) -> tuple[float, bytes]:
    whole = min(16_383, round(8192 + 8192 * place))
    return time, bytes((0xE0 | channel, whole & 127, whole >> 7))


def at(sound: Block, start: float, end: float) -> Block:
    return sound[:, round(start * RATE) : round(end * RATE)]


def recipe(design: Design, messages: Messages, seconds: float = 2.0) -> Block:
    """The same messages as the recipe renders them."""
    tones = tuple(
        Tone(
            time, next(end for end, off in messages if off[0] >> 4 == 8 and off[1] == data[1] and end > time), *data[1:]
        )
        for time, data in messages
        if data[0] >> 4 == 9
    )
    gestures = tuple((time, data) for time, data in messages if data[0] >> 4 not in (8, 9))
    return original(design, Phrase(tones, (), seconds, gestures=gestures))


@pytest.mark.parametrize("form", [*FORMS, "pedalboard"])
def test_a_swell_rises_as_in_the_recipe(play: Callable[..., Block], organ: Design, form: str) -> None:
    swell = [turn(0.0, 11, 10), *(turn(0.2 + 0.01 * step, 11, 10 + step) for step in range(118)), *note(0.05, 1.9)]
    mine, theirs = play(form, swell), recipe(organ, swell)
    rise = rms_db(at(mine, 1.6, 1.8)) - rms_db(at(mine, 0.1, 0.2))
    assert rise > 38
    for start in np.arange(0.1, 1.8, 0.1):
        assert abs(rms_db(at(mine, start, start + 0.1)) - rms_db(at(theirs, start, start + 0.1))) < 1, start


@pytest.mark.parametrize("form", [*FORMS, "pedalboard"])
@pytest.mark.parametrize("moved", [7, 10])
def test_volume_and_pan_are_those_of_the_recipe(
    play: Callable[..., Block], organ: Design, form: str, moved: int
) -> None:
    messages = [
        *note(0.05, 1.9),
        *(turn(0.3 * step, moved, value) for step, value in enumerate((100, 64, 20, 90, 127, 0))),
    ]
    mine, theirs = play(form, messages), recipe(organ, messages)
    for step in range(5):
        for side in (0, 1):
            heard, wanted = (rms_db(at(sound, 0.3 * step + 0.1, 0.3 * step + 0.28)[side]) for sound in (mine, theirs))
            assert abs(heard - wanted) < 1 or max(heard, wanted) < -60, (step, side)


@pytest.mark.parametrize("form", [*FORMS, "pedalboard"])
def test_the_range_of_the_wheel_is_what_it_was_told(play: Callable[..., Block], form: str) -> None:
    told = [turn(0.0, 101, 0), turn(0.0, 100, 0), turn(0.0, 6, 7), turn(0.0, 38, 50)]
    sound = play(form, [*told, *note(0.1, 1.9), wheel(0.8, 1.0)])
    up, straight = (pitch_hz(at(sound, start, start + 0.5), RATE) for start in (1.1, 0.2))
    assert abs(cents(up, straight) - 750) < 4
    # The null parameter: data that comes later turns nothing.
    told += [turn(0.0, 101, 127), turn(0.0, 100, 127), turn(0.05, 6, 12)]
    if form in ("clap", "lv2"):
        sound = play(form, [*told, *note(0.1, 1.9), wheel(0.8, 1.0)])
        assert abs(cents(pitch_hz(at(sound, 1.1, 1.6), RATE), straight) - 750) < 4


@pytest.mark.parametrize("form", [*FORMS, "pedalboard"])
@pytest.mark.parametrize("message", [bytes((0xB0, 1, 127)), bytes((0xD0, 127))], ids=["wheel", "pressure"])
def test_modulation_and_pressure_shake_as_in_the_recipe(
    play: Callable[..., Block], organ: Design, form: str, message: bytes
) -> None:
    messages = [*note(0.05, 1.9), (0.6, message)]
    swings = []
    for sound in (play(form, messages), recipe(organ, messages)):
        pitches = [pitch_hz(at(sound, start, start + 0.04), RATE) for start in np.arange(0.8, 1.8, 0.02)]
        swings.append(np.percentile(1200 * np.log2(np.array(pitches) / np.median(pitches)), 95))
        assert abs(cents(pitch_hz(at(sound, 0.1, 0.5), RATE), HZ)) < 15
    assert swings[1] > 15
    assert abs(swings[0] - swings[1]) < 12


@pytest.mark.parametrize("form", FORMS)
def test_the_middle_pedal_keeps_what_was_down(play: Callable[..., Block], form: str) -> None:
    pedal = [*note(0.1, 0.5), turn(0.3, 66, 127), *note(0.6, 0.8, KEY + 7), turn(1.4, 66, 0)]
    sound = play(form, pedal)
    assert rms_db(at(sound, 1.1, 1.3)) > -40, "the first note is kept"
    assert abs(cents(pitch_hz(at(sound, 1.1, 1.3), RATE), HZ)) < 15, "the second, struck later, is not"
    assert rms_db(at(sound, 1.8, 2.0)) < -55


@pytest.mark.parametrize("form", FORMS)
def test_channels_of_a_zone_bend_apart(play: Callable[..., Block], form: str) -> None:
    zone = [turn(0.0, 101, 0), turn(0.0, 100, 6), turn(0.0, 6, 15)]
    # Each note on its own channel bends alone, by 48 semitones at most; channel 1 bends all of them, by 2.
    sound = play(
        form, [*zone, *note(0.1, 1.9, KEY, 1), wheel(0.5, 12 / 48, 1), wheel(0.5, -0.5, 2), wheel(1.2, 1.0, 0)]
    )
    straight, octave, more = (pitch_hz(at(sound, start, start + 0.3), RATE) for start in (0.15, 0.7, 1.4))
    assert abs(cents(octave, straight) - 1200) < 5
    assert abs(cents(more, straight) - 1400) < 5


def test_reset_and_all_notes_off(play: Callable[..., Block]) -> None:
    for form in FORMS:
        sound = play(form, [turn(0.0, 11, 20), turn(0.3, 121, 1), *note(0.05, 3.0), turn(1.0, 123, 1)])
        soft, loud, over = (rms_db(at(sound, start, start + 0.2)) for start in (0.08, 0.6, 1.6))
        assert loud - soft > 25
        assert over < -55


def test_notes_are_moved_one_by_one_in_clap(plugins: dict[str, Path]) -> None:
    from ctypes import sizeof

    from studio.exporting.plugin.clap_probe import opened
    from studio.hosting.clap_abi import NoteExpression, heard

    plugin = opened(plugins["clap"], RATE, 512)
    played = []
    for block in range(0, RATE, 512):
        events = [heard(0, bytes((0x90, KEY, 100)))] if not block else []
        if block == 512 * 40:
            events.append(NoteExpression(sizeof(NoteExpression), 0, 0, 4, 0, 2, -1, 0, 0, KEY, 3.0))
        played.append(plugin.process(np.zeros((2, 512), np.float32), {}, notes=events))
    sound = np.concatenate(played, axis=1)
    assert abs(cents(pitch_hz(at(sound, 0.6, 0.9), RATE), pitch_hz(at(sound, 0.1, 0.4), RATE)) - 300) < 3


def test_an_instrument_has_what_players_expect(plugins: dict[str, Path]) -> None:
    def sound(second: int = 0, **knobs: float) -> Block:
        plugin = VST3Plugin(str(plugins["vst3"]))
        named = {parameter.name: parameter for parameter in plugin._parameters}
        for name, place in knobs.items():
            named[name].raw_value = place
        messages = [Message("note_on", note=KEY, velocity=100, time=0.0), Message("note_off", note=KEY, time=1.0)]
        if second:
            messages.insert(1, Message("note_on", note=second, velocity=100, time=0.5))
        return np.asarray(plugin(messages, 2.0, RATE, num_channels=2))

    plain = sound()
    names = [parameter.name for parameter in VST3Plugin(str(plugins["vst3"]))._parameters]
    assert names[:7] == ["volume", "attack", "release", "tone", "velocity", "voices", "Bypass"]
    quieter = sound(volume=48 / 72)
    assert abs(rms_db(at(quieter, 0.3, 0.9)) - rms_db(at(plain, 0.3, 0.9)) + 12) < 0.1
    rising = sound(attack=0.25)
    assert rms_db(at(rising, 0.0, 0.1)) < rms_db(at(plain, 0.0, 0.1)) - 12
    assert abs(rms_db(at(rising, 0.6, 0.9)) - rms_db(at(plain, 0.6, 0.9))) < 0.5
    ringing = sound(release=1.0)
    assert rms_db(at(ringing, 1.2, 1.5)) > rms_db(at(plain, 1.2, 1.5)) + 10
    softer = sound(velocity=1.0)
    assert rms_db(at(softer, 0.3, 0.9)) < rms_db(at(plain, 0.3, 0.9)) - 6
    dark, bright = (np.abs(np.fft.rfft(at(sound(tone=place), 0.3, 0.9)[0])) for place in (0.0, 1.0))
    hz = np.fft.rfftfreq(round(0.6 * RATE), 1 / RATE)
    low, high = hz < 400, hz > 2000
    tilt = 20 * np.log10((bright[high].sum() / bright[low].sum()) / (dark[high].sum() / dark[low].sum()))
    assert 7 < tilt < 24
    alone, both = sound(KEY + 7, voices=0.0), sound(KEY + 7)
    fifth = HZ * 1.5

    def level(block: Block, frequency: float) -> float:
        return float(np.abs(np.fft.rfft(at(block, 0.6, 0.9)[0]))[round(frequency * 0.3)])

    assert level(alone, HZ) < level(both, HZ) / 5, "the older note made room"
    assert level(alone, fifth) > level(both, fifth) / 2

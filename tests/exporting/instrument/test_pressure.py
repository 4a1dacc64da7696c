"""What belongs to single notes in exported instruments: the pressure of a key, and the soft pedal when it is struck."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from studio.audio import Block
from studio.context import RenderContext
from studio.exporting.instrument.grid import Grid
from studio.exporting.instrument.sampling import sampled
from studio.exporting.plugin import clap_probe, lv2_probe, vst3_probe
from studio.exporting.plugin.build import build
from studio.exporting.plugin.bundle import standing
from studio.exporting.plugin.compilers import compilers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.source import write_source
from studio.exporting.target import Target
from studio.score import Score
from studio.steps import Instrument
from tests.listening import rms_db
from tests.once import once_a_run

RATE, KEY = 44_100, 60
FORMS = ("vst3", "lv2", "clap")
ON, OFF = bytes((0x90, KEY, 100)), bytes((0x80, KEY, 64))


class Pressed(Instrument, step="test_pressed"):
    """A sine that full pressure on its key makes louder by 6 dB, and that is softer by 6 dB when the soft pedal is down."""

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        frames = round(float(score.length) * context.rate) + 1
        out = np.zeros((context.channels, frames), np.float32)
        soft, level, begun = False, np.ones(frames), dict[int, tuple[int, float]]()
        for second, event in zip(score.seconds.tolist(), score.events, strict=True):
            at, kind = round(second * context.rate), event.data[0] >> 4
            if kind == 11 and event.data[1] == 67:
                soft = event.data[2] >= 64
            elif kind == 9:
                begun[event.data[1]], level[at:] = (at, 0.5 if soft else 1.0), 1.0
            elif kind == 10 and event.data[1] in begun:
                level[at:] = 1 + event.data[2] / 127
            elif kind == 8 and event.data[1] in begun:
                start, gain = begun.pop(event.data[1])
                time = np.arange(at - start) / context.rate
                wave = np.sin(2 * np.pi * 440 * 2 ** ((event.data[1] - 69) / 12) * time)
                edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.005)
                out[:, start:at] += (0.2 * gain * wave * edge * level[start:at]).astype(np.float32)
        yield out


@pytest.fixture(scope="module")
def play(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Block]:
    target = Target.parse("{test_pressed: {}}")
    assert target.playing
    design = Design(
        "Pressed", target, sampled(target.playing, Grid(lowest=KEY, highest=KEY, velocities=(100,), seconds=1.5))
    )

    def build_all(folder: Path) -> dict[str, Path]:
        [compiler] = compilers()
        made = {}
        for form in FORMS:
            library = build(write_source(design), FORMATS[form].shell, compiler, lambda phrase: None)
            path = made[form] = folder / f"Pressed.{form}"
            with standing(path, FORMATS[form].lay(design, "Pressed", [(compiler, library)]), design):
                pass
        return made

    plugins = once_a_run(tmp_path_factory, "pressed", build_all)

    def played(form: str, *messages: tuple[float, bytes]) -> Block:
        events = [(round(second * RATE), message) for second, message in messages]
        if form == "clap":
            out = clap_probe.play_events(plugins[form], events, RATE, RATE)
        elif form == "lv2":
            out = lv2_probe.play_events(plugins[form], design.uri, events, RATE, RATE, 333)
        else:
            out = vst3_probe.play_events(plugins[form], events, RATE, RATE)
        return np.asarray(out)

    return played


def level(sound: Block, start: float, end: float) -> float:
    return rms_db(sound[:, round(start * RATE) : round(end * RATE)])


@pytest.mark.parametrize("form", FORMS)
def test_pressure_on_a_key_is_heard_on_that_key_alone(play: Callable[..., Block], form: str) -> None:
    def pressed(key: int, value: int = 127) -> Block:
        return play(form, (0.05, ON), (0.5, bytes((0xA0, key, value))), (0.95, OFF))

    plain = pressed(KEY + 1)
    for value, louder in ((127, 6.02), (64, 20 * np.log10(1 + 64 / 127))):
        mine = pressed(KEY, value)
        assert abs(level(mine, 0.15, 0.45) - level(plain, 0.15, 0.45)) < 0.05
        assert abs(level(mine, 0.6, 0.9) - level(plain, 0.6, 0.9) - louder) < 0.3


@pytest.mark.parametrize("form", FORMS)
def test_the_soft_pedal_counts_when_a_note_is_struck(play: Callable[..., Block], form: str) -> None:
    down, up = bytes((0xB0, 67, 127)), bytes((0xB0, 67, 0))
    plain, soft = play(form, (0.05, ON), (0.95, OFF)), play(form, (0.0, down), (0.05, ON), (0.95, OFF))
    late = play(form, (0.05, ON), (0.5, down), (0.95, OFF))
    lifted = play(form, (0.0, down), (0.02, up), (0.05, ON), (0.95, OFF))
    assert abs(level(soft, 0.2, 0.9) - level(plain, 0.2, 0.9) + 6.02) < 0.3
    for other in (late, lifted):
        assert abs(level(other, 0.6, 0.9) - level(plain, 0.6, 0.9)) < 0.05

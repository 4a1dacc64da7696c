"""How far automation strays from a reference computed sample by sample, beside DawDreamer on the same ramps."""

from __future__ import annotations

import numpy as np

from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.steps import Effect, parse_step
from tests.benchmarks.table import Row, show
from tests.listening import db, white

RATE, SECONDS = 44_100, 4.0
FRAMES = round(RATE * SECONDS) // 64 * 64


def ours(step: object, block: np.ndarray, size: int) -> np.ndarray:
    effect = parse_step(step)
    assert isinstance(effect, Effect)
    line = EffectChain([effect], RenderContext(RATE))
    return np.concatenate([line.push(block[:, start : start + size]) for start in range(0, FRAMES, size)], axis=1)


def lowpass_per_sample(block: np.ndarray, cutoff: np.ndarray) -> np.ndarray:
    """JUCE's first-order low-pass with a new coefficient for every sample."""
    out, last = np.empty_like(block, dtype=np.float64), np.zeros((2, 2))
    n = np.tan(np.pi * cutoff / RATE)
    for frame in range(block.shape[1]):
        x, (x1, y1) = block[:, frame].astype(np.float64), last
        y = (n[frame] * (x + x1) - (n[frame] - 1) * y1) / (n[frame] + 1)
        out[:, frame], last = y, np.stack([x, y])
    return out


def dawdreamer_filter(block: np.ndarray, cutoff: np.ndarray, size: int) -> np.ndarray:
    """The same first-order low-pass in DawDreamer (Faust), its cutoff automated at audio rate."""
    import dawdreamer

    engine = dawdreamer.RenderEngine(RATE, size)
    source = engine.make_playback_processor("source", np.ascontiguousarray(block))
    faust = engine.make_faust_processor("filter")
    faust.set_dsp_string(
        'import("stdfaust.lib"); n = tan(ma.PI * hslider("cutoff", 1000, 20, 20000, 0.001) / ma.SR);'
        "f = _ <: _, mem : + : *(n / (n + 1)) : + ~ *((1 - n) / (n + 1)); process = f, f;"
    )
    name = next(entry["name"] for entry in faust.get_parameters_description() if "cutoff" in entry["name"])
    faust.set_automation(name, cutoff.astype(np.float32))
    engine.load_graph([(source, []), (faust, ["source"])])
    engine.render(block.shape[1] / RATE)
    return engine.get_audio()[:, : block.shape[1]]  # type: ignore[no-any-return]


def main() -> None:
    block = white(SECONDS, 0.2)[:, :FRAMES]
    seconds = np.arange(FRAMES) / RATE
    cutoff = 200 * 50 ** (seconds / SECONDS)
    curve = [["0 s", "200 Hz"], [f"{SECONDS} s", "10 kHz", "exponential"]]
    exact = lowpass_per_sample(block, cutoff)
    rows = []
    for size in (512, 65_536):
        mine = ours({"lowpass": {"cutoff": curve}}, block, size)
        rows.append(Row(f"studio, low-pass 200 Hz → 10 kHz in 4 s, blocks of {size}", f"{_error(mine, exact):.1f} dB"))
    for size in (512, 65_536):
        theirs = dawdreamer_filter(block, cutoff, size)
        rows.append(Row(f"DawDreamer, the same filter and ramp, blocks of {size}", f"{_error(theirs, exact):.1f} dB"))
    gain = 10 ** (np.interp(seconds, [0, SECONDS], [-40, 0]) / 20)
    mine = ours({"gain": [["0 s", -40], [f"{SECONDS} s", 0]]}, block, 512)
    rows.append(Row("studio, gain −40 dB → 0 dB", f"{_error(mine, block * gain):.1f} dB"))
    show("Automation: RMS error against a reference with a new value every sample, relative to the sound", rows)


def _error(sound: np.ndarray, exact: np.ndarray) -> float:
    return db(float(np.sqrt(np.mean((sound - exact) ** 2)))) - db(float(np.sqrt(np.mean(exact**2))))


if __name__ == "__main__":
    main()

"""Under what hosts list a plugin, by the steps of its chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from studio.effects.blocks import Chain
from studio.steps import Step


@dataclass(frozen=True)
class Category:
    """A kind of effect, in the words of each format.

    Sources: VST 3 `PlugType`, https://steinbergmedia.github.io/vst3_doc/; classes of http://lv2plug.in/ns/lv2core;
    `plugin-features.h` of CLAP.
    """

    vst3: str
    lv2: str
    clap: str
    steps: tuple[str, ...]


_KINDS = (
    Category("Delay", "DelayPlugin", "delay", ("delay", "echo")),
    Category("Reverb", "ReverbPlugin", "reverb", ("reverb", "convolution")),
    Category("Modulation", "ModulatorPlugin", "chorus", ("chorus",)),
    Category("Modulation", "ModulatorPlugin", "phaser", ("phaser",)),
    Category("Modulation", "ModulatorPlugin", "tremolo", ("tremolo",)),
    Category("Distortion", "DistortionPlugin", "distortion", ("distortion", "clip", "bitcrush", "saturation")),
    Category("Dynamics", "CompressorPlugin", "compressor", ("compressor", "ducker")),
    Category("Dynamics", "LimiterPlugin", "limiter", ("limiter", "brickwall")),
    Category("Dynamics", "GatePlugin", "gate", ("gate",)),
    Category("Dynamics", "DynamicsPlugin", "transient-shaper", ("transient",)),
    Category("Dynamics", "DynamicsPlugin", "de-esser", ("de_esser",)),
    Category("EQ", "EQPlugin", "equalizer", ("eq", "dynamic_eq", "peak", "low_shelf", "high_shelf")),
    Category("Filter", "FilterPlugin", "filter", ("lowpass", "highpass", "ladder", "vocoder")),
    Category("Spatial", "SpatialPlugin", "utility", ("pan", "width")),
    Category("Tools", "UtilityPlugin", "utility", ("gain", "invert")),
)
"""What a chain is most of all comes first."""


def categories(chain: Chain) -> tuple[Category, ...]:
    """Those of a chain, the one that it is most of all first; none for steps of other packages alone."""
    used = set(_steps(chain))
    found = [kind for kind in _KINDS if used & set(kind.steps)]
    # Tools that level a chain say nothing of it.
    return tuple([kind for kind in found if kind.vst3 != "Tools"] or found)


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        yield from (each.step for each in (step, *step.inner()))

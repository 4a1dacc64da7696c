"""The samples of an instrument as they lie in a plugin: a table of zones, and 16-bit numbers behind each other.

Every sample is brought to full scale, has `EDGE` frames on both sides for the interpolation, silent or gone round the
loop, and its channels lie one behind the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from studio.errors import RecipeError
from studio.exporting.samples import RELEASES, Expression, Sampled, Zone

EDGE = 16
BEND = 2.0
"""Semitones that the pitch wheel bends at most."""

LARGEST = 200_000_000
"""Bytes of samples that a plugin may have."""


@dataclass(frozen=True)
class SamplerText:
    """What a program says of its samples: lines outside of all namespaces, lines inside, and the samples."""

    outside: tuple[str, ...]
    lines: tuple[str, ...]
    samples: bytes


def write_sampler(sampled: Sampled) -> SamplerText:
    """The table and the samples of an instrument.

    Raises:
        RecipeError: they are too large for a plugin.
    """
    rows, pieces, offset = [], [], 0
    for zone in sampled.zones:
        scale = max(zone.peak, 1e-9) / 32_767
        whole = np.round(_edged(zone) / np.float32(scale)).clip(-32_768, 32_767).astype("<i2")
        loop = -1 if zone.loop is None else zone.loop
        ends = f"{zone.span.low}, {zone.span.key}, {zone.span.high}, {zone.velocity}"
        sizes = f"{offset}, {len(zone.samples)}, {zone.samples.shape[1]}, {loop}"
        release = ", ".join(f"{level:.2f}f" for level in zone.release)
        rows.append(f"    {{{ends}, {sizes}, {scale:.9e}f, {zone.decay:.4f}f, {{{release}}}}},")
        pieces.append(whole.tobytes())
        offset += whole.size
    samples = b"".join(pieces)
    if len(samples) > LARGEST:
        raise RecipeError(
            f"the samples have {len(samples) / 1e6:.0f} MB; a plugin takes {LARGEST / 1e6:.0f} MB.",
            "Sample fewer keys or velocities, or for less long.",
        )
    points = ", ".join(f"{seconds:g}" if seconds % 1 else f"{seconds:.1f}" for seconds in RELEASES)
    correlated = "true" if sampled.correlated else "false"
    return SamplerText(
        ('extern "C" const std::int16_t mirepoix_samples[];', ""),
        (
            "constexpr Zone ZONES[] = {", *rows, "};",
            f"constexpr float RELEASES[RELEASE_POINTS] = {{{_floats(points)}}};",
            *_controllers(sampled.expression),
            "const Sounds SOUNDS{"
            f"ZONES, {len(rows)}, mirepoix_samples, {sampled.rate}.0, {correlated}, {sampled.soft:.6f}, RELEASES, EXPRESSION}};",
            "",
        ),
        samples,
    )  # fmt: skip


def _controllers(expression: Expression) -> Iterator[str]:
    rows = []
    for controller in expression.controllers:
        gains = ", ".join(f"{{{left:.6e}f, {right:.6e}f}}" for left, right in controller.gains)
        rows.append(f"    {{{controller.number}, {{{gains}}}, {controller.cents:.2f}f}},")
    if rows:
        yield "constexpr Controller CONTROLLERS[] = {"
        yield from rows
        yield "};"
    else:
        yield "constexpr const Controller* CONTROLLERS = nullptr;"
    yield f"constexpr Expression EXPRESSION{{CONTROLLERS, {len(rows)}, {expression.vibrato_hz:.3f}f, {BEND}}};"


def _floats(points: str) -> str:
    return ", ".join(f"{point}f" for point in points.split(", "))


def _edged(zone: Zone) -> np.ndarray:
    """The samples between their edges."""
    channels = len(zone.samples)
    silence = np.zeros((channels, EDGE), np.float32)
    behind = silence if zone.loop is None else zone.samples[:, zone.loop : zone.loop + EDGE]
    return np.concatenate([silence, zone.samples, behind], axis=1)

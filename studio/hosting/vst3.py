"""What a VST3 plugin tells of its parameters; to be called in the plugin's process, which it may take with it."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import byref, c_double, c_int32, c_uint32, c_void_p
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from studio.floating_point import as_in_a_daw
from studio.hosting import vst3_abi as abi
from studio.tempo import Floats

MOST = 8192
"""Plugins with more parameters than this have them for MIDI controllers, or are broken."""

_POINTS = 33
_NEAR = 1e-6


@dataclass(frozen=True)
class Control:
    """A parameter of a VST3 plugin.

    Attributes:
        id: the number by which the plugin knows it.
        title: what the plugin calls it.
        automatable: whether hosts may move it.
        read_only: whether it only shows something.
        program: whether it chooses a program.
        plain: its values in the plugin's own range, at equal distances from position 0 to 1.
    """

    id: int
    title: str
    automatable: bool
    read_only: bool
    program: bool
    plain: tuple[float, ...]

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """From plain data."""
        return cls(**{**plain, "plain": tuple(plain["plain"])})

    def to_plain(self, positions: Floats) -> Floats:
        """Values in the plugin's own range at positions from 0 to 1."""
        return np.interp(positions, np.linspace(0, 1, len(self.plain)), self.plain)

    def to_positions(self, values: Floats) -> Floats:
        """Positions from 0 to 1 of values in the plugin's own range."""
        positions = np.linspace(0, 1, len(self.plain))
        if self.plain[0] > self.plain[-1]:
            return np.interp(values, self.plain[::-1], positions[::-1])
        return np.interp(values, self.plain, positions)


@as_in_a_daw
def ask_controls(path: Path, identity: str) -> list[dict[str, Any]]:
    """The parameters of the class with some id, in the plugin's own order, as plain data of `Control`.

    Raises:
        PluginError: there is no such class.
    """
    controller = abi.controller(path, identity)
    found = []
    for index in range(min(MOST, abi.call(controller, abi.COUNT_PARAMETERS, c_int32))):
        info = abi.ParameterInfo()
        if abi.call(controller, abi.PARAMETER_INFO, c_int32, (c_int32, index), (c_void_p, byref(info))) != abi.OK:
            continue
        title = abi.text_of(info.title)
        control = Control(
            info.id,
            title,
            bool(info.flags & abi.CAN_AUTOMATE),
            bool(info.flags & abi.READ_ONLY),
            bool(info.flags & abi.PROGRAM_CHANGE),
            _range(controller, info.id),
        )
        found.append(asdict(control))
    return found


def _range(controller: c_void_p, number: int) -> tuple[float, ...]:
    """The values at equal distances; the two ends alone where all others lie between them on a line."""
    positions = np.linspace(0, 1, _POINTS)
    values = np.array(
        [
            abi.call(controller, abi.TO_PLAIN, c_double, (c_uint32, number), (c_double, float(position)))
            for position in positions
        ]
    )
    line = values[0] + (values[-1] - values[0]) * positions
    if np.max(np.abs(values - line)) <= _NEAR * max(1e-12, abs(values[-1] - values[0])):
        return float(values[0]), float(values[-1])
    return tuple(values.tolist())

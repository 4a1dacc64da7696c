"""VST3 plugins and Audio Units, hosted by pedalboard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.floating_point import all_as_in_a_daw, as_in_a_daw
from studio.hosting.contract import About, PluginError, Transport
from studio.hosting.parameters import Raw

LARGEST = 8192

_PLUMBING = {"Buffer Size", "Sample Rate", "Current Program", "Latency"}
"""Parameters that some frameworks add to every plugin for its host."""


@all_as_in_a_daw
class InPedalboard:
    """A plugin that pedalboard has loaded into this process."""

    def __init__(self, path: Path, inner: str = "") -> None:
        from pedalboard._pedalboard import load_plugin

        try:
            options: dict[str, Any] = {"plugin_name": inner} if inner else {}
            loaded: Any = load_plugin(str(path), initialization_timeout=2.0, **options)
        except (ImportError, ValueError, RuntimeError) as error:
            raise PluginError(f"{path.name} cannot be loaded: {_first_line(error)}") from None
        self._plugin = loaded
        self._rate, self._fresh, self._skip, self._largest = 44_100, True, 0, LARGEST
        self._latency = 0
        self._turnable = self._turnables()
        instrument = bool(self._plugin.is_instrument)
        channels = self._accepted()
        self.about = About(
            name=str(self._plugin.name),
            vendor=str(self._plugin.manufacturer_name),
            version=str(self._plugin.version),
            id=str(self._plugin.identifier),
            instrument=instrument,
            inputs=0 if instrument else channels,
            sides=0,
            outputs=channels,
        )

    def _turnables(self) -> dict[int, Any]:
        """Its parameters by index. What cannot be automated is a meter, or what a framework tells its host."""
        return {
            parameter.index: parameter
            for parameter in self._plugin._parameters
            if parameter.is_automatable and not (parameter.name in _PLUMBING or _controller(parameter.name))
        }

    def _accepted(self) -> int:
        """How many channels it takes: two if it can."""
        if self._plugin.is_instrument:
            return 2
        for channels in (2, 1):
            try:
                self._plugin.process(np.zeros((channels, 256), np.float32), self._rate, reset=False)
                return channels
            except ValueError:
                continue
        raise PluginError(f"{self._plugin.name} takes neither stereo nor mono.")

    @property
    def latency(self) -> int:
        """Frames by which the sound comes later."""
        return int(self._plugin.reported_latency_samples)

    def parameters(self) -> Sequence[Raw]:
        """The parameters, in their order."""
        return [
            Raw(
                title=parameter.name,
                label=parameter.label or "",
                index=parameter.index,
                default=float(parameter.raw_value),
                steps=parameter.num_steps if parameter.is_discrete and parameter.num_steps < 1 << 15 else 0,
                live=True,
                text=partial(_text, parameter),
            )
            for parameter in self._turnable.values()
        ]

    def turn(self, index: int, position: float) -> None:
        """Set a parameter to a position from 0 to 1."""
        self._turnable[index].raw_value = position

    def programs(self) -> Sequence[str]:
        """The names of the programs it carries."""
        return ()

    def choose(self, program: int) -> None:
        """Switch to a program by its number."""
        raise PluginError(f"the programs of {self.about.name} cannot be reached.", "Use a .vstpreset file.")

    def prepare(self, rate: int) -> None:
        """Get ready to process at a rate in Hz."""
        # This may make a new instance, with new parameters, of a plugin that would keep its sound.
        self._plugin.reset()
        self._turnable = self._turnables()
        self._rate, self._fresh = rate, True

    def process(self, block: Block, transport: Transport | None) -> Block:
        """Process a block of shape (channels, frames)."""
        if self._fresh:
            # pedalboard prepares a plugin anew, and it forgets its sound, when a block is larger than any before.
            self._largest = min(block.shape[1], LARGEST)
        given = [np.zeros((block.shape[0], 0), np.float32)]
        for start in range(0, block.shape[1], self._largest):
            piece = np.ascontiguousarray(block[:, start : start + self._largest])
            out = self._plugin.process(piece, self._rate, buffer_size=LARGEST, reset=False)
            if self._fresh:
                self._latency, self._fresh = self.latency, False
            self._check_latency()
            if out.size:
                given.append(out)
        # Most often it is one piece, which need not be copied.
        return given[-1] if len(given) <= 2 else np.concatenate(given, axis=1)

    def play(self, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None) -> Block:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        if self._fresh:
            self._skip, self._latency, self._fresh = self.latency, self.latency, False
        messages = [(data, frame / self._rate) for frame, data in events]
        # Half a frame more, so that rounding down on the way gives as many frames as were asked for.
        out = self._plugin.process(
            messages, (frames + 0.5) / self._rate, self._rate, num_channels=2, buffer_size=LARGEST, reset=False
        )
        self._check_latency()
        skipped = min(self._skip, out.shape[1])
        self._skip -= skipped
        return np.asarray(out[:, skipped:], np.float32)

    def _check_latency(self) -> None:
        if self.latency != self._latency:
            raise PluginError(
                f"{self.about.name} changed its latency from {self._latency} to {self.latency} frames in mid-song."
            )

    def state(self) -> bytes:
        """The plugin's state as bytes."""
        # What was turned reaches the plugin's processor, whose state this is, with the next sound only.
        if self.about.instrument:
            self.play((), 64, None)
        else:
            self.process(np.zeros((self.about.inputs, 64), np.float32), None)
        return bytes(getattr(self._plugin, "preset_data", None) or self._plugin.raw_state)

    def load_state(self, content: bytes) -> None:
        """Take a state that `state` gave."""
        if content[:4] == b"VST3":
            theirs = content[8:40].decode("ascii", "replace")
            ours = bytes(self._plugin.preset_data)[8:40].decode("ascii", "replace")
            if theirs != ours:
                raise PluginError(f"the preset belongs to another plugin ({theirs}), not to {self.about.name}.")
            self._plugin.preset_data = content
        else:
            self._plugin.raw_state = content

    def close(self) -> None:
        """pedalboard lets go of it with the last word for it."""


@as_in_a_daw
def _text(parameter: Any, position: float) -> str:
    return str(parameter.get_text_for_raw_value(position))


def _controller(name: str) -> bool:
    """Whether it stands for a MIDI controller, as the frameworks add them by the thousand."""
    return name.startswith(("MIDI CC ", "MIDI Ch")) or (name.startswith("CC ") and name[3:4].isdigit())


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]

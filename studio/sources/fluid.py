"""FluidSynth, in process: the few calls the studio needs, on top of pyfluidsynth.

pyfluidsynth finds the library and makes the synth; its sample output is 16-bit, so blocks are rendered as
float here.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
import threading
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np

from studio.audio import Block
from studio.errors import MissingError, Place, RenderError
from studio.floating_point import floating_point_kept
from studio.midi.instruments import DEVICE_ID, MidiInstrument, reset_of, rhythm_part_of
from studio.provenance import behind
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, POLY_PRESSURE, PRESSURE, PROGRAM, SYSTEM, Event
from studio.sources import fresh_voices
from studio.sources.fresh_voices import FreshVoices

log = logging.getLogger(__name__)

PERIOD = 64
"""Frames FluidSynth computes at a time: notes start on multiples of it."""

DEFAULT_GAIN, POLYPHONY = 0.2, 256
_CHANNELS = 256
"""More a synthesiser cannot have."""

_LARGEST_WHOLE = 256 * 1024 * 1024

_SETTLED = 4.0
"""Seconds after which a reverb to which nothing is sent stays as it is, to the last bit."""

_starting = threading.Lock()
"""Loading the library turns the standard output away for a moment, which two threads must not do at once; and FluidSynth
fills its tables when the first synth is made, and does not keep a second one from using them half full."""


def library() -> ModuleType:
    """pyfluidsynth, with FluidSynth's own messages sent to logging.

    Raises:
        MissingError: FluidSynth is not installed.
    """
    with _starting:
        return _library()


@cache
def _library() -> ModuleType:
    try:
        with contextlib.redirect_stdout(io.StringIO()), floating_point_kept():
            import fluidsynth
    except (ImportError, OSError) as error:
        raise MissingError(
            f"FluidSynth is not installed ({error}).",
            "apt install libfluidsynth3, brew install fluid-synth, or choco install fluidsynth.",
        ) from None
    sink = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(
        lambda level, message, data: log.debug("fluidsynth: %s", message.decode(errors="replace"))
    )
    fluidsynth._fl.fluid_set_log_function.restype = ctypes.c_void_p
    for level in range(5):
        fluidsynth._fl.fluid_set_log_function(level, sink, None)
    fluidsynth.studio_log_sink = sink
    pointer, number = ctypes.c_void_p, ctypes.c_int
    fluidsynth._fl.fluid_synth_write_float.argtypes = (
        pointer,
        number,
        pointer,
        number,
        number,
        pointer,
        number,
        number,
    )
    fluidsynth._fl.fluid_synth_sysex.argtypes = (
        pointer, ctypes.c_char_p, number, pointer, pointer, pointer, number,
    )  # fmt: skip
    for name, takes, gives in (
        ("fluid_synth_get_sfont_by_id", (pointer, number), pointer),
        ("fluid_sfont_iteration_start", (pointer,), None),
        ("fluid_sfont_iteration_next", (pointer,), pointer),
        ("fluid_preset_get_banknum", (pointer,), number),
        ("fluid_preset_get_num", (pointer,), number),
        ("fluid_synth_get_channel_preset", (pointer, number), pointer),
    ):
        function = getattr(fluidsynth._fl, name)
        function.argtypes, function.restype = takes, gives
    fluidsynth._fl.fluid_synth_channel_pressure.argtypes = (pointer, number, number)
    fluidsynth._fl.fluid_synth_key_pressure.argtypes = (pointer, number, number, number)
    fluidsynth._fl.fluid_synth_set_channel_type.argtypes = (pointer, number, number)
    fresh_voices.declare(fluidsynth._fl)
    return fluidsynth  # type: ignore[no-any-return]


@behind("pyfluidsynth", "fluidsynth")
def version() -> str:
    """The version of the FluidSynth library."""
    major, minor, micro = (ctypes.c_int() for _ in range(3))
    library()._fl.fluid_version(ctypes.byref(major), ctypes.byref(minor), ctypes.byref(micro))
    return f"{major.value}.{minor.value}.{micro.value}"


def _whole(font: Path) -> bool:
    """Whether a SoundFont is loaded in one piece.

    Then loops that reach beyond their sample play what lies there, as in FluidSynth's own program; sample by sample they
    are cut short, which is up to -34 dB of difference with the shipped font.
    """
    with contextlib.suppress(OSError), font.open("rb") as file:
        packed = file.read(24)[20:22] == b"\3\0"
        return not packed and font.stat().st_size <= _LARGEST_WHOLE
    return True


@contextlib.contextmanager
def _glib_in_the_log() -> Iterator[None]:
    """Have what GLib has to say, of which FluidSynth is made, in the log instead of on the terminal, for a moment."""
    glib = _glib()
    if glib is None:
        yield
        return
    before = glib.g_log_set_default_handler(_glib_sink, None)
    try:
        yield
    finally:
        glib.g_log_set_default_handler(ctypes.cast(before, _GLIB_HANDLER), None)


_GLIB_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


def _to_log(domain: bytes | None, level: int, message: bytes | None, data: int | None) -> None:
    log.debug("glib: %s", (message or b"").decode(errors="replace"))


_glib_sink = _GLIB_HANDLER(_to_log)


@cache
def _glib() -> ctypes.CDLL | None:
    """GLib, where FluidSynth has brought it into the process."""
    for name in ("libglib-2.0.so.0", "libglib-2.0.0.dylib"):
        with contextlib.suppress(OSError, AttributeError):
            glib = ctypes.CDLL(name, mode=os.RTLD_NOW | os.RTLD_NOLOAD)
            glib.g_log_set_default_handler.restype = ctypes.c_void_p
            glib.g_log_set_default_handler.argtypes = (_GLIB_HANDLER, ctypes.c_void_p)
            return glib
    return None


def check_rate(rate: int) -> None:
    """See whether FluidSynth can run at a rate.

    Raises:
        RenderError: it cannot.
    """
    if not 8_000 <= rate <= 96_000:
        raise RenderError(f"FluidSynth cannot run at {rate} Hz.", "Set `rate` between 8000 and 96000.")


class Fluid:
    """One synth with one SoundFont; use it in a `with` block, in one thread.

    Of a SoundFont that is large, or packed (SF3), samples are loaded when a program first needs them, so it costs what is
    played of it.
    """

    def __init__(self, font: Path, rate: int, channels: int, **settings: int | float) -> None:
        check_rate(rate)
        self._lib, self._channels = library(), channels
        options = {
            "synth.dynamic-sample-loading": int(not _whole(font)),
            "synth.device-id": DEVICE_ID,
            "synth.polyphony": POLYPHONY,
            **settings,
        }
        with _starting:
            # The last channel is one that the score does not know, for silent notes.
            there = min(channels + 16, _CHANNELS)
            self._synth = self._lib.Synth(gain=DEFAULT_GAIN, samplerate=rate, channels=there, **options)
        self._handle = self._synth.synth
        with _starting, _glib_in_the_log():
            self._font = self._synth.sfload(str(font), update_midi_preset=1)
        if self._font == -1:
            self._synth.delete()
            raise RenderError("not a SoundFont that FluidSynth can read.", "Use SF2 or SF3.", place=Place(str(font)))
        self._voices = FreshVoices(self._lib._fl, self._handle, there - 1, rate, int(options["synth.polyphony"]))
        self._begin_drums()

    def __enter__(self) -> Fluid:
        return self

    def __exit__(self, *error: object) -> None:
        self._synth.delete()
        self._voices.close()

    def _begin_drums(self) -> None:
        """Channel 10 of every port plays drums; of the first one by itself, and so to the bit as FluidSynth does."""
        for channel in range(9 + 16, self._channels, 16):
            self._lib._fl.fluid_synth_set_channel_type(self._handle, channel, 1)
            self._lib.fluid_synth_program_change(self._handle, channel, 0)

    def instruments(self) -> frozenset[tuple[int, int]]:
        """The bank and program of everything in the SoundFont."""
        library = self._lib._fl
        font = library.fluid_synth_get_sfont_by_id(self._handle, self._font)
        library.fluid_sfont_iteration_start(font)
        found = set()
        while preset := library.fluid_sfont_iteration_next(font):
            found.add((library.fluid_preset_get_banknum(preset), library.fluid_preset_get_num(preset)))
        return frozenset(found)

    def select(self, channel: int, bank: int, program: int) -> bool:
        """Choose an instrument of the SoundFont; False when it has none there."""
        return bool(self._lib.fluid_synth_program_select(self._handle, channel, self._font, bank, program) == 0)

    def chosen(self, channel: int) -> MidiInstrument:
        """The bank and program of the preset that a channel plays."""
        preset = self._lib._fl.fluid_synth_get_channel_preset(self._handle, channel)
        return MidiInstrument(
            self._lib._fl.fluid_preset_get_banknum(preset), self._lib._fl.fluid_preset_get_num(preset)
        )

    def turn(self, unit: str, level: float) -> None:
        """Set the level of the reverb or chorus."""
        getattr(self._lib, f"fluid_synth_set_{unit}_level")(self._handle, level)

    def send(self, event: Event, channel: int) -> None:
        """Play a MIDI event on a channel of the synth."""
        lib, synth, data, status = self._lib, self._handle, event.data, event.status
        if status == NOTE_ON:
            lib.fluid_synth_noteon(synth, channel, data[1], data[2])
        elif status == NOTE_OFF:
            lib.fluid_synth_noteoff(synth, channel, data[1])
        elif status == CONTROL:
            lib.fluid_synth_cc(synth, channel, data[1], data[2])
        elif status == BEND:
            lib.fluid_synth_pitch_bend(synth, channel, data[1] | data[2] << 7)
        elif status == PROGRAM:
            lib.fluid_synth_program_change(synth, channel, data[1])
        elif status == PRESSURE:
            lib._fl.fluid_synth_channel_pressure(synth, channel, data[1])
        elif status == POLY_PRESSURE:
            lib._fl.fluid_synth_key_pressure(synth, channel, data[1], data[2])
        elif status == SYSTEM and data[0] == 0xF0:
            body = data[1:-1]
            lib._fl.fluid_synth_sysex(synth, body, len(body), None, None, None, 0)
            if reset_of(data):
                self._begin_drums()
            elif event.port and (part := rhythm_part_of(data)) is not None:
                # FluidSynth knows sixteen channels here, whatever the port.
                self._lib._fl.fluid_synth_set_channel_type(synth, part[0] + 16 * event.port, int(part[1]))
                lib.fluid_synth_program_change(synth, part[0] + 16 * event.port, 0)

    def release_all(self) -> None:
        """Lift the pedals and let go of every note."""
        for channel in range(self._channels):
            self._lib.fluid_synth_cc(self._handle, channel, 64, 0)
            self._lib.fluid_synth_cc(self._handle, channel, 66, 0)
            self._lib.fluid_synth_all_notes_off(self._handle, channel)

    def clear_voices(self, starting: bool) -> None:
        """Make voices that have been used, and are free, as fresh ones by the next period; see `FreshVoices.clear`."""
        self._voices.clear(starting)

    def begun(self) -> None:
        """Notes have been started."""
        self._voices.begun()

    def disturbed(self) -> None:
        """Something has been sent that may silence voices at once."""
        self._voices.disturbed()

    @property
    def voices(self) -> int:
        """How many voices sound."""
        return int(self._lib.fluid_synth_get_active_voice_count(self._handle))

    def render(self, frames: int) -> Block:
        """The next `frames`, a multiple of `PERIOD`, in stereo."""
        out = np.empty((2, frames), np.float32)
        self.render_into(out, 0, frames)
        return out

    def render_into(self, out: Block, start: int, frames: int) -> None:
        """The next `frames`, a multiple of `PERIOD`, into a block of shape (2, any) that lies row by row, from `start` on."""
        at = out.ctypes.data
        self._lib._fl.fluid_synth_write_float(self._handle, frames, at, start, 1, at, out.shape[1] + start, 1)


@lru_cache(maxsize=8)
def idle_reverb(rate: int) -> tuple[Block, Block]:
    """What the reverb gives where nothing is sent to it, up to where it stays as it is; at level 0, and what 1 adds to it.

    FluidSynth keeps its delay lines from denormal numbers by a small constant (`DC_OFFSET` in `fluid_rev.c`), which comes
    out at -160 dBFS, once for every synthesiser.
    """
    lib = library()
    at_levels = []
    for level in (0.0, 1.0):
        options = {"synth.reverb.active": 1, "synth.reverb.level": level, "synth.chorus.active": 0}
        block = np.empty((2, round(_SETTLED * rate) // PERIOD * PERIOD), np.float32)
        at = block.ctypes.data
        with _starting:
            synth = lib.Synth(gain=DEFAULT_GAIN, samplerate=rate, channels=16, **options)
            # What was set takes effect with the end of the first call.
            lib.fluid_synth_cc(synth.synth, 0, 7, 100)
            lib._fl.fluid_synth_write_float(synth.synth, block.shape[1], at, 0, 1, at, block.shape[1], 1)
            synth.delete()
        at_levels.append(block)
    return at_levels[0], at_levels[1] - at_levels[0]

"""Voices of FluidSynth that begin as if they had never been used.

A voice fades its gains for left, right, reverb and chorus from one period to the next, and FluidSynth does not begin them
anew when another note takes the voice over (`current_amp` in `fluid_rvoice_mixer.c`, 2.1.8 to 2.6.0 at least): a note on a
fresh voice comes up over its first 64 frames, on a used one it begins with the gains of the note before. Which voice a note
gets depends on all the others, so a hi-hat differs from the one before by -25 dB, and parts in synthesisers of their own
from all of them in one by up to -34 dB.

No call begins a voice anew, but a voice that plays a silent sample with all four gains at zero is left with zeros. Such a
note of half a period is put on every voice that has been used and is free, one period before notes are to start; and again
when they start, where it also keeps them from voices that came free in between.
"""

from __future__ import annotations

import ctypes
from typing import Any

from studio.errors import RenderError

_FRAMES = 24
"""Of the silent sample: it ends within a period, even where it is played at twice the rate of the synthesiser."""

_SILENT = ((15, -30_000.0), (16, -30_000.0), (17, -30_000.0), (60, 30_000.0))
"""Generators and their values: nothing to chorus and reverb; panned hard left, of which the balance then leaves nothing. They
are far beyond their ranges, so that no controller brings them back."""


_LEFT = 48
"""Voices that notes of one moment need at most, mostly."""


class FreshVoices:
    """Clears the used voices of a synthesiser; `channel` is one that plays nothing else."""

    def __init__(self, library: ctypes.CDLL, synth: int, channel: int, rate: int, polyphony: int) -> None:
        self._library, self._synth, self._channel, self._polyphony = library, synth, channel, polyphony
        self._sounding = (ctypes.c_void_p * (polyphony + 1))()
        self._used, self._silent = set[int](), set[int]()
        self._sample = library.new_fluid_sample()
        silence = (ctypes.c_short * _FRAMES)()
        if not self._sample or library.fluid_sample_set_sound_data(self._sample, silence, None, _FRAMES, rate, 1):
            raise RenderError("FluidSynth has no memory for a sample.", "Close other programs.")

    def close(self) -> None:
        """Give the sample back; after the synthesiser is gone."""
        self._library.delete_fluid_sample(self._sample)

    def begun(self) -> None:
        """Notes have been started: the voices that play them are used ones."""
        self._used.update(voice for voice in self._playing() if voice not in self._silent)

    def disturbed(self) -> None:
        """Voices may have been silenced at once: silent notes that were to play in this period do not count."""
        self._used |= self._silent

    def clear(self, starting: bool) -> None:
        """Have voices that are free, and were used, play silence in the next period: they are fresh behind it.

        Where notes are `starting` in that same period some voices are left for them, even used ones: near the end of its
        polyphony FluidSynth would rather end a note that sounds.
        """
        most = self._polyphony - (min(_LEFT, self._polyphony) if starting else 0)
        self._silent.clear()
        if not self._used:
            return
        stale = self._used.difference(self._playing())
        if not stale:
            return
        library, synth = self._library, self._synth
        while stale and library.fluid_synth_get_active_voice_count(synth) < most:
            # It is always the first that is free.
            voice = library.fluid_synth_alloc_voice(synth, self._sample, self._channel, 60, 127)
            if not voice:
                return
            for generator, value in _SILENT:
                library.fluid_voice_gen_set(voice, generator, value)
            library.fluid_synth_start_voice(synth, voice)
            stale.discard(voice)
            self._used.discard(voice)
            self._silent.add(voice)

    def _playing(self) -> list[Any]:
        """The voices that play, as addresses."""
        self._library.fluid_synth_get_voicelist(self._synth, self._sounding, len(self._sounding), -1)
        count = self._library.fluid_synth_get_active_voice_count(self._synth)
        found = self._sounding[: count + 1]
        return found[: found.index(None)] if None in found else found


def declare(library: ctypes.CDLL) -> None:
    """Tell ctypes how the calls of FluidSynth that are used here look."""
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for name, takes, gives in (
        ("new_fluid_sample", (), pointer),
        ("delete_fluid_sample", (pointer,), None),
        (
            "fluid_sample_set_sound_data",
            (pointer, pointer, pointer, ctypes.c_uint, ctypes.c_uint, ctypes.c_short),
            number,
        ),
        ("fluid_synth_alloc_voice", (pointer, pointer, number, number, number), pointer),
        ("fluid_synth_start_voice", (pointer, pointer), None),
        ("fluid_voice_gen_set", (pointer, number, ctypes.c_float), None),
        ("fluid_synth_get_voicelist", (pointer, pointer, number, number), None),
        ("fluid_synth_get_active_voice_count", (pointer,), number),
    ):
        function = getattr(library, name)
        function.argtypes, function.restype = takes, gives

"""Which instrument every note of a score sounds with, as FluidSynth understands banks, resets and rhythm parts.

General MIDI, GS and XG each read bank selects in a way of their own, and a reset by SysEx says which of them holds. What
is kept here follows `fluid_synth.c` and `fluid_chan.c` of FluidSynth 2.3; banks that a SoundFont lacks are its own
affair (FluidSynth then plays bank 0).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from studio.score import CONTROL, DRUM_CHANNEL, NOTE_OFF, NOTE_ON, PROGRAM, SYSTEM, Event, Score

DRUM_BANK = 128
"""Where SoundFonts keep their drum kits."""

DEVICE_ID = 16
"""The SysEx device that files address (0x10: unit 17 of Roland, unit 1 of Yamaha), besides 127, which is every one."""

BANK_MSB, BANK_LSB = 0, 32
_XG_DRUMS = 120
"""Banks from here on are drum kits and effects in XG."""


class MidiInstrument(NamedTuple):
    """A preset of a SoundFont; bank 128 holds drum kits."""

    bank: int
    program: int

    @property
    def drums(self) -> bool:
        """Whether it plays drums."""
        return self.bank == DRUM_BANK


def reset_of(data: bytes) -> str:
    """The standard to which a SysEx message resets the synthesiser: gm, gs or xg; empty if it is no reset."""
    body = data[1:-1]
    if len(body) < 4 or body[1] not in (DEVICE_ID, 127):
        return ""
    if body[0] == 0x7E and body[2] == 0x09 and body[3] in (1, 3):
        return "gm"
    if _gs_address(body) == 0x40007F and len(body) == 9 and body[7] in (0, 127):
        return "gm" if body[7] else "gs"
    if body[0] == 0x43 and body[2] == 0x4C and body[3:] in (b"\0\0\x7e\0", b"\0\0\x7f\0"):
        return "xg"
    return ""


def rhythm_part_of(data: bytes) -> tuple[int, bool] | None:
    """The channel from 0, and whether it is for drums from now on, in a GS message "use for rhythm part"."""
    body = data[1:-1]
    address = _gs_address(body)
    if address & 0xFFF0FF != 0x401015 or len(body) != 9 or body[7] > 2:
        return None
    block = address >> 8 & 15
    return (block if block >= 10 else DRUM_CHANNEL if block == 0 else block - 1), body[7] > 0


def _gs_address(body: bytes) -> int:
    """The address of a GS data set whose checksum is right, or -1."""
    addressed = len(body) >= 9 and body[0] == 0x41 and body[1] in (DEVICE_ID, 127) and body[2:4] == b"\x42\x12"
    if not addressed or 0x80 - (sum(body[4:-1]) & 0x7F) != body[-1]:
        return -1
    return int.from_bytes(body[4:7], "big")


class Channels:
    """What is chosen on every channel while events come by; a channel is a pair of port and number."""

    def __init__(self) -> None:
        self.standard = "gs"
        self._banks: dict[tuple[int, int], int] = {}
        self._drums: dict[tuple[int, int], bool] = {}
        self._chosen: dict[tuple[int, int], MidiInstrument] = {}

    def instrument(self, port: int, channel: int) -> MidiInstrument:
        """What a note would sound with now."""
        fresh = MidiInstrument(DRUM_BANK if channel == DRUM_CHANNEL else 0, 0)
        return self._chosen.get((port, channel), fresh)

    def take(self, event: Event) -> None:
        """Follow an event."""
        at = (event.port, event.channel)
        if event.status == SYSTEM:
            self._system(event)
        elif event.status == PROGRAM:
            bank = DRUM_BANK if self._is_drums(at) else self._banks.get(at, 0)
            self._chosen[at] = MidiInstrument(bank, event.data[1])
        elif event.status == CONTROL and event.data[1] == BANK_MSB:
            if self.standard == "xg":
                self._drums[at] = event.data[2] >= _XG_DRUMS
            elif self.standard == "gs" and not self._is_drums(at):
                self._banks[at] = event.data[2]
        elif event.status == CONTROL and event.data[1] == BANK_LSB and self.standard == "xg":
            self._banks[at] = event.data[2]

    def _is_drums(self, at: tuple[int, int]) -> bool:
        return self._drums.get(at, at[1] == DRUM_CHANNEL)

    def _system(self, event: Event) -> None:
        if standard := reset_of(event.data):
            self.standard = standard
            for chosen in (self._banks, self._drums, self._chosen):
                chosen.clear()
        elif self.standard == "gs" and (part := rhythm_part_of(event.data)) is not None:
            at = (event.port, part[0])
            self._drums[at] = part[1]
            self._chosen[at] = MidiInstrument(DRUM_BANK if part[1] else self._banks.get(at, 0), 0)


def instruments(score: Score) -> Mapping[int, MidiInstrument]:
    """What each note sounds with, by the index of the event that starts it."""
    channels, found = Channels(), dict[int, MidiInstrument]()
    for index, event in enumerate(score.events):
        if event.starts_note:
            found[index] = channels.instrument(event.port, event.channel)
        else:
            channels.take(event)
    return found


def drum_channels(score: Score) -> frozenset[tuple[int, int]]:
    """The channels, as pairs of port and number, on which a drum kit plays."""
    heard = instruments(score)
    return frozenset((score.events[at].port, score.events[at].channel) for at, one in heard.items() if one.drums)


def unheard(score: Score) -> Iterator[str]:
    """What a score asks of its synthesiser that FluidSynth does not have, in words."""
    counts = Counter[str]()
    standards = Channels()
    nrpn: dict[tuple[int, int], int] = {}
    for event in score.events:
        if event.status in (NOTE_ON, NOTE_OFF):
            continue
        standards.take(event)
        at = (event.port, event.channel)
        if event.status == SYSTEM and event.data[0] == 0xF0:
            counts[_what_is_lost(event.data)] += 1
        elif event.status == CONTROL:
            number, value = event.data[1:3]
            if number == 99:
                nrpn[at] = value
            elif number in (100, 101):
                nrpn.pop(at, None)
            elif number == 6 and at in nrpn:
                counts[_what_nrpn_is_lost(nrpn[at])] += 1
            elif number == BANK_MSB and standards.standard == "gm" and value in (120, 121) and at[1] != DRUM_CHANNEL:
                counts["a rhythm channel of General MIDI 2 (its bank select)" if value == 120 else ""] += 1
    for what, count in counts.items():
        if what:
            times = f", {count} times" if count > 1 else ""
            yield f"the score asks for {what}{times}, which FluidSynth does not have: it is not heard."


def _what_is_lost(data: bytes) -> str:
    body = data[1:-1]
    if reset_of(data) or rhythm_part_of(data) is not None or len(body) < 4:
        return ""
    if body[0] == 0x41 and body[2] == 0x16:
        return "a Roland MT-32 (its programs are other instruments than General MIDI's)"
    if body[0] == 0x41 and body[2:4] == b"\x42\x12":
        unit = body[1] not in (DEVICE_ID, 127)
        return f"the GS device {body[1]}" if unit else _gs_setting(body)
    if body[0] == 0x43 and body[2] == 0x4C:
        return "an XG setting"
    if body[0] == 0x7F and body[2] == 0x04:
        return {1: "a master volume", 5: "a reverb or chorus of General MIDI 2"}.get(body[3], "a device control")
    return ""


def _gs_setting(body: bytes) -> str:
    address = _gs_address(body)
    if address < 0:
        return "a GS message whose checksum is wrong"
    if address >> 16 == 0x41:
        return "a GS drum setup"
    if address >> 8 == 0x4001:
        return "a GS reverb, chorus or delay"
    return "a GS setting of a part"


def _what_nrpn_is_lost(msb: int) -> str:
    if msb == 120:
        return ""
    if 20 <= msb <= 31:
        return "the tuning, level or filter of a single drum (NRPN)"
    return "vibrato, filter or envelope of a channel (NRPN)" if msb == 1 else f"NRPN {msb}"

"""Standard MIDI Files, in and out. mido reads the bytes; what the wild does to them is mended or named here."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import mido

from studio.disk import check_regular
from studio.errors import MissingError, OutputError, Place, ScoreError
from studio.score import PRESSURE, PROGRAM, Event, Mark, Score
from studio.tempo import Meter, Tempo, TempoMap

SLOWEST_BPM, FASTEST_BPM = 1, 2000
FINEST_METER = 128
"""The finest beat of a bar; what files say beyond it is an accident."""

FINEST_RESOLUTION = 0x7FFF
ENDINGS = (".mid", ".midi", ".smf", ".kar", ".rmi")
"""The endings of MIDI files: karaoke has lyrics in it, RMI a RIFF file around it."""

LARGEST_FILE = 64 * 1024 * 1024
_MARKS = {"marker": "marker", "cue_marker": "cue", "lyrics": "lyric", "text": "text"}


def is_midi(path: Path | str) -> bool:
    """Whether a file is called like a MIDI file."""
    return Path(path).suffix.lower() in ENDINGS


def read_midi(path: Path | str) -> Score:
    """Read a Standard MIDI File of type 0 or 1.

    Every channel message and sysex is kept, with its track and port. SMPTE divisions become a constant tempo
    that keeps every event at its second.

    Raises:
        MissingError: there is no such file.
        ScoreError: it is not MIDI, is cut short, is of type 2, or has a tempo no one can play.
    """
    path = Path(path)
    check_regular(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ScoreError("a MIDI file of more than 64 MB.", "Split it.", place=Place(str(path)))
        content = path.read_bytes()
    except OSError as error:
        raise MissingError(f"the MIDI file cannot be opened: {error.strerror}.", place=Place(str(path))) from None
    try:
        return _parsed(content)
    except ScoreError as error:
        error.place = Place(str(path))
        raise


@lru_cache(maxsize=4)
def _parsed(content: bytes) -> Score:
    """A knob that is turned renders the same song again: its bytes are parsed once."""
    return parse_midi(content)


def parse_midi(content: bytes) -> Score:
    """Read the bytes of a Standard MIDI File; see `read_midi`."""
    header, tracks = _chunks(content)
    if header[1] == 2:
        raise ScoreError(
            f"a MIDI file of type 2: {len(tracks)} independent patterns without a common clock.",
            "Save each pattern as a file of type 0 or 1.",
        )
    division = int.from_bytes(header[4:6], "big", signed=True)
    if not division:
        raise ScoreError("a MIDI file with a division of zero.", "Export it again from the program it came from.")
    resolution, fixed = (division, None) if division > 0 else _smpte(division)
    remarks: list[str] = []
    parsed = [_parse_track(number, track, remarks) for number, track in enumerate(tracks)]
    return _assemble(parsed, resolution, fixed, remarks)


def _chunks(content: bytes) -> tuple[bytes, list[bytes]]:
    """The header's data and the tracks' data; unknown chunks are passed over, a RIFF wrapper is taken off."""
    if content[:4] == b"RIFF" and content[8:12] == b"RMID":
        content = content[max(content.find(b"MThd"), 0) :]
    if content[:4] != b"MThd" or len(content) < 14:
        raise ScoreError("not a MIDI file: it does not begin with MThd.", "Give a .mid file.")
    header, offset = b"", 0
    tracks: list[bytes] = []
    announced = int.from_bytes(content[10:12], "big")
    while offset + 8 <= len(content):
        name, size = content[offset : offset + 4], int.from_bytes(content[offset + 4 : offset + 8], "big")
        data = content[offset + 8 : offset + 8 + size]
        if name in (b"MThd", b"MTrk") and len(data) < size:
            what = "its header" if name == b"MThd" else f"track {len(tracks) + 1}"
            raise ScoreError(
                f"the MIDI file is cut short: {what} announces {size} bytes from byte {offset + 8},"
                f" {len(data)} are there.",
                "Get a complete copy of the file.",
            )
        if name == b"MThd" and not header:
            header = data
        elif name == b"MTrk":
            tracks.append(data)
        offset += 8 + size
    if len(header) < 6:
        raise ScoreError(f"a MIDI header of {len(header)} bytes.", "Get a complete copy of the file.")
    if len(tracks) < announced:
        raise ScoreError(
            f"the MIDI file is cut short: its header announces {announced} tracks, {len(tracks)} are there.",
            "Get a complete copy of the file.",
        )
    if not tracks:
        raise ScoreError("a MIDI file without tracks.", "Export it again from the program it came from.")
    if len(tracks) > 1024:
        raise ScoreError(f"a MIDI file with {len(tracks)} tracks.", "1024 at most.")
    return header, tracks


def _smpte(division: int) -> tuple[int, Fraction]:
    """Resolution and constant bpm for a division in frames per second and ticks per frame."""
    frames, ticks = -(division >> 8), division & 255
    if frames not in (24, 25, 29, 30) or not ticks:
        raise ScoreError(f"an SMPTE division of {frames} frames and {ticks} ticks.", "There are 24, 25, 29 and 30.")
    per_second = (Fraction(30000, 1001) if frames == 29 else Fraction(frames)) * ticks
    resolution = max(1, round(per_second / 2))
    return resolution, per_second * 60 / resolution


def _parse_track(number: int, data: bytes, remarks: list[str], mended: bool = False) -> mido.MidiTrack:
    data, running = _with_status(data)
    if running:
        remarks.append(
            f"track {number + 1} of the MIDI file goes on with a running status behind a SysEx, which the standard forbids;"
            " it is read as other players read it."
        )
    framed = b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk" + len(data).to_bytes(4, "big") + data
    try:
        return mido.MidiFile(file=io.BytesIO(framed), clip=True).tracks[0]
    except EOFError:
        raise ScoreError(
            f"track {number + 1} of the MIDI file ends in the middle of a message.", "Get a complete copy of the file."
        ) from None
    except Exception as error:
        if isinstance(error, mido.KeySignatureError) and not mended:
            remarks.append(
                f"track {number + 1} of the MIDI file has a key signature that does not exist; it is read as C major."
            )
            c_major = re.sub(rb"\xff\x59\x02..", b"\xff\x59\x02\0\0", data, flags=re.DOTALL)
            return _parse_track(number, c_major, remarks, mended=True)
        if "denominator" in str(error) and not mended:
            # Whatever finer meter it says, it is left out.
            finest = re.sub(rb"(\xff\x58\x04.)[\x10-\xff]", lambda found: found[1] + b"\x10", data, flags=re.DOTALL)
            return _parse_track(number, finest, remarks, mended=True)
        # mido lets the ValueError, IndexError or OSError of whatever byte it tripped over through.
        raise ScoreError(
            f"track {number + 1} of the MIDI file is damaged ({error}).", "Get another copy, or export it again."
        ) from None


def _with_status(data: bytes) -> tuple[bytes, int]:
    """A track whose events behind a SysEx all have their status byte, and how many had not; damaged ones as they are."""
    if b"\xf0" not in data and b"\xf7" not in data:
        return data, 0
    out, position, running, behind, mended = bytearray(), 0, 0, False, 0
    try:
        while position < len(data):
            start = position
            _, position = _variable(data, position)
            status, begin = data[position], position
            if status == 0xFF:
                size, position = _variable(data, position + 2)
            elif status in (0xF0, 0xF7):
                size, position = _variable(data, position + 1)
                behind = True
            elif status > 0xF0:
                return data, 0
            else:
                if status >= 0x80:
                    running, behind, position = status, False, position + 1
                size = 1 if running >> 4 in (PROGRAM, PRESSURE) else 2
            out += data[start:begin]
            if status < 0x80 and behind:
                if not running:
                    return data, 0
                out.append(running)
                behind, mended = False, mended + 1
            out += data[begin : position + size]
            position += size
    except IndexError:
        return data, 0
    return (bytes(out), mended) if mended else (data, 0)


def _variable(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[position] & 127
        position += 1
        if data[position - 1] < 128:
            return value, position


def _assemble(tracks: list[mido.MidiTrack], resolution: int, fixed_bpm: Fraction | None, remarks: list[str]) -> Score:
    events: list[Event] = []
    marks: list[Mark] = []
    tempos = [Tempo(Fraction(0), Fraction(120))]
    meters: list[Meter] = []
    names: list[str] = []
    end = 0
    for number, track in enumerate(tracks):
        tick, port, name = 0, 0, ""
        for message in track:
            tick += message.time
            beat = Fraction(tick, resolution)
            if not message.is_meta:
                events.append(Event(tick, bytes(message.bytes()), number, port))
            elif message.type == "track_name":
                name = name or _readable(message.name)
            elif message.type == "midi_port":
                port = message.port
            elif message.type == "set_tempo":
                tempos.append(Tempo(beat, _bpm(message.tempo, number, tick)))
            elif message.type == "time_signature":
                if message.denominator <= FINEST_METER:
                    meters.append(Meter(beat, message.numerator or 4, message.denominator))
                else:
                    remarks.append(
                        f"track {number + 1} of the MIDI file sets a meter of {message.numerator}/{message.denominator} at"
                        f" tick {tick}, which is left out: bars go on as before."
                    )
            elif message.type == "key_signature":
                marks.append(Mark(tick, "key", message.key, number))
            elif message.type in _MARKS:
                words = _readable(message.text, sung=message.type in ("lyrics", "text"))
                marks.append(Mark(tick, _MARKS[message.type], words, number))
        names.append(name)
        end = max(end, tick)
    if fixed_bpm is not None:
        tempos = [Tempo(Fraction(0), fixed_bpm)]
    return Score(
        events=tuple(events),
        resolution=resolution,
        tempo=TempoMap(tuple(tempos), tuple(meters)),
        tracks=tuple(names),
        marks=tuple(sorted(marks, key=lambda mark: (mark.tick, mark.kind))),
        end=end,
        remarks=tuple(remarks),
    )


def _bpm(micros: int, track: int, tick: int) -> Fraction:
    bpm = Fraction(60_000_000, micros) if micros else None
    if bpm is None or not SLOWEST_BPM <= bpm <= FASTEST_BPM:
        speed = "infinite" if bpm is None else f"{float(bpm):.0f} bpm"
        raise ScoreError(
            f"track {track + 1} sets a tempo of {speed} at tick {tick}.",
            f"Tempos go from {SLOWEST_BPM} to {FASTEST_BPM} bpm.",
        )
    return bpm


def _readable(text: str, sung: bool = False) -> str:
    """mido reads names as Latin-1; most files today mean UTF-8. Of what is `sung` spaces part words, and line ends lines."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    if sung:
        return "".join(mark for mark in text if mark.isprintable() or mark in "\r\n")
    return "".join(mark for mark in text if mark.isprintable()).strip()


def write_midi(score: Score, path: Path | str) -> None:
    """Write a Standard MIDI File of type 1: tempo, meter and marks in a first track, then one track each.

    Tempo ramps, which MIDI does not have, become a step every sixteenth of a beat.

    Raises:
        ScoreError: its tempo or resolution is more than a MIDI file can hold.
        OutputError: the file cannot be written.
    """
    if score.resolution > FINEST_RESOLUTION:
        raise ScoreError(
            f"a resolution of {score.resolution} ticks per beat.", f"MIDI files hold {FINEST_RESOLUTION} at most."
        )
    song = mido.MidiFile(type=1, ticks_per_beat=score.resolution, charset="utf-8")
    song.tracks.append(_track(_conductor(score), score.end))
    for number, name in enumerate(score.tracks):
        messages = [(0, mido.MetaMessage("track_name", name=name))] if name else []
        port = 0
        for event in score.events:
            if event.track != number:
                continue
            if event.port != port:
                port = event.port
                messages.append((event.tick, mido.MetaMessage("midi_port", port=port)))
            messages.append((event.tick, mido.Message.from_bytes(event.data)))
        song.tracks.append(_track(messages, score.end))
    try:
        song.save(Path(path))
    except OSError as error:
        raise OutputError(f"cannot write the MIDI file: {error.strerror}.", place=Place(str(path))) from None


def _conductor(score: Score) -> list[tuple[int, mido.MetaMessage]]:
    messages = [
        (score.tick(beat), mido.MetaMessage("set_tempo", tempo=_micros(bpm))) for beat, bpm in _tempo_steps(score.tempo)
    ]
    for meter in score.tempo.meters:
        signature = mido.MetaMessage("time_signature", numerator=meter.count, denominator=meter.unit)
        messages.append((score.tick(meter.beat), signature))
    types = {kind: name for name, kind in _MARKS.items()}
    for mark in score.marks:
        if mark.kind == "key":
            messages.append((mark.tick, mido.MetaMessage("key_signature", key=mark.text)))
        else:
            messages.append((mark.tick, mido.MetaMessage(types[mark.kind], text=mark.text)))
    return messages


def _micros(bpm: float) -> int:
    micros = round(60_000_000 / bpm)
    if micros > 0xFFFFFF:
        raise ScoreError(f"a tempo of {bpm:g} bpm.", "A MIDI file can hold 3.6 bpm and more.")
    return micros


def _tempo_steps(tempo: TempoMap) -> Iterator[tuple[Fraction, float]]:
    for change, after in zip(tempo.tempos, [*tempo.tempos[1:], None], strict=True):
        yield change.beat, float(change.bpm)
        if change.ramp and after is not None:
            step = Fraction(1, 16)
            for index in range(1, int((after.beat - change.beat) / step)):
                yield change.beat + index * step, tempo.bpm_at(change.beat + index * step)


def _track(messages: list[tuple[int, mido.Message | mido.MetaMessage]], end: int) -> mido.MidiTrack:
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(messages, key=lambda pair: pair[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    return track

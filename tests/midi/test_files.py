"""Standard MIDI Files: every kind from the wild is read to the tick or refused by name, and written back the same."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.errors import MissingError, OutputError, ScoreError
from studio.midi import parse_midi, read_midi, write_midi
from studio.score import Event, Mark, Note, Score
from studio.tempo import Meter, Tempo, TempoMap
from tests.songs import MESSAGES, band, midi_file

END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x64\x83\x60\x80\x3c\x40" + END
"""Middle C for 480 ticks."""


def chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "big") + data


def smf(*tracks: bytes, kind: int = 1, division: int = 480, announced: int | None = None) -> bytes:
    """A file written out by hand."""
    count = len(tracks) if announced is None else announced
    header = kind.to_bytes(2, "big") + count.to_bytes(2, "big") + (division & 0xFFFF).to_bytes(2, "big")
    return chunk(b"MThd", header) + b"".join(chunk(b"MTrk", track) for track in tracks)


def meta(kind: int, data: bytes, wait: int = 0) -> bytes:
    return bytes((wait, 0xFF, kind, len(data))) + data


@pytest.mark.parametrize("kind", [0, 1])
def test_types_0_and_1_are_read(kind: int) -> None:
    score = parse_midi(smf(NOTE, kind=kind))
    assert score.notes == (Note(0, 480, 60, 100),)
    assert (score.resolution, score.end, float(score.length)) == (480, 480, 0.5)


def test_type_2_is_refused_with_what_to_do() -> None:
    with pytest.raises(ScoreError, match="type 2: 2 independent patterns") as caught:
        parse_midi(smf(NOTE, NOTE, kind=2))
    assert "type 0 or 1" in caught.value.mend


def test_running_status_goes_on_after_meta_events() -> None:
    track = (
        b"\x00\x90\x3c\x64\x0a\x3e\x65"
        + meta(0x01, b"hm", 5)
        + b"\x05\x40\x66\x0a\x3c\x00\x00\xb0\x07\x11\x00\x0b\x22"
        + END
    )
    score = parse_midi(smf(track))
    assert [(event.tick, event.data) for event in score.events] == [
        (0, b"\x90\x3c\x64"), (10, b"\x90\x3e\x65"), (20, b"\x90\x40\x66"), (30, b"\x90\x3c\x00"), (30, b"\xb0\x07\x11"), (30, b"\xb0\x0b\x22"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("frames", "ticks", "second"), [(24, 4, Fraction(5)), (25, 40, Fraction(480, 1000)), (29, 80, Fraction(480 * 1001, 30_000 * 80)), (30, 100, Fraction(480, 3000))]
)  # fmt: skip
def test_an_smpte_division_keeps_every_event_at_its_second(frames: int, ticks: int, second: Fraction) -> None:
    """A tempo in such a file means nothing, since its ticks are parts of a second."""
    track = meta(0x51, (10_000_000).to_bytes(3, "big")) + NOTE
    score = parse_midi(smf(track, division=-(frames << 8) + ticks))
    assert score.tempo.second_at(score.beat(480)) == second
    assert len(score.tempo.tempos) == 1


@pytest.mark.parametrize("division", [0, -(23 << 8) + 4, -(25 << 8)])
def test_a_division_that_divides_nothing_is_refused(division: int) -> None:
    with pytest.raises(ScoreError, match="division"):
        parse_midi(smf(NOTE, division=division))


def test_a_riff_wrapper_is_taken_off_and_unknown_chunks_are_passed_over() -> None:
    plain = smf(NOTE)
    riff = (
        b"RIFF" + (len(plain) + 12).to_bytes(4, "little") + b"RMID" + b"data" + len(plain).to_bytes(4, "little") + plain
    )
    strange = plain[:14] + chunk(b"XFIH", b"anything") + plain[14:] + chunk(b"XFKM", b"") + b"\0\0\0"
    assert parse_midi(riff).events == parse_midi(strange).events == parse_midi(plain).events


def test_a_file_cut_at_any_byte_is_refused_and_never_a_shorter_song(tmp_path: Path) -> None:
    write_midi(band(0.5, 3), tmp_path / "band.mid")
    whole = (tmp_path / "band.mid").read_bytes()
    for length in range(len(whole)):
        with pytest.raises(ScoreError, match=r"cut short|not a MIDI file|MIDI header"):
            parse_midi(whole[:length])
    longer = whole[:14] + whole[14:].replace(b"MTrk\0", b"MTrk\1", 1)
    with pytest.raises(ScoreError, match=r"track 1 announces \d+ bytes from byte 22, \d+ are there"):
        parse_midi(longer)


@pytest.mark.parametrize(
    ("track", "words"),
    [
        (b"\x00\x90\x3c", "track 2 of the MIDI file ends in the middle of a message"), (b"\x00\x3c\x64" + END, "track 2 of the MIDI file is damaged"),
        (b"\x00\xff\x51\x7f\x01", "ends in the middle"), (b"\xff\xff\xff", "ends in the middle"),
        (meta(0x51, b"\x00\x00\x00") + END, "track 2 sets a tempo of infinite at tick 0"),
        (b"\x83\x60" + meta(0x51, b"\x00\x00\x01")[1:] + END, "track 2 sets a tempo of 60000000 bpm at tick 480"),
        (meta(0x51, b"\x00\x75\x2f") + END, "a tempo of 2000 bpm"),
    ],
)  # fmt: skip
def test_damage_and_tempos_no_one_can_play_are_named_with_their_track(track: bytes, words: str) -> None:
    with pytest.raises(ScoreError, match=words) as caught:
        parse_midi(smf(NOTE, track))
    assert caught.value.mend


def test_files_that_are_none_are_refused_with_their_name(tmp_path: Path) -> None:
    for content, words in (
        (b"", "not a MIDI file"),
        (b"RIFF....WAVE", "not a MIDI file"),
        (smf(), "without tracks"),
        (smf(*[END] * 1025), "1025 tracks"),
    ):
        (tmp_path / "a.mid").write_bytes(content)
        with pytest.raises(ScoreError, match=words) as caught:
            read_midi(tmp_path / "a.mid")
        assert str(caught.value).startswith(str(tmp_path / "a.mid"))
    with pytest.raises(MissingError, match="No such file"):
        read_midi(tmp_path / "gone.mid")
    with (tmp_path / "huge.mid").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(ScoreError, match="more than 64 MB"):
        read_midi(tmp_path / "huge.mid")


def test_names_marks_meters_and_ports_are_read() -> None:
    track = (
        meta(0x03, "Klavier für Élise".encode()) + meta(0x03, b"second name") + meta(0x06, b"Verse") + meta(0x59, b"\xfd\x01") + meta(0x58, b"\x07\x03\x18\x08")
        + meta(0x05, b"la", 10) + meta(0x07, b"cue", 10) + meta(0x01, b"text\x00\x07") + meta(0x21, b"\x01") + NOTE
    )  # fmt: skip
    latin = meta(0x03, "Flöte".encode("latin-1")) + meta(0x58, b"\x00\x02\x18\x08") + END
    score = parse_midi(smf(track, latin))
    assert score.tracks == ("Klavier für Élise", "Flöte")
    assert score.marks == (
        Mark(0, "key", "Cm"),
        Mark(0, "marker", "Verse"),
        Mark(10, "lyric", "la"),
        Mark(20, "cue", "cue"),
        Mark(20, "text", "text"),
    )
    assert score.notes[0].port == 1
    assert parse_midi(smf(track)).tempo.meters == (Meter(Fraction(0), 7, 8),)


def test_a_key_that_does_not_exist_costs_the_key_and_not_the_song() -> None:
    score = parse_midi(smf(meta(0x59, b"\x0b\x05") + NOTE))
    assert len(score.notes) == 1 and [mark.text for mark in score.marks] == ["C"]


def test_before_the_first_tempo_it_is_120() -> None:
    """As the standard says, and as every player does."""
    late = b"\x83\x60" + meta(0x51, (1_000_000).to_bytes(3, "big"))[1:] + END
    score = parse_midi(smf(late, NOTE, b"\x87\x40" + NOTE[1:]))
    assert score.tempo.tempos == (Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(1), Fraction(60)))
    assert [float(score.tempo.second_at(score.beat(note.start))) for note in score.notes] == [0, 1.5]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tracks=st.lists(st.lists(st.tuples(st.integers(0, 20_000), MESSAGES), max_size=20), min_size=1, max_size=4))
def test_every_message_is_kept_byte_for_byte_at_its_tick(tracks: list[list[tuple[int, bytes]]], tmp_path: Path) -> None:
    path = midi_file(
        tmp_path / "a.mid",
        *([mido.Message.from_bytes(data).copy(time=wait) for wait, data in track] for track in tracks),
    )
    read = by_track(read_midi(path).events)
    for number, track in enumerate(tracks):
        ticks = np.cumsum([wait for wait, _ in track]).tolist()
        assert read[number] == list(zip(ticks, (data for _, data in track), strict=True))


def by_track(events: Iterable[Event]) -> Counter[int] | dict[int, list[tuple[int, bytes]]]:
    tracks: dict[int, list[tuple[int, bytes]]] = {number: [] for number in range(16)}
    for event in events:
        tracks[event.track].append((event.tick, event.data))
    return tracks


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 40_000), st.integers(30_000, 3_000_000)), max_size=60, unique_by=lambda change: change[0]),
    melody=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900), st.integers(1, 127)), min_size=1, max_size=40),
    resolution=st.sampled_from([24, 96, 120, 480, 960, 15_360]),
)  # fmt: skip
def test_notes_come_at_the_seconds_pretty_midi_reads(
    tmp_path: Path, changes: list[tuple[int, int]], melody: list[tuple[int, int, int]], resolution: int
) -> None:
    now, tempos = 0, []
    for tick, micros in sorted(changes):
        tempos.append(mido.MetaMessage("set_tempo", tempo=micros, time=tick - now))
        now = tick
    track = [mido.Message("program_change", channel=2, program=40)]
    for rest, length, velocity in melody:
        track.append(mido.Message("note_on", channel=2, note=60, velocity=velocity, time=rest))
        track.append(mido.Message("note_off", channel=2, note=60, time=length))
    path = midi_file(tmp_path / "a.mid", tempos, track, resolution=resolution)
    score, theirs = read_midi(path), pretty_midi.PrettyMIDI(str(path))
    ours = [
        (
            note.pitch,
            note.velocity,
            *(float(score.tempo.second_at(score.beat(tick))) for tick in (note.start, note.end)),
        )
        for note in score.notes
    ]
    [instrument] = theirs.instruments
    assert instrument.program == 40
    expected = [
        (note.pitch, note.velocity, note.start, note.end)
        for note in sorted(instrument.notes, key=lambda note: note.start)
    ]
    # pretty_midi adds up floats from change to change; ours are exact.
    assert np.allclose(ours, expected, rtol=1e-9, atol=1e-9)


def test_a_song_from_the_wild_has_the_notes_and_controllers_pretty_midi_finds(tmp_path: Path) -> None:
    """Sixteen channels, hundreds of programs, thousands of bends and controllers, dozens of tempos, all at once."""
    random = np.random.default_rng(5)
    conductor = [
        mido.MetaMessage("set_tempo", tempo=int(random.integers(200_000, 900_000)), time=960) for _ in range(60)
    ]
    tracks = []
    for channel in range(16):
        track: list[mido.Message] = [mido.MetaMessage("track_name", name=f"Part {channel}")]
        for _ in range(150):
            choice = random.integers(0, 4)
            if choice == 0:
                track.append(mido.Message("program_change", channel=channel, program=int(random.integers(128)), time=7))
            elif choice == 1:
                track.append(
                    mido.Message("pitchwheel", channel=channel, pitch=int(random.integers(-8192, 8192)), time=3)
                )
            else:
                track.append(
                    mido.Message(
                        "control_change",
                        channel=channel,
                        control=int(random.integers(1, 96)),
                        value=int(random.integers(128)),
                        time=2,
                    )
                )
            track.append(mido.Message("note_on", channel=channel, note=int(random.integers(128)), velocity=90, time=5))
            released = mido.Message("note_off", channel=channel, note=track[-1].note, time=20)
            track.append(released if random.random() < 0.5 else track[-1].copy(velocity=0, time=20))
        tracks.append(track)
    path = midi_file(tmp_path / "wild.mid", conductor, *tracks, resolution=240)
    score, theirs = read_midi(path), pretty_midi.PrettyMIDI(str(path))
    assert len(score.notes) == sum(len(instrument.notes) for instrument in theirs.instruments) == 16 * 150
    starts = sorted(note.start for instrument in theirs.instruments for note in instrument.notes)
    assert np.allclose(
        sorted(score.tempo.seconds_at(np.array([note.start for note in score.notes]) / 240)), starts, atol=1e-9
    )
    kinds = Counter(event.status for event in score.events)
    sent = Counter(message.type for track in tracks for message in track)
    assert (
        kinds[0xC] == sent["program_change"]
        and kinds[0xE] == sent["pitchwheel"]
        and kinds[0xB] == sent["control_change"]
    )


@st.composite
def scores(draw: st.DrawFn) -> Score:
    count = draw(st.integers(1, 4))
    events = draw(
        st.lists(
            st.builds(Event, st.integers(0, 5000), MESSAGES, st.integers(0, count - 1), st.integers(0, 2)), max_size=30
        )
    )
    tempos = draw(st.lists(st.tuples(st.integers(1, 5000), st.integers(30_000, 16_777_215)), max_size=8))
    meters = draw(
        st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 12), st.sampled_from([2, 4, 8, 16])), max_size=4)
    )
    words = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)
    marks = st.builds(
        Mark, st.integers(0, 5000), st.sampled_from(["marker", "cue", "lyric", "text"]), words, st.just(0)
    )
    keys = st.builds(Mark, st.integers(0, 5000), st.just("key"), st.sampled_from(["C", "Am", "F#", "Bbm"]), st.just(0))
    return Score(
        tuple(events),
        480,
        TempoMap(
            tuple(Tempo(Fraction(tick, 480), Fraction(60_000_000, micros)) for tick, micros in [(0, 500_000), *tempos]),
            tuple(Meter(Fraction(tick, 480), top, bottom) for tick, top, bottom in [(0, 4, 4), *meters]),
        ),
        tuple(draw(st.lists(st.just("") | words, min_size=count, max_size=count))),
        tuple(sorted(draw(st.lists(marks | keys, max_size=6)))),
        draw(st.integers(5000, 9000)),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(score=scores())
def test_what_is_written_is_read_again(score: Score, tmp_path: Path) -> None:
    write_midi(score, tmp_path / "a.mid")
    read = read_midi(tmp_path / "a.mid")
    assert read.tempo == score.tempo and read.resolution == score.resolution and read.end == score.end
    assert Counter(read.marks) == Counter(score.marks)
    # The tempo and the marks have a track of their own, before the others.
    assert read.tracks == ("", *score.tracks)
    for number in range(len(score.tracks)):
        ours, theirs = (
            [event for event in song.events if event.track == track]
            for song, track in ((score, number), (read, number + 1))
        )
        assert [event._replace(track=number) for event in theirs] == ours


def test_a_ramp_is_written_in_steps_that_arrive_in_time(tmp_path: Path) -> None:
    ramp = TempoMap((Tempo(Fraction(0), Fraction(60), ramp=True), Tempo(Fraction(16), Fraction(180))))
    write_midi(Score(resolution=960, tempo=ramp, end=960 * 20), tmp_path / "a.mid")
    read = read_midi(tmp_path / "a.mid")
    for beat in range(21):
        # Each of the 256 steps holds the tempo of its start for a sixteenth of a beat, which is late by half of it.
        assert float(read.tempo.second_at(Fraction(beat)) - ramp.second_at(Fraction(beat))) == pytest.approx(
            0, abs=0.025
        )


def test_what_a_midi_file_cannot_hold_is_refused_before_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match="a tempo of 2 bpm"):
        write_midi(Score(tempo=TempoMap.constant(2)), tmp_path / "a.mid")
    with pytest.raises(ScoreError, match="40000 ticks per beat"):
        write_midi(Score(resolution=40_000), tmp_path / "a.mid")
    assert not list(tmp_path.iterdir())
    with pytest.raises(OutputError, match="cannot write the MIDI file"):
        write_midi(Score(), tmp_path / "nowhere" / "a.mid")


def test_pretty_midi_reads_what_we_write_and_finds_the_same_notes(tmp_path: Path) -> None:
    song = band(6, 4)
    write_midi(song, tmp_path / "a.mid")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    assert [instrument.name for instrument in theirs.instruments] == ["Part 1", "Part 2", "Part 3", "Drums"]
    assert sorted((note.pitch, note.velocity, round(note.start * 960), round(note.end * 960)) for instrument in theirs.instruments
                  for note in instrument.notes) == sorted((note.pitch, note.velocity, note.start, note.end) for note in song.notes)  # fmt: skip

"""Projects of LMMS and sets of Ableton Live become recipes: what is read sounds, what is not is listed."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from studio.cli import main
from studio.errors import StudioError
from studio.levels import decibels
from studio.midi import read_midi
from studio.sessions.importing import import_session
from tests.listening import pitch_hz
from tests.sessions.rpp_text import RATE, imported, sounds, told

LMMS = """<?xml version="1.0"?><!-- made by a test -->
<lmms-project type="song" version="1.0" creator="LMMS" creatorversion="1.2.2">
<head timesig_numerator="3" timesig_denominator="4" mastervol="50" masterpitch="0">{bpm}</head>
<song>
<trackcontainer type="song" width="10">
 <track type="0" name="Lead" muted="0" solo="0">
  <instrumenttrack vol="50" pan="-50" fxch="1" pitch="0" basenote="57">
   <instrument name="tripleoscillator"><tripleoscillator vol0="33"/></instrument>
   <arpeggiator arp-enabled="{arp}"/><fxchain numofeffects="1" enabled="1"><effect name="ladspaeffect"><key/></effect></fxchain>
  </instrumenttrack>
  <pattern type="1" name="riff" pos="144" len="144" muted="0">
   <note key="57" vol="100" pos="0" len="48" pan="0"/><note key="60" vol="200" pos="96" len="-192" pan="0"/>
   {more}
  </pattern>
 </track>
 <track type="1" name="Beat" muted="0"><bbtrack><trackcontainer type="bbtrackcontainer">
   <track type="0" name="Kick" muted="0"><instrumenttrack vol="100" pan="0" fxch="0">
     <instrument name="sf2player"><sf2player src="x.sf2" bank="128" patch="0"/></instrument></instrumenttrack>
    <pattern type="0" pos="0" steps="12" len="0"><note key="24" vol="100" pos="0" len="-192" pan="0"/></pattern>
   </track></trackcontainer></bbtrack>
  <bbtco pos="0" len="288"/>
 </track>
 <track type="2" name="Loop" muted="0" solo="0"><sampletrack vol="100" pan="0" fxch="0"/>
  <sampletco pos="72" len="48" src="b.wav" muted="0"/></track>
 <track type="5" name="fade"><automationtrack/><automationpattern name="Volume" pos="0" len="192"><time pos="0" value="1"/></automationpattern></track>
</trackcontainer>
<fxmixer><fxchannel num="0" name="Master" volume="1" muted="0"/>
 <fxchannel num="1" name="Wide" volume="0.5" muted="0"><send channel="0" amount="1"/><send channel="2" amount="0.25"/></fxchannel>
 <fxchannel num="2" name="Room" volume="1" muted="0"><send channel="0" amount="1"/></fxchannel></fxmixer>
<timeline lp0pos="0"/>
</song></lmms-project>"""


def lmms(path: Path, *, bpm: str = '<bpm value="60" id="7"/>', arp: int = 0, more: str = "") -> Path:
    text = LMMS.format(bpm=bpm, arp=arp, more=more).encode()
    path.write_bytes(struct.pack(">I", len(text)) + zlib.compress(text) if path.suffix == ".mmpz" else text)
    return path


@pytest.mark.parametrize("ending", [".mmpz", ".mmp"])
def test_a_project_of_lmms_is_read_as_far_as_a_recipe_goes(tmp_path: Path, ending: str) -> None:
    sounds(tmp_path)
    made, sound = imported(lmms(tmp_path / f"p{ending}"))
    song = made.recipe
    assert float(song.tempo_map(None).tempos[0].bpm) == 60 and song.tempo_map(None).meters[0].count == 3
    assert list(song.tracks) == ["Lead", "Loop", "Kick"] and list(song.buses) == ["Wide", "Room"]
    lead = song.tracks["Lead"]
    assert lead.volume == pytest.approx(-6.02, abs=0.01) and lead.pan == -0.5 and lead.to == "Wide"
    assert song.buses["Wide"].volume == pytest.approx(-6.02, abs=0.01)
    assert song.buses["Wide"].send["Room"].level == pytest.approx(-12.04, abs=0.01)
    assert song.master.volume == pytest.approx(-6.02, abs=0.01)
    score = read_midi(song.folder / str(song.score))
    heard = sorted(
        (float(score.beat(n.start)), float(score.beat(n.end - n.start)), n.pitch, n.velocity) for n in score.notes
    )
    assert heard == [(0, 0.25, 36, 64), (3, 0.25, 36, 64), (3, 1, 69, 64), (5, 0.25, 72, 127)]
    assert {n.channel for n in score.notes if n.pitch == 36} == {9}
    # The sample begins at 1.5 s and plays a 440 Hz tone for a second, half as loud.
    assert pitch_hz(sound[0, round(1.6 * RATE) : round(2.4 * RATE)], RATE) == pytest.approx(440, abs=0.5)
    for what in ("tripleoscillator", "ladspaeffect", "automation", "x.sf2"):
        assert what in told(made), what
    assert "arp" not in told(made) and "timeline" not in told(made)


@pytest.mark.parametrize(
    ("more", "arp", "said"),
    [
        ('<note key="50" vol="100" pos="0" len="48" pan="30"/>', 0, "note pan 30"),
        ('<note key="50" pos="0" len="48"><detuning><automationpattern/></detuning></note>', 0, "a bend of a note"),
        ("<newthing a='1'/>", 0, "newthing a='1'"),
        ("", 1, "arpeggiator"),
    ],
)
def test_what_of_lmms_is_not_read_is_listed_with_its_place(tmp_path: Path, more: str, arp: int, said: str) -> None:
    sounds(tmp_path)
    made = import_session(lmms(tmp_path / "p.mmpz", more=more, arp=arp), tmp_path / "in" / "p.yaml")
    [loss] = [loss for loss in made.losses if said in loss.what]
    assert loss.where == "Lead"


LIVE = """<?xml version="1.0" encoding="UTF-8"?><Ableton MajorVersion="5" MinorVersion="11.0_433" Creator="Ableton Live 11">
<LiveSet><Tracks>
<MidiTrack Id="1"><Name><EffectiveName Value="Bass"/></Name><TrackGroupId Value="9"/><DeviceChain>
 <AudioOutputRouting><Target Value="AudioOut/GroupTrack"/></AudioOutputRouting>{mixer}
 <MainSequencer><ClipTimeable><ArrangerAutomation><Events>
  <MidiClip Time="4"><CurrentStart Value="4"/><CurrentEnd Value="7"/><Name Value="riff"/><Disabled Value="false"/>
   <Loop><LoopStart Value="0"/><LoopEnd Value="2"/><StartRelative Value="1"/><LoopOn Value="true"/></Loop>
   <Notes><KeyTracks><KeyTrack><MidiKey Value="40"/><Notes><MidiNoteEvent Time="0" Duration="0.5" Velocity="90" IsEnabled="true"/>
    <MidiNoteEvent Time="1" Duration="4" Velocity="80" IsEnabled="true"/><MidiNoteEvent Time="1.5" Duration="1" Velocity="1" IsEnabled="false"/>
   </Notes></KeyTrack></KeyTracks></Notes></MidiClip></Events></ArrangerAutomation></ClipTimeable></MainSequencer>
 <DeviceChain><Devices><Operator/></Devices></DeviceChain></DeviceChain></MidiTrack>
<AudioTrack Id="2"><Name><EffectiveName Value="Tone"/></Name><TrackGroupId Value="-1"/><DeviceChain>
 <AudioOutputRouting><Target Value="AudioOut/Master"/></AudioOutputRouting>{mixer}
 <MainSequencer><Sample><ArrangerAutomation><Events>
  <AudioClip Time="2"><CurrentStart Value="2"/><CurrentEnd Value="4"/><Name Value="hum"/>
   <Loop><LoopStart Value="{start}"/><LoopEnd Value="4"/><StartRelative Value="0"/><LoopOn Value="false"/></Loop>
   <SampleRef><FileRef><RelativePath Value="b.wav"/></FileRef></SampleRef><SampleVolume Value="0.5"/>
   <IsWarped Value="{warped}"/><WarpMarkers><WarpMarker SecTime="0" BeatTime="0"/><WarpMarker SecTime="1" BeatTime="{beats}"/></WarpMarkers>
   <PitchCoarse Value="{pitch}"/><PitchFine Value="0"/></AudioClip></Events></ArrangerAutomation></Sample></MainSequencer></DeviceChain></AudioTrack>
<GroupTrack Id="9"><Name><EffectiveName Value="Low"/></Name><TrackGroupId Value="-1"/><DeviceChain>
 <AudioOutputRouting><Target Value="AudioOut/Master"/></AudioOutputRouting></DeviceChain></GroupTrack>
<ReturnTrack Id="10"><Name><EffectiveName Value="A-Room"/></Name><DeviceChain/></ReturnTrack></Tracks>
<MasterTrack><DeviceChain><Mixer><Tempo><Manual Value="90"/></Tempo><TimeSignature><Manual Value="200"/></TimeSignature>
 <Volume><Manual Value="1"/></Volume></Mixer></DeviceChain></MasterTrack>
<Locators><Locators><Locator><Time Value="4"/><Name Value="Verse"/></Locator></Locators></Locators>
</LiveSet></Ableton>"""
MIXER = (
    '<Mixer><Sends><TrackSendHolder><Send><Manual Value="0.5"/></Send></TrackSendHolder></Sends><Speaker><Manual Value="true"/>'
    '</Speaker><Pan><Manual Value="0.25"/></Pan><Volume><Manual Value="0.5"/></Volume></Mixer>'
)


def live(path: Path, *, warped: str = "false", start: float = 0.5, beats: float = 1.5, pitch: int = 0) -> Path:
    text = LIVE.format(mixer=MIXER, warped=warped, start=start, beats=beats, pitch=pitch)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_a_set_of_live_is_read_as_far_as_a_recipe_goes(tmp_path: Path) -> None:
    b = sounds(tmp_path)["b"]
    made, sound = imported(live(tmp_path / "p.als"))
    song = made.recipe
    tempo = song.tempo_map(None)
    assert float(tempo.tempos[0].bpm) == 90 and (tempo.meters[0].count, tempo.meters[0].unit) == (3, 4)
    assert list(song.tracks) == ["Bass", "Tone"] and list(song.buses) == ["Low", "A-Room"]
    bass = song.tracks["Bass"]
    assert bass.to == "Low" and bass.pan == 0.25 and bass.volume == pytest.approx(-6.02, abs=0.01)
    assert bass.send["A-Room"].level == pytest.approx(-6.02, abs=0.01)
    score = read_midi(song.folder / str(song.score))
    heard = [(float(score.beat(n.start)), float(score.beat(n.end - n.start)), n.pitch, n.velocity) for n in score.notes]
    assert heard == [(4, 1, 40, 80), (5, 0.5, 40, 90), (6, 1, 40, 80)], "from the middle of its loop, round twice"
    assert [(float(score.beat(mark.tick)), mark.text) for mark in score.marks if mark.kind == "marker"] == [
        (4, "Verse")
    ]
    # An unwarped clip from 0.5 s of its file: from beat 2 to 4 at 90 bpm, at −6 dB, behind a fader at −6 dB, and panned.
    begin, end = round(4 / 3 * RATE), round(8 / 3 * RATE)
    expected = 0.25 * b[1, RATE // 2 : RATE // 2 + end - begin] * 1.5  # its own way, and the one through the room
    assert decibels(float(np.abs(sound[1, begin:end] - expected).max())) < -60
    assert "Operator" in told(made) and "what else Live keeps" in told(made)


def test_a_warped_and_pitched_clip_of_live_is_stretched_and_pitched(tmp_path: Path) -> None:
    sounds(tmp_path)
    # A second of the file lasts 2 beats, 4/3 s at 90 bpm, a fourth higher.
    _, sound = imported(live(tmp_path / "p.als", warped="true", start=0.0, beats=2.0, pitch=5))
    begin = round(4 / 3 * RATE)
    for since, until in ((0.1, 0.6), (0.9, 1.3)):
        heard = sound[1, begin + round(since * RATE) : begin + round(until * RATE)]
        assert pitch_hz(heard, RATE) == pytest.approx(440 * 2 ** (5 / 12), rel=0.003)


@pytest.mark.parametrize("ending", [".als", ".mmpz"])
def test_sets_and_projects_that_are_damaged_are_refused_with_words(tmp_path: Path, ending: str) -> None:
    sounds(tmp_path)
    whole = (live if ending == ".als" else lmms)(tmp_path / f"p{ending}").read_bytes()
    bomb = (
        gzip.compress(bytes(300 * 1024**2)) if ending == ".als" else b"\0\0\0\0" + zlib.compress(bytes(300 * 1024**2))
    )
    for content in (whole[: len(whole) // 2], b"\x1f\x8b\x08junk", b"", bomb, b"junkjunk", whole[:4] + b"<a/>"):
        (tmp_path / f"p{ending}").write_bytes(content)
        with pytest.raises(StudioError):
            import_session(tmp_path / f"p{ending}", tmp_path / "in" / "p.yaml")
        assert not (tmp_path / "in" / "p.yaml").exists()


def test_media_are_found_wherever_a_session_is_read(tmp_path: Path) -> None:
    sounds(tmp_path / "elsewhere" / "deep")
    path = lmms(tmp_path / "p.mmp")
    for words in (["check", str(path)], ["render", str(path), "-o", str(tmp_path / "out"), "--no-report"]):
        there = ["--media", str(tmp_path / "elsewhere")]
        lost, found = CliRunner().invoke(main, words), CliRunner().invoke(main, [*words, *there])
        assert "audio file 'b.wav'" in lost.output and "audio file 'b.wav'" not in found.output, words
        assert found.exit_code == 0, found.output

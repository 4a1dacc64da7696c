"""What stands in a DAWproject is heard, or listed with its place."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.errors import StudioError
from studio.levels import decibels
from studio.midi import read_midi
from studio.rendering import render
from studio.sessions.importing import import_session
from studio.sessions.recipes import Imported

RATE = 44_100
DOCUMENT = """<Project version="1.0"><Application name="a" version="1"/>
<Transport><Tempo id="t" value="120" unit="bpm"/></Transport><Structure>
<Track id="tr" name="One" contentType="audio"><Channel id="ch" role="regular" destination="m" {channel}>{devices}
<Mute id="mute" value="false"/><Volume id="v" value="1" unit="linear"/></Channel></Track>
<Track id="mt" name="Master" contentType="audio"><Channel id="m" role="master"/></Track></Structure>
<Arrangement><Lanes timeUnit="beats"><Lanes track="tr">{lanes}</Lanes></Lanes></Arrangement></Project>"""
CLIP = """<Clips><Clip time="0" duration="{beats}" contentTimeUnit="beats" name="it">{inside}</Clip></Clips>"""
AUDIO = """<Audio channels="2" sampleRate="44100" duration="4"{more}><File path="{path}"/></Audio>"""


def warped(*points: tuple[float, float], more: str = "", path: str = "audio/b.wav") -> str:
    """Audio with warps: beats and seconds."""
    marks = "".join(f'<Warp time="{beat}" contentTime="{second}"/>' for beat, second in points)
    return f'<Warps timeUnit="beats" contentTimeUnit="seconds">{AUDIO.format(more=more, path=path)}{marks}</Warps>'


def session(folder: Path, lanes: str, devices: str = "", channel: str = "") -> Path:
    """A file with one track, and 4 s of 440 Hz in it."""
    folder.mkdir(parents=True, exist_ok=True)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)
    soundfile.write(folder / "b.wav", np.stack([tone, tone]).T, RATE, subtype="FLOAT")
    with zipfile.ZipFile(folder / "s.dawproject", "w") as archive:
        archive.writestr("project.xml", DOCUMENT.format(lanes=lanes, devices=devices, channel=channel))
        archive.writestr("metadata.xml", "<MetaData/>")
        archive.write(folder / "b.wav", "audio/b.wav")
    return folder / "s.dawproject"


def imported(path: Path, **options: object) -> tuple[Imported, np.ndarray]:
    target = path.parent / "in" / "s.yaml"
    made = import_session(path, target, replace=True, **options)  # type: ignore[arg-type]
    return made, render(target, cache=False).mix.samples


def told(made: Imported) -> str:
    return " | ".join(map(str, made.losses))


def level(sound: np.ndarray, second: float) -> float:
    middle = int(second * RATE)
    return float(np.sqrt(np.mean(sound[0, middle - 2000 : middle + 2000] ** 2)) * np.sqrt(2))


def pitch(sound: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound[0] * np.hanning(sound.shape[1]))))) * RATE / sound.shape[1]


@pytest.mark.parametrize(("more", "hz"), [("", 440), (' algorithm="repitch"', 880)])
def test_warped_audio_is_stretched_as_its_warps_say(tmp_path: Path, more: str, hz: float) -> None:
    inside = warped((0, 0), (4, 4), more=more)
    made, sound = imported(session(tmp_path, CLIP.format(beats=4, inside=inside)))
    assert told(made) == "" and sound.shape[1] == 2 * RATE
    assert abs(1200 * np.log2(pitch(sound[:, RATE // 2 : -RATE // 2]) / hz)) < 5


def test_audio_with_several_warps_bends(tmp_path: Path) -> None:
    made, sound = imported(session(tmp_path, CLIP.format(beats=6, inside=warped((0, 0), (2, 2), (6, 4)))))
    [clip] = made.recipe.tracks["One"].play.clips  # type: ignore[union-attr]
    assert [float(source.seconds) for source, _ in clip.chain[1].anchors] == [0, 2, 4]
    assert [float(target.seconds) for _, target in clip.chain[1].anchors] == [0, 1, 3]
    assert sound.shape[1] == 3 * RATE and told(made) == ""


def test_curves_of_gain_pan_and_pitch_in_a_clip_are_heard(tmp_path: Path) -> None:
    def curve(what: str, *points: tuple[float, float]) -> str:
        inside = "".join(f'<RealPoint time="{time}" value="{value}" interpolation="linear"/>' for time, value in points)
        return f'<Points><Target expression="{what}"/>{inside}</Points>'

    inside = f"<Lanes timeUnit='beats'>{warped((0, 0), (8, 4))}{curve('gain', (0, 1), (8, 0.5))}{curve('pan', (0, 0), (8, 0))}"
    made, sound = imported(
        session(tmp_path, CLIP.format(beats=8, inside=inside + curve("transpose", (0, 12)) + "</Lanes>"))
    )
    assert told(made) == "" and not sound[1].any()
    assert [level(sound, at) for at in (1.0, 3.0)] == pytest.approx([0.3 * 0.875, 0.3 * 0.625], rel=0.05)
    assert abs(1200 * np.log2(pitch(sound[:, RATE:-RATE]) / 880)) < 5


def test_a_controller_that_rises_in_a_line_takes_every_step(tmp_path: Path) -> None:
    inside = (
        '<Lanes timeUnit="beats"><Notes><Note time="0" duration="4" channel="0" key="60" vel="0.8" rel="0.5"/></Notes>'
        '<Points unit="normalized"><Target expression="channelController" channel="0" controller="1"/>'
        '<RealPoint time="0" value="0" interpolation="linear"/><RealPoint time="2" value="1" interpolation="hold"/></Points></Lanes>'
    )
    imported(session(tmp_path, CLIP.format(beats=4, inside=inside)))
    score = read_midi(tmp_path / "in" / "s media" / "notes.mid")
    moved = [(float(score.beat(event.tick)), event.data[2]) for event in score.events if event.status == 0xB]
    assert [value for _, value in moved] == list(range(128))
    assert all(abs(beat - 2 * value / 127) < 0.01 for beat, value in moved)


def test_note_expressions_and_curves_of_notes_are_told(tmp_path: Path) -> None:
    points = '<Points><Target expression="{}"/><RealPoint time="0" value="1"/></Points>'
    note = f'<Note time="0" duration="1" channel="0" key="60" vel="0.8" rel="0.5">{points.format("pan")}</Note>'
    inside = f"<Lanes><Notes>{note}</Notes>{points.format('timbre')}</Lanes>"
    made, _ = imported(session(tmp_path, CLIP.format(beats=4, inside=inside)))
    said = told(made)
    assert "One: note expression (pan)" in said and "One: timbre in a clip of notes" in said


def test_mute_that_moves_is_heard(tmp_path: Path) -> None:
    lane = '<Points timeUnit="seconds"><Target parameter="mute"/><BoolPoint time="0" value="false"/><BoolPoint time="1" value="true"/></Points>'
    made, sound = imported(session(tmp_path, CLIP.format(beats=4, inside=warped((0, 0), (8, 4))) + lane))
    assert told(made) == "" and level(sound, 0.5) > 0.29 and level(sound, 1.5) < 1e-4


def test_automation_of_a_plugin_that_is_not_here_is_kept_beside_the_recipe(tmp_path: Path) -> None:
    device = (
        '<Devices><Vst3Plugin id="p" deviceID="00000000000000000000000000000009" deviceName="Nobody" deviceRole="audioFX">'
        '<Parameters><RealParameter id="q" name="Depth" parameterID="7" unit="normalized" min="0" max="1" value="0.5"/></Parameters>'
        "</Vst3Plugin></Devices>"
    )
    lane = '<Points><Target parameter="q"/><RealPoint time="0" value="0.5"/><RealPoint time="2" value="1"/></Points>'
    path = session(tmp_path, CLIP.format(beats=4, inside=warped((0, 0), (8, 4))) + lane, device)
    made, sound = imported(path)
    [step] = made.recipe.tracks["One"].chain
    assert step.bypass and abs(level(sound, 1) - 0.3) < 1e-3
    [kept] = (tmp_path / "in" / "s media").glob("*.automation.json")
    assert '"Depth"' in kept.read_text() and kept.name in told(made)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('role="regular"', 'role="regular" wobble="3"', "Channel wobble"),
        ("</Lanes></Lanes>", "</Lanes></Lanes><Wobble depth='1'/>", "Wobble"),
        ("</Structure>", "<Track name='v'><Channel id='x' role='vca'/></Track></Structure>", "VCA"),
    ],
)
def test_what_is_not_known_is_listed_and_oddities_do_not_drown_it(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = session(tmp_path, CLIP.format(beats=4, inside=warped((0, 0), (8, 4))))
    with zipfile.ZipFile(path) as archive:
        document = archive.read("project.xml").decode().replace(old, new)
    document = document.replace("<Structure>", "<Structure>" + "<Track color='orange' name='odd'/>" * 30)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("project.xml", document)
        archive.write(tmp_path / "b.wav", "audio/b.wav")
    made, _ = imported(path)
    assert said in told(made)
    assert len([loss for loss in made.losses if "orange" in loss.what]) == 1 and len(made.losses) < 6


def test_audio_outside_the_file_is_found_by_name_or_refused_with_the_reason(tmp_path: Path) -> None:
    inside = warped((0, 0), (8, 4), path="/nowhere/far.wav")
    path = session(tmp_path / "s", CLIP.format(beats=8, inside=inside))
    with pytest.raises(StudioError, match=r"far.wav.*outside"):
        import_session(path, tmp_path / "x.yaml")
    (tmp_path / "far").mkdir()
    (tmp_path / "s" / "b.wav").rename(tmp_path / "far" / "far.wav")
    _, sound = imported(path, media=tmp_path / "far")
    assert decibels(float(np.max(np.abs(sound)))) == pytest.approx(decibels(0.3), abs=0.01)


def test_the_format_s_own_devices_become_steps_by_their_units(tmp_path: Path) -> None:
    devices = """<Devices>
    <Equalizer deviceName="EQ" deviceRole="audioFX"><Band type="bell" order="2"><Freq unit="semitones" value="69"/>
    <Gain unit="decibel" value="-12"/><Q value="2"/></Band><Band type="highPass"><Freq unit="hertz" value="100"/></Band>
    <OutputGain unit="decibel" value="3"/></Equalizer>
    <Compressor deviceName="Comp" deviceRole="audioFX"><Enabled value="false"/><Threshold unit="decibel" value="-20"/>
    <Ratio unit="percent" value="75"/><Attack unit="seconds" value="0.01"/></Compressor>
    <BuiltinDevice deviceName="Odd" deviceRole="audioFX"/></Devices>"""
    made, sound = imported(session(tmp_path, CLIP.format(beats=8, inside=warped((0, 0), (8, 4))), devices))
    bell, cut, gain, comp = made.recipe.tracks["One"].chain
    assert (bell.cutoff, bell.gain, bell.q) == pytest.approx((440, -12, 2))  # type: ignore[attr-defined]
    assert cut.low_cut == 100 and gain.gain == 3  # type: ignore[attr-defined]
    assert (comp.threshold, comp.ratio, comp.attack, comp.bypass) == pytest.approx((-20, 4, 10, True))  # type: ignore[attr-defined]
    assert decibels(level(sound, 2) / 0.3) == pytest.approx(-9, abs=0.3)
    assert [loss.what for loss in made.losses] == ["device 'EQ'", "device 'Comp'", "device 'Odd'"]

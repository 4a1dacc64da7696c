"""What a render leaves on disk, read back by programs that did not write it."""

from __future__ import annotations

import json
import struct
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import studio
from studio.engine.loudness import Loudness
from studio.errors import MissingError, OutputError
from studio.recipe import Recipe
from studio.rendering.audio_writer import AudioWriter, Tags, dithered
from studio.rendering.verify import verify
from studio.rendering.waveform_summary import LOWEST_HZ, ROWS, WaveformSummarizer
from studio.tempo import TempoMap
from tests.listening import null_db, rms_db, sine, white
from tests.songs import band_file

RATE = 44_100
QUIET = Loudness(-20.0, -3.0, -2.5, (-21.0, -19.0))


@pytest.fixture
def song(tmp_path: Path) -> Recipe:
    band_file(tmp_path / "band.mid", seconds=2, parts=3)
    text = """
    {title: "Tea & <toast>", author: Somebody, license: CC0-1.0, score: band.mid, tempo: 96 bpm,
     tracks: {keys: {part: {channel: 1}, send: {room: -10 dB}}, drums: {part: {drums: true}}},
     buses: {room: {chain: [{reverb: {wet: 1, dry: 0}}]}}, tail: 2 s}
    """
    return Recipe.loads(text, tmp_path)


def probe(path: Path) -> dict[str, Any]:
    """ffprobe's view of a file."""
    words = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-count_packets", "-of", "json", str(path)]
    return json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("format", "bits", "depth"),
    [("wav", "16", -84), ("wav", "24", -132), ("wav", "32", -400), ("flac", "24", -132), ("flac", "16", -84)],
)
def test_lossless_files_hold_the_sound(song: Recipe, tmp_path: Path, format: str, bits: str, depth: float) -> None:
    turned = song.set("output.format", format).set("output.bits", bits)
    result = studio.render(turned, tmp_path / "out", report=False)
    for name, sound in (
        ("mix", result.mix),
        ("stems/keys", result.stems["keys"]),
        ("buses/room", result.buses["room"]),
    ):
        path = tmp_path / "out" / f"{name}.{format}"
        read, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE and read.shape == (result.frames, 2)
        assert null_db(read.T, sound.samples) <= depth
        stream = probe(path)["streams"][0]
        assert float(stream["duration"]) == pytest.approx(result.frames / RATE, abs=1e-5)


@pytest.mark.parametrize("format", ["ogg", "mp3"])
def test_lossy_files_hold_about_the_sound(song: Recipe, tmp_path: Path, format: str) -> None:
    result = studio.render(song.set("output.format", format), tmp_path / "out", report=False)
    read, _ = soundfile.read(tmp_path / "out" / f"mix.{format}", dtype="float32")
    assert rms_db(read) == pytest.approx(rms_db(result.mix.samples), abs=0.5)
    assert all(finding.sound for finding in verify(tmp_path / "out"))


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3"])
def test_files_are_tagged(song: Recipe, tmp_path: Path, format: str) -> None:
    studio.render(song.set("output.format", format), tmp_path / "out", report=False)
    found = probe(tmp_path / "out" / f"mix.{format}")
    tags = {**found["format"].get("tags", {}), **found["streams"][0].get("tags", {})}
    tags = {name.casefold(): value for name, value in tags.items()}
    assert tags["title"] == "Tea & <toast>" and tags["artist"] == "Somebody"
    # ffprobe shows the description of a Broadcast Wave as its comment.
    comment = soundfile.SoundFile(tmp_path / "out" / "mix.wav").comment if format == "wav" else tags.get("comment")
    assert "96 bpm, 4/4" in (comment or tags.get("description") or "")


def chunks(path: Path) -> dict[bytes, bytes]:
    content, found, place = path.read_bytes(), {}, 12
    assert content[:4] == b"RIFF" and struct.unpack("<I", content[4:8])[0] == len(content) - 8
    while place < len(content):
        name, size = content[place : place + 4], struct.unpack("<I", content[place + 4 : place + 8])[0]
        found[name] = content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    return found


def test_a_broadcast_wave_carries_its_loudness_and_its_beats(song: Recipe, tmp_path: Path) -> None:
    result = studio.render(song, tmp_path / "out", report=False)
    found = chunks(tmp_path / "out" / "mix.wav")
    assert result.manifest is not None
    entry = result.manifest.files["mix.wav"]
    bext = found[b"bext"]
    assert bext[:256].rstrip(b"\0") == b"Tea & <toast>" and struct.unpack("<H", bext[346:348])[0] == 2
    integrated, _, true_peak, _, short_term = struct.unpack("<5h", bext[412:422])
    assert integrated / 100 == pytest.approx(entry.lufs, abs=0.006)
    assert true_peak / 100 == pytest.approx(entry.true_peak_db, abs=0.006)
    assert -60 < short_term / 100 < 0
    _, _, _, _, beats, unit, count, bpm = struct.unpack("<IHHfIHHf", found[b"acid"])
    assert (unit, count, bpm) == (4, 4, 96.0) and beats == round(result.frames / RATE * 96 / 60)


def test_dither_frees_the_rounding_from_the_sound() -> None:
    soft = sine(1000, 4.0, 1.2 * 2**-15)
    steps = dithered(soft, np.random.default_rng(0)) / 32_768
    error = steps - soft
    tone = np.exp(-2j * np.pi * 3000 / RATE * np.arange(soft.shape[1]))
    # Plain rounding of so soft a tone has a third harmonic at about -109 dB; dither leaves only noise there.
    plain = np.rint(soft * 32_768) / 32_768
    assert 2 * abs((plain[0] * tone).mean()) > 10 ** (-112 / 20)
    assert 2 * abs((error[0] * tone).mean()) < 10 ** (-125 / 20)
    # A twelfth of a step squared from rounding and two from the dither: half a step of noise.
    assert rms_db(error) == pytest.approx(20 * np.log10(0.5 / 32_768), abs=0.1)
    assert not dithered(np.zeros((2, 100), np.float32), np.random.default_rng(0)).any()


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "mix.wav").write_bytes(b"older")
    writer = AudioWriter(tmp_path / "mix.wav", RATE, 2, "wav", "24", Tags(tempo=TempoMap()))
    writer.write(white(0.1))
    assert (tmp_path / "mix.wav").read_bytes() == b"older"
    writer.abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["mix.wav"]
    whole = AudioWriter(tmp_path / "mix.wav", RATE, 2, "wav", "24", Tags())
    whole.write(white(0.1))
    digest = whole.finish(QUIET)
    whole.put()
    import hashlib

    assert hashlib.sha256((tmp_path / "mix.wav").read_bytes()).hexdigest() == digest
    with pytest.raises(OutputError, match="mp3 cannot be written at 96000 Hz"):
        AudioWriter(tmp_path / "a.mp3", 96_000, 2, "mp3", "24", Tags())


def test_the_manifest_tells_what_is_needed_to_make_it_again(song: Recipe, tmp_path: Path) -> None:
    studio.render(song, tmp_path / "out", report=False)
    plain = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert Recipe.parse(plain["recipe"]).hash == plain["recipe_hash"] == song.hash
    assert {source["path"] for source in plain["sources"]} == {"band.mid", "TimGM6mb.sf2"}
    makers = {(maker["kind"], maker["name"]) for maker in plain["made_by"]}
    assert {("library", name) for name in ("mirepoix", "numpy", "pyfluidsynth", "soundfile")} <= makers
    assert {("program", name) for name in ("python", "fluidsynth", "libsndfile")} <= makers
    assert ("step", "soundfont") in makers and all(maker["version"] or maker["build"] for maker in plain["made_by"])
    assert [entry["path"] for entry in plain["entries"]] == [
        "mix.wav", "stems/keys.wav", "stems/drums.wav", "buses/room.wav",
    ]  # fmt: skip


def test_verify_finds_what_is_wrong(song: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "out"
    studio.render(song, out, report=False)
    found = {finding.path: finding for finding in verify(out)}
    assert all(finding.sound for finding in found.values()) and "sum of stems" in found
    content = (out / "stems/keys.wav").read_bytes()
    (out / "stems/keys.wav").write_bytes(content[:5000] + b"\x7f" + content[5001:])
    (out / "buses/room.wav").unlink()
    found = {finding.path: finding for finding in verify(out)}
    assert not found["stems/keys.wav"].sound and "changed" in found["stems/keys.wav"].detail
    assert not found["buses/room.wav"].sound and "gone" in found["buses/room.wav"].detail
    assert found["mix.wav"].sound
    with pytest.raises(MissingError, match="no manifest"):
        verify(tmp_path)


def test_a_second_render_touches_nothing_and_a_changed_one_only_what_changed(song: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "out"
    studio.render(song, out)
    (out / "notes.txt").write_text("mine")

    def stamps() -> dict[str, int]:
        return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.rglob("*.wav")}

    before = stamps()
    studio.render(song, out)
    assert stamps() == before
    studio.render(song.set("drums.volume", -6), out)
    changed = {path for path, stamp in stamps().items() if before[path] != stamp}
    assert changed == {"mix.wav", "stems/drums.wav"}
    renamed = song.replace(tracks={"piano": song.tracks["keys"], "drums": song.tracks["drums"]})
    studio.render(renamed, out)
    assert sorted(path.name for path in (out / "stems").iterdir()) == ["drums.wav", "piano.wav"]
    assert (out / "notes.txt").read_text() == "mine"


def test_a_stale_stem_that_somebody_changed_is_left_alone(song: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "out"
    studio.render(song, out, report=False)
    (out / "stems/keys.wav").write_bytes(b"edited by hand")
    studio.render(song.replace(tracks={"drums": song.tracks["drums"]}, buses={}), out, report=False)
    assert (out / "stems/keys.wav").read_bytes() == b"edited by hand"


def test_names_make_files_on_every_system(tmp_path: Path) -> None:
    names = ["con", "Straße 7", "straße 7", "a b", "日本"]
    tracks = {name: {"play": {"noise": {"length": "0.1 s"}}} for name in names}
    result = studio.render(Recipe(tracks=tracks), tmp_path / "out", report=False)
    assert result.manifest is not None
    files = [Path(entry.path).name for entry in result.manifest.entries[1:]]
    assert files == ["_con.wav", "Straße 7.wav", "straße 7 2.wav", "a b.wav", "日本.wav"]
    assert len({name.casefold() for name in files}) == 5


class Page(HTMLParser):
    """Counts what a report is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "audio":
            self.sources.append(str(dict(attrs)["src"]))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_shows_and_plays_every_file_and_escapes_what_users_write(song: Recipe, tmp_path: Path) -> None:
    studio.render(song, tmp_path / "out")
    page = Page()
    page.feed((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert page.sources == ["mix.wav", "stems/keys.wav", "stems/drums.wav", "buses/room.wav"]
    assert all((tmp_path / "out" / source).is_file() for source in page.sources)
    assert page.tags.count("svg") == page.tags.count("image") == 4
    assert "toast" not in page.tags and "Tea & <toast>" in page.text
    assert page.text.count("LUFS") >= 4


@pytest.mark.parametrize("hz", [100.0, 1000.0, 8000.0])
def test_the_spectrogram_shows_a_tone_in_its_row(hz: float) -> None:
    from io import BytesIO

    from PIL import Image

    sketcher = WaveformSummarizer(RATE, 2)
    sketcher.push(sine(hz, 2.0))
    sketch = sketcher.draw()
    image = np.asarray(Image.open(BytesIO(sketch.spectrum)).convert("L"))
    brightest = ROWS - 1 - int(np.argmax(image[:, image.shape[1] // 2]))
    expected = (ROWS - 1) * np.log(hz / LOWEST_HZ) / np.log(18_000 / LOWEST_HZ)
    assert abs(brightest - expected) <= 2
    assert sketch.loudness.peak_db == pytest.approx(-6.02, abs=0.01)
    assert max(high for _, high in sketch.outline) == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("frames", [300, 4_410, 1_000_003])
def test_an_outline_is_as_fine_as_a_picture_for_sounds_of_any_length_and_in_any_blocks(frames: int) -> None:
    sound = np.random.default_rng(5).uniform(-0.5, 0.5, (2, frames)).astype(np.float32)
    sound[0, -1] = 0.9
    drawn = []
    for size in (frames, 4_097):
        sketcher = WaveformSummarizer(RATE, 2)
        for start in range(0, frames, size):
            sketcher.push(sound[:, start : start + size])
        drawn.append(sketcher.draw())
    assert drawn[0].outline == drawn[1].outline and drawn[0].step == drawn[1].step
    step, outline = drawn[0].step, drawn[0].outline
    assert len(outline) == -(-frames // step) and min(frames, 600) <= len(outline) <= 1201
    expected = [(sound[:, at : at + step].min(), sound[:, at : at + step].max()) for at in range(0, frames, step)]
    assert np.allclose(outline, expected, atol=1e-4)

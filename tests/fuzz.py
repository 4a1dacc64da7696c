"""Fuzzers over every format that is read, for as long as one likes: `python -m tests.fuzz --minutes 2 [FORMAT …]`.

Good files are bent, cut and filled with lies, and given to the commands that read them. Each is read or refused by name: a
command that ends in a mistake of the studio itself, or prints a character that acts, is a find, and so is a process that
dies. Finds are kept in a folder, with what was said of them. CI runs the short form, tests/test_fuzz.py.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import io
import json
import math
import multiprocessing
import os
import random
import shutil
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np
import soundfile
from click.testing import CliRunner

import studio
from studio.cli import main as command
from studio.context import RenderContext
from studio.live.control import OscControl, message
from studio.midi import write_midi
from studio.recipe import Recipe
from studio.sources.fonts import find_font
from tests.attacks.test_corpus import hidden
from tests.sessions.test_lmms_and_live import live, lmms
from tests.songs import band
from tests.test_fuzz import mangled_bytes, mangled_text, seeds
from tests.wild import mutated

SHIPPED = Path(__file__).parents[1] / "presets"
AUDIO = {
    "wav": "FLOAT", "aiff": "PCM_24", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "caf": "PCM_16", "au": "PCM_16", "w64": "PCM_16",
}  # fmt: skip
SONG = {
    "recipe": 1, "score": "band.mid", "length": "0.5 s", "buses": {"room": {"chain": ["reverb"]}},
    "tracks": {
        "keys": {"part": "all", "volume": [["0 s", -6], ["0.4 s", 0]], "send": {"room": -12}},
        "loop": {"play": {"clips": {"clips": [{"file": "a.wav", "fade_in": "10 ms"}]}}, "chain": [{"eq": {"low_cut": 80}}]},
    },
}  # fmt: skip
LYING = (
    "../x",
    "/etc/passwd",
    "\x1b[2J",
    "\u202e",
    "-1",
    "nan",
    "1e309",
    "9" * 40,
    "",
    "true",
    "\x00",
    "<",
    "&#0;",
    "]]>",
    "0x",
    "é" * 300,
)


@dataclass(frozen=True)
class Format:
    """What is bent, and what reads it.

    Attributes:
        file: what it is called in the folder in which the commands run.
        wholes: good files of it.
        words: the commands; `FILE` stands for the file. Without any, `feed` reads it.
        bend: makes a bad file of a good one.
    """

    file: str
    wholes: tuple[bytes, ...]
    words: tuple[tuple[str, ...], ...] = ()
    bend: Callable[[bytes, random.Random], bytes] = mangled_bytes
    feed: Callable[[bytes], object] | None = None


def formats(desk: Path) -> dict[str, Callable[[], Format]]:
    """Every format by name; `desk` is a folder for the good files, and what they need beside them."""
    soundfile.write(desk / "a.wav", _hiss(), 44_100)
    write_midi(band(2, 3), desk / "band.mid")
    new = ("new", "new.yaml", "--from", "FILE", "--media", str(desk), "--anywhere")

    def session(form: str, pattern: str, bend: Callable[[bytes, random.Random], bytes]) -> Format:
        (desk / "song.yaml").write_text(json.dumps(SONG))
        studio.export_session(desk / "song.yaml", desk / form, form, cache=False)
        path = next((desk / form).rglob(pattern))
        return Format(f"evil.{path.suffix[1:]}", (path.read_bytes(),), (new,), bend)

    known: dict[str, Callable[[], Format]] = {
        "recipe": lambda: Format("evil.yaml", tuple(text.encode() for text in seeds()), (("check", "FILE"),), bent_text),
        "preset": lambda: Format(
            "evil.yaml", tuple(path.read_bytes() for path in sorted((SHIPPED / "chains").glob("*.yaml"))), (("preset", "show", "FILE"),), bent_text
        ),
        "midi": lambda: Format(
            "evil.mid", ((desk / "band.mid").read_bytes(), (SHIPPED / "recipes" / "demo.mid").read_bytes()), (("check", "song.yaml", "--score", "FILE"),)
        ),
        "sysex": lambda: Format("evil.mid", (_sysex(desk),), (("check", "song.yaml", "--score", "FILE"),)),
        "soundfont": lambda: Format("evil.sf2", (find_font("gm", RenderContext()).read_bytes(),), (("render", "font.yaml", "-o", "out", "--no-cache", "--no-report"),), bent_font),
        "dawproject": lambda: session("dawproject", "*.dawproject", bent_archive),
        "reaper": lambda: session("reaper", "*.rpp", bent_text),
        "ardour": lambda: session("ardour", "*.ardour", bent_text),
        "live": lambda: Format("evil.als", (live(desk / "p.als").read_bytes(),), (new,), bent_gzip),
        "lmms": lambda: Format("evil.mmp", (lmms(desk / "p.mmp").read_bytes(),), (new,), bent_text),
        "pack": lambda: Format("evil.studio", (_pack(desk),), (("preset", "install", "FILE"),), bent_archive),
        "voice": lambda: Format("evil.voice", ((SHIPPED / "voices" / "flute.voice").read_bytes(),), (("check", "voice.yaml"),), bent_model),
        "spectral": lambda: Format("evil.spectral", ((SHIPPED / "models" / "orchestra.spectral").read_bytes(),), (("check", "spectral.yaml"),), bent_model),
        "manifest": lambda: Format("manifest.json", (_manifest(desk),), (("verify", "."), ("player", ".")), bent_json),
        "osc": lambda: Format("packet", _packets(), bend=mangled_bytes, feed=_osc()),
    }  # fmt: skip
    for ending, subtype in AUDIO.items():
        known[ending] = lambda ending=ending, subtype=subtype: Format(  # type: ignore[misc]
            f"evil.{ending}", (_audio(desk, ending, subtype),), (("apply", "gain", "FILE", "-o", "out.wav"),)
        )
    return known


def bent_text(content: bytes, luck: random.Random) -> bytes:
    """Lines moved, cut and doubled, values exchanged for lies; now and then bytes."""
    if luck.random() < 0.15:
        return mangled_bytes(content, luck)
    text = content.decode("utf-8", "replace")
    for _ in range(luck.choice([0, 1, 2])):
        text = mangled_text(text or " ", luck)
    for _ in range(luck.choice([0, 1, 1, 3])):
        words = text.split('"')
        if len(words) > 2 and luck.random() < 0.7:  # an attribute of XML, or a text in quotes
            words[luck.randrange(1, len(words), 2) if len(words) > 3 else 1] = luck.choice(LYING)
            text = '"'.join(words)
        else:
            cut = luck.randrange(len(text) + 1)
            text = text[:cut] + luck.choice(LYING) + text[cut + luck.randrange(8) :]
    return text.encode("utf-8", "surrogatepass")


def bent_json(content: bytes, luck: random.Random) -> bytes:
    """Values of JSON exchanged for others, or its text bent."""
    if luck.random() < 0.3:
        return bent_text(content, luck)
    return json.dumps(mutated(json.loads(content), luck)).encode()


def bent_gzip(content: bytes, luck: random.Random) -> bytes:
    """What is packed is bent, or the packing itself."""
    return (
        mangled_bytes(content, luck)
        if luck.random() < 0.2
        else gzip.compress(bent_text(gzip.decompress(content), luck), 1)
    )


def bent_archive(content: bytes, luck: random.Random) -> bytes:
    """A member of an archive is bent, or called something else, or the archive itself is bent."""
    if luck.random() < 0.2:
        return mangled_bytes(content, luck)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as whole,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bent,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of names that come twice
        members = {name: whole.read(name) for name in whole.namelist()}
        chosen = luck.choice([name for name in members if not name.endswith((".wav", ".flac"))])
        fresh = bent_text(members[chosen], luck)
        if chosen != "pack.json" and "pack.json" in members and luck.random() < 0.8:  # a card that fits what it carries
            card = json.loads(members["pack.json"])
            for each in card["files"]:
                if each["path"] == chosen:
                    each |= {"bytes": len(fresh), "sha256": hashlib.sha256(fresh).hexdigest()}
            members["pack.json"] = json.dumps(card).encode()
        members[chosen] = fresh
        for name, held in members.items():
            called = luck.choice(LYING).replace("\x00", "") or "x" if luck.random() < 0.03 else name
            bent.writestr(called, held)
    return out.getvalue()


def bent_model(content: bytes, luck: random.Random) -> bytes:
    """The header of a safetensors file is bent and its length made to fit; or bytes of the whole are."""
    size = int.from_bytes(content[:8], "little")
    if luck.random() < 0.3:
        return mangled_bytes(content[: 8 + size + 4_000], luck) + content[8 + size + 4_000 :]
    header = bent_json(content[8 : 8 + size], luck)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def bent_font(content: bytes, luck: random.Random) -> bytes:
    """Bytes of the tables that stand behind the sounds are bent, or of the head."""
    tables = content.rindex(b"pdta") if luck.random() < 0.8 else 0
    return content[:tables] + mangled_bytes(content[tables:], luck)


def _hiss() -> np.ndarray[Any, Any]:
    return (np.random.default_rng(1).standard_normal((4_410, 2)) * 0.1).astype(np.float32)


def _audio(desk: Path, ending: str, subtype: str) -> bytes:
    soundfile.write(desk / f"b.{ending}", _hiss(), 44_100, subtype)
    return (desk / f"b.{ending}").read_bytes()


def _sysex(desk: Path) -> bytes:
    file, track = mido.MidiFile(type=0), mido.MidiTrack()
    file.tracks.append(track)
    for data in (
        (0x7E, 0x7F, 9, 1),
        (0x41, 0x10, 0x42, 0x12, 0x40, 0, 0x7F, 0, 0x41),
        (0x43, 0x10, 0x4C, 0, 0, 0x7E, 0),
        (0x7F, 0x7F, 4, 1, 0, 0x40),
    ):
        track.append(mido.Message("sysex", data=data, time=5))
    for note in range(60, 72):
        track += [mido.Message("note_on", note=note, time=0), mido.Message("note_off", note=note, time=120)]
    file.save(desk / "sysex.mid")
    return (desk / "sysex.mid").read_bytes()


def _pack(desk: Path) -> bytes:
    (desk / "song.yaml").write_text(json.dumps(SONG))
    studio.pack(Recipe.load(desk / "song.yaml"), desk / "good.studio")
    return (desk / "good.studio").read_bytes()


def _manifest(desk: Path) -> bytes:
    song = {"recipe": 1, "length": "0.1 s", "tracks": {"a": {"play": "noise"}}}
    studio.render(Recipe.parse(song), desk / "render", cache=False)
    return (desk / "render" / "manifest.json").read_bytes()


def _packets() -> tuple[bytes, ...]:
    plain = (
        message("/knob/dust", 0.5),
        message("/get/dust"),
        message("/mute/a", 1),
        message("/locate", 2.5),
        message("/list"),
        message("/learn/x", "y"),
    )
    bundle = b"#bundle\0" + bytes(8) + b"".join(len(each).to_bytes(4, "big") + each for each in plain)
    return (*plain, bundle)


def _osc() -> Callable[[bytes], object]:
    control = OscControl(dict)  # type: ignore[arg-type, return-value]
    return lambda packet: control.take(packet, ("127.0.0.1", 9))


def lay(desk: Path) -> None:
    """What the commands need beside the file in question."""
    soundfile.write(desk / "a.wav", _hiss(), 44_100)
    write_midi(band(1, 2), desk / "band.mid")
    for path in [*(SHIPPED / "recipes").iterdir()]:
        if path.suffix != ".yaml":
            (desk / path.name).write_bytes(path.read_bytes())
    any_part = {"part": {"channel": 1, "optional": True}}
    songs: dict[str, Any] = {
        "song": {"tracks": {"a": {"part": "all"}, "b": {"play": {"noise": {"length": "0.1 s"}}}}},
        "font": {"score": "band.mid", "length": "0.2 s", "tracks": {"a": any_part | {"part": "all", "play": {"soundfont": {"file": "evil.sf2"}}}}},
        "voice": {"length": "0.1 s", "tracks": {"a": {"play": {"audio": "a.wav"}, "chain": [{"sing": "evil.voice"}]}}},
        "spectral": {"length": "0.1 s", "tracks": {"a": {"play": {"audio": "a.wav"}, "chain": [{"latent": "evil.spectral"}]}}},
    }  # fmt: skip
    for name, song in songs.items():
        (desk / f"{name}.yaml").write_text(json.dumps({"recipe": 1, **song}))


def fuzz(name: str, seconds: float, seed: int, keep: Path, most: float = math.inf) -> tuple[int, int, int]:
    """Bad files of one format for so long, and `most` at most: how many there were, how many of them were read, and how many are finds."""
    luck, tried, read, found = random.Random(f"{name} {seed}"), 0, 0, 0
    runner = CliRunner()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as room:
        good, desk = Path(room, "good"), Path(room, "desk")
        good.mkdir()
        desk.mkdir()
        os.environ |= {"STUDIO_PRESETS": f"{room}/presets", "STUDIO_CACHE": f"{room}/cache", "HOME": room}
        form = formats(good)[name]()
        lay(desk)
        if (good / "render").exists():
            shutil.copytree(good / "render", desk, dirs_exist_ok=True)
        laid = {each.name for each in desk.iterdir()}
        os.chdir(desk)
        end = time.monotonic() + seconds
        while time.monotonic() < end and tried < most:
            whole = luck.choice(form.wholes)
            content = form.bend(whole, luck) if tried else whole
            tried += 1
            (desk / form.file).write_bytes(content)
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"last-{name}").write_bytes(content)  # still there if the process dies of it
            shutil.rmtree(f"{room}/presets", ignore_errors=True)
            said, fine = "", True
            if form.feed is not None:
                try:
                    form.feed(content)
                    read += 1
                except Exception as error:
                    said, fine = repr(error), False
            for words in form.words:
                for made in [each for each in desk.iterdir() if each.name not in (*laid, form.file)]:
                    shutil.rmtree(made) if made.is_dir() else made.unlink()
                told = runner.invoke(command, [form.file if word == "FILE" else word for word in words])
                read += told.exit_code == 0
                if told.exit_code not in ((0, 1, 2) if tried > 1 else (0,)) or hidden(told.output):
                    said, fine = (
                        f"{' '.join(words)}: exit {told.exit_code}, {hidden(told.output)}\n{told.output[-1500:]}",
                        False,
                    )
            if not fine:
                found += 1
                mark = hashlib.sha256(said.encode()).hexdigest()[:8]
                (keep / f"{name}-{mark}-{form.file}").write_bytes(content)
                (keep / f"{name}-{mark}.txt").write_text(said, "utf-8", "surrogateescape")
        with contextlib.suppress(FileNotFoundError):
            (keep / f"last-{name}").unlink()
        os.chdir("/")
    return tried, read, found


def _apart(name: str, seconds: float, seed: int, keep: Path, answer: Any) -> None:
    answer.put(fuzz(name, seconds, seed, keep))


def main() -> int:
    """Fuzz the formats named, each in a process of its own, and print a table of what came of it."""
    with tempfile.TemporaryDirectory() as room:
        names = list(formats(Path(room)))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(names)}; all if none is named")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each format")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="the same one bends the same files the same way"
    )
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="the folder for finds")
    asked = parser.parse_args()
    print(f"seed {asked.seed}\n{'format':<12}{'files':>9}{'read':>9}{'finds':>7}")
    bad, spawn = 0, multiprocessing.get_context("spawn")
    for name in asked.formats or names:
        answer = spawn.SimpleQueue()
        process = spawn.Process(
            target=_apart, args=(name, 60 * asked.minutes, asked.seed, asked.keep.absolute(), answer)
        )
        process.start()
        process.join()
        tried, read, found = (0, 0, 1) if process.exitcode or answer.empty() else answer.get()
        died = f"  died ({process.exitcode}); see last-{name}" if process.exitcode else ""
        print(f"{name:<12}{tried:>9}{read:>9}{found:>7}{died}", flush=True)
        bad += found
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Hostile files of every format we read, made by code: each a name, the file's own name, and its content."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import pickle
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVIL = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\nerror: forged\r\u2028\u200b"
PATHS = (
    "../canary.wav", "../../canary.wav", "{home}/canary.wav", "a/../../canary.wav", "..\\canary.wav", "C:\\canary.wav",
    "\\\\host\\share\\canary.wav", "~/canary.wav", "file://{home}/canary.wav", "/dev/zero", "/proc/self/mem", ".", "..", "/",
    "canary.wav\n", "\x1b[2J.wav", "con", "-o", "$(touch {home}/run)", "`touch {home}/run`", "; touch {home}/run", "%2e%2e/canary.wav",
    "x" * 300 + ".wav", "é" * 150 + ".wav", "a/" * 3_000 + "x.wav",
)  # fmt: skip
"""`{home}` is a folder with things that are none of anybody's business."""

TAGS = (
    "!!python/object/apply:os.system ['touch {home}/run']", "!!python/object/new:os.system ['touch {home}/run']",
    "!!python/name:os.system", "!!python/module:os", "!!python/object:studio.recipe.Recipe {{}}", "!run x", "!!binary AAAA",
    "!!python/object/apply:subprocess.Popen [['touch', '{home}/run']]", "!include {home}/canary.wav", "!!set {{a}}",
)  # fmt: skip
TOUGH = (
    "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [{', '.join(['*' + ('a' if not n else f'b{n - 1}')] * 9)}]\n" for n in range(9)),
    "[" * 5_000, "{a: " * 500, "a: " + "9" * 100_000, "a: 1e999999999", "<<: *x", "? [a, b]\n: c", "%YAML 9.9\n---\na: b", "---\n---\na: b",
    "\x00", "\ufeff\ufeff", "a: \ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "a: 0x" + "f" * 5_000, "- 1", "null", "tracks: []",
    "tracks: {a: &x {play: noise, chain: *x}}", f"{json.dumps(EVIL)}: {json.dumps(EVIL)}", f"title: {json.dumps(EVIL)}",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """A file that wants more than to be read.

    Attributes:
        name: of the attack.
        file: what it is called.
        content: its bytes, or for a folder its files.
        words: the commands to give it to; `FILE` stands for it.
    """

    name: str
    file: str
    content: bytes | dict[str, bytes]
    words: tuple[tuple[str, ...], ...]


CHECK = ("check", "FILE")
RENDER = ("render", "FILE", "-o", "out", "--no-cache", "--no-report")


def attacks(home: Path) -> Iterator[Attack]:
    """All of them; `home` is where the canary lives."""
    for family in (_recipes, _presets, _packs, _models, _manifests, _dawprojects, _reapers, _ardours, _scores):
        for number, (name, content, file, words) in enumerate(family(str(home))):
            yield Attack(f"{family.__name__[1:]}-{number}-{name}", file, content, words)


Made = Iterator[tuple[str, Any, str, tuple[tuple[str, ...], ...]]]


def _song(**changes: Any) -> bytes:
    track = {"play": {"noise": {"length": "0.1 s"}}, **changes.pop("track", {})}
    return json.dumps(
        {"recipe": 1, "length": "0.1 s", "tracks": {changes.pop("called", "a"): track}, **changes}
    ).encode()


def _recipes(home: str) -> Made:
    for path in (each.format(home=home) for each in PATHS):
        for name, content in (
            ("audio", _song(track={"play": {"audio": path}})), ("score", _song(score=path)),
            ("font", _song(score="../s.mid", track={"play": {"soundfont": {"file": path}}})),
            ("preset", _song(track={"chain": [{"preset": path}]})), ("plugin", _song(track={"chain": [{"plugin": {"file": path}}]})),
            ("strip", _song(called=path)),
        ):  # fmt: skip
            yield f"{name}", content, "song.yaml", (CHECK, RENDER)
    for tag in TAGS:
        yield "tag", f"recipe: 1\ntitle: {tag.format(home=home)}\ntracks: {{}}\n".encode(), "song.yaml", (CHECK,)
    for text in TOUGH:
        yield "tough", text.encode(), "song.yaml", (CHECK,)
    yield (
        "trust",
        _song(track={"chain": [{"torchscript": {"model": "x.ts", "trusted": True}}]}),
        "song.yaml",
        (CHECK, RENDER),
    )


def _presets(home: str) -> Made:
    for text in (*(tag.format(home=home) for tag in TAGS), *TOUGH):
        yield (
            "preset",
            f"preset: 1\nchain: {text}\n".encode(),
            "evil.yaml",
            (("preset", "show", "FILE"), ("apply", "FILE", "a.wav", "b.wav")),
        )


def _zip(members: dict[str, bytes], links: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name.replace("\x00", ""))
            info.external_attr = (0o120777 if links and name != "pack.json" else 0o100644) << 16
            archive.writestr(info, content)
    return out.getvalue()


def _pack(members: dict[str, bytes], *, links: bool = False, **changes: Any) -> bytes:
    files = [
        {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "license": ""}
        for name, content in members.items()
    ]
    about = {"name": "x", "title": "x", "author": "x", "license": "x", "story": "x", "recipe_hash": "0" * 64}
    card = {"pack": 1, **about, "files": files, **changes}
    return _zip({"pack.json": json.dumps(card).encode(), **members}, links)


def _packs(home: str) -> Made:
    install = (("preset", "install", "FILE"),)
    song = _song()
    for path in (each.format(home=home) for each in PATHS):
        yield "member", _pack({"recipe.yaml": song, path: b"x"}), "evil.studio", install
        yield "asset", _pack({"recipe.yaml": _song(track={"play": {"audio": path}})}), "evil.studio", install
        yield (
            "plugin",
            _pack({"recipe.yaml": _song(track={"chain": [{"plugin": {"file": path}}]})}),
            "evil.studio",
            install,
        )
    link = {"recipe.yaml": song, "assets/" + "0" * 16 + "-a.wav": f"{home}/canary.wav".encode()}
    yield "link", _pack(link, links=True), "evil.studio", install
    for text in TOUGH:
        yield "recipe", _pack({"recipe.yaml": text.encode()}), "evil.studio", install
    for changes in (
        {"pack": 99}, {"pack": "1"}, {"files": None}, {"files": [{}]}, {"files": [{"path": "recipe.yaml", "bytes": -1, "sha256": ""}]},
        {"files": [{"path": "recipe.yaml", "bytes": 1 << 62, "sha256": "0" * 64}]}, {"title": EVIL}, {"title": {"a": 1}}, {"name": None},
        {"files": [{"path": "recipe.yaml", "bytes": len(song), "sha256": "0" * 64}]},
    ):  # fmt: skip
        yield "card", _pack({"recipe.yaml": song}, **changes), "evil.studio", install
    whole = _pack({"recipe.yaml": song})
    for cut in range(1, len(whole), len(whole) // 12):
        yield "cut", whole[:cut], "evil.studio", install
        yield "bent", whole[:cut] + bytes(9) + whole[cut + 9 :], "evil.studio", install
    yield "bomb", _pack({"recipe.yaml": b"#" * 5_000_000}), "evil.studio", install


class _Run:
    def __init__(self, home: str) -> None:
        self.command = f"touch {home}/run"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        import os

        return os.system, (self.command,)


def _models(home: str) -> Made:
    evil = pickle.dumps(_Run(home))
    card = json.dumps({"kind": "voice", "version": 1, "name": EVIL, "shape": {}})
    contents = [
        evil, pickle.dumps(_Run(home), 0), _zip({"archive/data.pkl": evil, "archive/version": b"3"}), b"", b"\x80\x02", b"\x00" * 8,
        struct.pack("<Q", 2**63), struct.pack("<Q", 2**40) + b"{}", struct.pack("<Q", 5) + b"{" * 5, b"PK\x03\x04",
    ]  # fmt: skip
    for header in (
        {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}, {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}},
        {"__metadata__": {"card": card}}, {"__metadata__": {"card": "[" * 50_000}}, {"__metadata__": {"card": "{}"}}, {"__metadata__": {"card": "null"}},
    ):  # fmt: skip
        text = json.dumps(header).encode()
        contents.append(struct.pack("<Q", len(text)) + text + bytes(4))
    for content, (ending, step) in itertools.product(
        contents, (("voice", "sing"), ("spectral", "latent"), ("ts", "torchscript"))
    ):
        song = _song(track={"chain": [{step: f"m.{ending}"}]})
        yield ending, {f"m.{ending}": content, "song.yaml": song}, "song.yaml", (CHECK, RENDER)


def _manifests(home: str) -> Made:
    both = (("verify", "."), ("player", "."))
    for path in (each.format(home=home) for each in PATHS):
        entry = {
            "path": path,
            "role": "mix",
            "name": EVIL,
            "sha256": "0" * 64,
            "bytes": 1,
            "lufs": 0,
            "true_peak_db": 0,
            "peak_db": 0,
        }
        plain = {
            "manifest": 2,
            "title": EVIL,
            "rate": 44100,
            "frames": 1,
            "recipe": {},
            "recipe_hash": "0" * 64,
            "entries": [entry],
            "sources": [],
            "made_by": [],
            "remarks": [],
        }
        yield "path", {"manifest.json": json.dumps(plain).encode()}, "manifest.json", both
    for text in (
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        '{"manifest": 1e999}',
        '{"manifest": NaN}',
        '{"frames": ' + "9" * 5_000 + "}",
        json.dumps(EVIL),
    ):
        yield "tough", {"manifest.json": text.encode()}, "manifest.json", both


XML = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{home}/canary.wav">]><{root}>&e;</{root}>',
    '<?xml version="1.0" encoding="UTF-x"?><{root}/>', '<?xml version="1.0" encoding="utf-7"?><{root}/>', '<?xml version="1.0" encoding="hex"?><{root}/>',
    '<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><{root}/>',
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY a{n} "{("&a;" if not n else f"&a{n - 1};") * 10}">' for n in range(9)) + "]><{root}>&a8;</{root}>",
    "<{root}>" * 20_000, "<{root}", "", "\x00", "<{root} version='\x1b[2J'/>", "<{root} xmlns:x='y'><x:z/></{root}>", "<{root} version='3000' rate='nan' sample-rate='1e99'/>",
)  # fmt: skip


def _dawprojects(home: str) -> Made:
    words = (CHECK, ("new", "new.yaml", "--from", "FILE"))
    for text in XML:
        yield (
            "xml",
            _zip(
                {
                    "project.xml": text.replace("{home}", home).replace("{root}", "Project").encode(),
                    "metadata.xml": b"<MetaData/>",
                }
            ),
            "evil.dawproject",
            words,
        )
    for path in (each.format(home=home) for each in PATHS):
        quoted = (
            path.replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace('"', "&quot;")
            .replace("\x1b", "")
            .replace("\n", "&#10;")
        )
        project = (
            f'<Project version="1.0"><Application name="x" version="1"/><Transport><Tempo value="120" unit="bpm"/></Transport><Structure><Track id="t" name="a" contentType="audio">'
            f'<Channel id="c" role="regular"/></Track></Structure><Arrangement><Lanes timeUnit="beats"><Lanes track="t"><Clips><Clip time="0" duration="4"><Audio duration="1" channels="1" sampleRate="44100">'
            f'<File path="{quoted}"/></Audio></Clip></Clips></Lanes></Lanes></Arrangement></Project>'
        )
        yield "path", _zip({"project.xml": project.encode(), path: b"x"}), "evil.dawproject", words
        yield (
            "outside",
            _zip({"project.xml": project.replace("<File path", '<File external="true" path').encode()}),
            "evil.dawproject",
            words,
        )


def _reapers(home: str) -> Made:
    words = (("new", "new.yaml", "--from", "FILE"),)
    for path in (each.format(home=home) for each in PATHS):
        text = f'<REAPER_PROJECT 0.1 "7"\n  TEMPO 120 4 4\n  <TRACK\n    NAME "{path}"\n    <ITEM\n      POSITION 0\n      LENGTH 1\n      <SOURCE WAVE\n        FILE "{path}"\n      >\n    >\n  >\n>\n'
        yield "path", text.encode(), "evil.rpp", words
    for text in (
        "<REAPER_PROJECT\n" + "<A\n" * 20_000,
        "",
        "\x00",
        "<REAPER_PROJECT",
        f"<REAPER_PROJECT\nTITLE {EVIL}\n>",
        "<REAPER_PROJECT\nTEMPO 0 0 0\n>",
        "<REAPER_PROJECT\nTEMPO 1e999 nan -1\n>",
    ):
        yield "tough", text.encode(), "evil.rpp", words


def _ardours(home: str) -> Made:
    words = (("new", "new.yaml", "--from", "FILE"),)
    for text in XML:
        yield "xml", text.replace("{home}", home).replace("{root}", "Session").encode(), "evil.ardour", words


def _scores(home: str) -> Made:
    words = (("new", "new.yaml", "--from", "FILE"),)
    head = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 96)
    for content in (
        b"", b"MThd", head, head + b"MTrk" + struct.pack(">I", 0xFFFFFFFF), head + b"MTrk\x00\x00\x00\x08\x00\xff\x03\xff\xff\xff\x7f\x00",
        head + b"MTrk" + struct.pack(">I", 80) + b"\x00\xff\x03\x40" + EVIL.encode()[:64].ljust(64, b".") + b"\x00\xff\x2f\x00",
        b"MThd" + struct.pack(">IHHH", 6, 1, 65_535, 0), b"RIFF" + bytes(64), bytes(1000), b"\xff" * 1000,
    ):  # fmt: skip
        yield "midi", content, "evil.mid", words

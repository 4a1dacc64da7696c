"""Manifests that somebody wrote or broke: named errors or honest findings, and nothing from outside the folder."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import studio
from studio.errors import MissingError, Problems, StudioError
from studio.recipe import Recipe
from studio.rendering.manifest import MANIFEST, Manifest
from studio.rendering.player.page import write_player
from studio.rendering.verify import verify
from tests.wild import mutated, torn

SECRET = b"nobody's business but its owner's"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A render of a tenth of a second, beside a file that is not part of it."""
    folder = tmp_path_factory.mktemp("wild")
    tracks = {
        name: {"play": {"noise": {"length": "0.1 s", "seed": seed}}} for seed, name in enumerate(("hiss", "wind"))
    }
    song = Recipe.parse({"recipe": 1, "title": "Wild", "rate": 8000, "output": {"bits": 16}, "tracks": tracks})
    studio.render(song, folder / "out", report=False, cache=False)
    (folder / "secret.wav").write_bytes(SECRET)
    (folder / "out" / "link.wav").symlink_to(folder / "secret.wav")
    return folder / "out"


def said(error: StudioError) -> None:
    """Every one of the errors names the file, and a cause in words of ours."""
    for single in error.errors if isinstance(error, Problems) else (error,):
        assert single.place is not None and single.place.file, single
        assert single.cause and "Traceback" not in single.cause


@pytest.mark.parametrize("seed", range(8))
def test_a_mutated_manifest_gives_named_errors_or_honest_findings(rendered: Path, seed: int) -> None:
    manifest = rendered / MANIFEST
    whole = manifest.read_bytes()
    plain, chance = json.loads(whole), random.Random(seed)
    refused = 0
    try:
        for turn in range(250):
            wild = (
                torn(whole, chance)
                if turn % 5 == 0
                else json.dumps(mutated(plain, chance)).encode("utf-8", "surrogatepass")
            )
            manifest.write_bytes(wild)
            try:
                for finding in verify(rendered):
                    assert not finding.sound or finding.path in (
                        "mix.wav",
                        "stems/hiss.wav",
                        "stems/wind.wav",
                        "sum of stems",
                    )
            except StudioError as error:
                refused += 1
                said(error)
    finally:
        manifest.write_bytes(whole)
    assert refused > 100


def test_a_page_holds_nothing_but_what_was_rendered(rendered: Path, tmp_path: Path) -> None:
    import base64

    manifest = rendered / MANIFEST
    whole = manifest.read_bytes()
    plain, chance, written = json.loads(whole), random.Random(99), 0
    try:
        for _ in range(150):
            manifest.write_bytes(json.dumps(mutated(plain, chance)).encode("utf-8", "surrogatepass"))
            try:
                page = write_player(rendered, tmp_path / "player.html").read_bytes()
            except StudioError as error:
                said(error)
            else:
                written += 1
                assert SECRET not in page and base64.b64encode(SECRET)[:-4] not in page
    finally:
        manifest.write_bytes(whole)
    assert written > 3


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (
            ("entries", 0, "path"),
            "../secret.wav",
            r"entries › \[1\] › path\n  '../secret.wav' does not lie in the folder",
        ),
        (("entries", 1, "path"), "/etc/passwd.wav", r"entries › \[2\] › path\n .*does not lie in the folder"),
        (("rate",), 10**9, r"rate\n  1000000000 is out of range"),
        (("channels",), 10**6, r"channels\n  1000000 is out of range"),
        (("frames",), -1, r"frames\n  -1 is out of range"),
        (("entries", 0, "lufs"), "loud", r"entries › \[1\] › lufs\n  'loud' is not a number"),
        (("entries",), 5, r"entries"),
        (("recipe",), [], r"recipe\n  \[\] is not a mapping"),
        (
            ("manifest",),
            3,
            r"manifest\n  it is a manifest of format 3; Mirepoix [0-9.]+ reads format 2.*\n.*which wrote it",
        ),
        (("manifest",), 1, r"manifest\n  it is a manifest of format 1; Mirepoix [0-9.]+ reads format 2"),
        (("made_by", 0, "kind"), "magic", r"made_by › \[1\] › kind\n  'magic' is not one of"),
    ],
)
def test_an_error_names_file_and_field(rendered: Path, way: tuple[Any, ...], value: Any, message: str) -> None:
    manifest = rendered / MANIFEST
    whole = manifest.read_bytes()
    plain = json.loads(whole)
    holder = plain
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    try:
        manifest.write_text(json.dumps(plain))
        with pytest.raises(StudioError, match=rf"manifest.json  {message}"):
            verify(rendered)
    finally:
        manifest.write_bytes(whole)


def test_a_link_out_of_the_folder_is_not_followed(rendered: Path) -> None:
    manifest = rendered / MANIFEST
    whole = manifest.read_bytes()
    plain = json.loads(whole)
    plain["entries"][0]["path"] = "link.wav"
    try:
        manifest.write_text(json.dumps(plain))
        assert [(each.sound, each.detail) for each in verify(rendered) if each.path == "link.wav"] == [
            (False, "it is a link that leads out of the folder")
        ]
        with pytest.raises(MissingError, match="leads out of the folder"):
            write_player(rendered)
    finally:
        manifest.write_bytes(whole)


def test_a_manifest_comes_back_as_it_was(rendered: Path, tmp_path: Path) -> None:
    found = Manifest.load(rendered)
    found.save(tmp_path)
    assert Manifest.load(tmp_path) == found
    assert {"numpy", "scipy", "soundfile"} <= {maker.name for maker in found.made_by}

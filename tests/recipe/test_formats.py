"""Documents of later formats say which version reads them."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import pytest

from studio.errors import RecipeError, StudioError
from studio.recipe import Recipe
from studio.recipe.pack import CARD, install_pack, pack
from studio.recipe.presets import ChainPreset
from tests.wild import mutated, torn


def test_a_recipe_of_a_later_format_says_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("title: x\nrecipe: 2\nfuture: yes\n")
    with pytest.raises(
        RecipeError, match=r"a.yaml:2:1  recipe\n(?s:.*)a recipe of format 2; .* reads format 1.\n .*A later"
    ):
        Recipe.load(tmp_path / "a.yaml")


def test_a_preset_of_a_later_format_says_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("preset: 3\nnodes: {a: b}\n")
    with pytest.raises(RecipeError, match=r"a.yaml:1:1  preset\n(?s:.*).*a preset of format 3; .* reads format 1"):
        ChainPreset.load(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"pack": 9, "studio": "2.5"},
            r"a pack of format 9; .* reads format 1.\n .*Mirepoix 2.5, which wrote it, reads it",
        ),
        ({"pack": "1"}, r"does not say which format of a pack it is"),
        ({"files": [{"path": "../x", "bytes": 1, "sha256": "ab" * 32}]}, r"files › \[1\] › path\n .*does not lie"),
        ({"files": [{"path": "x", "bytes": -1, "sha256": "ab" * 32}]}, r"files › \[1\] › bytes\n .*out of range"),
        ({"files": 5}, r"files\n  5 is not a list"),
        ({"title": ["x"]}, r"title\n .*is not text"),
    ],
)
def test_the_card_of_a_pack_is_checked_field_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], message: str
) -> None:
    monkeypatch.setenv("STUDIO_PRESETS", str(tmp_path / "presets"))
    song = Recipe.loads("tracks: {hiss: {play: {noise: {length: 1 s}}}}", tmp_path)
    pack(song, tmp_path / "whole.studio")
    with zipfile.ZipFile(tmp_path / "whole.studio") as whole, zipfile.ZipFile(tmp_path / "bent.studio", "w") as bent:
        for name in whole.namelist():
            content = whole.read(name)
            bent.writestr(name, json.dumps(json.loads(content) | change) if name == CARD else content)
    with pytest.raises(RecipeError, match=message):
        install_pack(tmp_path / "bent.studio")
    assert not list((tmp_path / "presets").rglob("*.yaml"))


def test_a_mutated_card_of_a_pack_is_refused_by_name_or_is_none_the_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_PRESETS", str(tmp_path / "presets"))
    pack(Recipe.loads("tracks: {hiss: {play: {noise: {length: 1 s}}}}", tmp_path), tmp_path / "whole.studio")
    with zipfile.ZipFile(tmp_path / "whole.studio") as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    chance, refused = random.Random(3), 0
    for turn in range(200):
        card = (
            torn(files[CARD], chance)
            if turn % 4 == 0
            else json.dumps(mutated(json.loads(files[CARD]), chance)).encode("utf-8", "surrogatepass")
        )
        with zipfile.ZipFile(tmp_path / "bent.studio", "w") as bent:
            for name, content in files.items():
                bent.writestr(name, card if name == CARD else content)
        try:
            install_pack(tmp_path / "bent.studio", replace=True)
        except StudioError as error:
            refused += 1
            assert "Traceback" not in str(error)
    assert refused > 100 and not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".wav"]

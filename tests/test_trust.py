"""Trust is the user's: by content, in a list of their own, never in a document."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import studio
from studio.errors import MissingError, ModelError, OutputError, RecipeError, StudioError
from studio.folders import trust_file, user_presets
from studio.recipe import Recipe
from studio.recipe.pack import install_pack, pack, programs
from studio.trust import is_trusted, require_trust, revoke_trust, trust_model, trusted_files

STUDIO = Path(sys.executable).parent / "studio"

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

SONG = """
recipe: 1
length: 0.2 s
tracks:
  hiss:
    play: {noise: {length: 0.2 s}}
    chain: [{torchscript: model.ts}]
"""


class Burglar(nn.Module):
    """Passes sound on, and writes a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))

    def forward(self, sound: Tensor) -> Tensor:
        return sound + 0 * torch.from_file(self.path, True, 16).fill_(1).sum()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A song with a model that writes `tmp_path/burgled` when a sound goes through it."""
    folder = tmp_path / "song"
    folder.mkdir()
    torch.jit.script(Burglar(str(tmp_path / "burgled")).eval()).save(str(folder / "model.ts"))
    (folder / "song.yaml").write_text(SONG)
    return folder / "song.yaml"


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([STUDIO, *map(str, words)], capture_output=True, text=True, check=False)


def test_what_is_trusted_is_the_content(tmp_path: Path) -> None:
    one, copy = tmp_path / "one.ts", tmp_path / "copy.ts"
    one.write_bytes(b"program")
    copy.write_bytes(b"program")
    assert not is_trusted(one) and trusted_files() == ()
    entry = trust_model(one)
    assert trust_model(copy) == entry and trusted_files() == (entry,)
    assert is_trusted(copy) and require_trust(copy) == entry.sha256
    one.write_bytes(b"Program")
    assert not is_trusted(one) and is_trusted(copy)
    with pytest.raises(ModelError, match=f"studio trust {one}"):
        require_trust(one)
    assert trust_file().stat().st_mode & 0o777 == 0o600


def test_trust_is_taken_back_by_file_or_hash(tmp_path: Path) -> None:
    files = [tmp_path / name for name in "abc"]
    for file in files:
        file.write_text(file.name)
        trust_model(file)
    revoke_trust(str(files[0]))
    revoke_trust(trusted_files()[0].sha256[:8].upper())
    assert [each.name for each in trusted_files()] == ["c"]
    for wrong in ("", "c", trusted_files()[0].sha256[:7], "0" * 64, str(files[0])):
        with pytest.raises(MissingError, match="trust"):
            revoke_trust(wrong)
    assert [each.name for each in trusted_files()] == ["c"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", '{"trusted": 2, "files": []}', '{"trusted": 1, "files": [{"sha256": "*"}]}',
     '{"trusted": 1, "files": [{"sha256": "abc", "name": "x", "since": "y"}]}', "\xff", "[" * 100_000],
)  # fmt: skip
def test_a_damaged_list_trusts_nothing_and_says_so(tmp_path: Path, content: str) -> None:
    trust_file().parent.mkdir(parents=True, exist_ok=True)
    trust_file().write_text(content)
    (tmp_path / "a").write_text("a")
    for ask in (trusted_files, lambda: is_trusted(tmp_path / "a"), lambda: trust_model(tmp_path / "a")):
        with pytest.raises(OutputError, match="cannot be read"):
            ask()
    assert trust_file().read_text() == content


def test_only_files_can_be_trusted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for wrong in (tmp_path / "pipe", tmp_path, tmp_path / "nothing"):
        with pytest.raises(MissingError):
            trust_model(wrong)


def test_check_says_what_is_not_trusted_yet_and_the_command_mends_it(song: Path) -> None:
    refused = run("check", song)
    assert refused.returncode == 1
    assert "hiss › chain › [1] › torchscript › model" in refused.stderr
    assert f"studio trust {song.parent / 'model.ts'}" in refused.stderr
    assert "sandbox" in run("trust", song.parent / "model.ts").stdout
    assert run("check", song).returncode == 0


def test_a_render_needs_trust_and_even_then_the_model_writes_nothing(song: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="studio trust"):
        studio.render(song)
    trust_model(song.parent / "model.ts")
    with pytest.raises(StudioError, match="Permission denied"):
        studio.render(song)
    revoke_trust(str(song.parent / "model.ts"))
    with pytest.raises(ModelError, match="studio trust"):
        studio.render(song)
    assert not (tmp_path / "burgled").exists()


def test_a_document_that_claims_trust_is_refused_with_its_line(song: Path) -> None:
    song.write_text(SONG.replace("torchscript: model.ts", "torchscript: {model: model.ts, trusted: true}"))
    trust_model(song.parent / "model.ts")
    with pytest.raises(RecipeError, match=r"(?s)song.yaml:7:.*only you can.*studio trust model\.ts"):
        studio.load(song)


def test_a_pack_lists_what_would_run_before_it_is_installed(song: Path, tmp_path: Path) -> None:
    song.write_text(SONG + "  keys:\n    play: {plugin: amsynth_vst.so}\n    part: all\n")
    assert programs(Recipe.load(song))[1] == "keys: the plugin amsynth_vst.so, as it is installed here"
    pack(Recipe.load(song), tmp_path / "gift.studio")
    looked = run("preset", "install", tmp_path / "gift.studio", "--look")
    assert "this would run" in looked.stdout and "the plugin amsynth_vst.so" in looked.stdout
    assert "-model.ts, once you trust it" in looked.stdout and "installed." not in looked.stdout
    assert not list(user_presets().glob("packs/*"))
    installed = run("preset", "install", tmp_path / "gift.studio")
    assert installed.stdout.index("this would run") < installed.stdout.index("is installed.")
    assert not (tmp_path / "burgled").exists()


def test_a_pack_without_programs_says_so(song: Path, tmp_path: Path) -> None:
    song.write_text(SONG.replace("    chain: [{torchscript: model.ts}]\n", ""))
    pack(Recipe.load(song), tmp_path / "gift.studio")
    assert "Nothing in it is a program." in run("preset", "install", tmp_path / "gift.studio").stdout


def test_a_pack_with_a_claim_of_trust_or_a_plugin_by_its_path_is_not_installed(song: Path, tmp_path: Path) -> None:
    for name, chain, words in (
        ("away", "plugin: {file: /tmp/evil.so}", "outside the folders"),
        ("home", "plugin: {file: ~/evil.so}", "outside the folders"),
        ("up", "plugin: {file: ../evil.vst3}", "outside the folders"),
    ):
        song.write_text(SONG.replace("torchscript: model.ts", chain))
        pack(Recipe.load(song), tmp_path / f"{name}.studio")
        with pytest.raises(RecipeError, match=words):
            install_pack(tmp_path / f"{name}.studio")


def test_a_pack_named_like_a_shipped_recipe_is_refused(song: Path, tmp_path: Path) -> None:
    song.write_text(SONG.replace("    chain: [{torchscript: model.ts}]\n", ""))
    pack(Recipe.load(song), tmp_path / "demo.studio")
    with pytest.raises(OutputError, match="never be found"):
        install_pack(tmp_path / "demo.studio", replace=True)

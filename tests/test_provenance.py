"""Law: every result names what made it, and an upgrade of any of it makes the result anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from studio import provenance, steps
from studio.dependencies import packages_of, undeclared
from studio.engine import nodes
from studio.engine.mastering import Mastered
from studio.engine.nodes import Node
from studio.provenance import Component, Provenance, installed
from studio.steps import Step, Transform, registry
from studio.stretch.engines import praat, rubberband, rubberband_cli, signalsmith
from studio.stretch.stretcher import ALL_LIBRARIES, ENGINE_LIBRARIES, METHODS, libraries_of

OURS = {name: step for name, step in registry().items() if step.__module__.startswith("studio.")}
MADE = {
    "pedalboard": {"plugin": "Gain", "settings": {"gain_db": 40.0}}, "plugin": {"file": "nowhere.vst3"}, "preset": "tape", "audio": "a.wav", "clips": {"clips": []}, "transfer": "a.wav",
    "slice": "a.wav", "events": "a.events", "convolution": "a.wav", "torchscript": {"model": "a.ts"}, "warp": {"markers": [["0 s", "0 bars"],
    ["1 s", "1 bar"]]}, "ducker": {"sidechain": "kick"}, "vocoder": {"sidechain": "voice"}, "place": {"at": "1 s"}, "merge": {"file": "a.mid"}, "write": "c4",
}  # fmt: skip
"""Steps that need a knob to be made."""


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_step_declares_every_library_it_can_come_to_use(name: str) -> None:
    assert undeclared(OURS[name]) == {}


FORGETFUL = '''
from studio.extend import Transform
from studio.effects import PitchShift

def helper():
    from scipy import signal
    return signal

class Forgetful(Transform):
    """Uses what it does not declare: here, and in a helper."""

    def apply(self, audio, context):
        import soundfile
        helper()
        return audio

class Through(Transform):
    """Uses a step of the studio, and so what that one uses."""

    def apply(self, audio, context):
        return PitchShift() and audio
'''


def test_the_walk_finds_what_a_package_of_somebody_else_forgot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forgetful").mkdir()
    (tmp_path / "forgetful" / "__init__.py").write_text(FORGETFUL)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        module = import_module("forgetful")
        found = undeclared(module.Forgetful)
        assert set(found) == {"scipy", "soundfile"} and found["scipy"] == "forgetful.Forgetful → forgetful.helper"
        assert set(undeclared(module.Through)) == {"pedalboard"}
        monkeypatch.setattr(module.Forgetful, "libraries", ("scipy", "soundfile"))
        assert undeclared(module.Forgetful) == {}
    finally:
        for name in ("forgetful", "through"):
            steps._REGISTRY.pop(name, None)


def test_nothing_is_declared_that_no_step_uses() -> None:
    """A declaration that is never needed hides that another is missing."""
    roots = {"pyfluidsynth": "fluidsynth", "praat-parselmouth": "parselmouth"}
    for name, step in OURS.items():
        used = packages_of(step)
        for library in step.libraries:
            assert roots.get(library, library.replace("-", "_")) in used, (name, library)


@pytest.mark.parametrize("kind", [Mastered, nodes.Play, nodes.Read, nodes.Process, nodes.Change, nodes.Sum, nodes.Hold])
def test_the_engine_declares_what_it_works_with_itself(kind: type[Node]) -> None:
    assert set(packages_of(kind)) - {"numpy", "mido", "platformdirs", "pretty_midi", "ruamel", "yaml"} <= set(
        kind.libraries
    )


@pytest.mark.parametrize("engine", [rubberband, rubberband_cli, signalsmith, praat])
def test_a_method_of_stretching_names_its_own_libraries(engine: Callable[..., object]) -> None:
    """They are told apart by method, so that Praat is not named where Rubber Band was at work."""
    packages = {"parselmouth": "praat-parselmouth", "python_stretch": "python-stretch"}
    used = {packages.get(name, name) for name in packages_of(engine) if name != "numpy"}
    assert used == set(ENGINE_LIBRARIES[engine.__name__])
    assert {library for method in METHODS for library in libraries_of(method)} == set(ALL_LIBRARIES)


def test_every_step_names_itself_and_numpy() -> None:
    for name, step in OURS.items():
        made = set(step.parse(MADE.get(name)).made_by())
        assert Component("step", name, str(step.version)) in made
        assert any(each.kind == "library" and each.name == "numpy" and each.version for each in made)


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Installs a distribution in another version than it has, as far as anybody can see."""

    def upgraded(distribution: str, version: str = "999.0") -> None:
        folder = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        installed.cache_clear()

    yield upgraded
    monkeypatch.undo()
    installed.cache_clear()


def key_of(step: Step) -> str:
    """What stands for a step in the keys of the cache, besides its knobs and files."""
    return Provenance.of(step.made_by()).digest()


@pytest.mark.parametrize("library", sorted({"numpy", *(each for step in OURS.values() for each in step.libraries)}))
def test_an_upgrade_makes_the_steps_anew_that_use_it_and_no_others(library: str, upgrade) -> None:  # type: ignore[no-untyped-def]
    made = {name: step.parse(MADE.get(name)) for name, step in OURS.items()}
    made |= {f"stretch by {method}": OURS["stretch"].parse({"method": method}) for method in METHODS}
    made["sing by transfer"] = OURS["transfer"].parse({"target": "violin", "method": "sing"})
    before = {name: key_of(step) for name, step in made.items()}
    upgrade(library)
    changed = {name for name, step in made.items() if key_of(step) != before[name]}
    assert changed == {name for name, step in made.items() if library in ("numpy", *step.uses())}
    assert changed


def test_an_upgrade_of_a_program_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch = registry()["stretch"].parse({"duration_ratio": 2, "method": "rubberband_cli"})
    other = registry()["stretch"].parse({"duration_ratio": 2, "method": "hptsm"})
    before = key_of(stretch), key_of(other)
    program = tmp_path / "rubberband"
    program.write_text("#!/bin/sh\necho 99.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert key_of(stretch) != before[0] and key_of(other) == before[1]
    assert Component("program", "rubberband", "99.0") in set(stretch.made_by())


def test_the_keys_of_a_song_change_with_the_libraries_behind_it(tmp_path: Path, upgrade) -> None:  # type: ignore[no-untyped-def]
    from studio.engine import plan
    from studio.recipe import Recipe

    song = Recipe.parse(
        {
            "recipe": 1,
            "tracks": {
                "hiss": {"play": {"noise": {"length": "1 s"}}, "chain": [{"stretch": {"duration_ratio": 2}}]},
                "plain": {"play": {"noise": {"length": "1 s"}}, "chain": ["invert"]},
            },
        }
    )
    before = {node.name: node.key for node in plan(song).nodes()}
    upgrade("soxr")
    planned = plan(song)
    changed = {node.name for node in planned.nodes() if node.key != before[node.name]}
    assert changed == {"hiss · stretch", "premaster"}
    assert Component("library", "soxr", "999.0") in planned.provenance.components


def test_a_manifest_lists_every_library_that_has_a_part_in_the_sound(tmp_path: Path) -> None:
    """It left out torch, safetensors, librosa, pyrubberband, parselmouth and python-stretch."""
    from studio.engine import plan
    from studio.recipe import Recipe
    from studio.rendering.manifest import Manifest

    stretched = [{"stretch": {"duration_ratio": 2, "method": method}} for method in ENGINE_LIBRARIES]
    chain = [*stretched, {"sing": "violin"}, {"fit": {"bars": 1}}, {"latent": {"instrument": "flute"}}]
    tracks = {"hiss": {"play": {"noise": {"length": "1 s"}}, "chain": chain}}
    planned = plan(Recipe.parse({"recipe": 1, "tracks": tracks}))
    made = Manifest.of(planned, 44_100, ())
    named = {(each.kind, each.name) for each in made.made_by if each.version}
    wanted = {*ALL_LIBRARIES, "torch", "safetensors", "numpy", "mirepoix", "soundfile"}
    assert {("library", name) for name in wanted} <= named
    assert {("program", "rubberband"), ("program", "libsndfile"), ("program", "python")} <= named
    assert {Path(source.path).name for source in made.sources} == {"violin.voice", "orchestra.spectral"}
    assert made.provenance().components and made.provenance().digest() != planned.provenance.digest()


def test_a_step_of_somebody_else_is_known_by_its_package_or_its_text() -> None:
    from studio.knobs import knob

    class Foreign(Transform, step="foreign_step"):
        """A step that belongs to no distribution."""

        amount: float = knob(0.0, 0.0, 1.0, help="nothing")

    try:
        codes = [each for each in Foreign().made_by() if each.kind == "code"]
        assert len(codes) == 1 and codes[0].name.endswith("Foreign") and codes[0].build
        Foreign.__module__ = "pytest"
        assert Component("library", "pytest", installed("pytest")) in set(Foreign().made_by())
    finally:
        del steps._REGISTRY["foreign_step"]


def test_a_step_that_declares_no_names_is_refused_when_it_is_registered() -> None:
    with pytest.raises(TypeError, match=r"step 'careless' of .*test_provenance: `libraries` is 'scipy'; write a tuple"):

        class Careless(Transform):
            """Nothing."""

            libraries = "scipy"  # type: ignore[assignment]


def test_plugins_whose_names_begin_alike_stay_two() -> None:
    two = Provenance.of([Component("plugin", "Super A.vst3", "1.0"), Component("plugin", "Super B.vst3", "1.0")])
    assert len(two.components) == 2 and two.digest() != Provenance.of(two.components[:1]).digest()


def test_paths_may_change_without_changing_what_made_a_sound() -> None:
    one, other = (Provenance.of((), [provenance.Asset(path, "ab" * 32)]) for path in ("a.wav", "b/a.wav"))
    assert one.digest() == other.digest() and one != other

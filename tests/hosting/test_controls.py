"""The numbers under which VST3 plugins know their parameters, asked for at the plugins themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.context import RenderContext
from studio.hosting.catalogue import describe_plugin
from studio.hosting.contract import PluginError
from studio.hosting.controls import controls, named_controls
from studio.hosting.description import Description
from studio.hosting.plugin import Plugin
from studio.interchange.vstpreset import class_id

ZAM = Path("/usr/lib/vst3/ZamCompX2.vst3")
ZAM_ID = "2046504473616C633250435A00000000"
HOSTILE_ID = "ABCDEF019182FAEB53747564486F7374"


def identity(known: Description, context: RenderContext) -> str:
    return class_id(Plugin.parse({"file": str(known.path)}).perform(known, context).state())


@pytest.mark.parametrize("file", ["ZamCompX2", "ZaMultiCompX2", "ZamTube", "ZamEQ2"])
def test_every_parameter_of_a_recipe_has_a_number_in_the_format(file: str, context: RenderContext) -> None:
    known = describe_plugin(file)
    named = named_controls(known, identity(known, context))
    assert named.keys() == known.named.keys()
    assert len({control.id for control in named.values()}) == len(named)
    assert all(named[name].title == parameter.title for name, parameter in known.named.items())


def test_a_plugin_of_another_framework_tells_as_much(hostile: Path, context: RenderContext) -> None:
    known = describe_plugin(str(hostile / "Honest.vst3"))
    named = named_controls(known, identity(known, context))
    assert named.keys() == known.named.keys() and named


def test_the_plugins_own_range_is_followed_both_ways() -> None:
    ratio = next(control for control in controls(ZAM, ZAM_ID) if control.title == "Ratio")
    assert ratio.automatable and not ratio.read_only and ratio.plain == (1.0, 20.0)
    places = np.linspace(0, 1, 7)
    assert np.allclose(ratio.to_plain(places), 1 + 19 * places)
    assert np.allclose(ratio.to_positions(ratio.to_plain(places)), places)


def test_a_class_that_is_not_there_and_a_module_that_dies_are_named(hostile: Path) -> None:
    with pytest.raises(PluginError, match="holds no plugin"):
        controls(ZAM, "0" * 32)
    with pytest.raises(PluginError, match="AbortOnLoad crashed"):
        controls(hostile / "AbortOnLoad.vst3", HOSTILE_ID)

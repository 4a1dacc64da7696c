"""Hosted plugins between recipes and sessions: those at the end of a chain stay live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.context import RenderContext
from studio.curves import moves
from studio.errors import MissingError, RecipeError
from studio.hosting.catalogue import describe_plugin
from studio.hosting.contract import PluginError
from studio.hosting.controls import Control, controls, named_controls
from studio.hosting.description import Description
from studio.hosting.performance import Performance
from studio.hosting.plugin import Plugin
from studio.interchange.lane import Lane
from studio.interchange.motions import curves, motions
from studio.interchange.timeline import Device
from studio.interchange.vstpreset import class_id
from studio.recipe import Recipe
from studio.steps import Step


@dataclass(frozen=True)
class Split:
    """A chain as what is printed, and the plugins behind it that stay live."""

    printed: tuple[Step, ...]
    live: tuple[Device, ...]


def split_chain(chain: Sequence[Step], context: RenderContext, frames: int) -> Split:
    """Part a chain before the plugins at its end; printed is whatever stands before one that cannot stay live.

    Live stays a VST3 plugin that listens to no other strip; what moves in it moves for `frames` frames.

    Raises:
        StudioError: a plugin of the chain is missing or fails.
    """
    live: list[Device] = []
    for index in range(len(chain) - 1, -1, -1):
        device = device_of(chain[index], context, frames)
        if device is None:
            return Split(tuple(chain[: index + 1]), tuple(live))
        live.insert(0, device)
    return Split((), tuple(live))


def device_of(step: Step, context: RenderContext, frames: int) -> Device | None:
    """The plugin behind a step with its state, or None if the step is no plugin that a session can hold."""
    if not isinstance(step, Plugin) or step.sidechain is not None:
        return None
    moving = {name: value for name, value in step.settings.items() if moves(value)}
    named: Mapping[str, Control] = {}
    try:
        known = describe_plugin(step.file, step.host)
        if known.path.suffix.lower() != ".vst3":
            return None
        state = step.perform(known, context).state()
        identity = class_id(state)
        if moving:
            named = named_controls(known, identity)
    except (RecipeError, MissingError, PluginError):
        # What cannot be said as a .vstpreset, or is not here, is dealt with where the chain is rendered.
        return None
    if not moving.keys() <= named.keys():
        return None
    about = known.about
    return Device(
        about.name,
        "vst3",
        identity,
        state,
        instrument=about.instrument,
        enabled=not step.bypass,
        file=known.path,
        vendor=about.vendor,
        motions=motions(moving, known, named, context, frames),
        controls=controls(known.path, identity) if moving else (),
    )


def listened(recipe: Recipe) -> frozenset[str]:
    """The strips that side inputs of others hear: their chains must be printed whole, as they are heard."""
    return frozenset(
        other
        for _, _, strip in recipe.strips()
        for step in strip.chain
        for inner in (step, *step.inner())
        for _, other in inner.ports()
    )


@dataclass(frozen=True)
class Made:
    """The knobs of the `plugin` step for a device, and why it cannot be played, if so: it is bypassed then."""

    knobs: dict[str, Any]
    why: str = ""
    instrument: bool = False


def step_data(
    device: Device,
    keep: Callable[[Device], Path | None],
    shown: Callable[[Path], str],
    drawn: Callable[[Lane], Any],
    told: Callable[[str, str], object],
    names: Mapping[str, str],
) -> Made:
    """The `plugin` step for a device of a session: one that cannot be played here keeps its state, bypassed.

    Args:
        device: the plugin, as a session holds it.
        keep: writes its state into a file; None when it has none.
        shown: how the recipe writes that file's path.
        drawn: how the recipe writes a curve.
        told: hears of what of it is lost, and why.
        names: what the recipe calls the strips of the session.
    """
    path = keep(device)
    known, why = _here(device)
    if known is None:
        plain: dict[str, Any] = {"file": device.name}
        if device.id and device.format == "vst3":
            plain["id"] = device.id
        if path is not None and device.state is not None:
            plain["preset"] = shown(path)
            why = f"{why}; its state is in {shown(path)}"
        elif path is not None:
            why = f"{why}; what the session holds of it is in {shown(path)}"
        return Made(plain | {"bypass": True}, why, device.instrument)
    plain = {"file": _file(device, known), "id": known.about.id}
    if path is not None and device.state is not None:
        refusal = _refusal(known, device.state)
        if not refusal:
            plain["preset"] = shown(path)
        elif known.named:
            told("its state", f"{refusal}: it plays as a fresh one; the state is in {shown(path)}")
    if not device.enabled:
        plain["bypass"] = True
    if device.side is not None:
        if known.about.sides:
            plain["sidechain"] = names[device.side]
        else:
            told("its side input", f"no host here reaches it, so it does not hear {device.side!r}")

    def still(what: str, why: str) -> None:
        told(f"automation of {what!r}", why)

    try:
        moving = curves(device, known, still)
    except PluginError as error:
        still(", ".join(motion.name for motion in device.motions), error.cause)
        moving = {}
    plain |= {name: drawn(lane) for name, lane in moving.items()}
    return Made(plain, instrument=known.about.instrument)


def _file(device: Device, known: Description) -> str:
    """What a recipe calls it: its name, where that means this plugin, else its id or file."""
    if device.format == "vst3":
        return device.name
    return known.about.id if device.format == "lv2" else known.path.name


def _here(device: Device) -> tuple[Description | None, str]:
    """What is known of a plugin that can be played here, or why it cannot."""
    if device.format not in _FILES:
        return None, f"the studio hosts no {_CALLED.get(device.format, device.format)}"
    why, named = "it is not on this machine", device.name
    ids = [device.id] if device.id and device.format in ("lv2", "clap") else []
    for wanted in (*ids, *(form.format(named) for form in _FILES[device.format])):
        try:
            known = describe_plugin(wanted)
        except MissingError:
            continue
        except PluginError as error:
            return None, error.cause.rstrip(".")
        if known.path.suffix.lower() in (f".{device.format}", *(_LIBRARIES if device.format == "vst2" else ())):
            return known, ""
        why = f"of it only the {known.path.suffix.lower().removeprefix('.').upper()} is on this machine"
    return None, why


_FILES = {
    "vst3": ("{}.vst3", "{}"),
    "vst2": ("{}-vst.so", "{}.so", "{}"),
    "lv2": ("{}.lv2", "{}"),
    "clap": ("{}.clap", "{}"),
}
"""What the file of a plugin may be called, by its format."""

_LIBRARIES = (".so", ".dll", ".vst", ".dylib")

_RATE, _CHANNELS = 48_000, 2

_CALLED = {"js": "JS effects of REAPER", "au": "Audio Units of a session"}


def _refusal(known: Description, state: bytes) -> str:
    """What a plugin says against its state, if anything: some refuse even what they gave themselves."""
    try:
        Performance(known, _RATE, _CHANNELS, {}, preset=state)
    except PluginError as error:
        return error.cause.rstrip(".")
    return ""

"""What of a recipe is played live: the whole song, or one chain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.engine import plan
from studio.engine.preview import held_gains
from studio.errors import RecipeError, nearest, within
from studio.live.clock import LiveClock
from studio.live.live_parameters import ParameterMap, labels
from studio.live.mixer import LiveMixer, files_of, rendered
from studio.live.units import Deck, Effects, Input
from studio.live.voice import LiveVoice
from studio.recipe import Recipe
from studio.rendering.render import render
from studio.steps import Effect
from studio.tempo import Time


def voice_of(
    recipe: Recipe, strip: str | None = None, *, live_input: bool = False, as_rendered: Collection[str] = ()
) -> LiveVoice:
    """What plays: the whole song in a loop; or the chain of one strip, on its own sound in a loop or on live input.

    The chains of the strips `as_rendered` do not run in the song.

    Raises:
        StudioError: something in the recipe.
    """
    if recipe.seamless:
        # It plays in a loop anyway: one round of it.
        frames = plan(recipe).frames or 0
        recipe = recipe.replace(seamless=False, length=Time(seconds=Fraction(frames, recipe.rate)))
    if live_input:
        planned = plan(recipe)
        context = replace(planned.context, score=None)
        return chain_voice(chain_of(recipe, strip or "master"), context, files=tuple(files_of(planned)))
    return song_voice(recipe, as_rendered) if strip is None else strip_voice(recipe, strip)


def song_voice(recipe: Recipe, as_rendered: Collection[str] = ()) -> LiveVoice:
    """The whole song: everything before the first effect of a chain is rendered, everything behind it runs.

    Args:
        recipe: the song.
        as_rendered: strips whose chains do not run, since they would take too long.

    Raises:
        StudioError: something in the recipe, or one of the strips is none of its.
    """
    strips = [name for _, name, _ in recipe.strips()]
    for name in as_rendered:
        if name not in strips:
            raise RecipeError(f"there is no strip {name!r}.", nearest(name, strips))
    result, planned = render(recipe), plan(recipe, faders=True)
    engine = result.engine
    engine.run(rendered(planned, as_rendered))
    [lift] = held_gains(engine, result.plan.mix, 0, result.frames / result.plan.context.rate) or (0.0,)
    return LiveMixer(planned, engine, result.frames, lift, as_rendered).voice()


def rendered_voice(recipe: Recipe, rest: float = 0.0) -> tuple[LiveVoice, float]:
    """The mix as it is rendered, master and all, in a loop with `rest` seconds of silence; and its own seconds.

    Raises:
        StudioError: something in the recipe.
    """
    result = render(recipe)
    context, mix = replace(result.plan.context, score=None), result.mix
    silence = np.zeros((mix.channels, round(rest * mix.rate)), np.float32)
    loop = Audio(np.concatenate([mix.samples, silence], axis=1), mix.rate)
    return chain_voice((), context, loop, tuple(files_of(result.plan))), mix.seconds


def strip_voice(recipe: Recipe, strip: str) -> LiveVoice:
    """One strip's chain on what comes into it, in a loop.

    Raises:
        StudioError: something in the recipe, or the strip is not heard.
    """
    chain = chain_of(recipe, strip)
    result = render(recipe)
    strips = {**result.plan.tracks, **result.plan.buses}
    if strip != "master" and strip not in strips:
        raise RecipeError(f"{strip!r} is not heard in this song.", "Take its mute out.")
    node = result.plan.premaster if strip == "master" else strips[strip].dry
    # What the song itself no longer needs once it is in the cache.
    result.engine.run([node])
    context, files = replace(result.plan.context, score=None), tuple(files_of(result.plan))
    return chain_voice(chain, context, result.sound(node), files)


def chain_voice(
    chain: Sequence[Effect], context: RenderContext, loop: Audio | None = None, files: Collection[Path] = ()
) -> LiveVoice:
    """A chain on a sound in a loop, or on live input; `files` are those that it was made of."""
    clock = LiveClock(loop.frames if loop else None)
    context, board = replace(context, song_frame=clock), ParameterMap()
    called = zip(chain, labels(chain), strict=True)
    effects = [board.equipped(step, label, (index,)) for index, (step, label) in enumerate(called)]
    source = Deck(loop.samples, loop.frames) if loop else Input()
    return LiveVoice([source, Effects(source, effects, context)], board.dials, context, clock, files=files)


def chain_of(recipe: Recipe, strip: str) -> tuple[Effect, ...]:
    """The chain of a strip.

    Raises:
        RecipeError: there is no such strip, or its chain needs more than what comes into it.
    """
    strips = {name: each for _, name, each in recipe.settled().strips()}
    if strip not in strips:
        raise RecipeError(f"there is no strip {strip!r}.", nearest(strip, strips))
    steps: list[Effect] = []
    for index, step in enumerate(strips[strip].chain):
        with within(strip, "chain", index, step.label):
            if step.bypass:
                continue
            if not isinstance(step, Effect):
                raise RecipeError("it needs the whole sound, so it cannot be played alone.", "Bypass it.")
            if any(True for inner in (step, *step.inner()) for _ in inner.ports()):
                raise RecipeError("it listens to another strip, so it cannot be played alone.", "Bypass it.")
            steps.append(step)
    return tuple(steps)

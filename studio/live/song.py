"""What of a recipe is played live."""

from __future__ import annotations

from dataclasses import replace

from studio.audio import Audio
from studio.bridge.render import render
from studio.engine import plan
from studio.errors import RecipeError, nearest, within
from studio.live.player import Player
from studio.recipe import Recipe
from studio.recipe.presets import Preset
from studio.steps import Effect, Step


def chain_of(recipe: Recipe, strip: str) -> tuple[Step, ...]:
    """The chain of a strip, presets opened so that their knobs can be turned.

    Raises:
        RecipeError: there is no such strip, or its chain needs a whole sound.
    """
    strips = {name: each for _, name, each in recipe.settled().strips()}
    if strip not in strips:
        raise RecipeError(f"there is no strip {strip!r}.", nearest(strip, strips))
    steps: list[Step] = []
    for index, step in enumerate(strips[strip].chain):
        with within(strip, "chain", index, step.label):
            if step.bypass:
                continue
            if not isinstance(step, Effect):
                raise RecipeError("it needs the whole sound, so it cannot be played live.", "Bypass it.")
            if any(True for inner in (step, *step.inner()) for _ in inner.ports()):
                raise RecipeError("it listens to another strip, so it cannot be played live.", "Bypass it.")
            steps.append(step.unfolded() if isinstance(step, Preset) else step)
    return tuple(steps)


def player_of(recipe: Recipe, strip: str = "master", *, looped: bool = True) -> Player:
    """A player of a strip's chain: on the song in a loop, or on live input.

    Raises:
        StudioError: something in the recipe.
    """
    chain = chain_of(recipe, strip)
    planned = plan(recipe)
    loop: Audio | None = None
    if looped:
        result = render(recipe)
        strips = {**planned.tracks, **planned.buses}
        if strip != "master" and strip not in strips:
            raise RecipeError(f"{strip!r} is not heard in this song.", "Take its mute out.")
        loop = (
            result.premaster
            if strip == "master"
            else result.sound(
                result.plan.tracks[strip].dry if strip in planned.tracks else result.plan.buses[strip].dry
            )
        )
    return Player(chain, replace(planned.stage, score=None), loop)

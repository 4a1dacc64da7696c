"""`studio play`."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.cli.completing import recipes
from studio.cli.opening import STDIN, recipe_of, session_options
from studio.cli.playing import close, leave, output, wait_while_playing
from studio.cli.show import say

if TYPE_CHECKING:
    from studio.live.voice import LiveVoice

REST_SECONDS = 5.0


@click.command("play")
@click.argument("recipe", shell_complete=recipes)
@session_options
@click.option("--watch", is_flag=True, help="Go round, and render and play anew what changes as its files are saved.")
@click.option("--device", help="Play through this device of the system instead of JACK.")
@click.option("--seconds", type=float, help="Stop after so long.")
@click.option("--json", "as_script", is_flag=True, help="Print how it went as JSON.")
def command(recipe: str, watch: bool, device: str | None, seconds: float | None, as_script: bool) -> None:
    """Render RECIPE as far as the cache does not hold it, and play it as its file will sound.

    It plays once, through JACK or the system's own audio. With --watch it goes round: save the recipe, or a sound, model
    or preset that it uses, and what changed is rendered and heard at the same place.
    """
    from studio.live.player import LivePlayer
    from studio.live.reloading import Reloader
    from studio.live.song import rendered_voice

    with ExitStack() as stack:
        begun = time.time_ns()
        song = recipe_of(recipe, stack)
        sound = stack.enter_context(output(song.rate, device, False, False))

        def again() -> LiveVoice:
            now = song if recipe == STDIN else recipe_of(recipe, stack)
            return rendered_voice(now.replace(rate=sound.rate))[0]

        # Who goes on for a moment behind the end hears silence.
        voice, whole = rendered_voice(song.replace(rate=sound.rate), 0.0 if watch else REST_SECONDS)
        player = LivePlayer(voice)
        stack.enter_context(sound.playing(player))
        with suppress(KeyboardInterrupt):
            if not as_script:
                say(f"Playing {whole:.1f} s{', and what is saved' if watch else ''}. Ctrl-C ends it.")
            end = seconds if watch or (seconds is not None and seconds < whole) else whole
            wait_while_playing(player, Reloader(player, Path(recipe), again, begun) if watch else None, end)
        close(stack)
        leave(sound.health(), as_script)

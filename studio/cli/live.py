"""`studio live`."""

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


@click.command("live")
@click.argument("recipe", shell_complete=recipes)
@session_options
@click.option("--strip", help="Play the chain of one track or bus, or of the master, instead of the whole song.")
@click.option(
    "--as-rendered", multiple=True, metavar="STRIP", help="Play a strip whose chain takes too long as it was rendered."
)
@click.option("--input", "live_input", is_flag=True, help="Play live input through the strip's chain, or the master's.")
@click.option("--follow", is_flag=True, help="Follow JACK's transport.")
@click.option("--device", help="Play through this device of the system instead of JACK.")
@click.option(
    "--osc", "osc_port", type=click.IntRange(0, 65535), default=9010, show_default=True, help="UDP port for OSC."
)
@click.option(
    "--osc-host",
    default="127.0.0.1",
    show_default=True,
    help="Where OSC may come from: another address than this machine's own opens it.",
)
@click.option("--midi", is_flag=True, help="Open a virtual MIDI input.")
@click.option("--bind", multiple=True, metavar="KNOB=CONTROLLER", help="Bind a MIDI controller: --bind chorus.rate=21")
@click.option(
    "--drive",
    metavar="DAW",
    help="Set the faders of a running ardour, reaper or live to the recipe's instead of playing; DAW:PORT for another port.",
)
@click.option("--seconds", type=float, help="Stop after so long.")
@click.option("--json", "as_script", is_flag=True, help="Print how it went as JSON.")
def command(
    recipe: str,
    strip: str | None,
    as_rendered: tuple[str, ...],
    live_input: bool,
    follow: bool,
    device: str | None,
    osc_port: int,
    osc_host: str,
    midi: bool,
    bind: tuple[str, ...],
    drive: str | None,
    seconds: float | None,
    as_script: bool,
) -> None:
    """Play RECIPE in a loop, with every fader, send and knob of its mixer under your hands.

    It plays through JACK; where no JACK server runs, through the system's own audio.

    Send OSC: /knob/keys.chorus.rate 0.8 turns a knob, /slider/keys.volume 0.5 moves it as a slider, /list names them
    all, /learn/keys.volume binds it to the next MIDI controller, /mute/keys 1 and /solo/keys 1 mute and solo (0 ends
    it), /play, /stop and /locate 12.5 move the song (JACK's transport with --follow). With --strip knobs are named without
    the strip: chorus.rate. A change of the recipe's file, or of a sound, model or preset that it uses, is heard at once; knobs stay
    where they are turned unless the change is theirs.
    """
    from functools import partial

    from studio.live.control import OscControl
    from studio.live.midi import MidiInput, MidiMap, parse_bindings
    from studio.live.player import LivePlayer
    from studio.live.reloading import Reloader
    from studio.live.song import voice_of

    if drive:
        _drive(recipe, drive)
        return
    with ExitStack() as stack:
        begun = time.time_ns()
        song = recipe_of(recipe, stack)
        sound = stack.enter_context(output(song.rate, device, follow, live_input))
        play = partial(voice_of, strip=strip, live_input=live_input, as_rendered=as_rendered)

        def again() -> LiveVoice:
            now = song if recipe == STDIN else recipe_of(recipe, stack)
            return play(now.replace(rate=sound.rate))

        player = LivePlayer(play(song.replace(rate=sound.rate)))
        controls = MidiMap(lambda: player.dials, parse_bindings(bind))
        osc = stack.enter_context(
            OscControl(lambda: player.dials, osc_port, osc_host, controls.learn, player.muting, sound.transport(player))
        )
        if midi:
            stack.enter_context(MidiInput(controls))
        stack.enter_context(sound.playing(player))
        with suppress(KeyboardInterrupt):
            if not as_script:
                for remark in player.voice.remarks:
                    say(remark)
                what = "live input" if live_input else strip or "the song"
                say(f"Playing {what}. OSC on {osc_host}:{osc.port}. Ctrl-C ends it.")
            wait_while_playing(player, Reloader(player, Path(recipe), again, begun), seconds)
        close(stack)
        leave(sound.health(), as_script)


def _drive(recipe: str, to: str) -> None:
    """Move the faders, pans, mutes, sends and plugins of a DAW in which a session of the recipe is open."""
    from studio.cli.opening import recipe_of
    from studio.live.driving import moves_of
    from studio.live.remotes import Remote, desk
    from studio.sessions.building import session_of

    name, _, port = to.partition(":")
    if port and not port.isdecimal():
        raise click.UsageError(f"--drive {to}: write DAW or DAW:PORT, such as ardour:3819")
    found = desk(name)
    with ExitStack() as stack:
        song = recipe_of(recipe, stack)
        moves = moves_of(song, session_of(song, Path("media")).timeline)
    remote = Remote(found, port=int(port) if port else None)
    remote.move(*moves)
    remote.close()
    say(f"{len(moves)} movements are sent to {found.name}.")

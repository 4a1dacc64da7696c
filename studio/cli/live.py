"""`studio live`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from studio.cli.completing import recipes
from studio.cli.opening import STDIN, recipe_of, session_options
from studio.cli.show import as_json, say, say_lines
from studio.cli.stopping import STOPPING

if TYPE_CHECKING:
    from studio.live.health import Health
    from studio.live.output import LiveOutput
    from studio.live.player import LivePlayer
    from studio.live.reloading import Reloader
    from studio.live.voice import LiveVoice

CLOSING_SECONDS = 0.7
"""How long outputs and controllers may take to close before they are left as they are."""


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
        sound = stack.enter_context(_output(song.rate, device, follow, live_input))
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
            _play(player, Reloader(player, Path(recipe), again, begun), seconds)
        _close(stack)
        _leave(sound.health(), as_script)


def _close(stack: ExitStack) -> None:
    """Close outputs and controllers, as far as they do so in time; whoever interrupts once more does not wait for them."""
    closing = threading.Thread(target=stack.pop_all().close, daemon=True, name="closing")
    with suppress(KeyboardInterrupt):
        closing.start()
        closing.join(CLOSING_SECONDS)


def _leave(health: Health, as_script: bool) -> NoReturn:
    """Say how it went and end the process, whatever still waits for a sound card, a render or a chain that is too slow.

    Ctrl-C is how playing ends well; another signal keeps its exit code.
    """
    ctrl_c = 128 + signal.SIGINT
    code = 0 if STOPPING.code == ctrl_c else STOPPING.code
    try:
        _report(health, as_script)
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, KeyboardInterrupt):
        # Nobody reads any more.
        pass
    finally:
        os._exit(code)


def _report(health: Health, as_script: bool) -> None:
    from dataclasses import asdict

    if as_script:
        as_json(asdict(health))
        return
    say(
        f"{health.periods} periods of {health.period_ms} ms, {health.xruns} too late. Half of them took "
        f"{health.median_ms} ms, all but one of a thousand {health.late_ms} ms, the slowest {health.slowest_ms} ms. "
        f"From input to output: {health.latency_ms} ms."
    )
    if health.late_ms > health.period_ms:
        say("The chains take too long: a longer period gives them time, or --as-rendered STRIP spares one.")


def _output(rate: int, device: str | None, follow: bool, listens: bool) -> LiveOutput:
    """Where the sound goes: to JACK, or to the system's own audio where no JACK server runs or a device is named."""
    from studio.errors import MissingError
    from studio.live.jack import Jack
    from studio.live.system import System

    if device is None:
        try:
            return Jack(follow=follow)
        except MissingError:
            # Only JACK has a transport.
            if follow:
                raise
    return System(rate, device, listens=listens)


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


def _play(player: LivePlayer, reloader: Reloader, seconds: float | None) -> None:
    """Wait until the time is over, and tell what happens meanwhile."""
    end = time.monotonic() + seconds if seconds else None
    told: set[str] = set()
    reloader.start()
    while end is None or time.monotonic() < end:
        time.sleep(0.1 if end is None else min(0.1, max(0.0, end - time.monotonic())))
        for trouble in player.troubles:
            if trouble not in told:
                say(f"The sound goes on dry: {trouble}", err=True)
                told.add(trouble)
        for error in reloader.news():
            if error is None:
                say("Changed.")
            else:
                say_lines(f"Not changed: {error}", err=True)

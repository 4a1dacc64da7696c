"""Playing from the command line: where the sound goes, what is told meanwhile, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NoReturn

from studio.cli.show import as_json, say, say_lines
from studio.cli.stopping import STOPPING

if TYPE_CHECKING:
    from studio.live.health import Health
    from studio.live.output import LiveOutput
    from studio.live.player import LivePlayer
    from studio.live.reloading import Reloader

CLOSING_SECONDS = 0.7
"""How long outputs and controllers may take to close before they are left as they are."""


def output(rate: int, device: str | None, follow: bool, listens: bool) -> LiveOutput:
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


def wait_while_playing(player: LivePlayer, reloader: Reloader | None, seconds: float | None) -> None:
    """Wait until the time is over, and tell what happens meanwhile."""
    end = time.monotonic() + seconds if seconds else None
    told: set[str] = set()
    if reloader is not None:
        reloader.start()
    while end is None or time.monotonic() < end:
        time.sleep(0.1 if end is None else min(0.1, max(0.0, end - time.monotonic())))
        for trouble in player.troubles:
            if trouble not in told:
                say(f"The sound goes on dry: {trouble}", err=True)
                told.add(trouble)
        for error in reloader.news() if reloader is not None else ():
            if error is None:
                say("Changed.")
            else:
                say_lines(f"Not changed: {error}", err=True)


def close(stack: ExitStack) -> None:
    """Close outputs and controllers, as far as they do so in time; whoever interrupts once more does not wait for them."""
    closing = threading.Thread(target=stack.pop_all().close, daemon=True, name="closing")
    with suppress(KeyboardInterrupt):
        closing.start()
        closing.join(CLOSING_SECONDS)


def leave(health: Health, as_script: bool) -> NoReturn:
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

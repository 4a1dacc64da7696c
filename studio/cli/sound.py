"""`studio show`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from studio.cli.show import as_json, finite, say, table

if TYPE_CHECKING:
    from studio.stretch.sound_card import SoundCard


@click.command("show")
@click.argument("sounds", nargs=-1, required=True, metavar="SOUND...")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(sounds: tuple[str, ...], as_script: bool) -> None:
    """Say what a sound is: its tempo and beats as a loop, with how sure that is, meter, swing, key and hits.

    This is what `fit`, `warp` and `slice` go by. SOUND is an audio file, or - for standard input.
    """
    from studio.cli.opening import sound_of
    from studio.stretch.sound_card import describe_sound

    with ExitStack() as stack:
        cards = {name: describe_sound(sound_of(name, stack)) for name in sounds}
    if as_script:
        as_json({name: _data(card) for name, card in cards.items()})
        return
    for name, card in cards.items():
        table(("", ""), list(_rows(card)), title=name)
        for sentence in card.loop.remarks:
            say(sentence)


def _rows(card: SoundCard) -> list[tuple[str, str]]:
    loop = card.loop
    rows = [("sound", f"{card.seconds:.3f} s, {card.channels} × {card.rate} Hz, peak {card.peak_db:.1f} dBFS")]
    for index, reading in enumerate(loop.readings[: 1 if loop.sure else 2]):
        sure = (
            f"confidence {loop.confidence:.0%}{'' if loop.sure else ', not sure'}"
            if not index
            else "the next best reading"
        )
        rows.append(("or" if index else "loop", f"{reading}, {sure}"))
    if loop.readings:
        rows.append(("meter", f"{loop.meter} beats a bar"))
    if loop.swing is not None:
        rows.append(("swing", f"the second eighth at {loop.swing:.0%} of the beat"))
    if card.key is not None:
        rows.append(("key", f"{card.key.name}, confidence {card.key.share:.0%}"))
    if card.key_told:
        rows.append(("key, as told", card.key_told))
    if card.root is not None:
        rows.append(("root, as told", f"MIDI key {card.root}"))
    rows += [("told", each) for each in card.told]
    rows.append(("hits", str(card.hits)))
    if card.cues:
        rows.append(("cue points", ", ".join(f"{cue:.3f} s" for cue in card.cues[:16])))
    rows.append(("auto", f"{card.method.method}: {card.method.reason}"))
    return rows


def _data(card: SoundCard) -> dict[str, Any]:
    loop = card.loop
    return {
        "seconds": card.seconds,
        "rate": card.rate,
        "channels": card.channels,
        "peak_db": finite(card.peak_db),
        "sure": loop.sure,
        "confidence": loop.confidence,
        "readings": [{"beats": each.beats, "bpm": each.bpm, "share": each.share} for each in loop.readings],
        "meter": loop.meter,
        "swing": loop.swing,
        "start": loop.start,
        "remarks": list(loop.remarks),
        "told": list(card.told),
        "key": card.key and {"name": card.key.name, "share": card.key.share},
        "key_told": card.key_told,
        "root": card.root,
        "hits": card.hits,
        "cues": list(card.cues),
        "method": card.method.method,
    }

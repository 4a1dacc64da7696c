"""Addresses: naming one knob in a tree of records."""

from __future__ import annotations

import pytest

from studio.address import get, locate, put
from studio.errors import RecipeError
from studio.recipe import Recipe
from studio.steps import parse_step

SONG = Recipe.loads("""
score: song.mid
knobs:
  dust: {value: 0.3, drives: {keys.chorus.depth: [0, 0.6]}}
  chorus: {value: 0.4}
tracks:
  keys:
    part: all
    notes: [{quantise: {swing: 0.6}}]
    play: {soundfont: {gain: 3 dB}}
    chain:
      - chorus
      - parallel: {name: crush, chain: [{bitcrush: 8}, {chorus: {name: wide}}]}
      - rack:
          name: glue
          knobs: {squeeze: {value: 0.2, drives: {compressor.threshold: [0, -30]}}}
          chain: [compressor, {lowpass: 9 kHz}]
      - multiband: {crossovers: [200, 2000], bands: [[{gain: {name: low}}], [], [{gain: {name: high}}]]}
    send: {room: -12 dB}
  two lead:
    part: all
    chain: [delay, {delay: {name: late}}, phaser, phaser]
buses: {room: {chain: [reverb]}}
master: {chain: [{limiter: {threshold: -2 dB}}]}
""")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("keys.volume", ("tracks", "keys", "volume")), ("keys.chorus.rate", ("tracks", "keys", "chain", 0, "rate")),
        ("keys.chorus", ("tracks", "keys", "chain", 0, "rate")), ("tracks.keys.chorus.rate", ("tracks", "keys", "chain", 0, "rate")),
        ("keys.soundfont.gain", ("tracks", "keys", "play", "gain")), ("keys.quantise.swing", ("tracks", "keys", "notes", 0, "swing")),
        ("keys.crush", ("tracks", "keys", "chain", 1, "mix")), ("keys.crush.wide.mix", ("tracks", "keys", "chain", 1, "chain", 1, "mix")),
        ("keys.wide.mix", ("tracks", "keys", "chain", 1, "chain", 1, "mix")), ("keys.bitcrush", ("tracks", "keys", "chain", 1, "chain", 0, "depth")),
        ("keys.glue.squeeze", ("tracks", "keys", "chain", 2, "knobs", "squeeze", "value")),
        ("keys.glue.lowpass", ("tracks", "keys", "chain", 2, "chain", 1, "cutoff")),
        ("keys.high", ("tracks", "keys", "chain", 3, "bands", 2, 0, "gain")), ("keys.send.room", ("tracks", "keys", "send", "room", "level")),
        ("keys.room.pre", ("tracks", "keys", "send", "room", "pre")), ("two lead.late.feedback", ("tracks", "two lead", "chain", 1, "feedback")),
        ("two lead.delay.feedback", ("tracks", "two lead", "chain", 0, "feedback")),
        ("room.reverb.wet", ("buses", "room", "chain", 0, "wet")), ("master.limiter", ("master", "chain", 0, "threshold")),
        ("master.loudness", ("master", "loudness")), ("dust", ("knobs", "dust", "value")), ("dust.value", ("knobs", "dust", "value")),
        ("title", ("title",)), ("output.bits", ("output", "bits")), ("keys.chain", ("tracks", "keys", "chain")),
    ],
)  # fmt: skip
def test_an_address_leads_to_its_knob(address: str, path: tuple[object, ...]) -> None:
    found, kind = locate(SONG, address)
    assert found == path
    assert kind.parse(kind.data(get(SONG, found))) == get(SONG, found)


@pytest.mark.parametrize(
    ("address", "cause", "mend"),
    [
        ("kyes.volume", "there is no 'kyes'", "keys"), ("keys.volum", "there is no 'volum' in a track", "Did you mean volume?"),
        ("keys.chorus.rat", "there is no 'rat' in 'chorus'", "Did you mean rate?"), ("keys.chorus.rate.x", "'rate' is a knob and has no 'x'", ""),
        ("tracks.bass.volume", "there is no tracks 'bass'", "keys"), ("two lead.phaser.rate", "2 steps in a track are called 'phaser'", "a name of its own"),
        ("", "there is no ''", ""), (".", "there is no ''", ""), ("keys..rate", "there is no ''", ""), ("tracks", "there is no 'tracks'", ""),
        ("keys.glue.reverb", "there is no 'reverb' in 'glue'", "compressor"), ("origin", "there is no 'origin'", ""),
        ("__class__", "there is no '__class__'", ""), ("keys.chorus.open", "there is no 'open'", ""),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere_says_where_it_got_lost(address: str, cause: str, mend: str) -> None:
    with pytest.raises(RecipeError) as caught:
        locate(SONG, address)
    assert f"{address!r}:" in caught.value.cause
    assert cause in caught.value.cause and mend in caught.value.mend


def test_alone_a_name_is_the_macro_and_with_a_knob_behind_it_the_step() -> None:
    rack = parse_step(
        {"rack": {"chain": ["chorus"], "knobs": {"chorus": {"value": 0.4, "drives": {"chorus.mix": [0, 1]}}}}}
    )
    assert locate(rack, "chorus")[0] == ("knobs", "chorus", "value")
    assert locate(rack, "chorus.mix")[0] == ("chain", 0, "mix")
    nested = parse_step({"parallel": {"chain": [{"parallel": {"name": "in", "chain": ["phaser"]}}, "phaser"]}})
    assert locate(nested, "phaser.mix")[0] == ("chain", 1, "mix"), "the one nearest the surface"


def test_put_changes_one_knob_checks_it_and_leaves_the_rest() -> None:
    path, _ = locate(SONG, "keys.wide.mix")
    changed = put(SONG, path, 0.25)
    assert get(changed, path) == 0.25 and get(SONG, path) == 0.5
    assert put(changed, path, 0.5) == SONG
    assert get(SONG, ()) is SONG
    with pytest.raises(ValueError, match="7 is out of range"):
        put(SONG, path, 7)

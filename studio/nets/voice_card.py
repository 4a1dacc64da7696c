"""What the card of a voice says; read without torch, so that a voice's range is known before it is opened."""

from __future__ import annotations

from studio.nets.model_file import LEVEL, CardFormat
from studio.records import Kind
from studio.stored import Members, Named, Real, Whole, Words

KIND = "voice"
VERSION = 1

RANGE: dict[str, Kind] = {
    "loudness_mean": LEVEL,
    "loudness_spread": Real(low=1e-4, high=300),
    "lowest_octave": Real(low=-12, high=12),
    "highest_octave": Real(low=-12, high=12),
}
"""What a card says of each instrument: its loudness in dB(A), and its range in octaves from 220 Hz."""

FIELDS: dict[str, Kind] = {
    "shape": Members(
        of={
            "rate": Whole(low=8_000, high=192_000),
            "hop": Whole(low=1, high=8_192),
            "width": Whole(low=1, high=1_024),
            "harmonics": Whole(low=1, high=512),
            "bands": Whole(low=2, high=1_025),
            "instruments": Whole(high=256, default=0),
            "room": Whole(high=768_000, default=0),
        }
    ),
    "name": Words(longest=200),
    "instruments": Named(each=Members(of=RANGE), fewest=2, most=256, default={}),
}

CARD = CardFormat(KIND, VERSION, FIELDS)

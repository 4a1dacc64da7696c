"""What was asked for beside what was delivered, in words, for everything that is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator

from studio.recipe.model import Master
from studio.rendering.manifest import Entry

_TOLERANCE_LU = 0.05
_TOLERANCE_DB = 0.005
_SHORTEST_SECONDS = 0.4
"""BS.1770 measures over blocks of this length."""


def loudness_remarks(master: Master, lufs: float, true_peak_db: float, seconds: float, name: str) -> Iterator[str]:
    """Why a song is not at the loudness, or not under the ceiling, that its recipe asks for.

    Args:
        master: what is asked for.
        lufs: integrated loudness of what was delivered.
        true_peak_db: its true peak, in dBTP.
        seconds: its length.
        name: what to call it.
    """
    if master.loudness is None:
        return
    if lufs == float("-inf"):
        short = f"lasts {seconds:.2f} s, and loudness is measured over {_SHORTEST_SECONDS} s"
        why = short if seconds < _SHORTEST_SECONDS else "is silent"
        yield f"{name} {why}, so it has no loudness to bring to {master.loudness:.1f} LUFS."
        return
    missing = master.loudness - lufs
    if abs(missing) > _TOLERANCE_LU:
        yield (
            f"{name} cannot be brought to {master.loudness:.1f} LUFS under {master.ceiling:.1f} dBTP;"
            f" it is at {lufs:.2f} LUFS, {abs(missing):.2f} LU off."
        )
    if true_peak_db > master.ceiling + _TOLERANCE_DB:
        yield (
            f"{name} reaches {true_peak_db:.2f} dBTP, above the ceiling of {master.ceiling:.1f}: lossy formats raise"
            " peaks. Lower `master.ceiling` by the difference."
        )


def clipping_remark(entry: Entry) -> Iterator[str]:
    """What a file could not hold of its signal."""
    if entry.clipped_db > 0:
        yield (
            f"{entry.path} clips: its peak is {entry.clipped_db:+.1f} dBFS. Turn it down, set `master.loudness`,"
            " or write `output: {bits: 32}`."
        )

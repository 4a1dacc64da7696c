"""An instrument as SFZ: a text file any sampler reads, WAV files beside it, and the chain as a preset.

The opcodes are those of SFZ 1 and of ARIA that other players know as well (https://sfzformat.com). What SFZ cannot say is
put as near as it can be: velocities cross over in a straight line, and a release is one slope.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from studio.disk import part_of, writing
from studio.errors import OutputError, Place
from studio.exporting.samples import RELEASES, Sampled, Zone

NOTES = ("c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b")
CARD = "card.json"
_SILENT_DB = 90.0
"""By how many dB a decay or release of an SFZ player falls in the time it is given."""


@contextmanager
def standing_sfz(sampled: Sampled, folder: Path, stem: str, chain: str | None, about: str) -> Iterator[Path]:
    """``stem.sfz``, its samples and, if there is a chain, ``stem.chain.yaml`` in a folder beside `folder`.

    It takes its place when the block ends well.

    Raises:
        OutputError: there is something already that is not an earlier export, or the folder cannot be written.
    """
    check_sfz_replaceable(folder)
    room = part_of(folder)
    try:
        with writing(folder, "the instrument"):
            (room / "samples").mkdir(parents=True)
            for zone in sampled.zones:
                (room / "samples" / wav_name(zone)).write_bytes(_wav(zone, sampled.rate))
            (room / f"{stem}.sfz").write_text("\n".join(_lines(sampled, about)) + "\n", encoding="utf-8")
            if chain is not None:
                (room / f"{stem}.chain.yaml").write_text(chain, encoding="utf-8")
        yield room
        with writing(folder, "the instrument"):
            if folder.exists():
                before = part_of(folder)
                folder.rename(before)
                shutil.rmtree(before)
            room.rename(folder)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def check_sfz_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that is not an earlier export.

    Raises:
        OutputError: so it would be.
    """
    if folder.exists() and not ((folder / CARD).is_file() and list(folder.glob("*.sfz"))):
        raise OutputError(
            "there is something else already.",
            "Give another name or folder, or take it away.",
            place=Place(str(folder)),
        )


def wav_name(zone: Zone) -> str:
    """The name of the file that holds a zone's sample."""
    key = zone.span.key
    return f"{key:03d}-{NOTES[key % 12].replace('#', 's')}{key // 12 - 1}-v{zone.velocity:03d}.wav"


def _wav(zone: Zone, rate: int) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, zone.samples.T, rate, "PCM_24", format="WAV")
    return out.getvalue()


def _lines(sampled: Sampled, about: str) -> Iterator[str]:
    yield f"// {about}"
    yield "<global>"
    yield "bend_up=200"
    yield "bend_down=-200"
    yield f"xf_velcurve={'gain' if sampled.correlated else 'power'}"
    yield "amp_veltrack=100"
    lowest = sampled.velocities[0]
    for velocity in sorted({1, *range(8, lowest, 8), lowest, 127}):
        level = min(1.0, (velocity / lowest) ** sampled.soft)
        yield f"amp_velcurve_{velocity}={level:.6f}"
    for zone in sampled.zones:
        yield ""
        yield "<region>"
        yield f"sample=samples/{wav_name(zone)}"
        yield f"lokey={zone.span.low} hikey={zone.span.high} pitch_keycenter={zone.span.key}"
        yield from _velocities(zone, sampled.velocities)
        yield from _player(zone, sampled.rate)


def _velocities(zone: Zone, all_of_them: tuple[int, ...]) -> Iterator[str]:
    """From where to where a layer is heard, coming in and going out over those beside it.

    At a velocity that was sampled its layer sounds alone, also in players that know no cross-fades.
    """
    index = all_of_them.index(zone.velocity)
    below = all_of_them[index - 1] if index else 0
    above = all_of_them[index + 1] if index + 1 < len(all_of_them) else 128
    yield f"lovel={below + 1} hivel={above - 1}"
    if below:
        yield f"xfin_lovel={below} xfin_hivel={zone.velocity}"
    if above < 128:
        yield f"xfout_lovel={zone.velocity} xfout_hivel={above}"


def _player(zone: Zone, rate: int) -> Iterator[str]:
    frames = zone.samples.shape[1]
    if not any(level < 0 for level in zone.release):
        yield "loop_mode=one_shot"
        return
    if zone.loop is None:
        yield "loop_mode=no_loop"
    else:
        yield f"loop_mode=loop_continuous loop_start={zone.loop} loop_end={frames - 1}"
    if zone.decay and zone.loop is not None:
        yield f"ampeg_hold={zone.loop / rate:.4f} ampeg_decay={_SILENT_DB / zone.decay:.4f} ampeg_sustain=0"
    yield f"ampeg_release={release_seconds(zone):.4f}"


def release_seconds(zone: Zone) -> float:
    """How long one slope lasts that goes down as the release does in its first 40 dB."""
    levels = np.array(zone.release)
    reach = max(float(levels.min()), -40.0)
    seconds = float(np.interp(-reach, -levels, RELEASES))
    return float(np.clip(seconds * _SILENT_DB / -reach, 0.005, 30.0)) if reach < 0 else 30.0

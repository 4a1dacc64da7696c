"""REAPER projects for tests, as REAPER writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from studio.sessions.importing import import_session
from studio.sessions.recipes import Imported

RATE = 44_100


def sounds(folder: Path, seconds: float = 4.0) -> dict[str, np.ndarray]:
    """a.wav (noise), b.wav (440 Hz) and up.wav (440 Hz, rising), stereo; each as (channels, frames)."""
    folder.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(RATE * seconds)) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (2, len(time)))
    made = {"a": noise, "b": np.stack([tone, tone]), "up": np.stack([tone, tone]) * time / seconds}
    for name, sound in made.items():
        soundfile.write(folder / f"{name}.wav", sound.T, RATE, subtype="FLOAT")
    return {name: sound.astype(np.float32) for name, sound in made.items()}


def item(
    file: str = "a.wav", position: float = 0, length: float = 2, *, source: str = "", inside: str = "", loop: int = 0,
    rate: str = "1 1 0", offset: str = "0", volpan: str = "1 0 1 -1", fades: tuple[str, str] = ("1 0 0", "1 0 0"),
) -> str:  # fmt: skip
    """An item of audio, or of the `source` that is given, with lines of its own `inside`."""
    source = source or f'<SOURCE WAVE\nFILE "{file}"\n>'
    return (
        f"<ITEM\nPOSITION {position}\nSNAPOFFS 0\nLENGTH {length}\nLOOP {loop}\nALLTAKES 0\nFADEIN {fades[0]} 1 0 0\n"
        f"FADEOUT {fades[1]} 1 0 0\nMUTE 0 0\nSEL 0\nIGUID {{1}}\nIID 1\nNAME it\nVOLPAN {volpan}\nSOFFS {offset}\n"
        f"PLAYRATE {rate} -1 0 0.0025\nCHANMODE 0\nGUID {{2}}\n{source}\n{inside}\n>"
    )


def notes(*events: tuple[int, str], head: str = "HASDATA 1 960 QN") -> str:
    """A source of notes: events as ticks since the last one and bytes."""
    lines = "\n".join(f"E {delta} {data}" for delta, data in events)
    return f"<SOURCE MIDI\n{head}\n{lines}\n>"


def track(name: str, *items: str, inside: str = "", volpan: str = "1 0 -1 -1 1", phase: int = 0, fx: int = 1) -> str:
    """A track with items, and lines of its own `inside`."""
    return (
        f'<TRACK {{3}}\nNAME "{name}"\nPEAKCOL 16576\nBEAT -1\nAUTOMODE 0\nVOLPAN {volpan}\nMUTESOLO 0 0 0\n'
        f"IPHASE {phase}\nPLAYOFFS 0 1\nISBUS 0 0\nBUSCOMP 0 0 0 0 0\nSHOWINMIX 1 0.6667 0.5 1 0.5 0 0 0\nSEL 0\n"
        f"REC 0 0 1 0 0 0 0 0\nVU 2\nTRACKHEIGHT 0 0 0 0 0 0\nINQ 0 0 0 0.5 100 0 0 100\nNCHAN 2\nFX {fx}\nTRACKID {{3}}\n"
        f"PERF 0\nMIDIOUT -1\nMAINSEND 1 0\n{inside}\n" + "\n".join(items) + "\n>"
    )


def project(path: Path, *tracks: str, inside: str = "") -> Path:
    """A project of some tracks at 120 bpm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '<REAPER_PROJECT 0.1 "7.40/linux-x86_64" 1758095983\n<NOTES 0 2\n>\nRIPPLE 0 0\nGROUPOVERRIDE 0 0 0 0\n'
        "AUTOXFADE 129\nPANLAW 1\nPROJOFFS 0 0 0\nGRID 3199 8 1 8 1 0 0 0\nTIMEMODE 1 5 -1 30 0 0 -1 0\nCURSOR 0\n"
        f"SAMPLERATE {RATE} 1 0\nTEMPO 120 4 4 0\nMASTER_NCH 2 2\nMASTER_VOLUME 1 0 -1 -1 1\nMASTER_FX 1\nMASTER_SEL 0\n"
        + inside + "\n" + "\n".join(tracks) + "\n>\n"
    )  # fmt: skip
    return path


def imported(path: Path, **options: object) -> tuple[Imported, np.ndarray]:
    """What becomes of a project, and how it sounds."""
    from studio.rendering import render

    target = path.parent / "in" / f"{path.stem}.yaml"
    made = import_session(path, target, replace=True, **options)  # type: ignore[arg-type]
    return made, render(target, cache=False).mix.samples


def told(made: Imported) -> str:
    """The losses as one text."""
    return " | ".join(map(str, made.losses))

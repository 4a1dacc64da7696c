"""Tempo and meter as Ardour keeps them."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from studio.interchange.ardour.clock import SUPERCLOCK, TICKS
from studio.interchange.ardour.sheet import ArdourSheet


def tempo_map(sheet: ArdourSheet) -> Element:
    """The tempo map of a timeline."""
    tempo = sheet.timeline.tempo
    root = Element("TempoMap", {"superclocks-per-second": str(SUPERCLOCK)})
    tempos = SubElement(root, "Tempos")
    for change, after in zip(tempo.tempos, [*tempo.tempos[1:], None], strict=True):
        ramp = change.ramp and after is not None
        end = after.bpm if ramp and after is not None else change.bpm
        omega = 0.0
        if ramp and after is not None:
            # Its ramps are straight along quarters too; omega is the slope in quarters a superclock, a quarter.
            omega = float((after.bpm - change.bpm) / 60 / SUPERCLOCK / (after.beat - change.beat))
        SubElement(
            tempos,
            "Tempo",
            {
                "npm": repr(float(change.bpm)),
                "enpm": repr(float(end)),
                "note-type": "4",
                "type": "Tempo::Ramped" if ramp else "Tempo::Constant",
                "active": "1",
                "locked-to-meter": "0",
                "continuing": "0",
                "omega": repr(omega),
                **_point(sheet, change.beat),
            },
        )
    meters = SubElement(root, "Meters")
    for meter in tempo.meters:
        SubElement(
            meters,
            "Meter",
            {
                "note-value": str(meter.unit),
                "divisions-per-bar": str(meter.count),
                **_point(sheet, meter.beat),
            },
        )
    SubElement(root, "MusicTimes")
    return root


def _point(sheet: ArdourSheet, beat: Fraction) -> dict[str, str]:
    """The three ways in which Ardour says where a change of tempo or meter lies."""
    tempo = sheet.timeline.tempo
    ticks = round(beat * TICKS)
    if (beat * TICKS).denominator != 1:
        sheet.lose(f"a change on beat {float(beat):g}", "tempo map", f"Ardour has {TICKS} ticks a beat")
    bar = tempo.bar_of_beat(beat)
    whole = int(bar)
    unit = max((meter for meter in tempo.meters if meter.beat <= beat), key=lambda meter: meter.beat).unit
    rest = (beat - tempo.beat_of_bar(Fraction(whole))) * unit / 4
    return {
        "sclock": str(round(tempo.second_at(beat) * SUPERCLOCK)),
        "quarters": f"{ticks // TICKS}:{ticks % TICKS}",
        "bbt": f"{whole + 1}|{int(rest) + 1}|{round((rest - int(rest)) * TICKS)}",
    }

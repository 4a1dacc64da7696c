"""A whole timeline faster or slower."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from studio.interchange.lane import Lane, Value
from studio.interchange.timeline import AudioClip, Device, NoteClip, Timeline, TimelineSend, TimelineStrip, Treatment
from studio.tempo import Tempo, TempoMap


def at_speed(timeline: Timeline, speed: float, tape: bool) -> Timeline:
    """The same song passed through `speed` times as fast; with `tape` the pitch of its audio follows.

    Audio is stretched, tempo and everything that moves come sooner or later with it; notes keep their beats.
    """
    exact = Fraction(speed).limit_denominator(10**6)
    tempo = TempoMap(
        tuple(Tempo(each.beat, each.bpm * exact, each.ramp) for each in timeline.tempo.tempos),
        timeline.tempo.meters,
    )

    def strip(each: TimelineStrip) -> TimelineStrip:
        return replace(
            each,
            clips=tuple(
                clip if isinstance(clip, NoteClip) else _clip(clip, speed, tape, timeline.rate) for clip in each.clips
            ),
            devices=tuple(_device(device, speed) for device in each.devices),
            volume=_value(each.volume, speed),
            pan=_value(each.pan, speed),
            trim=_value(each.trim, speed),
            trim_pan=_value(each.trim_pan, speed),
            sends=tuple(TimelineSend(send.target, _value(send.level, speed), send.pre) for send in each.sends),
        )

    return replace(
        timeline,
        tempo=tempo,
        frames=round(timeline.frames / speed),
        tracks=tuple(map(strip, timeline.tracks)),
        buses=tuple(map(strip, timeline.buses)),
        master=strip(timeline.master),
    )


def _value(value: Value, speed: float) -> Value:
    return value.at_speed(speed) if isinstance(value, Lane) else value


def _device(device: Device, speed: float) -> Device:
    motions = tuple(replace(motion, lane=motion.lane.at_speed(speed)) for motion in device.motions)
    return replace(device, motions=motions)


def _clip(clip: AudioClip, speed: float, tape: bool, rate: int) -> AudioClip:
    seconds = clip.frames / rate
    was = clip.treatment or Treatment(seconds)
    warps = was.warps or ((0.0, 0.0), (was.seconds, seconds))
    return replace(
        clip,
        start=round(clip.start / speed),
        frames=max(1, round(clip.frames / speed)),
        fade_in=round(clip.fade_in / speed),
        fade_out=round(clip.fade_out / speed),
        treatment=replace(
            was,
            warps=tuple((source, at / speed) for source, at in warps),
            tape=was.tape or tape,
            devices=tuple(_device(device, speed) for device in was.devices),
            pan=_value(was.pan, speed),
            envelope=was.envelope.at_speed(speed) if was.envelope is not None else None,
        ),
    )

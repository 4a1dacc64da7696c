"""A timeline as a REAPER project."""

from __future__ import annotations

import base64
import uuid
from fractions import Fraction
from functools import partial
from pathlib import Path

from studio.disk import write_whole
from studio.interchange.lane import Lane, first
from studio.interchange.motions import numbered, positions
from studio.interchange.notes import trimmed
from studio.interchange.ramps import along_seconds
from studio.interchange.reaper.text import Chunk, RppLine, dump
from studio.interchange.reaper.vst import write_vst
from studio.interchange.timeline import MASTER, AudioClip, Device, Loss, NoteClip, Timeline, TimelineStrip
from studio.score import SYSTEM
from studio.sources.clips import FADES

MEDIA = "Media"
_VERSION = "7.16/linux-x86_64"
_POST, _PRE = 0, 3
_SPACE = uuid.UUID("6f2a3c4e-8f0b-4b6e-9d3a-3d1f2b7c5a90")


def write_timeline(timeline: Timeline, folder: Path, name: str) -> tuple[Loss, ...]:
    """Write ``name.rpp`` into a folder whose audio lies in its folder Media; what is lost is returned."""
    project = _Project(timeline, folder)
    root = project.build()
    write_whole(folder / f"{name}.rpp", "\r\n".join(dump(root)) + "\r\n")
    return tuple(project.losses)


class _Project:
    def __init__(self, timeline: Timeline, folder: Path) -> None:
        self.timeline, self.folder, self.rate = timeline, folder, timeline.rate
        self.losses: list[Loss] = []
        self.strips = [*timeline.tracks, *timeline.buses]
        self.numbers = {strip.name: index for index, strip in enumerate(self.strips)}

    def build(self) -> Chunk:
        timeline = self.timeline
        opening, meter = timeline.tempo.tempos[0], timeline.tempo.meters[0]
        root = Chunk("REAPER_PROJECT", ["0.1", _VERSION, "0"])
        notes = root.open("NOTES", 0, 2)
        for line in (timeline.comment, timeline.license):
            if line:
                notes.inside.append(RppLine(f"|{' '.join(line.split())}", []))
        root.add("TITLE", timeline.title)
        root.add("AUTHOR", timeline.author)
        root.add("SAMPLERATE", self.rate, 1, 0)
        root.add("TEMPO", float(opening.bpm), meter.count, meter.unit)
        master = timeline.master
        root.add("MASTER_VOLUME", first(master.volume) if not isinstance(master.volume, Lane) else 1.0, 0, -1, -1, 1)
        if isinstance(master.volume, Lane):
            self._envelope(root, "MASTERVOLENV2", master.volume)
        self._tempo(root)
        for index, marker in enumerate(timeline.markers, 1):
            root.add("MARKER", index, self._second(marker.beat), marker.name, 0)
        if master.devices:
            self._chain(root, master, "MASTERFXLIST")
        for strip in self.strips:
            self._track(root, strip)
        return root

    def _second(self, beat: Fraction) -> float:
        return float(self.timeline.tempo.second_at(beat))

    def _guid(self, *words: object) -> str:
        """The same for the same song, so that equal songs give equal files."""
        return f"{{{str(uuid.uuid5(_SPACE, '/'.join(map(str, words)))).upper()}}}"

    def _tempo(self, root: Chunk) -> None:
        tempo = self.timeline.tempo
        points = {beat: (second, bpm, ramp) for second, bpm, ramp, beat in along_seconds(tempo)}
        meters = {meter.beat: meter for meter in tempo.meters}
        for beat in meters:
            if beat not in points:
                before = max(each for each in points if each < beat)
                points[beat] = (float(tempo.second_at(beat)), tempo.bpm_at(beat), points[before][2])
        if any(change.ramp for change in tempo.tempos):
            self.losses.append(
                Loss("tempo ramps", "tempo map", "REAPER's are straight in seconds: each is cut into short pieces")
            )
        if len(points) == 1:
            return
        envelope = root.open("TEMPOENVEX")
        envelope.add("ACT", 1, -1)
        envelope.add("VIS", 1, 0, 1)
        envelope.add("ARM", 0)
        envelope.add("DEFSHAPE", 1, -1, -1)
        for beat, (second, bpm, ramp) in sorted(points.items()):
            words: list[object] = ["PT", second, bpm, 0 if ramp else 1]
            if beat in meters:
                words += [65_536 * meters[beat].unit + meters[beat].count, 0, 1]
            envelope.add(*words)

    def _track(self, root: Chunk, strip: TimelineStrip) -> None:
        track = root.open("TRACK", self._guid("track", strip.name))
        track.add("NAME", strip.name)
        red, green, blue = (int(strip.colour[digit : digit + 2], 16) for digit in (1, 3, 5))
        track.add("PEAKCOL", 0x1000000 | red | green << 8 | blue << 16)
        volume = 1.0 if isinstance(strip.volume, Lane) else strip.volume
        pan = 0.0 if isinstance(strip.pan, Lane) else strip.pan
        track.add("VOLPAN", volume, pan, -1, -1, 1)
        track.add("MUTESOLO", strip.mute, 2 if strip.solo else 0, 0)
        track.add("IPHASE", 0)
        track.add("ISBUS", 0, 0)
        track.add("NCHAN", 2)
        track.add("FX", 1)
        track.add("MAINSEND", strip.to == MASTER, 0)
        self._receives(track, strip)
        if isinstance(strip.volume, Lane):
            self._envelope(track, "VOLENV2", strip.volume)
        if isinstance(strip.pan, Lane):
            # The top of REAPER's pan envelopes is left.
            self._envelope(track, "PANENV2", strip.pan.mapped(lambda value: -value))
        if strip.devices:
            self._chain(track, strip, "FXCHAIN")
        for index, clip in enumerate(strip.clips):
            item = track.open("ITEM")
            if isinstance(clip, NoteClip):
                self._note_item(item, strip, clip, index)
            else:
                self._audio_item(item, strip, clip, index)

    def _receives(self, track: Chunk, strip: TimelineStrip) -> None:
        """What comes from elsewhere is written where it arrives; a way out that is not the master's is a send too."""
        for other in self.strips:
            ways: list[tuple[int, float | Lane]] = [
                (_PRE if send.pre else _POST, send.level) for send in other.sends if send.target == strip.name
            ]
            if other.to == strip.name:
                ways.append((_POST, 1.0))
            for mode, level in ways:
                factor = 1.0 if isinstance(level, Lane) else level
                track.add("AUXRECV", self.numbers[other.name], mode, factor, 0, 0, 0, 0, 0, 0, "-1:U", -1, -1, "")
                if isinstance(level, Lane):
                    self._envelope(track, "AUXVOLENV", level)

    def _envelope(self, parent: Chunk, tag: str, lane: Lane, *words: object) -> None:
        envelope = parent.open(tag, *words)
        envelope.add("EGUID", self._guid(tag, parent.head.words, len(parent.inside)))
        envelope.add("ACT", 1, -1)
        envelope.add("VIS", 1, 1, 1)
        envelope.add("ARM", 0)
        envelope.add("DEFSHAPE", 0, -1, -1)
        if "VOL" in tag:
            envelope.add("VOLTYPE", 0)
        for second, value, held in zip(lane.seconds, lane.values, lane.held, strict=True):
            envelope.add("PT", second, value, 1 if held else 0)

    def _chain(self, parent: Chunk, strip: TimelineStrip, tag: str) -> None:
        carried = [device for device in strip.devices if self._carries(strip, device)]
        if not carried:
            return
        chain = parent.open(tag)
        for device in carried:
            write_vst(chain, device)
            for motion, control in numbered(device, partial(self._lost, strip, device)):
                number = f"{device.controls.index(control)}:{control.id}"
                words = (number, 0, 1, 0.5, f"{control.title} / {device.name}")
                self._envelope(chain, "PARMENV", positions(motion, control), *words)

    def _lost(self, strip: TimelineStrip, device: Device, what: str, why: str) -> None:
        self.losses.append(Loss(f"automation of {what!r} of {device.name!r}", strip.name, why))

    def _carries(self, strip: TimelineStrip, device: Device) -> bool:
        if device.format == "vst3" and device.state is not None:
            return True
        why = "its state is not known" if device.format == "vst3" else f"a {device.format} plugin is not carried"
        self.losses.append(Loss(f"plugin {device.name!r}", strip.name, why))
        return False

    def _item(self, item: Chunk, strip: TimelineStrip, name: str, index: int, start: float, length: float) -> None:
        item.add("POSITION", start)
        item.add("SNAPOFFS", 0)
        item.add("LENGTH", length)
        item.add("LOOP", 0)
        item.add("IGUID", self._guid("item", strip.name, index))
        item.add("NAME", name or strip.name)

    def _audio_item(self, item: Chunk, strip: TimelineStrip, clip: AudioClip, index: int) -> None:
        self._item(item, strip, clip.name, index, clip.start / self.rate, clip.frames / self.rate)
        item.add("MUTE", clip.muted, 0)
        shapes = [list(FADES).index(shape) for shape in (clip.fade_in_shape, clip.fade_out_shape)]
        item.add("FADEIN", shapes[0], clip.fade_in / self.rate, 0, shapes[0], 0, 0, 0)
        item.add("FADEOUT", shapes[1], clip.fade_out / self.rate, 0, shapes[1], 0, 0, 0)
        item.add("VOLPAN", 1, 0, clip.gain, -1)
        item.add("SOFFS", clip.offset / self.rate)
        item.add("PLAYRATE", 1, 1, 0, -1, 0, 0.0025)
        source = item.open("SOURCE", "WAVE")
        source.add("FILE", clip.file.relative_to(self.folder).as_posix())

    def _note_item(self, item: Chunk, strip: TimelineStrip, clip: NoteClip, index: int) -> None:
        start = self._second(clip.start)
        self._item(item, strip, clip.name, index, start, self._second(clip.start + clip.beats) - start)
        item.add("SOFFS", 0)
        item.add("PLAYRATE", 1, 1, 0, -1, 0, 0.0025)
        source = item.open("SOURCE", "MIDI")
        score = trimmed(clip)
        source.add("HASDATA", 1, score.resolution, "QN")
        tick = 0
        for event in score.events:
            if event.status >= SYSTEM:
                system = source.open("X", event.tick - tick, 0)
                system.add(base64.b64encode(event.data).decode())
            else:
                words = [f"{byte:02x}" for byte in event.data.ljust(3, b"\0")]
                source.add("E", event.tick - tick, *words)
            tick = event.tick
        # All notes off at the end says how long it is.
        source.add("E", max(0, score.tick(clip.beats) - tick), "b0", "7b", "00")

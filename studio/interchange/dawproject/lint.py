"""A linter for DAWproject: what the published schema lets through and other programs then trip over.

The schema knows the order of elements; it does not know whether an audio file is there, a reference leads to the
right kind of thing, or a number is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from xml.etree.ElementTree import Element

from studio.errors import StudioError
from studio.interchange.archive import Archive, safe_name
from studio.interchange.dawproject.schema import PLUGINS, SPECS
from studio.interchange.safe_xml import LARGEST_BYTES, parse_xml
from studio.interchange.vstpreset import CLASS_ID, class_id

PROJECT, METADATA = "project.xml", "metadata.xml"
LARGEST_STATE = 256 * 1024 * 1024
_PARAMETERS = {
    "Tempo", "TimeSignature", "Volume", "Pan", "Mute", "Enabled", "Enable", "RealParameter", "BoolParameter",
    "IntegerParameter", "EnumParameter", "TimeSignatureParameter",
}  # fmt: skip
_NEAR = 1e-6


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong: `code` names its kind, `where` is the way to the element."""

    code: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} [{self.code}]"


@dataclass
class _Sheet:
    """A parsed project on the table."""

    root: Element
    archive: Archive
    ids: dict[str, Element] = field(default_factory=dict)
    parents: dict[Element, Element] = field(default_factory=dict)
    order: dict[Element, int] = field(default_factory=dict)
    found: list[Defect] = field(default_factory=list)

    def add(self, code: str, element: Element, what: str) -> None:
        self.found.append(Defect(code, self.way(element), what))

    def way(self, element: Element) -> str:
        names = []
        step: Element | None = element
        while step is not None:
            label = step.get("name") or step.get("id")
            names.append(f"{step.tag} {label!r}" if label else step.tag)
            step = self.parents.get(step)
        return " › ".join(reversed(names[:-1])) or element.tag

    def every(self, *tags: str) -> Iterator[Element]:
        return (element for element in self.root.iter() if element.tag in tags)


def lint(archive: Archive) -> list[Defect]:
    """Everything that is wrong with a DAWproject file.

    Raises:
        StudioError: its project.xml cannot be read at all.
    """
    root = parse_xml(archive.read(PROJECT, LARGEST_BYTES), PROJECT)
    sheet = _Sheet(root, archive)
    for index, element in enumerate(root.iter()):
        sheet.order[element] = index
        for child in element:
            sheet.parents[child] = element
    for check in _CHECKS:
        check(sheet)
    return sheet.found


def _container(sheet: _Sheet) -> None:
    for name, count in Counter(sheet.archive.names).items():
        if count > 1:
            sheet.found.append(Defect("zip-duplicate", name, "stands in the zip file more than once"))
        if not safe_name(name):
            sheet.found.append(Defect("zip-path", name, "leads out of the folder it is unpacked into"))
    if not sheet.archive.holds(METADATA):
        sheet.found.append(Defect("metadata-missing", METADATA, "is missing, which crashes one importer"))
        return
    try:
        tag = parse_xml(sheet.archive.read(METADATA, LARGEST_BYTES), METADATA).tag
    except StudioError as error:
        sheet.found.append(Defect("metadata-xml", METADATA, error.cause))
        return
    if tag != "MetaData":
        sheet.found.append(Defect("metadata-root", METADATA, f"begins with {tag}, not MetaData"))


def _structure(sheet: _Sheet) -> None:
    if sheet.root.tag != "Project":
        sheet.add("root", sheet.root, f"the document begins with {sheet.root.tag}, not Project")
    for element in sheet.root.iter():
        spec = SPECS.get(element.tag)
        if spec is None:
            sheet.add("element-unknown", element, f"there is no element {element.tag}")
            continue
        for name in spec.required:
            if name not in element.attrib:
                sheet.add("attribute-missing", element, f"needs {name}")
        for name, text in element.attrib.items():
            if name not in spec.attributes:
                sheet.add("attribute-unknown", element, f"has no attribute {name}")
            elif not spec.attributes[name](text):
                sheet.add("value", element, f"{name}={text!r} is out of range or no such value")
        tags = [child.tag for child in element]
        for need in spec.needs:
            if need not in tags:
                sheet.add("child-missing", element, f"needs {need}")
        for tag in dict.fromkeys(tags):
            if tag not in (*spec.ordered, *spec.free) and tag in SPECS:
                sheet.add("child-misplaced", element, f"{tag} cannot stand here")
            if tag in spec.ordered and tag not in spec.free and tags.count(tag) > 1:
                sheet.add("child-repeated", element, f"has {tag} {tags.count(tag)} times")
        ranks = [spec.ordered.index(tag) if tag in spec.ordered else len(spec.ordered) for tag in tags]
        if any(after < before for before, after in pairwise(ranks)):
            sheet.add("child-order", element, f"its parts stand in the order {', '.join(tags)}")


def _identities(sheet: _Sheet) -> None:
    for element in sheet.root.iter():
        name = element.get("id")
        if name is None:
            continue
        if name in sheet.ids:
            sheet.add("id-duplicate", element, f"the id {name!r} is taken by {sheet.way(sheet.ids[name])}")
        else:
            sheet.ids[name] = element


def _references(sheet: _Sheet) -> None:
    kinds: tuple[tuple[str, tuple[str, ...], str, Callable[[Element], bool], str], ...] = (
        ("destination", ("Channel", "Send"), "destination", lambda found: found.tag == "Channel", "a Channel"),
        ("track", ("Lanes", "Clips", "Points", "Notes"), "track", lambda found: found.tag == "Track", "a Track"),
        ("target", ("Target",), "parameter", lambda found: found.tag in _PARAMETERS, "a parameter"),
        ("alias", ("Clip",), "reference", lambda found: found.tag in SPECS, "a timeline"),
    )
    for code, tags, attribute, fits, kind in kinds:
        for element in sheet.every(*tags):
            name = element.get(attribute)
            if name is None:
                continue
            found = sheet.ids.get(name)
            if found is None:
                sheet.add(f"{code}-dangling", element, f"{attribute}={name!r} leads nowhere")
            elif not fits(found):
                sheet.add(f"{code}-kind", element, f"{attribute}={name!r} leads to a {found.tag}, not to {kind}")
            elif code == "destination" and sheet.order[found] > sheet.order[element]:
                sheet.add("destination-forward", element, f"{name!r} stands after it, where some readers lose it")


def _routing(sheet: _Sheet) -> None:
    goes: dict[Element, list[Element]] = {}
    masters = [channel for channel in sheet.every("Channel") if channel.get("role") == "master"]
    if len(masters) != 1:
        sheet.add("master-count", sheet.root, f"there are {len(masters)} master channels")
    for channel in sheet.every("Channel"):
        ways = [channel.get("destination"), *(send.get("destination") for send in channel.iter("Send"))]
        goes[channel] = [sheet.ids[way] for way in ways if way in sheet.ids]
        if channel.get("role") == "master" and channel.get("destination"):
            sheet.add("master-destination", channel, "the master goes to another channel")
    done: set[Element] = set()
    while ready := [channel for channel in goes if channel not in done and set(goes[channel]) & goes.keys() <= done]:
        done.update(ready)
    for channel in goes:
        if channel not in done:
            sheet.add("routing-circle", channel, "its signal goes round in a circle")
            break


def _parameters(sheet: _Sheet) -> None:
    for element in sheet.every("Volume", "Pan", "RealParameter", "Tempo"):
        low, high, value = (_float(element.get(name)) for name in ("min", "max", "value"))
        if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
            sheet.add("value-range", element, f"{value} is not between {low} and {high}")
        if low is not None and high is not None and low > high:
            sheet.add("range", element, f"its range goes from {low} to {high}")
        if element.get("unit") is None:
            sheet.add("unit-missing", element, "has no unit, which one DAW needs")
    for volume in sheet.every("Volume"):
        if volume.get("unit") == "linear" and (_float(volume.get("value")) or 0) < 0:
            sheet.add("volume-negative", volume, "a negative volume")
    for tempo in sheet.every("Tempo"):
        _tempo_value(sheet, tempo, _float(tempo.get("value")))


def _tempo_value(sheet: _Sheet, element: Element, value: float | None) -> None:
    if value is not None and not 1 <= value <= 2000:
        sheet.add("tempo", element, f"a tempo of {value} bpm")


def _clips(sheet: _Sheet) -> None:
    for clip in sheet.every("Clip"):
        inside = [child for child in clip if child.tag in SPECS]
        if clip.get("reference") is None and len(inside) != 1:
            sheet.add("clip-content", clip, f"holds {len(inside)} timelines instead of one")
        time, duration = _float(clip.get("time")), _float(clip.get("duration"))
        nested = sheet.parents.get(sheet.parents.get(clip, clip), clip).tag == "Clip"
        if time is not None and time < 0 and not nested:
            sheet.add("clip-before", clip, f"begins at {time}, before the song")
        if duration == 0:
            sheet.add("clip-empty", clip, "has no length")
        start, end = _float(clip.get("loopStart")), _float(clip.get("loopEnd"))
        if (start is None) != (end is None) or (start is not None and end is not None and end <= start):
            sheet.add("clip-loop", clip, f"loops from {start} to {end}")
        first, last = _float(clip.get("playStart")), _float(clip.get("playStop"))
        if last is not None and last <= (first or 0):
            sheet.add("clip-play", clip, f"plays from {first or 0} to {last}")
        fades = [_float(clip.get(name)) or 0.0 for name in ("fadeInTime", "fadeOutTime")]
        same = clip.get("fadeTimeUnit", "beats") == _unit(sheet, clip)
        if duration is not None and same and sum(fade for fade in fades if fade > 0) > duration + _NEAR:
            sheet.add("clip-fades", clip, "its fades are longer than it is")


def _notes(sheet: _Sheet) -> None:
    for notes in sheet.every("Notes"):
        clip = sheet.parents.get(notes)
        while clip is not None and clip.tag != "Clip":
            clip = sheet.parents.get(clip)
        duration = _float(clip.get("duration")) if clip is not None else None
        offset = (_float(clip.get("playStart")) or 0.0) if clip is not None else 0.0
        looped = clip is not None and clip.get("loopEnd") is not None
        for note in notes.iter("Note"):
            time = _float(note.get("time"))
            if time is not None and duration is not None and not looped and time - offset >= duration + _NEAR:
                sheet.add("note-outside", note, f"begins at {time}, after its clip of {duration}")
            if time is not None and time < 0:
                sheet.add("note-before", note, f"begins at {time}, before its clip")


def _audio(sheet: _Sheet) -> None:
    import soundfile

    for reference in sheet.every("File", "State"):
        path, external = reference.get("path", ""), reference.get("external") == "true"
        if not external and not safe_name(path):
            sheet.add("file-path", reference, f"{path!r} leads out of the archive")
        elif not external and not sheet.archive.holds(path):
            sheet.add("file-missing", reference, f"{path!r} is not in the archive")
        elif external:
            sheet.add("file-external", reference, f"{path!r} lies outside the archive and will not travel with it")
    for audio in sheet.every("Audio"):
        file = audio.find("File")
        path = file.get("path", "") if file is not None else ""
        if file is None or file.get("external") == "true" or not sheet.archive.holds(path):
            continue
        try:
            with sheet.archive.open(path) as member:
                info = soundfile.info(member)
        except (soundfile.LibsndfileError, StudioError):
            sheet.add("audio-unreadable", audio, f"{path!r} is no audio file")
            continue
        for name, real, near in (
            ("channels", info.channels, 0.0),
            ("sampleRate", info.samplerate, 0.0),
            ("duration", info.frames / info.samplerate, 1.5 / info.samplerate),
        ):
            said = _float(audio.get(name))
            if said is not None and abs(said - real) > near:
                sheet.add(f"audio-{name.lower()}", audio, f"says {name}={said:g}, {path!r} has {real:g}")


def _warps(sheet: _Sheet) -> None:
    for warps in sheet.every("Warps"):
        points = [(_float(warp.get("time")), _float(warp.get("contentTime"))) for warp in warps.iter("Warp")]
        if len(points) < 2:
            sheet.add("warps-few", warps, f"has {len(points)} warp points; two are needed")
        whole = [(time, content) for time, content in points if time is not None and content is not None]
        if any(b[0] <= a[0] or b[1] <= a[1] for a, b in pairwise(whole)):
            sheet.add("warps-order", warps, "its warp points do not rise")
        content = [child for child in warps if child.tag != "Warp"]
        if len(content) != 1:
            sheet.add("warps-content", warps, f"holds {len(content)} timelines instead of one")
        audio = warps.find("Audio")
        duration = _float(audio.get("duration")) if audio is not None else None
        if duration is not None and whole and whole[-1][1] > duration + 1e-3:
            sheet.add("warps-beyond", warps, f"reaches {whole[-1][1]} s into a file of {duration} s")


def _automation(sheet: _Sheet) -> None:
    for points in sheet.every("Points", "TempoAutomation", "TimeSignatureAutomation"):
        times = [_float(point.get("time")) for point in points if point.tag.endswith("Point")]
        values = [_float(point.get("value")) for point in points if point.tag == "RealPoint"]
        if not times:
            sheet.add("points-empty", points, "has no points")
        rising = [time for time in times if time is not None]
        if any(after < before for before, after in pairwise(rising)):
            sheet.add("points-order", points, "its points do not follow each other")
        if any(time < 0 for time in rising) and sheet.parents[points].tag == "Arrangement":
            sheet.add("points-before", points, "a point before the song")
        target = points.find("Target")
        if points.tag == "Points":
            if target is None or not target.attrib.keys() & {"parameter", "expression"}:
                sheet.add("target-missing", points, "moves nothing: it has no target")
            elif target.get("expression") == "channelController" and target.get("controller") is None:
                sheet.add("target-controller", points, "does not say which controller it moves")
            else:
                _automation_range(sheet, points, target, [value for value in values if value is not None])
        if points.tag == "TempoAutomation":
            for value in values:
                _tempo_value(sheet, points, value)
    tempo, moving = sheet.root.find("Transport/Tempo"), sheet.root.find("Arrangement/TempoAutomation/RealPoint")
    if tempo is None:
        sheet.add("tempo-missing", sheet.root, "the transport has no tempo")
    elif moving is not None:
        one, other = _float(tempo.get("value")), _float(moving.get("value"))
        if one is not None and other is not None and abs(one - other) > 1e-6:
            sheet.add("tempo-differs", tempo, f"the transport says {one} bpm, its automation begins with {other}")


def _automation_range(sheet: _Sheet, points: Element, target: Element, values: list[float]) -> None:
    parameter = sheet.ids.get(target.get("parameter", ""))
    if parameter is None:
        return
    low, high = _float(parameter.get("min")), _float(parameter.get("max"))
    if any(
        (low is not None and value < low - _NEAR) or (high is not None and value > high + _NEAR) for value in values
    ):
        sheet.add("points-range", points, f"leaves the range of {low} to {high}")
    if points.get("unit") and parameter.get("unit") and points.get("unit") != parameter.get("unit"):
        sheet.add("points-unit", points, f"is in {points.get('unit')}, what it moves in {parameter.get('unit')}")


def _devices(sheet: _Sheet) -> None:
    for device in sheet.every(*PLUGINS):
        identity, state = device.get("deviceID", ""), device.find("State")
        if not identity:
            sheet.add("device-id", device, "has no deviceID, by which hosts find it")
        elif device.tag == "Vst3Plugin" and not CLASS_ID.fullmatch(identity):
            sheet.add("device-id", device, f"{identity!r} is no class id of 32 hexadecimal digits")
        if state is None:
            sheet.add("state-missing", device, "has no state")
        elif device.tag == "Vst3Plugin" and sheet.archive.holds(state.get("path", "")):
            try:
                inside = class_id(sheet.archive.read(state.get("path", ""), LARGEST_STATE))
            except StudioError as error:
                sheet.add("state-format", device, error.cause)
                continue
            if inside != identity.upper():
                sheet.add("state-other", device, f"its state is for {inside}, not for {identity}")


def _tracks(sheet: _Sheet) -> None:
    for track in sheet.every("Track"):
        if track.find("Channel") is None and "tracks" not in track.get("contentType", ""):
            sheet.add("track-channel", track, "has no channel, so it cannot be heard")
        if not track.get("contentType"):
            sheet.add("track-content", track, "does not say what it holds")
        if not (track.get("name") or "").strip():
            sheet.add("track-name", track, "has no name")
    used = Counter(lanes.get("track") for lanes in sheet.root.iterfind("Arrangement/Lanes/Lanes") if lanes.get("track"))
    for name, count in used.items():
        if count > 1 and name in sheet.ids:
            sheet.add("lanes-repeated", sheet.ids[name], f"has {count} lanes in the arrangement")
    for lanes in sheet.root.iterfind("Arrangement/Lanes/Lanes"):
        if lanes.get("track") is None:
            sheet.add("lanes-track", lanes, "belongs to no track")


def _unit(sheet: _Sheet, element: Element) -> str:
    """The time unit an element's times are in."""
    step = sheet.parents.get(element)
    while step is not None:
        if step.tag == "Clip" and step.get("contentTimeUnit"):
            return step.get("contentTimeUnit", "beats")
        if step.get("timeUnit"):
            return step.get("timeUnit", "beats")
        step = sheet.parents.get(step)
    return "beats"


def _float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


_CHECKS = (
    _container, _structure, _identities, _references, _routing, _parameters, _clips, _notes, _audio, _warps,
    _automation, _devices, _tracks,
)  # fmt: skip

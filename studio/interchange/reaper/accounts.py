"""What of a REAPER project nobody has read.

The tables say what has no part in the sound, and what words say when they say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from studio.interchange.accounts import Leftover
from studio.interchange.reaper.text import Chunk, RppLine, number

_SILENT = """
    RIPPLE GROUPOVERRIDE AUTOXFADE ENVATTACH POOLEDENVATTACH MIXERUIFLAGS ENVFADESZ10 PEAKGAIN FEEDBACK PROJOFFS
    MAXPROJLEN GRID TIMEMODE VIDEO_CONFIG CURSOR ZOOM VZOOMEX USE_REC_CFG RECMODE SMPTESYNC LOOPGRAN RECORD_PATH
    RECORD_CFG APPLYFX_CFG RENDER_FILE RENDER_PATTERN RENDER_FMT RENDER_1X RENDER_RANGE RENDER_RESAMPLE RENDER_ADDTOPROJ
    RENDER_STEMS RENDER_DITHER RENDER_TRIM RENDER_CFG RENDER_NORMALIZE TIMELOCKMODE TEMPOENVLOCKMODE ITEMMIX
    DEFPITCHMODE TAKELANE LOCK GLOBAL_AUTO SELECTION SELECTION2 MASTERAUTOMODE MASTERTRACKHEIGHT MASTERPEAKCOL
    MASTERTRACKVIEW MASTER_SEL MASTER_NCH MASTERHWOUT MASTER_PANMODE MASTER_PANLAWFLAGS PROJBAY METRONOME RULERHEIGHT
    RULERLANE EXTENSIONS NOTES AUTHOR TITLE PANMODE PANLAWFLAGS BEAT AUTOMODE BUSCOMP SHOWINMIX SEL REC VU TRACKHEIGHT
    INQ TRACKID PERF LAYOUTS SPACER TCPUIFLAGS MIDINOTENAMES CUSTOMNOTEORDER MIDICOLORMAPFN FXCHAIN_REC SNAPOFFS
    ALLTAKES IGUID IID GUID RECPASS COLOR GROUP YPOS TAKECOLOR TKM IMGRESOURCEFLAGS RESOURCEFN FIPMFLAGS
    EGUID VIS LANEHEIGHT ARM DEFSHAPE VOLTYPE PRESETNAME FLOATPOS FLOAT FXID WAK LASTSEL DOCKED SHOW WNDRECT
    CCINTERP CHASE_CC_TAKEOFFS POOLEDEVTS CFGEDIT CFGEDITVIEW KEYSNAP TRACKSEL EVTFILTER VELLANE PITCHSNAP SRCCOLOR
    OVERLAP INTERP BANKPROGRAMFILE RENDER_METADATA TRACKIMGFN
"""
"""Tags of views, selections, names of things in windows, recording and rendering."""

_WITHOUT_SOUND = frozenset(_SILENT.split())

_DEFAULTS: dict[str, tuple[str, ...]] = {
    "REAPER_PROJECT": ("*", "*", "*", "*"), "TEMPO": ("*", "*", "*", "*", "*"), "SAMPLERATE": ("*", "*", "*"),
    "MASTER_VOLUME": ("1", "0", "-1", "-1", "1"), "MASTERMUTESOLO": ("0",), "MASTER_FX": ("1",), "PANLAW": ("1",),
    "PLAYRATE": ("1", "*", "*", "*", "*", "*", "*"), "MARKER": ("*",) * 12, "TRACK": ("*",), "LOOP": ("*",),
    "VOLPAN": ("1", "0", "1", "-1", "1"), "TRACK VOLPAN": ("1", "0", "-1", "-1", "1"), "TAKEVOLPAN": ("0", "1", "-1"), "MUTESOLO": ("0", "0", "*"),
    "IPHASE": ("0",), "PLAYOFFS": ("0", "1"), "ISBUS": ("0", "0"), "NCHAN": ("*",), "FX": ("1",), "MAINSEND": ("1", "*"),
    "MIDIOUT": ("-1",), "HWOUT": ("*",) * 12, "FIXEDLANES": ("*",) * 12, "LANESOLO": ("*",) * 8, "FREEMODE": ("*",),
    "LANEREC": ("*",) * 6, "LANENAME": ("*",) * 64, "WIDTH": ("1",), "DUALPAN": ("-1", "1"), "DUALPANL": ("-1",),
    "AUXRECV": ("*", "*", "*", "*", "*", "*", "0", "*", "*", "*", "*", "*", "*", "*"),
    "FADEIN": ("*", "*", "*", "*", "*", "0", "0"), "FADEOUT": ("*", "*", "*", "*", "*", "0", "0"),
    "MUTE": ("0", "*"), "SOFFS": ("0", "*"), "CHANMODE": ("0",), "LANE": ("0",), "BYPASS": ("0", "0", "0"),
    "WET": ("1", "0"), "ACT": ("1", "*"), "PT": ("*",) * 10, "HASDATA": ("*",) * 8, "IGNTEMPO": ("0", "*", "*", "*"),
    "FILE": ("*", "*"), "LENGTH": ("*",), "MODE": ("0",), "POSITION": ("*",), "TAKE": ("*", "*"), "SM": (),
    "TEMPOENVEX": ("*",), "VST": ("*",) * 8, "AU": ("*",) * 8, "CLAP": ("*",) * 8, "LV2": ("*",) * 8,
    "PARMENV": ("*",) * 8, "SOURCE": ("*", "*"), "X": ("*",) * 4, "x": ("*",) * 4,
    "E": ("*", "*", "*", "*", "*", "*", "*"), "e": ("*", "*", "*", "*", "*", "*", "*"),
    "Em": ("*",) * 7, "em": ("*",) * 7,
}  # fmt: skip
"""What the words of a line say where they change nothing; a star stands for what never does."""

_CALLED = {
    "PANLAW": "pan law", "PLAYOFFS": "playback offset of a track", "MIDIOUT": "MIDI output", "WIDTH": "stereo width",
    "DUALPAN": "dual pan", "CHANMODE": "channel mode", "MASTER_FX": "switch of the master's effects",
    "WIDTHENV2": "automation of the width", "WIDTHENV": "automation of the width", "LANE": "lane",
    "GROUP_FLAGS": "track group", "FREEZE": "what was frozen", "MASTERPLAYSPEEDENV": "automation of the play rate", "CONTAINER": "container of effects",
    "POOLEDENVINST": "automation item", "MASTERMUTESOLO": "mute of the master",
}  # fmt: skip
"""Tags in the words of people."""


def leftovers(root: Chunk) -> Iterator[Leftover]:
    """What nobody has read, and what is not known to be silent."""
    yield from _inside(root, "project")


def _inside(chunk: Chunk, where: str) -> Iterator[Leftover]:
    for each in chunk.inside:
        if each.tag in _WITHOUT_SOUND or not each.tag:
            continue
        if isinstance(each, Chunk):
            if not each.seen:
                if _asleep(each):
                    continue
                yield Leftover(_called(each.tag), where, "")
                continue
            each.head.seen = True
            yield from _words(each.head, where)
            yield from _inside(each, _where(each, where))
        else:
            yield from _words(each, where, chunk.tag)


def _asleep(chunk: Chunk) -> bool:
    """Whether it is an envelope without points."""
    tags = {each.tag for each in chunk.inside}
    return "ACT" in tags and "PT" not in tags


def _words(line: RppLine, where: str, within: str = "") -> Iterator[Leftover]:
    usual = _DEFAULTS.get(f"{within} {line.tag}", _DEFAULTS.get(line.tag))
    if usual is None and not line.seen:
        yield Leftover(_called(line.tag), where, " ".join(line.words))
        return
    for index, word in line.unread():
        meant = usual[index] if usual is not None and index < len(usual) else "0"
        if meant != "*" and number(word, 1e9 if word else 0.0) != number(meant):
            yield Leftover(f"{_called(line.tag)}: word {index + 1}", where, word)


def _where(chunk: Chunk, where: str) -> str:
    """Whose things stand in a chunk: those of the track or item that has a name."""
    if chunk.tag not in ("TRACK", "ITEM"):
        return where
    named = next((each.words for each in chunk.inside if isinstance(each, RppLine) and each.tag == "NAME"), [])
    return " ".join(named) or where


def _called(tag: str) -> str:
    return f"{_CALLED[tag]} ({tag})" if tag in _CALLED else tag


def consume(each: Chunk | RppLine) -> None:
    """Tick off all of something that has been told of as a whole."""
    each.seen = True
    if isinstance(each, RppLine):
        each.all()
        return
    each.head.all()
    for inner in each.inside:
        consume(inner)

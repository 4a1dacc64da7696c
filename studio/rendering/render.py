"""From a recipe to files: plan, compute, write, and say what was written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Audio, Block
from studio.budgets import most_open_files
from studio.disk import remove_abandoned, writing
from studio.engine import Cache, Engine, Listener, Plan, Task
from studio.engine.loudness import measure
from studio.engine.nodes import Node
from studio.engine.progress import silent
from studio.errors import OutputError, Place
from studio.folders import cache_folder
from studio.notes import read_note, write_note
from studio.recipe import Recipe
from studio.rendering.audio_writer import Tags
from studio.rendering.checking import checked_plan
from studio.rendering.deliverables import OutputFile, output_files, stem_of
from studio.rendering.delivered import clipping_remark, loudness_remarks
from studio.rendering.manifest import MANIFEST, Entry, Manifest
from studio.rendering.report import REPORT, write_report
from studio.rendering.signal_writer import SignalWriter, SignalWriters
from studio.rendering.still import still
from studio.rendering.waveform_summary import WaveformSummary
from studio.score import Score
from studio.views import view

log = logging.getLogger(__name__)

_SHARE = 4
"""One in so many of the files that a process may have open may be a file that is written."""


@dataclass(frozen=True, eq=False)
class Result:
    """A rendered song. Sounds are read when they are asked for.

    Attributes:
        plan: what was computed.
        frames: the length of the song, which all its sounds share.
        folder: where files were written, or None.
        manifest: what was written there, or None.
    """

    plan: Plan
    frames: int
    engine: Engine
    folder: Path | None = None
    manifest: Manifest | None = None

    @cached_property
    def mix(self) -> Audio:
        """The song."""
        return self.sound(self.plan.mix)

    @cached_property
    def premaster(self) -> Audio:
        """The sum of the stems and buses, before the master chain."""
        return self.sound(self.plan.premaster)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What whoever hears it should know, such as a plugin that had to be left out."""
        return self.manifest.remarks if self.manifest else (*remarks(self.plan, self.engine), *self._shortfalls)

    @cached_property
    def _shortfalls(self) -> tuple[str, ...]:
        """Where the song is not as loud as its recipe asks."""
        master = self.plan.settled.master
        if master.loudness is None:
            return ()
        heard = measure(self.mix)
        return tuple(loudness_remarks(master, heard.integrated, heard.true_peak_db, self.mix.seconds, "the mix"))

    @property
    def stems(self) -> Mapping[str, Audio]:
        """The tracks, as `output` asks for them: after or before the fader, with or without their chains."""
        return {name: self.sound(stem_of(strip, self.plan.recipe)) for name, strip in self.plan.tracks.items()}

    @property
    def buses(self) -> Mapping[str, Audio]:
        """The buses, as they reach the mix."""
        return {name: self.sound(strip.post) for name, strip in self.plan.buses.items()}

    def sound(self, node: Node) -> Audio:
        """Any signal of the plan, at the length of the song."""
        blocks = list(fitted(self.engine.blocks(node), self.frames, self.plan.context.channels))
        return Audio(np.concatenate(blocks, axis=1), self.plan.context.rate)

    def player(self, **options: Any) -> Any:
        """The song with its stems in a player in a notebook; `widgets.Player` has the options.

        Raises:
            MissingError: the notebook's packages are not installed.
        """
        return view("player")(self, **options)

    def _repr_html_(self) -> str:
        return still({"": self.mix}, self.plan.recipe.title or "a song")

    def __repr__(self) -> str:
        where = f", in {self.folder}" if self.folder else ""
        return f"Result({self.plan.recipe.title or 'a song'}, {self.frames / self.plan.context.rate:.1f} s{where})"


def render(
    recipe: Recipe | Path | str,
    out: Path | str | None = None,
    *,
    score: Score | Path | str | None = None,
    cache: Cache | bool = True,
    workers: int | None = None,
    block: int | None = None,
    report: bool = True,
    listener: Listener = silent,
) -> Result:
    """Render a recipe; with `out`, write stems, buses, mix, manifest and report into that folder.

    Args:
        recipe: a recipe, or the path of one.
        out: a folder, made if it is not there. Files in it that this render does not write stay untouched.
        score: plays this MIDI file or score instead of the recipe's.
        cache: True for the user's cache, False for none, or one of your own.
        workers: threads; all cores when None.
        block: frames handled at once; it changes speed and memory, never the result.
        report: whether to write `report.html`.
        listener: is told of progress.

    Raises:
        StudioError: something in the recipe, its files or the disk; existing output is untouched.
        Interrupted: the user pressed Ctrl-C; likewise.
    """
    song = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    planned = checked_plan(song, score)
    store = Cache() if cache is True else cache or None
    options: dict[str, Any] = {} if block is None else {"block": block}
    engine = Engine(store, workers=workers, listener=listener, **options)
    with song.placing():
        if out is None:
            engine.run(wanted(planned))
            result = Result(planned, length(planned, engine), engine)
            _warn(result._shortfalls)
            return result
        return _Writer(planned, engine, Path(out), report).run()


def wanted(planned: Plan) -> list[Node]:
    """Every signal a result can be asked for."""
    stems = [stem_of(strip, planned.recipe) for strip in planned.tracks.values()]
    return [*stems, *(strip.post for strip in planned.buses.values()), planned.premaster, planned.mix]


def remarks(planned: Plan, engine: Engine) -> tuple[str, ...]:
    """What whoever hears a rendered song should know."""
    said = dict.fromkeys(planned.remarks)
    for node in wanted(planned):
        said |= dict.fromkeys(engine.remarks(node))
    return tuple(said)


def length(planned: Plan, engine: Engine) -> int:
    """The length of the song in frames: as the recipe says, else to the end of the last tail."""
    if planned.frames is not None:
        return planned.frames
    return max(1, engine.frames(planned.mix), engine.frames(planned.premaster))


def fitted(blocks: Iterator[Block], frames: int, channels: int) -> Iterator[Block]:
    """A signal cut or filled up with silence to a length."""
    left = frames
    for block in blocks:
        if not left:
            return
        yield block[:, :left]
        left -= min(left, block.shape[1])
    while left:
        size = min(left, 65_536)
        yield np.zeros((channels, size), np.float32)
        left -= size


class _Writer:
    """Writes a song into a folder, in two steps so that no core waits.

    Each file is poured as soon as its own signal is there, and finished (filled up to the length of the song,
    tagged, hashed) when the mix is. Only when all are finished do they move into place.
    """

    def __init__(self, planned: Plan, engine: Engine, out: Path, report: bool) -> None:
        self._plan, self._engine, self._out, self._report = planned, engine, out, report
        self._recipe = planned.recipe
        self._old = Manifest.earlier(out)
        self._files = SignalWriters()
        self._writers: dict[str, SignalWriter] = {}
        self._entries: dict[str, Entry] = {}
        self._sketches: dict[str, WaveformSummary] = {}
        self._output_files = output_files(planned)
        self._index = cache_folder() / "outputs" / f"{_digest(str(out.resolve()))}.json"
        self._stamps = read_note(self._index) or {}

    def run(self) -> Result:
        _warn(self._plan.remarks)
        output_files = self._output_files
        folders = {folder for file in output_files for folder in (self._out / file.path).parents if folder != self._out}
        inside = sorted((each for each in folders if each.is_relative_to(self._out)), key=lambda each: -len(each.parts))
        made = [folder for folder in (*inside, self._out) if not folder.exists()]
        self._check_folder()
        try:
            with self._files:
                frames, manifest = self._written(output_files)
        except BaseException:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            raise
        self._tidy(manifest)
        said = [remark for entry in manifest.entries for remark in self._remarks(entry)]
        _warn(said)
        manifest = replace(manifest, remarks=(*manifest.remarks, *said))
        if self._report:
            sketches = {output_file.path: self._sketch(output_file) for output_file in output_files}
            write_report(self._out, self._plan, manifest, sketches)
        manifest.save(self._out)
        self._remember(manifest)
        return Result(self._plan, frames, self._engine, self._out, manifest)

    def _written(self, output_files: list[OutputFile]) -> tuple[int, Manifest]:
        """Write what is not there yet; the length of the song, and the manifest of all of it."""
        for output_file in output_files:
            if (entry := self._unchanged(output_file)) is not None:
                self._entries[output_file.path] = entry
        # Each stays open until the length of the song is known; those there are no handles for are written after that.
        first = self._errands("write", output_files, self._pour)[: max(1, most_open_files() // _SHARE)]
        self._engine.run([self._plan.mix, self._plan.premaster], first)
        frames = length(self._plan, self._engine)
        for output_file in output_files:
            self._reconsider(output_file, frames)
        self._engine.run((), self._errands("finish", output_files, partial(self._finish, frames)))
        entries = [self._entries[output_file.path] for output_file in output_files]
        return frames, Manifest.of(self._plan, frames, entries, remarks(self._plan, self._engine))

    def _errands(
        self, verb: str, output_files: list[OutputFile], work: Callable[[OutputFile, Engine], None]
    ) -> list[Task]:
        """Work on each file that is not there yet."""
        return [
            Task(f"{verb} {output_file.path}", (output_file.node,), partial(work, output_file))
            for output_file in output_files
            if output_file.path not in self._entries
        ]

    def _check_folder(self) -> None:
        """Find out now, not after the render, whether the folder can be written and is large enough."""
        with writing(self._out, "the output folder"):
            self._out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._out):
                pass
            free = shutil.disk_usage(self._out).free
        self._tidy_abandoned()
        needed = self._least_bytes()
        if needed > free:
            raise OutputError(
                f"this needs {_gigabytes(needed)}, {_gigabytes(free)} are free.",
                "Free some space, choose another folder, shorten `length`, or write fewer files with `output`.",
                place=Place(str(self._out)),
            )
        if free < 32 * 1024 * 1024:
            log.warning("only %d MB are free in %s", free // 1024**2, self._out)

    def _tidy_abandoned(self) -> None:
        """Remove what renders that were killed have left unfinished."""
        folders = dict.fromkeys((self._out / file.path).parent for file in self._output_files)
        found = [remove_abandoned(folder) for folder in folders]
        if count := sum(one for one, _ in found):
            what = "an unfinished file" if count == 1 else f"{count} unfinished files"
            log.info("removed %s (%s) of a render that was killed", what, _gigabytes(sum(size for _, size in found)))

    def _least_bytes(self) -> int:
        """The bytes that the files take at least, as far as it is known before the work."""
        output, context = self._recipe.output, self._plan.context
        frames = self._plan.frames
        if frames is None and (score := self._plan.context.score) is not None and score.events:
            frames = int(context.tempo.second_at(score.beat(score.events[-1].tick)) * context.rate)
        if frames is None or output.format != "wav":
            return 0
        total = sum(file.length(frames) for file in self._output_files)
        return total * context.channels * int(output.bits) // 8

    def _signature(self, output_file: OutputFile) -> str:
        """What the content of a file depends on, but for its length."""
        output, recipe = self._recipe.output, self._recipe
        # A sound with a remark on it is good for this once only.
        facts = [
            output_file.node.key,
            self._engine.remarks(output_file.node),
            output.format,
            output.bits,
            *([output.bitrate] if output.bitrate else []),
            *(["thin"] if output_file.thin else []),
            output_file.name,
            recipe.title,
            recipe.author,
            recipe.license,
        ]
        return _digest(json.dumps([*facts, self._plan.context.tempo.data()]))

    def _unchanged(self, output_file: OutputFile) -> Entry | None:
        """The entry of a file that is already there as it would be written."""
        entry = self._old.files.get(output_file.path) if self._old else None
        if entry is None or entry.signature != self._signature(output_file):
            return None
        if self._stamps.get(output_file.path) != _stamp(self._out / output_file.path):
            return None
        return entry if not self._report or self._sketch_path(output_file).exists() else None

    def _reconsider(self, output_file: OutputFile, frames: int) -> None:
        """Write a file thought unchanged after all when the length of the song is another."""
        entry = self._entries.get(output_file.path)
        if entry is not None and entry.frames != output_file.length(frames):
            del self._entries[output_file.path]

    def _pour(self, output_file: OutputFile, engine: Engine) -> None:
        context, output = self._plan.context, self._recipe.output
        channels = 1 if output_file.thin and _same(engine.blocks(output_file.node)) else context.channels
        writer = SignalWriter(
            self._out / output_file.path, context.rate, channels, output.format, output.bits, self._tags(output_file),
            expected_frames=self._plan.frames or 0, sketched=self._report, bitrate=output.bitrate,
        )  # fmt: skip
        self._writers[output_file.path] = self._files.add(writer)
        blocks = (block[:channels] for block in engine.blocks(output_file.node))
        writer.pour(
            blocks, output_file.length(self._plan.frames) if self._plan.frames is not None else output_file.frames
        )

    def _finish(self, frames: int, output_file: OutputFile, engine: Engine) -> None:
        if output_file.path not in self._writers:
            self._pour(output_file, engine)
        writer = self._writers[output_file.path]
        writer.fill(output_file.length(frames))
        written = writer.finish()
        if written.sketch is not None:
            written.sketch.save(self._sketch_path(output_file))
            self._sketches[output_file.path] = written.sketch
        self._entries[output_file.path] = Entry(
            path=output_file.path,
            role=output_file.role,
            name=output_file.name,
            frames=written.frames,
            channels=writer.channels,
            sha256=written.sha256,
            signature=self._signature(output_file),
            lufs=written.loudness.integrated,
            peak_db=written.loudness.peak_db,
            true_peak_db=written.loudness.true_peak_db,
            in_premaster=output_file.in_premaster,
            clipped_db=written.clipped_db,
        )

    def _tags(self, output_file: OutputFile) -> Tags:
        recipe = self._recipe
        title = recipe.title if output_file.role == "mix" else f"{recipe.title} — {output_file.name}".strip(" —")
        return Tags(
            title, recipe.author, recipe.license, recipe.story, self._plan.context.tempo,
            project=recipe.title, track=output_file.name,
        )  # fmt: skip

    def _sketch_path(self, output_file: OutputFile) -> Path:
        return cache_folder() / "sketches" / f"{_digest(self._signature(output_file))}.json"

    def _sketch(self, output_file: OutputFile) -> WaveformSummary | None:
        # The one just drawn, where the cache could not keep it.
        return self._sketches.get(output_file.path) or WaveformSummary.load(self._sketch_path(output_file))

    def _tidy(self, manifest: Manifest) -> None:
        """Remove what an earlier render wrote and this one did not, unless someone has changed it since."""
        before = {*(self._old.files if self._old else ()), *({REPORT} & self._stamps.keys())}
        for path in before - manifest.files.keys() - ({REPORT} if self._report else set()):
            if self._stamps.get(path) == _stamp(self._out / path):
                with contextlib.suppress(OSError):
                    (self._out / path).unlink()

    def _remember(self, manifest: Manifest) -> None:
        """Note size and time of what was written, to know next time without reading it."""
        paths = [*manifest.files, *([REPORT] if self._report else [])]
        with contextlib.suppress(OutputError):
            write_note(self._index, {path: _stamp(self._out / path) for path in paths})
            write_note(_origin_note(self._out), {"folder": str(self._recipe.folder.resolve())})

    def _remarks(self, entry: Entry) -> Iterator[str]:
        """What is not as it should be in a file that was delivered."""
        yield from clipping_remark(entry)
        if entry.role == "mix":
            seconds = entry.frames / self._plan.context.rate
            yield from loudness_remarks(self._plan.settled.master, entry.lufs, entry.true_peak_db, seconds, entry.path)


def _same(blocks: Iterator[Block]) -> bool:
    """Whether both channels of a signal are the same."""
    return all(np.array_equal(block[0], block[1]) for block in blocks)


def _warn(said: Iterable[str]) -> None:
    for remark in said:
        log.warning("%s", remark)


def _gigabytes(count: int) -> str:
    """A number of bytes for people."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def origin_of(out: Path) -> Path | None:
    """The folder that the recipe of the last render into `out` was in, if it was made on this machine and is known."""
    folder = (read_note(_origin_note(out)) or {}).get("folder")
    return Path(folder) if isinstance(folder, str) else None


def _origin_note(out: Path) -> Path:
    return cache_folder() / "outputs" / f"{_digest(str(out.resolve()))}.from.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _stamp(path: Path) -> list[int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]


__all__ = ["MANIFEST", "REPORT", "Result", "render"]

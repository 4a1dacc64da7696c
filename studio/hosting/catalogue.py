"""The catalogue: which plugins there are, what is known of them, and which ones are blocked.

What is known is kept beside the cache, under the plugin's path, size and time of change, so that a plugin is loaded
to be looked at only once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from studio.errors import MissingError, OutputError, StudioError, nearest
from studio.folders import cache_folder, folder_of_reading, found_once, plugin_folders
from studio.hosting.bundles import forget_bundles, has_plugins, inner_uri, read_bundles, recall_held
from studio.hosting.contract import PluginError
from studio.hosting.description import Description
from studio.hosting.host import hosts_of, is_bundle
from studio.hosting.measuring import latency_movers, measure, true_latency
from studio.hosting.vst3_files import is_named
from studio.hosting.workers import LOADING, Worker
from studio.notes import read_note, write_note

FORMAT = 3
"""Raised when descriptions are made differently, so that all are made anew."""

_SUFFIXES = {".vst3", ".so", ".dll", ".vst", ".component", ".lv2", ".clap"}
_LIBRARIES = {".so", ".dll"}

OWN_WORDS = (
    "file",
    "host",
    "preset",
    "program",
    "sidechain",
    "on_error",
    "patience",
    "id",
    "made_with",
    "state_hash",
    "settings",
    "name",
    "bypass",
)
"""What a `plugin` step says itself; a parameter of the same name goes by another."""

_UNANSWERED = "did not answer"
"""What is said of a plugin that hangs: no other host is asked to wait for it too."""

_known: dict[str, Description | str] = {}


@dataclass(frozen=True)
class Found:
    """A file that may be a plugin, with what is known of it: a description, the reason it is blocked, or nothing."""

    path: Path
    known: Description | str | None
    inner: str = ""
    """Which plugin of the file, where it holds several: in an LV2 bundle its URI."""

    @property
    def name(self) -> str:
        """What to call it while nothing is known of it."""
        if isinstance(self.known, Description):
            return self.known.about.name
        return dict(recall_held(self.path) or ()).get(self.inner, self.path.stem) if self.inner else self.path.stem


def candidates() -> Iterator[Path]:
    """Every file in the plugin folders that looks like one, each once; folders that are links are entered."""
    seen: set[Path] = set()
    for folder in plugin_folders():
        if folder.is_dir():
            yield from _below(folder, seen)


def _below(folder: Path, seen: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    for path in sorted(folder.iterdir(), key=lambda path: path.name.casefold()):
        if path.is_dir() and is_bundle(path):
            if has_plugins(path) and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path
        elif path.suffix.lower() in _SUFFIXES and (path.is_file() or path.suffix.lower() not in _LIBRARIES):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path
        elif path.is_dir():
            yield from _below(path, seen)


def list_plugins() -> Iterator[Found]:
    """Every plugin in every candidate, with what is known of it."""
    found = list(candidates())
    read_bundles([path for path in found if is_bundle(path)])
    for path in found:
        held = recall_held(path) if is_bundle(path) else None
        for inner in [uri for uri, _ in held] if held and len(held) > 1 else [""]:
            yield Found(path, _recall(path, None, inner), inner)


def find_plugin(wanted: str) -> Path:
    """The file of the plugin that `wanted` means: a path, a file's name with or without its ending, else a plugin's own
    name, or its id, where it is known.

    The folders are searched once for all that one reading of a recipe asks for (`studio.folders.searching_once`).

    Raises:
        MissingError: there is none; the nearest names are offered.
        PluginError: the path leads out of the plugin folders: a recipe from somewhere must not bring code of its own.
    """
    return _find(wanted)[0]


def _find(wanted: str) -> tuple[Path, str]:
    """The file, and which plugin of it, that `wanted` means.

    Raises:
        MissingError, PluginError: as `find_plugin`.
    """
    files: tuple[Path, ...] | None = None
    if not _is_uri(wanted):
        file, _, inner = wanted.partition("#")
        given = folder_of_reading() / Path(file).expanduser()
        if given.exists() and (given.suffix.lower() in _SUFFIXES or is_bundle(given)):
            path = _trusted(given)
            return path, inner_uri(path, inner) if is_bundle(path) else inner
        files = found_once("plugins", lambda: tuple(candidates()))
        folded = file.casefold()
        for path in files:
            if folded in {name.casefold() for name in (path.name, path.stem, path.stem.removesuffix("-vst"))}:
                return path, inner_uri(path, inner) if is_bundle(path) else inner
    files, folded = files or found_once("plugins", lambda: tuple(candidates())), wanted.casefold()
    # Under their number, since another may become known while the search lasts.
    names = found_once(f"names of plugins, {len(_known)} known", lambda: _own_names(files))
    if folded in names:
        return names[folded]
    if folded.startswith("vst3-"):
        for path in files:
            known = _recall(path)
            if isinstance(known, Description) and is_named(wanted, known.about.name, known.about.id):
                return path, ""
    offered = sorted({path.stem for path in files} | {name for each in files for _, name in recall_held(each) or ()})
    raise MissingError(
        f"there is no plugin {wanted!r} on this machine.",
        nearest(wanted, offered) or "Install it, or give its folder with STUDIO_PLUGINS.",
    )


def _is_uri(wanted: str) -> bool:
    return "://" in wanted or wanted.startswith("urn:")


def _find_asking(wanted: str) -> tuple[Path, str]:
    """As `_find`; LV2 bundles that nothing is known of are read before anything is said to be missing."""
    try:
        path, inner = _find(wanted)
        if not is_bundle(path) or recall_held(path) is not None:
            return path, inner
        read_bundles([path])
    except MissingError:
        read_bundles([path for path in candidates() if is_bundle(path)])
    return _find(wanted)


def _own_names(files: Sequence[Path]) -> dict[str, tuple[Path, str]]:
    """Plugins by the names and ids that they give themselves, as far as they are known."""
    names = dict[str, tuple[Path, str]]()
    for path in files:
        held = recall_held(path) if is_bundle(path) else None
        for uri, name in held or ():
            for word in (name, uri):
                names.setdefault(word.casefold(), (path, uri if held and len(held) > 1 else ""))
        known = _recall(path)
        if isinstance(known, Description):
            for name in (known.about.name, known.about.id):
                names.setdefault(name.casefold(), (path, ""))
    return names


def is_installed(path: Path) -> bool:
    """Whether a path lies in a folder for plugins, or leads there; whoever puts links there means them."""
    places = {path.resolve()} | ({path.absolute()} if ".." not in path.parts else set())
    folders = {way for folder in plugin_folders() for way in (folder.absolute(), folder.resolve())}
    return any(place.is_relative_to(folder) for place in places for folder in folders)


def _trusted(path: Path) -> Path:
    """A path in one of the plugin folders, as it is there; others could be anybody's code."""
    real = path.resolve()
    if not is_installed(path):
        raise PluginError(
            f"{path.name} lies in {real.parent}, which is no folder for plugins; what a recipe brings along is not run.",
            "Install it, or name its folder in STUDIO_PLUGINS if you trust it.",
        )
    return real


def describe_plugin(wanted: str, host: str | None = None) -> Description:
    """What is known of a plugin; it is looked at now if nothing is.

    Raises:
        MissingError: there is no such plugin.
        PluginError: it cannot be used.
    """
    path, inner = _find_asking(wanted)
    if is_bundle(path) and not inner and len(held := recall_held(path) or ()) > 1:
        names = sorted(name for _, name in held)
        raise PluginError(
            f"{path.name} holds {len(names)} plugins: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}.",
            f"Write which one: `{path.name}#{names[0]}`.",
        )
    known = _recall(path, host, inner) or look(path, host, inner)
    if isinstance(known, str):
        raise PluginError(
            f"{path.name} is blocked: {known}", f"`studio plugins forget {path.stem}` gives it another chance."
        )
    return known


def recall_plugin(wanted: str, host: str | None = None) -> Description | None:
    """What is known of a plugin already; None of one that is not here, is blocked, or was never looked at.

    No process is started.
    """
    try:
        path, inner = _find(wanted)
        known = _recall(path, host, inner)
    except (MissingError, PluginError):
        return None
    return known if isinstance(known, Description) else None


def look(path: Path, host: str | None = None, inner: str = "") -> Description | str:
    """Load a plugin in a process of its own, describe and measure it; the reason when that cannot be done.

    Where its first host cannot play it the next is asked, and the description says why it is that one.
    """
    reasons = list[str]()
    try:
        hosts = hosts_of(path, host)
    except PluginError as error:
        return _remember(path, host, inner, error.cause)
    for taking in hosts:
        known = _looked(path, taking, inner)
        if isinstance(known, Description):
            return _remember(path, host, inner, replace(known, instead=" ".join(reasons)))
        reasons.append(known)
        if _UNANSWERED in known:
            break
    return _remember(path, host, inner, reasons[0])


def _looked(path: Path, host: str, inner: str) -> Description | str:
    """A plugin as one host finds it, or why that cannot play it."""
    worker: Worker | None = None
    try:
        worker = Worker(path, host, inner)
        answer = worker.ask({"do": "describe", "taken": OWN_WORDS}, LOADING)
    except PluginError as error:
        return error.cause
    finally:
        if worker is not None:
            worker.close()
    try:
        description = Description.answered(path, host, inner, answer, _key(path, None, "")[:12])
    except StudioError as error:
        return f"what it says of itself cannot be ({' '.join(str(error).split())[:200]})."
    movers = latency_movers(description)
    steady = tuple(replace(each, live=each.live and each.index not in movers) for each in description.parameters)
    description = replace(description, parameters=steady)
    measured = measure(description)
    return measured.reason or replace(description, measured=measured)


def probe_plugin(wanted: str, host: str | None = None) -> tuple[Description, int | None]:
    """Measure a plugin anew, its latency with an impulse too, and keep the truth: (what is known, true latency).

    Raises:
        MissingError, PluginError: as `describe_plugin`.
    """
    path, inner = _find_asking(wanted)
    known = look(path, host, inner)
    if isinstance(known, str):
        raise PluginError(f"{path.name} cannot be used: {known}")
    latency = true_latency(known)
    lies = latency is not None and latency != known.reported_latency
    kept = replace(known, measured=replace(known.measured, latency=latency if lies else None))
    _remember(path, host, inner, kept)
    return kept, latency


def scan_plugins(
    plugins: Sequence[Found] | None = None,
    told: Callable[[Found, Description | str], object] | None = None,
    workers: int | None = None,
) -> None:
    """Look at plugins, several at a time, so that recipes and lists know them.

    Args:
        plugins: which, as `list_plugins` gives them; all of which nothing is known yet when None.
        told: is given each with its description, or the reason why it cannot be used.
        workers: how many are looked at together; as many as there are cores when None.
    """
    new = [each for each in list_plugins() if each.known is None] if plugins is None else plugins
    with ThreadPoolExecutor(workers or max(1, os.cpu_count() or 1)) as pool:
        for each, known in zip(new, pool.map(lambda each: look(each.path, None, each.inner), new), strict=True):
            if told is not None:
                told(each, known)


def forget_plugins(wanted: str | None = None) -> int:
    """Forget what is known of one plugin, or of all; the number of entries that are gone.

    Raises:
        MissingError: there is no such plugin.
    """
    folder = _folder()
    path = None if wanted is None else str(_find_asking(wanted)[0])
    gone = 0
    for note in folder.glob("*.json"):
        with contextlib.suppress(OSError):
            if path is None or (read_note(note) or {}).get("path") == path:
                note.unlink()
                gone += 1
    _known.clear()
    forget_bundles()
    return gone


def _folder() -> Path:
    return cache_folder() / "plugins"


def _key(path: Path, host: str | None, inner: str) -> str:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    stat = max(files, key=_size).stat()
    facts = f"{FORMAT}:{path}:{host or ''}:{inner}:{stat.st_size}:{stat.st_mtime_ns}"
    if is_bundle(path):
        # Its parameters are told by its Turtle.
        facts += f":{max(file.stat().st_mtime_ns for file in files)}"
    return hashlib.sha256(facts.encode()).hexdigest()[:40]


def _size(path: Path) -> int:
    return path.stat().st_size


def _recall(path: Path, host: str | None = None, inner: str = "") -> Description | str | None:
    try:
        key = _key(path, host, inner)
    except (OSError, ValueError):
        return "it cannot be read."
    note = _folder() / f"{key}.json"
    if str(note) not in _known:
        plain = read_note(note)
        if plain is None:
            return None
        try:
            known = str(plain["blocked"]) if "blocked" in plain else Description.read(plain)
        except (ValueError, KeyError, TypeError):
            return None
        _known[str(note)] = known
    return _known[str(note)]


def _remember(path: Path, host: str | None, inner: str, known: Description | str) -> Description | str:
    plain = {"path": str(path), "blocked": known} if isinstance(known, str) else known.data()
    note = _folder() / f"{_key(path, host, inner)}.json"
    with contextlib.suppress(OutputError):
        # Not being able to remember costs time, not correctness.
        write_note(note, plain)
    _known[str(note)] = known
    return known


__all__ = [
    "Found",
    "candidates",
    "describe_plugin",
    "find_plugin",
    "forget_plugins",
    "list_plugins",
    "look",
    "probe_plugin",
    "recall_plugin",
    "scan_plugins",
]

"""The presets of CLAP plugins, as their files tell of them without a plugin being made (`preset-discovery`)."""

from __future__ import annotations

from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_bool, c_char_p, c_int32, c_uint32, c_uint64, c_void_p, cast
from dataclasses import dataclass, field
from typing import Any

from studio.hosting.clap_abi import ClapEntry, ClapVersion

LOAD = (b"clap.preset-load/2", b"clap.preset-load.draft/2")
_FACTORY = (b"clap.preset-discovery-factory/2", b"clap.preset-discovery-factory/draft-2")
_MOST = 10_000


@dataclass(frozen=True)
class ClapPreset:
    """A preset: where it lies (`kind` is 0 for a file, 1 for the plugin itself), and which it is there."""

    name: str
    kind: int
    location: bytes | None
    key: bytes | None


class ClapPresetLoad(Structure):
    """How a plugin is told to load one."""

    _fields_ = [("from_location", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, c_char_p))]


class _Location(Structure):
    _fields_ = [("flags", c_uint32), ("name", c_char_p), ("kind", c_uint32), ("location", c_char_p)]


class _UniversalId(Structure):
    _fields_ = [("abi", c_char_p), ("id", c_char_p)]


class _Receiver(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("on_error", CFUNCTYPE(None, c_void_p, c_int32, c_char_p)),
        ("begin_preset", CFUNCTYPE(c_bool, c_void_p, c_char_p, c_char_p)),
        ("add_plugin_id", CFUNCTYPE(None, c_void_p, POINTER(_UniversalId))),
        ("set_soundpack_id", CFUNCTYPE(None, c_void_p, c_char_p)),
        ("set_flags", CFUNCTYPE(None, c_void_p, c_uint32)),
        ("add_creator", CFUNCTYPE(None, c_void_p, c_char_p)),
        ("set_description", CFUNCTYPE(None, c_void_p, c_char_p)),
        ("set_timestamps", CFUNCTYPE(None, c_void_p, c_uint64, c_uint64)),
        ("add_feature", CFUNCTYPE(None, c_void_p, c_char_p)),
        ("add_extra_info", CFUNCTYPE(None, c_void_p, c_char_p, c_char_p)),
    ]


class _Indexer(Structure):
    _fields_ = [
        ("version", ClapVersion),
        *((word, c_char_p) for word in ("name", "vendor", "url", "release")),
        ("data", c_void_p),
        ("declare_filetype", CFUNCTYPE(c_bool, c_void_p, c_void_p)),
        ("declare_location", CFUNCTYPE(c_bool, c_void_p, POINTER(_Location))),
        ("declare_soundpack", CFUNCTYPE(c_bool, c_void_p, c_void_p)),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
    ]


class _ProviderDescriptor(Structure):
    _fields_ = [("version", ClapVersion), ("id", c_char_p), ("name", c_char_p), ("vendor", c_char_p)]


class _Provider(Structure):
    _fields_ = [
        ("described", POINTER(_ProviderDescriptor)),
        ("data", c_void_p),
        ("init", CFUNCTYPE(c_bool, c_void_p)),
        ("destroy", CFUNCTYPE(None, c_void_p)),
        ("get_metadata", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, POINTER(_Receiver))),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
    ]


class _ProviderFactory(Structure):
    _fields_ = [
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("describe", CFUNCTYPE(POINTER(_ProviderDescriptor), c_void_p, c_uint32)),
        ("create", CFUNCTYPE(c_void_p, c_void_p, POINTER(_Indexer), c_char_p)),
    ]


@dataclass
class _Told:
    """What providers say, one location after the other."""

    locations: list[tuple[int, bytes | None]] = field(default_factory=list)
    presets: list[tuple[ClapPreset, list[bytes]]] = field(default_factory=list)
    here: tuple[int, bytes | None] = (1, None)

    def place(self, _indexer: object, location: Any) -> bool:
        self.locations.append((int(location.contents.kind), location.contents.location))
        return True

    def begin(self, _receiver: object, name: bytes | None, key: bytes | None) -> bool:
        self.presets.append((ClapPreset((name or b"").decode("utf-8", "replace"), *self.here, key), []))
        return len(self.presets) < _MOST

    def belongs(self, _receiver: object, known: Any) -> None:
        if self.presets:
            self.presets[-1][1].append(known.contents.id)


def presets_of(entry: ClapEntry, plugin: bytes) -> list[ClapPreset]:
    """The presets that a file tells of for one of its plugins; folders of presets are not searched."""
    found = next(filter(None, map(entry.get_factory, _FACTORY)), None)
    if not found:
        return []
    factory, told = cast(found, POINTER(_ProviderFactory)), _Told()
    indexer, receiver = _indexer(told), _receiver(told)
    for index in range(factory.contents.count(factory)):
        made = factory.contents.create(factory, byref(indexer), factory.contents.describe(factory, index).contents.id)
        if not made:
            continue
        provider = cast(made, POINTER(_Provider)).contents
        told.locations.clear()
        if provider.init(made):
            for kind, location in list(told.locations):
                told.here = kind, location
                provider.get_metadata(made, kind, location, byref(receiver))
        provider.destroy(made)
    return [preset for preset, owners in told.presets if preset.name and (not owners or plugin in owners)]


def _indexer(told: _Told) -> _Indexer:
    kinds = _kinds(_Indexer)
    yes = kinds["declare_filetype"](lambda _indexer, _what: True)
    return _Indexer(
        ClapVersion(1, 2, 0), b"mirepoix", b"", b"", b"1", None, yes, kinds["declare_location"](told.place), yes,
        kinds["get_extension"](lambda _indexer, _name: None),
    )  # fmt: skip


def _receiver(told: _Told) -> _Receiver:
    kinds = _kinds(_Receiver)
    heard = {"begin_preset": told.begin, "add_plugin_id": told.belongs}
    return _Receiver(None, *(kind(heard.get(word, lambda *_: None)) for word, kind in kinds.items() if word != "data"))


def _kinds(table: type[Structure]) -> dict[str, Any]:
    """The kinds of a table's fields by their names."""
    return {each[0]: each[1] for each in table._fields_}

"""What our host of LV2 plugins can do for them: numbers for URIs, facts, work put off, states, and a log."""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from collections.abc import Iterable
from ctypes import POINTER, byref, c_float, c_int32, c_void_p, pointer

from studio.hosting import lv2_abi as abi

LARGEST = 4096
"""Frames that a plugin is given at most at once."""

FIXED = 64
"""Frames that one is given which wants the same number each time: a cell of the grid of automation."""

ROOM = 65_536
"""Bytes for the events of a block."""

_PLAIN = (
    f"{abi.CORE}hardRTCapable", f"{abi.CORE}inPlaceBroken", f"{abi.CORE}isLive", f"{abi.BUFFER}boundedBlockLength",
    f"{abi.BUFFER}fixedBlockLength", f"{abi.BUFFER}powerOf2BlockLength", f"{abi.BUFFER}coarseBlockLength",
    f"{abi.STATE}loadDefaultState", f"{abi.STATE}threadSafeRestore", f"{abi.STATE}interface", f"{abi.NS}ext/event",
)  # fmt: skip
"""What asks for nothing but a host that keeps to it."""


class Lv2Features:
    """The features that an instance is given, and what it says through them."""

    def __init__(self, rate: float, fixed: bool) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[ctypes.Array[ctypes.c_char]] = []
        self._paths: dict[int, object] = {}
        self._work: deque[bytes] = deque()
        self._answers: deque[bytes] = deque()
        self.map = abi.UridMap(None, abi.MapCall(lambda _, uri: self.number(uri.decode("utf-8", "replace"))))
        self.unmap = abi.UridUnmap(None, abi.UnmapCall(lambda _, number: self._name(number)))
        old = abi.UriMap(None, abi.OldMapCall(lambda _, kind, uri: self.number(uri.decode("utf-8", "replace"))))
        schedule = abi.Lv2Schedule(None, abi.ScheduleCall(lambda _, size, data: self._put_off(size, data)))
        log = abi.Log(None, abi.Log._fields_[1][1](self._said), abi.Log._fields_[2][1](self._said))
        self._respond = abi.ScheduleCall(lambda _, size, data: self._answered(size, data))
        kept = abi.PathCall(lambda _, path: self._path(path))
        self._facts = self._options(rate, fixed)
        given = {
            f"{abi.URID}map": self.map,
            f"{abi.URID}unmap": self.unmap,
            f"{abi.NS}ext/uri-map": old,
            f"{abi.OPTIONS}options": self._facts,
            f"{abi.WORKER}schedule": schedule,
            f"{abi.STATE}makePath": abi.MakePath(None, kept),
            f"{abi.STATE}mapPath": abi.MapPath(None, kept, kept),
            f"{abi.STATE}freePath": abi.FreePath(None, abi.FreePath._fields_[1][1](lambda _, path: self._free(path))),
            abi.LOG: log,
        }
        self._given = given
        listed = [abi.Feature(uri.encode(), ctypes.cast(byref(data), c_void_p)) for uri, data in given.items()]
        listed += [abi.Feature(uri.encode(), None) for uri in _PLAIN]
        self._listed = listed
        self.array = (POINTER(abi.Feature) * (len(listed) + 1))(*(pointer(each) for each in listed))

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Those of some features that there are not."""
        return [uri for uri in wanted if uri not in self._given and uri not in _PLAIN]

    def number(self, uri: str) -> int:
        """The number of a URI."""
        if uri not in self._numbers:
            self._numbers[uri] = len(self._numbers) + 1
            self._names.append(ctypes.create_string_buffer(uri.encode()))
        return self._numbers[uri]

    def work(self, handle: c_void_p, interface: abi.WorkerInterface | None) -> None:
        """Do what the plugin has put off while it made sound, and tell it of the outcome."""
        while interface is not None and (self._work or self._answers):
            if self._work:
                data = _held(self._work.popleft())
                interface.work(handle, self._respond, None, len(data), ctypes.addressof(data))
            while self._answers:
                data = _held(self._answers.popleft())
                interface.respond(handle, len(data), ctypes.addressof(data))
        if interface is not None and interface.end:
            ctypes.CFUNCTYPE(ctypes.c_int, c_void_p)(interface.end)(handle)

    def _options(self, rate: float, fixed: bool) -> ctypes.Array[abi.Option]:
        whole = FIXED if fixed else LARGEST
        facts: list[tuple[str, str, c_int32 | c_float]] = [
            (f"{abi.BUFFER}minBlockLength", "Int", c_int32(FIXED if fixed else 1)),
            (f"{abi.BUFFER}maxBlockLength", "Int", c_int32(whole)),
            (f"{abi.BUFFER}nominalBlockLength", "Int", c_int32(whole)),
            (f"{abi.BUFFER}sequenceSize", "Int", c_int32(ROOM)),
            (f"{abi.PARAMETERS}sampleRate", "Float", c_float(rate)),
        ]
        self._values = [value for _, _, value in facts]
        return (abi.Option * (len(facts) + 1))(
            *(
                abi.Option(0, 0, self.number(key), 4, self.number(abi.ATOM + kind), ctypes.cast(byref(value), c_void_p))
                for key, kind, value in facts
            )
        )

    def _name(self, number: int) -> int | None:
        return ctypes.addressof(self._names[number - 1]) if 0 < number <= len(self._names) else None

    def _put_off(self, size: int, data: int) -> int:
        self._work.append(ctypes.string_at(data, size) if size else b"")
        return 0

    def _answered(self, size: int, data: int) -> int:
        self._answers.append(ctypes.string_at(data, size) if size else b"")
        return 0

    def _path(self, path: bytes) -> int:
        buffer = ctypes.create_string_buffer(path)
        self._paths[ctypes.addressof(buffer)] = buffer
        return ctypes.addressof(buffer)

    def _free(self, path: int) -> None:
        self._paths.pop(path, None)

    def _said(self, _handle: object, _kind: int, text: bytes, *_values: object) -> int:
        sys.stderr.write(text.decode("utf-8", "replace"))
        return len(text)


def _held(content: bytes) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(content, len(content))

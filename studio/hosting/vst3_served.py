"""What a host of VST3 plugins hands to them: parameters that move, notes, and bytes to read and to write."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_double, c_int32, c_int64, c_uint32, c_void_p
from functools import partial
from typing import Any

from studio.hosting import vst3_abi as abi


class Changes:
    """IParameterChanges: where parameters go, and at which frames."""

    def __init__(self) -> None:
        self._points: dict[int, list[tuple[int, float]]] = {}
        self._queues: dict[int, abi.Served] = {}
        self._served = abi.Served(
            (c_int32, (), lambda: len(self._points)),
            (c_void_p, (c_int32,), self._queue),
            (c_void_p, (POINTER(c_uint32), POINTER(c_int32)), self._added),
        )
        self.address = self._served.address

    def add(self, number: int, frame: int, position: float) -> None:
        """Note that a parameter stands at a value at a frame of the block."""
        self._points.setdefault(number, []).append((frame, position))

    def __bool__(self) -> bool:
        return bool(self._points)

    def clear(self) -> None:
        """Forget all changes."""
        self._points.clear()

    def _queue(self, index: int) -> int | None:
        numbers = list(self._points)
        return self._of(numbers[index]) if 0 <= index < len(numbers) else None

    def _of(self, number: int) -> int | None:
        """IParamValueQueue of one parameter; the objects are kept, since calls are costly to make."""
        if number not in self._queues:
            self._queues[number] = abi.Served(
                (c_uint32, (), lambda: number),
                (c_int32, (), lambda: len(self._points.get(number, ()))),
                (c_int32, (c_int32, POINTER(c_int32), POINTER(c_double)), partial(self._point, number)),
                (
                    c_int32,
                    (c_int32, c_double, POINTER(c_int32)),
                    lambda frame, value, index: self._add(number, frame, value),
                ),
            )
        return self._queues[number].address.value

    def _point(self, number: int, index: int, frame: Any, value: Any) -> int:
        points = self._points.get(number, ())
        if not 0 <= index < len(points):
            return abi.NOT_DONE
        frame[0], value[0] = points[index]
        return abi.OK

    def _add(self, number: int, frame: int, value: float) -> int:
        self.add(number, frame, value)
        return abi.OK

    def _added(self, number: Any, index: Any) -> int | None:
        self._points.setdefault(number[0], [])
        index[0] = list(self._points).index(number[0])
        return self._of(number[0])


class Events:
    """IEventList: notes at frames."""

    def __init__(self) -> None:
        self.list: list[abi.Vst3Event] = []
        self._served = abi.Served(
            (c_int32, (), lambda: len(self.list)),
            (c_int32, (c_int32, c_void_p), self._get),
            (c_int32, (c_void_p,), lambda _: abi.OK),
        )
        self.address = self._served.address

    def _get(self, index: int, event: int) -> int:
        if not 0 <= index < len(self.list):
            return abi.NOT_DONE
        ctypes.memmove(event, byref(self.list[index]), ctypes.sizeof(abi.Vst3Event))
        return abi.OK


class Vst3Stream:
    """IBStream over bytes."""

    def __init__(self, content: bytes = b"") -> None:
        self.content, self._at = bytearray(content), 0
        self._served = abi.Served(
            (c_int32, (c_void_p, c_int32, POINTER(c_int32)), self._read),
            (c_int32, (c_void_p, c_int32, POINTER(c_int32)), self._write),
            (c_int32, (c_int64, c_int32, POINTER(c_int64)), self._seek),
            (c_int32, (POINTER(c_int64),), self._tell),
        )
        self.address = self._served.address

    def _read(self, to: int, size: int, done: Any) -> int:
        piece = bytes(self.content[self._at : self._at + max(0, size)])
        ctypes.memmove(to, piece, len(piece))
        return self._moved(len(piece), done)

    def _write(self, source: int, size: int, done: Any) -> int:
        self.content[self._at : self._at + size] = ctypes.string_at(source, size)
        return self._moved(size, done)

    def _moved(self, size: int, done: Any) -> int:
        self._at += size
        if done:
            done[0] = size
        return abi.OK

    def _seek(self, where: int, mode: int, result: Any) -> int:
        self._at = max(0, where + (0, self._at, len(self.content))[mode if mode in (0, 1, 2) else 0])
        if result:
            result[0] = self._at
        return abi.OK

    def _tell(self, result: Any) -> int:
        result[0] = self._at
        return abi.OK

"""Every native effect, still and moving, in a core that is watched: by `tests/test_sanitizers.py`, in a process of its own."""

from __future__ import annotations

import ctypes
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from studio import native_library
from studio.context import RenderContext
from studio.native_chain import NativeChain
from studio.steps import Effect
from tests.effects.test_every_effect import EFFECTS, home, made, moving, side
from tests.listening import white

SOUND = white(0.15)
CUTS = (1, 2, 65, 191, 2000)


def play(effects: list[Effect], channels: int) -> None:
    """A sound through a chain, cut so that cells are torn."""
    chain = NativeChain(effects, RenderContext(44_100, channels, folder=home()))
    for begin, end in pairwise([0, *CUTS, SOUND.shape[1]]):
        chain.push(SOUND[:channels, begin:end], lambda *words: side(*words)[:channels])


def main() -> None:
    """With the library that the words name."""
    library = ctypes.CDLL(sys.argv[1])
    library.watched_process.argtypes, asked = (
        [*native_library._CALLS["mirepoix_process"][0], ctypes.c_void_p],
        ctypes.c_long(),
    )
    native_library._found = lambda *_: Path(sys.argv[1])
    core: Any = native_library.core()

    def watched(*words: Any) -> int:
        answer: int = library.watched_process(*words, ctypes.byref(asked))
        assert asked.value == 0, "memory is asked for while sound is processed"
        return answer

    core.mirepoix_process = watched
    for name in EFFECTS:
        for effect in (made(name), moving(name)):
            if effect.is_native():
                for channels in (1, 2) if effect.takes(1) else (2,):
                    play([made("brickwall"), effect] if effect.takes(1) else [effect], channels)
    sys.stdout.write("clean\n")


if __name__ == "__main__":
    main()

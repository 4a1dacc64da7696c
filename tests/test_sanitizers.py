"""The core under the address and undefined-behaviour sanitizers, which also see who asks for memory while sound is processed."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

from studio.native.compilers import Compiler, this_machine, this_system
from studio.native.library import Library, own_core

ROOT = Path(__file__).parent.parent
WATCH = """
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t), void (*)(const volatile void*));
static volatile long asked = 0;
MIREPOIX_EXPORT int watched_process(void* chain, float* audio, long long frames, const mirepoix::Tables* tables, const float* sides,
                                    long long* failed, long* count) {
    static const int installed = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t) { asked = asked + 1; }, [](const volatile void*) {});
    (void)installed;
    asked = 0;
    const int answer = mirepoix_process(chain, audio, frames, tables, sides, failed);
    *count = asked;
    return answer;
}
"""
FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g1")


@dataclasses.dataclass(frozen=True)
class Watched(Library):
    """The core with a call that counts."""

    @property
    def program(self) -> str:  # type: ignore[override]
        """Its program, and that call."""
        return own_core().program + WATCH


class Sanitizing(Compiler):
    """g++ with sanitizers, which come as shared libraries."""

    def linking(self) -> tuple[str, ...]:
        """The words that make a shared library."""
        return (*self.command, "-shared", *FLAGS)


def test_every_native_effect_is_clean_and_asks_for_no_memory(tmp_path: Path) -> None:
    gcc = shutil.which("g++")
    assert gcc is not None
    library = tmp_path / "watched.so"
    Watched(own_core().steps, core=True).build(Sanitizing((gcc,), "g++", this_system(), this_machine()), library)
    asan = subprocess.run(
        [gcc, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    done = subprocess.run(
        [sys.executable, "-m", "tests.sanitized", str(library)],
        env=os.environ | {"LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "clean\n", done.stderr[-4000:]

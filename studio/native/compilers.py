"""Which compiler makes plugins and the core: the system's own for this system, else the one that pip installs (Zig's clang).

Nothing here needs more than Python itself, so that the core can be built where nothing is installed yet.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

TARGETS = ("linux", "macos", "windows")

_TRIPLES = {
    ("linux", "x86_64"): "x86_64-linux-gnu.2.17",
    ("linux", "aarch64"): "aarch64-linux-gnu.2.17",
    ("macos", "x86_64"): "x86_64-macos.11.0",
    ("macos", "aarch64"): "aarch64-macos.11.0",
    ("windows", "x86_64"): "x86_64-windows-gnu",
}
_ALIKE = {"amd64": "x86_64", "arm64": "aarch64"}

COMPILE = (
    "-std=c++17", "-O3", "-fno-math-errno", "-ffp-contract=off", "-fno-rtti", "-fPIC", "-fvisibility=hidden",
    "-ffunction-sections", "-fdata-sections", "-Wall", "-Wno-unknown-pragmas",
)  # fmt: skip
"""With these every compiler gives the same bits: no fused multiply-add, nothing put in another order, no vectors that only
some processors have."""

_LINK = {
    "linux": ("-shared", "-Wl,--gc-sections", "-s"),
    "macos": ("-bundle", "-Wl,-dead_strip"),
    "windows": ("-shared", "-s"),
}


class NoCompilerError(LookupError):
    """There is no compiler for a system: `cause` says which, `mend` how to get one."""

    def __init__(self, cause: str, mend: str) -> None:
        super().__init__(f"{cause} {mend}")
        self.cause, self.mend = cause, mend


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler for one system and processor."""

    command: tuple[str, ...]
    version: str
    target: str
    machine: str

    @property
    def here(self) -> bool:
        """Whether what it makes can be loaded on this machine."""
        return (self.target, self.machine) == (this_system(), this_machine())

    def compiling(self) -> tuple[str, ...]:
        """The words before a source file that make an object of it."""
        return (*self.command, *COMPILE)

    def linking(self) -> tuple[str, ...]:
        """The words that make a shared library of objects."""
        if self.version.startswith("zig "):
            # Zig's linker knows no Mach-O bundles: what it makes becomes one later.
            return (
                (*self.command, "-shared", "-Wl,-dead_strip")
                if self.target == "macos"
                else (*self.command, *_LINK[self.target])
            )
        # What is linked in is nobody else's: it neither meets the host's library of that name nor is kept for others.
        own = ("-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL") if self.target == "linux" else ()
        return (*self.command, *_LINK[self.target], *own)

    def __str__(self) -> str:
        return f"{self.version} for {self.target} on {self.machine}"


def compilers(target: str | None = None) -> tuple[Compiler, ...]:
    """A compiler for each processor a plugin for `target` should run on; without `target`, for this machine.

    Raises:
        NoCompilerError: there is none.
    """
    system = target or this_system()
    if system == this_system() and (found := _own()):
        return (found,)
    machines = [machine for known, machine in _TRIPLES if known == system]
    if system == this_system():
        machines = [this_machine()]
    return tuple(zig(system, machine) for machine in machines)


def this_system() -> str:
    """The system this runs on: linux, windows or macos."""
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")


def this_machine() -> str:
    """The processor this runs on, as compilers call it."""
    machine = platform.machine().lower()
    return _ALIKE.get(machine, machine)


def _own() -> Compiler | None:
    """What the system has: $CXX, g++ or clang++. On Windows only Zig knows the way to a DLL without more."""
    if this_system() == "windows":
        return None
    for words in (shlex.split(os.environ.get("CXX", "")), ["g++"], ["clang++"]):
        path = shutil.which(words[0]) if words else None
        if path:
            said = _says(path)
            if said:
                return Compiler((path, *words[1:]), said, this_system(), this_machine())
    return None


@cache
def _says(path: str) -> str:
    """The first line of its version; nothing when it does not run, as a stub without its tools."""
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
    return answer.stdout.strip().split("\n")[0] if answer.returncode == 0 else ""


def zig(system: str, machine: str) -> Compiler:
    """Zig's compiler for a system and processor.

    Raises:
        NoCompilerError: it is not installed, or knows no such machine.
    """
    found = find_spec("ziglang")
    if found is None:
        own = "" if system != this_system() else ", or a C++ compiler of the system's"
        raise NoCompilerError(f"there is no C++ compiler for {system}.", f"Install one: pip install ziglang{own}.")
    triple = _TRIPLES.get((system, machine))
    if triple is None:
        raise NoCompilerError(f"plugins for {system} on {machine} cannot be made.", "Export the source instead.")
    # Its own program, as `python -m ziglang` starts it.
    program = Path(str(found.origin)).with_name("zig.exe" if os.name == "nt" else "zig")
    return Compiler((str(program), "c++", "-target", triple), f"zig {version('ziglang')}", system, machine)

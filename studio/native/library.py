"""Libraries of native steps: what they are made of, by which hash they are known, and how they are built.

The core is the library of the studio's own steps, with what plays chains of any. Only Python itself is needed here, so
that a wheel can be built where nothing is installed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from studio.native.compilers import COMPILE, Compiler
from studio.native.glue import ROOT, Native, glue, own_natives

CORE = ROOT / "studio" / "native" / "core"
_LONGEST_BUILD = 1200.0
_SUFFIX = {"linux": "so", "macos": "dylib", "windows": "dll"}


class BuildError(RuntimeError):
    """The compiler refused; says its first error."""


@dataclass(frozen=True)
class Library:
    """The native steps of the studio, or of a package."""

    steps: tuple[Native, ...]
    core: bool = False

    @cached_property
    def program(self) -> str:
        """Its whole program."""
        first = "core.cpp" if self.core else "package.hpp"
        return glue(self.steps, [f"studio/native/core/{first}", *map(_included, self.steps)])

    @cached_property
    def digest(self) -> str:
        """A hash of everything that its sound depends on: all headers, the program, and the words for the compiler."""
        digest = hashlib.sha256(repr((COMPILE, self.program)).encode())
        files = {path.name: path for path in CORE.iterdir() if path.suffix in (".hpp", ".cpp")}
        for step in self.steps:
            files |= {str(path.relative_to(_root(step))): path for path in step.header.parent.glob("*.hpp")}
        for name in ("context.hpp", "response.hpp"):
            files[f"studio/effects/{name}"] = ROOT / "studio" / "effects" / name
        for name, path in sorted(files.items()):
            digest.update(f"{name}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:32]

    def build(self, compiler: Compiler, target: Path) -> None:
        """Compile it into a file.

        Raises:
            BuildError: the compiler refuses.
        """
        roots = {ROOT, *map(_root, self.steps)}
        with tempfile.TemporaryDirectory(prefix="studio-native-") as folder:
            program = Path(folder, "steps.cpp")
            program.write_text(self.program, encoding="utf-8")
            words = [*COMPILE, *(f"-I{root}" for root in sorted(roots)), str(program)]
            made = Path(folder, "steps.bin")
            run([*compiler.linking(), *words, "-o", str(made)])
            # Linkers leave more beside it on some systems.
            shutil.copyfile(made, target)


def own_core() -> Library:
    """The core."""
    return Library(own_natives(), core=True)


def file_name(system: str, digest: str) -> str:
    """What a library is called on a system."""
    return f"steps-{digest}.{_SUFFIX[system]}"


def run(command: list[str]) -> None:
    """Run a compiler.

    Raises:
        BuildError: it refuses, or is not done after twenty minutes.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_LONGEST_BUILD, check=False
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"it was not done after {_LONGEST_BUILD / 60:.0f} minutes") from None
    if done.returncode:
        raise BuildError(first_error(done.stderr))


def first_error(text: str) -> str:
    """The line of a compiler's output that says what was wrong, without the folder of the file."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"\b(fatal )?error\b|undefined (reference|symbol)", line)]
    line = (wrong or lines or ["it said nothing"])[0]
    return re.sub(r"^\S*[/\\](?=[^/\\\s]+:\d)", "", line)[:400]


def _root(step: Native) -> Path:
    """The folder that the module of a step is looked for in."""
    return step.header.parents[step.module.count(".")]


def _included(step: Native) -> str:
    return step.header.relative_to(_root(step)).as_posix()

"""From the program of a design to a shared library; compiled pieces are kept for the next export."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from studio.disk import make_folder, part_of
from studio.errors import OutputError
from studio.exporting.plugin.compilers import Compiler
from studio.exporting.plugin.source import PluginSource
from studio.folders import cache_folder
from studio.native.library import first_error
from studio.notes import is_ours

Say = Callable[[str], None]
"""Is told in a phrase what is going on."""

ROOT = Path(__file__).parents[3]
"""What includes are relative to."""

SHELL = ROOT / "studio" / "native" / "shell"
_LONGEST_BUILD = 1200.0
_SAMPLES = """\
// The samples of an instrument, as they lie in the file beside this one.
#if defined(__APPLE__)
__asm__(".section __TEXT,__const\\n.globl _mirepoix_samples\\n.private_extern _mirepoix_samples\\n"
        ".balign 16\\n_mirepoix_samples:\\n.incbin \\"samples.bin\\"\\n");
#elif defined(_WIN32)
__asm__(".section .rdata,\\"dr\\"\\n.globl mirepoix_samples\\n.balign 16\\nmirepoix_samples:\\n.incbin \\"samples.bin\\"\\n");
#else
__asm__(".section .rodata\\n.globl mirepoix_samples\\n.hidden mirepoix_samples\\n.balign 16\\nmirepoix_samples:\\n"
        ".incbin \\"samples.bin\\"\\n.previous\\n");
#endif
"""
_CONTRACT = tuple(
    ROOT / "studio" / name
    for name in (
        "effects/biquads.hpp", "effects/chance.hpp", "effects/context.hpp", "native/core/crossover.hpp",
        "native/core/held.hpp", "native/core/subnormals.hpp",
    )
)  # fmt: skip


def build(source: PluginSource, shell: str, compiler: Compiler, say: Say) -> bytes:
    """The shared library of a program in one of the shells (`vst3.cpp`, …).

    Raises:
        OutputError: the compiler refuses; its first error is quoted.
    """
    with tempfile.TemporaryDirectory(prefix="studio-export-") as folder:
        program = Path(folder, "plugin.cpp")
        program.write_text(source.text, encoding="utf-8")
        with ThreadPoolExecutor() as pool:
            jobs = [
                pool.submit(_object, program, source, compiler, say, "the chain"),
                pool.submit(_object, SHELL / shell, source, compiler, say, "the shell"),
            ]
            objects = [job.result() for job in jobs]
        if source.samples:
            objects.append(_samples(source.samples, Path(folder), compiler))
        say("linking")
        library = Path(folder, "plugin.bin")
        _run([*compiler.linking(), *map(str, objects), "-o", str(library)])
        return library.read_bytes()


def _object(path: Path, source: PluginSource, compiler: Compiler, say: Say, what: str) -> Path:
    """The compiled file, from the cache when nothing it is made of has changed."""
    kept = cache_folder() / "plugins" / f"{_hash(path, source, compiler)}.o"
    if kept.is_file() and is_ours(kept.stat()):
        return kept
    say(f"compiling {what}")
    make_folder(kept.parent, private=True)
    part = part_of(kept)
    try:
        _run([*compiler.compiling(), *_includes(source), "-c", str(path), "-o", str(part)])
        part.chmod(0o600)
        part.replace(kept)
    finally:
        part.unlink(missing_ok=True)
    return kept


def _samples(samples: bytes, folder: Path, compiler: Compiler) -> Path:
    """The samples as an object, taken in as they are."""
    (folder / "samples.bin").write_bytes(samples)
    (folder / "samples.cpp").write_text(_SAMPLES, encoding="utf-8")
    _run([*compiler.compiling(), "-c", "samples.cpp", "-o", "samples.o"], folder)
    return folder / "samples.o"


def _includes(source: PluginSource) -> list[str]:
    """Where headers are found: a step of another package brings its own root."""
    roots = {ROOT} | {header.parents[len(Path(path).parts) - 1] for path, header in source.headers.items()}
    return [f"-I{root}" for root in sorted(roots)]


def headers(source: PluginSource) -> dict[str, Path]:
    """Every header a program may include, by the path it is included under: halves come with their neighbours."""
    found = {path.relative_to(ROOT).as_posix(): path for path in (*_CONTRACT, *sorted(SHELL.glob("*.hpp")))}
    for path, header in source.headers.items():
        for beside in sorted(header.parent.glob("*.hpp")):
            found[(Path(path).parent / beside.name).as_posix()] = beside
    return found


def _hash(path: Path, source: PluginSource, compiler: Compiler) -> str:
    digest = hashlib.sha256(repr((compiler.version, compiler.compiling())).encode())
    files = headers(source if path.parent != SHELL else PluginSource(""))
    for file in (path, *(files[name] for name in sorted(files))):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:40]


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_LONGEST_BUILD, check=False
        )
    except subprocess.TimeoutExpired:
        raise OutputError(
            f"the compiler was not done after {_LONGEST_BUILD / 60:.0f} minutes.",
            "Try again when this machine has less else to do; or export a shorter chain.",
        ) from None
    if done.returncode:
        raise OutputError(f"the compiler refused: {first_error(done.stderr)}", "Please report it, with the recipe.")

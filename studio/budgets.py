"""Budgets: what memory, disk and open files a piece of work needs is reckoned before it starts, and refused in numbers."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipInfo

from studio.errors import OutputError, Place, RecipeError, RenderError

_STEEPEST = 200
"""Times that a file of an archive may swell; silence and text in a session reach it, music never does."""

_HARMLESS_BYTES = 64 * 1024 * 1024
"""What may come of all the steeper ones together: a few minutes of silence."""

_CGROUP = Path("/sys/fs/cgroup")
_OPEN_FILES = 65_536


def size_text(count: float) -> str:
    """A number of bytes in words of three digits: 8.1 GB, 640 MB."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def free_memory() -> int | None:
    """Bytes of memory that can be had without swapping, or None where the system does not say.

    On Linux what the kernel reckons as available, or what the control group still allows if that is less; on other
    POSIX systems all that is built in. A limit on address space counts everywhere.
    """
    known: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        known += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):  # There may be no control group, or one without a limit.
        limit, used = ((_CGROUP / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
        known += [max(0, int(limit) - int(used))]
    if sys.platform != "win32":
        import resource

        space, _ = resource.getrlimit(resource.RLIMIT_AS)
        known += [space] if space >= 0 else []
    return min(known, default=None)


def check_memory(needed: int, what: str, mend: str) -> None:
    """Refuse work that needs more bytes of memory than are free.

    Raises:
        RenderError: it does, in numbers.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise RenderError(f"{what} needs {size_text(needed)} of memory; {size_text(free)} are free.", mend)


def check_disk(folder: Path, needed: int, what: str) -> None:
    """Refuse to write more bytes into a folder than its disk has free; the folder need not be there yet.

    Raises:
        OutputError: it would, in numbers.
    """
    there = next((each for each in (folder, *folder.absolute().parents) if each.exists()), None)
    try:
        free = shutil.disk_usage(there or ".").free
    except OSError:
        return  # Whoever writes says what is wrong.
    if needed > free:
        raise OutputError(
            f"{what} needs {size_text(needed)} of disk; {size_text(free)} are free.",
            "Free some space, or choose another folder.",
            place=Place(str(folder)),
        )


def check_swelling(files: Iterable[ZipInfo]) -> None:
    """Refuse an archive that is a bomb: too much of it swells more than sound or text of people does.

    Every file counts, however small, so that many small bombs are as good as a big one.

    Raises:
        RecipeError: it is one, in numbers.
    """
    steep = [info for info in files if info.file_size > _STEEPEST * max(1, info.compress_size)]
    total, packed = sum(info.file_size for info in steep), sum(info.compress_size for info in steep)
    if total > _HARMLESS_BYTES:
        worst = max(steep, key=lambda info: info.file_size)
        raise RecipeError(
            f"{worst.filename!r} would swell from {worst.compress_size:,} bytes to {size_text(worst.file_size)}, and"
            f" all {len(steep)} such files from {packed:,} bytes to {size_text(total)};"
            f" {size_text(_HARMLESS_BYTES)} at most.",
            "Get another copy, or export it again.",
        )


def raise_open_files() -> None:
    """Let this process have as many open files as the system allows it without asking anybody (POSIX only)."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems allow less than they say; what there is will do.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_open_files() -> int:
    """How many files this process may have open at once; what Windows allows by far where nothing says it."""
    if sys.platform == "win32":
        return 8_192
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _OPEN_FILES if soft == resource.RLIM_INFINITY else soft

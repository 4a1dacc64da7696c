"""`python -m tests.wheels FOLDER`: looks into the wheels that lie there, one for each system."""

from __future__ import annotations

import struct
import sys
import zipfile
from pathlib import Path

CALLS = (b"mirepoix_make", b"mirepoix_process", b"mirepoix_steps", b"studio.effects.modulation.Chorus")


def machines(library: bytes) -> set[str]:
    """For which systems and processors a shared library is, by its own head."""
    if library[:4] == b"\x7fELF":
        [machine] = struct.unpack_from("<H", library, 18)
        return {f"linux { ({62: 'x86_64', 183: 'aarch64'}[machine]) }"}
    if library[:4] == b"\xca\xfe\xba\xbe":
        [count] = struct.unpack_from(">I", library, 4)
        kinds = [struct.unpack_from(">I", library, 8 + 20 * index)[0] for index in range(count)]
        return {f"macos { ({0x01000007: 'x86_64', 0x0100000C: 'aarch64'}[kind]) }" for kind in kinds}
    if library[:2] == b"MZ":
        [start] = struct.unpack_from("<I", library, 0x3C)
        [machine] = struct.unpack_from("<H", library, start + 4)
        return {f"windows { ({0x8664: 'x86_64'}[machine]) }"}
    raise AssertionError("no shared library")


EXPECTED = {
    "manylinux_2_17_x86_64": {"linux x86_64"},
    "manylinux_2_17_aarch64": {"linux aarch64"},
    "macosx_11_0_universal2": {"macos x86_64", "macos aarch64"},
    "win_amd64": {"windows x86_64"},
}


def check(wheel: Path) -> str:
    """Check that the core in a wheel is one, for the system in the wheel's name; gives that."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.startswith("studio/native/built/")]
        library = archive.read(name)
        [about] = [archive.read(each).decode() for each in archive.namelist() if each.endswith(".dist-info/WHEEL")]
    tag = wheel.stem.rpartition("-")[2]
    assert f"Tag: py3-none-{tag}\n" in about and "Root-Is-Purelib: false" in about, about
    assert machines(library) == EXPECTED.get(tag, machines(library)), wheel
    assert all(call in library for call in CALLS), wheel
    return tag


def main() -> None:
    """All of them."""
    found = {check(wheel) for wheel in sorted(Path(sys.argv[1]).glob("mirepoix-*.whl"))}
    assert found >= EXPECTED.keys(), f"no wheel for {EXPECTED.keys() - found}"
    sys.stdout.write("".join(f"{tag}: as it should be\n" for tag in sorted(found)))


if __name__ == "__main__":
    main()

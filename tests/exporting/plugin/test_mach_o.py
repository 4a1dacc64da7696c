"""Plugins for macOS are bundles, read from the header of a file that was linked for it."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from studio.exporting.plugin.compilers import Compiler
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import _mac_bundle
from studio.exporting.plugin.mach_o import _sign, as_bundle
from studio.processes import python_command


def commands(library: bytes) -> tuple[int, dict[int, int]]:
    """The kind of a Mach-O file, and where each of its load commands stands."""
    kind, count = struct.unpack_from("<II", library, 12)
    found, at = {}, 32
    for _ in range(count):
        command, length = struct.unpack_from("<II", library, at)
        found[command] = at
        at += length
    assert at == 32 + struct.unpack_from("<I", library, 20)[0]
    return kind, found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A library that Zig linked for Apple's own processors; in C, whose library Zig has at hand."""
    folder = tmp_path_factory.mktemp("mac")
    (folder / "plugin.c").write_text("int entry(int frames) { return frames + 1; }\n")
    zig = python_command("import ziglang.__main__", "cc", "-target", "aarch64-macos.11.0")
    subprocess.run([*zig, "-shared", "plugin.c", "-o", "plugin"], cwd=folder, check=True, timeout=300)
    return (folder / "plugin").read_bytes()


def test_a_library_becomes_a_bundle_whose_signature_holds(library: bytes) -> None:
    kind, before = commands(library)
    assert kind == 6 and 0xD in before
    bundle = as_bundle(library)
    kind, after = commands(bundle)
    assert kind == 8 and list(after) == [command for command in before if command != 0xD]
    assert as_bundle(bundle) == bundle and len(bundle) == len(library)
    # The linker's own hashes come out where nothing was changed, so those of the bundle are right as well.
    for whole, places in ((library, before), (bundle, after)):
        (start,) = struct.unpack_from("<I", whole, places[0x1D] + 8)
        again = bytearray(whole)
        _sign(again, start)
        assert again == whole
    assert bundle[4096:][: start - 4096] == library[4096:][: start - 4096], "only the header was changed"


def test_what_a_plugin_for_macos_holds_is_one(library: bytes, tmp_path: Path) -> None:
    files = _mac_bundle(Design.of("tape"), "Louder", [(Compiler((), "zig", "macos", "aarch64"), library)])
    assert commands(files["Contents/MacOS/Louder"])[0] == 8
    with pytest.raises(ValueError, match="no library"):
        as_bundle(b"\x7fELF" + bytes(60))

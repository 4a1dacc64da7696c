"""The kinds of plugin that can be written: what shell each needs, and where in its bundle everything lies."""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from studio.exporting.plugin import turtle
from studio.exporting.plugin.compilers import Compiler
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.mach_o import as_bundle
from studio.native.universal import universal

Built = Sequence[tuple[Compiler, bytes]]
"""A shared library for each processor it was built for."""

Files = Mapping[str, bytes]
"""The content of a bundle by the path inside it; under the empty path, a plugin that is a single file."""


@dataclass(frozen=True)
class Format:
    """A kind of plugin: `shell` is the file that makes it one, `lay` says what its bundle holds."""

    name: str
    ending: str
    shell: str
    lay: Callable[[Design, str, Built], Files]


def _vst3(design: Design, stem: str, built: Built) -> Files:
    target = built[0][0].target
    if target == "macos":
        return _mac_bundle(design, stem, built)
    path = {"linux": "{}-linux/{}.so", "windows": "{}-win/{}.vst3"}[target]
    return {f"Contents/{path.format(compiler.machine, stem)}": library for compiler, library in built}


def _mac_bundle(design: Design, stem: str, built: Built) -> Files:
    info = {
        "CFBundleExecutable": stem,
        "CFBundleIdentifier": f"org.mirepoix.{design.id.hex}",
        "CFBundleName": design.name,
        "CFBundlePackageType": "BNDL",
        "CFBundleShortVersionString": design.version,
        "CFBundleVersion": design.version,
    }
    return {
        f"Contents/MacOS/{stem}": universal([(compiler.machine, as_bundle(library)) for compiler, library in built]),
        "Contents/Info.plist": plistlib.dumps(info),
        "Contents/PkgInfo": b"BNDL????",
    }


def _lv2(design: Design, stem: str, built: Built) -> Files:
    libraries = [(compiler.machine, library) for compiler, library in built]
    target = built[0][0].target
    library = f"plugin.{ {'linux': 'so', 'macos': 'dylib', 'windows': 'dll'}[target] }"
    files = {
        library: universal(libraries) if target == "macos" else libraries[0][1],
        "manifest.ttl": turtle.manifest(design, library).encode(),
        "plugin.ttl": turtle.plugin(design).encode(),
    }
    return files | ({"presets.ttl": turtle.presets(design).encode()} if design.programs else {})


def _clap(design: Design, stem: str, built: Built) -> Files:
    return _mac_bundle(design, stem, built) if built[0][0].target == "macos" else {"": built[0][1]}


FORMATS = {
    form.name: form
    for form in (
        Format("vst3", ".vst3", "vst3.cpp", _vst3),
        Format("lv2", ".lv2", "lv2.cpp", _lv2),
        Format("clap", ".clap", "clap.cpp", _clap),
    )
}

"""Builds the native core when the studio is made into a wheel: hatchling calls it.

The system's compiler is taken where there is one, which is a matter of seconds, else Zig's, which comes with the build
requirements; both give the same bits. `MIREPOIX_WHEEL=windows` (or linux-aarch64, linux-x86_64, macos) makes a wheel for
another system, always with Zig. Nothing is built for an editable install: there the core is compiled when it is first needed,
and anew when a header changes.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_TARGETS = {
    "linux-x86_64": ("linux", ["x86_64"], "manylinux_2_17_x86_64"),
    "linux-aarch64": ("linux", ["aarch64"], "manylinux_2_17_aarch64"),
    "macos": ("macos", ["x86_64", "aarch64"], "macosx_11_0_universal2"),
    "windows": ("windows", ["x86_64"], "win_amd64"),
}


class CoreHook(BuildHookInterface[Any]):
    """Puts the core into a wheel, and the wheel's system into its name."""

    PLUGIN_NAME = "custom"
    _folder = ""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from studio.native import compilers
        from studio.native.library import file_name, own_core
        from studio.native.universal import universal

        core, name = own_core(), os.environ.get("MIREPOIX_WHEEL", "")
        if name:
            system, machines, tag = _TARGETS[name]
            found = [compilers.zig(system, machine) for machine in machines]
        else:
            found = list(compilers.compilers())
            system, tag = compilers.this_system(), ""
        self._folder = tempfile.mkdtemp(prefix="mirepoix-core-")
        made = []
        for compiler in found:
            path = Path(self._folder, f"{compiler.machine}.bin")
            core.build(compiler, path)
            made.append((compiler.machine, path.read_bytes()))
        library = Path(self._folder, file_name(system, core.digest))
        library.write_bytes(universal(made))
        build_data["force_include"][str(library)] = f"studio/native/built/{library.name}"
        build_data["pure_python"] = False
        # What the compiler of this system makes is for this system.
        tag = tag or re.sub(r"[-.]", "_", sysconfig.get_platform())
        build_data["tag"] = f"py3-none-{tag}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Clear up."""
        shutil.rmtree(self._folder, ignore_errors=True)

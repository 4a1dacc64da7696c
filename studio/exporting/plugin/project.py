"""A design as a project that anyone with CMake and a C++ compiler can build, without the studio."""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.disk import part_of, writing
from studio.errors import OutputError, Place
from studio.exporting.plugin.build import SHELL, headers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.source import write_source

_CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(plugin LANGUAGES CXX)

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

foreach(format {formats})
  add_library(${{format}} MODULE plugin.cpp studio/native/shell/${{format}}.cpp)
  target_include_directories(${{format}} PRIVATE ${{CMAKE_CURRENT_SOURCE_DIR}})
  set_target_properties(${{format}} PROPERTIES PREFIX "" OUTPUT_NAME plugin-${{format}})
  if(NOT MSVC)
    target_compile_options(${{format}} PRIVATE -fno-math-errno -ffp-contract=off)
  endif()
endforeach()
"""

_README = """\
# {name}

A chain of effects as a plugin, written by `studio export` (version {version}).

    cmake -B build && cmake --build build

makes the library of each format: {formats}. Their bundles are laid out as `studio export` does it:

{bundles}

- `plugin.cpp`: the chain: which steps stand where, their fixed values, what the plugin's knobs turn
- `studio/effects/`: the steps
- `studio/native/shell/`: the plugin formats, and how steps stand behind and beside each other

The knobs:

{knobs}

Recipe {hash}; id {id}. Licence of the code: GPL-3.0-or-later.
"""

_BUNDLES = {
    "vst3": "`NAME.vst3/Contents/x86_64-linux/NAME.so` (Windows: `x86_64-win/NAME.vst3`; macOS: `MacOS/NAME`)",
    "lv2": "`NAME.lv2/` with the library and the `.ttl` files, which `studio export --format lv2` writes",
    "clap": "the library itself, called `NAME.clap`",
}


def write_project(design: Design, folder: Path) -> Path:
    """Write the project into a new or empty folder, whole or not at all.

    Raises:
        OutputError: something is there already, or it cannot be written.
        RecipeError: a step has no plugin half.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError("there is something already.", "Name a new folder.", place=Place(str(folder)))
    source = write_source(design)
    files = {
        "plugin.cpp": source.text,
        "CMakeLists.txt": _CMAKE.format(formats=" ".join(FORMATS)),
        "README.md": _readme(design),
    }
    room = part_of(folder)
    try:
        with writing(folder, "the project"):
            for name, text in files.items():
                room.mkdir(parents=True, exist_ok=True)
                (room / name).write_text(text, encoding="utf-8")
            shells = {f"studio/native/shell/{form.shell}": SHELL / form.shell for form in FORMATS.values()}
            for name, path in (headers(source) | shells).items():
                (room / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, room / name)
            if folder.exists():
                folder.rmdir()
            room.rename(folder)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return folder


def _readme(design: Design) -> str:
    knobs = [
        f"- {parameter.name}: {parameter.number.range}; {parameter.number.help or 'no words about it'}"
        for parameter in design.parameters
    ]
    return _README.format(
        name=design.name, version=design.version, formats=", ".join(FORMATS), hash=design.hash, id=design.id,
        knobs="\n".join(knobs) or "- none",
        bundles="\n".join(f"- {name}: {_BUNDLES[name]}" for name in FORMATS),
    )  # fmt: skip

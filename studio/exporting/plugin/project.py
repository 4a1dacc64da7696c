"""A design as a project that anyone with CMake and a C++ compiler can build, without the studio."""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.disk import part_of, writing
from studio.errors import OutputError, Place
from studio.exporting.plugin import turtle
from studio.exporting.plugin.build import SHELL, headers
from studio.exporting.plugin.bundle import file_name
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

# Where the library of each format lies in its bundle.
if(WIN32)
  set(place_vst3 "x86_64-win/{file}.vst3")
  set(place_lv2 "plugin.dll")
elseif(APPLE)
  set(place_vst3 "MacOS/{file}")
  set(place_lv2 "plugin.dylib")
else()
  set(place_vst3 "${{CMAKE_SYSTEM_PROCESSOR}}-linux/{file}.so")
  set(place_lv2 "plugin.so")
endif()
set(bundle_vst3 "${{CMAKE_BINARY_DIR}}/{file}.vst3/Contents/${{place_vst3}}")
set(bundle_lv2 "${{CMAKE_BINARY_DIR}}/{file}.lv2/${{place_lv2}}")
set(bundle_clap "${{CMAKE_BINARY_DIR}}/{file}.clap")
file(GLOB turtles "${{CMAKE_CURRENT_SOURCE_DIR}}/lv2/*.ttl")
foreach(turtle ${{turtles}})
  get_filename_component(name "${{turtle}}" NAME)
  configure_file("${{turtle}}" "${{CMAKE_BINARY_DIR}}/{file}.lv2/${{name}}" @ONLY)
endforeach()

foreach(format {formats})
  add_library(${{format}} MODULE plugin.cpp studio/native/shell/${{format}}.cpp)
  target_include_directories(${{format}} PRIVATE ${{CMAKE_CURRENT_SOURCE_DIR}})
  set_target_properties(${{format}} PROPERTIES PREFIX "" OUTPUT_NAME plugin-${{format}})
  if(NOT MSVC)
    target_compile_options(${{format}} PRIVATE -fno-math-errno -ffp-contract=off)
  endif()
  get_filename_component(folder "${{bundle_${{format}}}}" DIRECTORY)
  add_custom_command(TARGET ${{format}} POST_BUILD
    COMMAND ${{CMAKE_COMMAND}} -E make_directory "${{folder}}"
    COMMAND ${{CMAKE_COMMAND}} -E copy "$<TARGET_FILE:${{format}}>" "${{bundle_${{format}}}}")
endforeach()
"""

_README = """\
# {name}

A chain of effects as a plugin, written by `studio export` (version {version}).

    cmake -B build && cmake --build build

makes the plugin in each format, {formats}, ready to be put where hosts look: `build/{file}.vst3`, `build/{file}.lv2` and
`build/{file}.clap`.

- `plugin.cpp`: the chain: which steps stand where, their fixed values, what the plugin's knobs turn
- `studio/effects/`: the steps
- `studio/native/shell/`: the plugin formats, and how steps stand behind and beside each other

The knobs:

{knobs}

Recipe {hash}; id {id}. Licence of the code: GPL-3.0-or-later.
"""


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
        "CMakeLists.txt": _CMAKE.format(formats=" ".join(FORMATS), file=_plain(design.name)),
        "README.md": _readme(design),
        "lv2/manifest.ttl": turtle.manifest(design, "@place_lv2@"),
        "lv2/plugin.ttl": turtle.plugin(design),
    }
    if design.programs:
        files["lv2/presets.ttl"] = turtle.presets(design)
    room = part_of(folder)
    try:
        with writing(folder, "the project"):
            for name, text in files.items():
                (room / name).parent.mkdir(parents=True, exist_ok=True)
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
        knobs="\n".join(knobs) or "- none", file=_plain(design.name),
    )  # fmt: skip


def _plain(name: str) -> str:
    """A name for files that CMake takes for nothing else."""
    kept = "".join(mark if mark.isalnum() or mark in " ._+-" else "-" for mark in file_name(name))
    return kept.strip(" .-") or "plugin"

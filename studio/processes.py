"""Python interpreters that the studio starts: none of them imports anything from the working folder.

Songs of strangers are worked on in their own folders, and Python looks for modules in the working folder first: a
`base64.py` lying beside a song would be run by whichever interpreter is started there. So every interpreter is started
through `python_command`, and the command line itself calls `forget_working_folder`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HOME = str(Path(__file__).resolve().parent.parent)
"""The folder that the package `studio` lies in."""


def python_command(program: str, *arguments: str) -> list[str]:
    """The command line of an interpreter like this one that runs a line of Python.

    It looks for modules where Python is installed, in the folders that `PYTHONPATH` names in full, and last where this
    studio lies; never in the working folder, whatever `PYTHONPATH` says. No other `PYTHON…` variable reaches it.

    Args:
        program: what it runs, as `from room.file import main; main()`.
        arguments: what it finds in `sys.argv[1:]`.
    """
    first = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    paths = f"import sys; sys.path[:0] = {_elsewhere(first)!a}; sys.path.append({_HOME!a}); "
    # -E: an empty part of PYTHONPATH means the working folder. -u: what it printed before a crash is not lost.
    return [sys.executable, "-P", "-E", "-u", "-c", paths + program, *arguments]


def forget_working_folder() -> None:
    """Take the working folder off this interpreter's list of folders for modules.

    It stands there after `python -c`, `python -m` and an empty part of `PYTHONPATH`. The folder that this studio lies
    in stays.
    """
    if os.path.realpath(".") != _HOME:
        sys.path[:] = _elsewhere(sys.path)


def _elsewhere(folders: list[str]) -> list[str]:
    """Those of some folders that are not the working folder."""
    here = os.path.realpath(".")
    return [folder for folder in folders if os.path.realpath(folder or ".") != here]

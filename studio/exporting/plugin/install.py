"""Where DAWs look for plugins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_MAC = {"vst3": "VST3", "lv2": "LV2", "clap": "CLAP"}


def plugin_folder(format: str) -> Path:
    """The folder of the user's own plugins of one format, on this system."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library/Audio/Plug-Ins" / _MAC[format]
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        roaming = Path(os.environ.get("APPDATA", home / "AppData/Roaming"))
        return roaming / "LV2" if format == "lv2" else local / "Programs/Common" / format.upper()
    return home / f".{format}"

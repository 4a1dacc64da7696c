"""`python -m tests.benchmarks [name …]`: run the benchmarks, or those named."""

from __future__ import annotations

import sys
from importlib import import_module

ALL = (
    "startup",
    "song",
    "soundfonts",
    "long_file",
    "automation",
    "stretch",
    "pitch",
    "export",
    "random_chains",
    "hosting",
    "lv2",
    "voices",
    "learning",
    "spectral",
    "streaming",
    "live",
    "widgets",
    "instruments",
)

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        import_module(f"tests.benchmarks.{name}").main()

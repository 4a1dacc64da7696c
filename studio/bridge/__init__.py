"""Ways out: files, and later sessions and plugins, each written and verified."""

from studio.bridge.manifest import Manifest
from studio.bridge.render import Result, render

__all__ = ["Manifest", "Result", "render"]

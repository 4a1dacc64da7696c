"""Ways out: files, and later sessions and plugins, each written and verified."""

from studio.rendering.manifest import Manifest
from studio.rendering.render import Result, render

__all__ = ["Manifest", "Result", "render"]

"""The command line: `studio …`."""

from studio.cli.main import main

__all__ = ["main"]

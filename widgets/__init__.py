"""Jupyter widgets: knobs, racks and players that turn recipes by hand."""

from widgets.knob import Knob

__all__ = ["Knob"]

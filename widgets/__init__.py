"""Jupyter widgets: knobs, racks and players that turn recipes by hand."""

from widgets.knob import Knob
from widgets.player import Player
from widgets.rack import Rack, rack

__all__ = ["Knob", "Player", "Rack", "rack"]

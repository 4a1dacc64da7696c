"""Jupyter widgets: knobs, racks, players, rolls, comparisons and maps that turn recipes by hand."""

from widgets.compare import Compare, compare
from widgets.knob import Knob
from widgets.magic import load_ipython_extension
from widgets.map import Map
from widgets.opening import rack
from widgets.player import Player
from widgets.rack import Rack
from widgets.roll import PianoRoll

__all__ = ["Compare", "Knob", "Map", "PianoRoll", "Player", "Rack", "compare", "load_ipython_extension", "rack"]

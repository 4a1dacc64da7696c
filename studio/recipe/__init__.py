"""Recipes: the document, what it holds, and the presets it is shared as."""

from studio.midi.picks import Pick
from studio.recipe.model import Bus, Master, Output, Recipe, Send, Track

__all__ = ["Bus", "Master", "Output", "Pick", "Recipe", "Send", "Track"]

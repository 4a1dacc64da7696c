"""Recipes: the document, what it holds, and the presets it is shared as."""

from studio.recipe.model import Bus, Master, Output, Recipe, Send, Track
from studio.recipe.picks import Pick

__all__ = ["Bus", "Master", "Output", "Pick", "Recipe", "Send", "Track"]

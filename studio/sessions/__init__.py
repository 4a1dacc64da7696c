"""Recipes as sessions of a DAW, and sessions as recipes."""

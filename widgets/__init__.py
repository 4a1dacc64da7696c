"""Jupyter widgets: knobs, racks and players that turn recipes by hand."""

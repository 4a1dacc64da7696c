"""Sessions of Ardour 7."""

"""Ableton Live."""

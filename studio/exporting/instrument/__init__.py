"""Instruments as samples: sampled note by note, written as SFZ or as a plugin that plays MIDI."""

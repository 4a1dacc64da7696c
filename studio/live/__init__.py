"""Live hands: a recipe's chains in real time, turned over OSC and MIDI, and the faders of a running DAW."""

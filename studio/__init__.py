"""Mirepoix: a scripting studio. A recipe in, everything out.

>>> import studio
>>> song = studio.load("song.yaml").set("keys.chorus.depth", 0.5)
>>> result = studio.render(song, "out")
>>> result.mix
Audio(2 channels, 93.412 s, 44100 Hz, peak -1.0 dBFS)

What is public stands in the stub beside this file, `__init__.pyi`, and nowhere else: type checkers read it, and a
name is imported from where it says when it is first used, so `import studio` costs next to nothing. What writers of
steps need is in `studio.extend`. What may change, and how, is said in docs/stability.md.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

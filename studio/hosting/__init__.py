"""Other people's plugins: found, described and run in processes of their own, as one step.

A plugin may crash, hang, lie or leak as it likes: it does so in its own process, and what is left of it is an error
with a name. Importing this room registers its step.
"""

from studio.hosting.plugin import Plugin

__all__ = ["Plugin"]

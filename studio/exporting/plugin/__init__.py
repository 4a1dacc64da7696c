"""A chain of effects as a plugin: written in C++, built, and verified in other people's hosts."""

from studio.exporting.plugin.design import Design, Parameter
from studio.exporting.plugin.export import Exported, export

__all__ = ["Design", "Exported", "Parameter", "export"]

"""Timbre: sounds in the timbre of others."""

from studio.timbre import latent_controls as latent_hands
from studio.timbre import performing, singing, singing_along
from studio.timbre.figures import Figures, compare
from studio.timbre.transferring import METHODS, transfer

__all__ = ["METHODS", "Figures", "compare", "latent_hands", "performing", "singing", "singing_along", "transfer"]

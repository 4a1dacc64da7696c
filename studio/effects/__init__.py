"""Effects: pedalboard's, and what a mixer needs besides."""

from studio.effects.blocks import Layers, Multiband, Parallel, RackBlock
from studio.effects.degrade import Gsm, Mp3, Resample
from studio.effects.delays import Delay, Echo
from studio.effects.dynamics import Brickwall, Compressor, Ducker, Gate, Limiter
from studio.effects.equaliser import Eq
from studio.effects.filters import Highpass, HighShelf, Ladder, Lowpass, LowShelf, Peak
from studio.effects.mixing import Gain, Invert, Pan, Width
from studio.effects.modulation import Chorus, Phaser, Tremolo
from studio.effects.pedalboard_plugin import PedalboardPlugin
from studio.effects.pitch_shift import PitchShift
from studio.effects.saturation import Bitcrush, Clip, Distortion, Saturation
from studio.effects.shaping import DeEsser, DynamicEq, Transient, Vocoder
from studio.effects.space import Convolution, Reverb

__all__ = [
    "Bitcrush", "Brickwall", "Chorus", "Clip", "Compressor", "Convolution", "DeEsser", "Delay",
    "Distortion", "Ducker", "DynamicEq", "Echo", "Eq", "Gain", "Gate", "Gsm", "HighShelf", "Highpass", "Invert", "Ladder", "Layers", "Limiter",
    "LowShelf", "Lowpass", "Mp3", "Multiband", "Pan", "Parallel", "Peak", "PedalboardPlugin", "Phaser", "PitchShift", "RackBlock",
    "Resample", "Reverb", "Saturation", "Transient", "Tremolo", "Vocoder", "Width",
]  # fmt: skip

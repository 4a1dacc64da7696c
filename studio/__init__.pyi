"""The public names of the studio: the one list that serves type checkers and the lazy imports of `__init__.py`."""

from . import extend as extend
from .audio import Audio as Audio
from .audiofile import read_audio as read_audio
from .doctor import Diagnosis as Diagnosis
from .doctor import examine as examine
from .engine import Cache as Cache
from .engine import Engine as Engine
from .engine.plan import Plan as Plan
from .engine.plan import plan as plan
from .errors import StudioError as StudioError
from .exporting.export import export as export
from .hosting.catalogue import describe_plugin as describe_plugin
from .hosting.catalogue import forget_plugins as forget_plugins
from .hosting.catalogue import list_plugins as list_plugins
from .hosting.catalogue import probe_plugin as probe_plugin
from .hosting.catalogue import scan_plugins as scan_plugins
from .knobs import Live as Live
from .knobs import knob as knob
from .midi import read_midi as read_midi
from .midi import write_midi as write_midi
from .recipe import Bus as Bus
from .recipe import Master as Master
from .recipe import Output as Output
from .recipe import Pick as Pick
from .recipe import Recipe as Recipe
from .recipe import Send as Send
from .recipe import Track as Track
from .recipe.model import load as load
from .recipe.pack import install_pack as install_pack
from .recipe.pack import pack as pack
from .recipe.presets import ChainPreset as ChainPreset
from .recipe.presets import find_preset as find_preset
from .recipe.presets import presets as presets
from .rendering.apply import apply_file as apply_file
from .rendering.apply import parse_chain as parse_chain
from .rendering.player.page import write_player as write_player
from .rendering.render import Result as Result
from .rendering.render import render as render
from .rendering.transfers import compare_methods as compare_methods
from .rendering.transfers import transfer_file as transfer_file
from .rendering.verify import verify as verify
from .score import Note as Note
from .score import Score as Score
from .sessions.exporting import export_session as export_session
from .sessions.importing import import_session as import_session
from .steps import Effect as Effect
from .steps import Instrument as Instrument
from .steps import ScoreStep as ScoreStep
from .steps import Source as Source
from .steps import Step as Step
from .steps import Transform as Transform

__version__: str
__all__: list[str]

"""The engine: plans a recipe, runs the plan, keeps what it made."""

from studio.engine.cache import Cache
from studio.engine.plan import Plan, plan
from studio.engine.progress import Event, Listener
from studio.engine.run import Engine, Errand

__all__ = ["Cache", "Engine", "Errand", "Event", "Listener", "Plan", "plan"]

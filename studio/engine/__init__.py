"""The engine: plans a recipe, runs the plan, keeps what it made."""

from studio.engine.cache import Cache
from studio.engine.plan import Plan, plan
from studio.engine.progress import Listener, ProgressEvent
from studio.engine.run import Engine, Task

__all__ = ["Cache", "Engine", "Listener", "Plan", "ProgressEvent", "Task", "plan"]

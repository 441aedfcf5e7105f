"""The only wiring: from one environment's config to adapters, engine and control that know each other."""

from console.runtime.environments import find
from console.runtime.lock import AlreadyRuns, Lock
from console.runtime.wiring import Runtime, build

__all__ = ["AlreadyRuns", "Lock", "Runtime", "build", "find"]

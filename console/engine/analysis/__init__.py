"""What the engine makes of the whole platform on request: retries, recovery, money, capacity."""

from console.engine.analysis.analyst import Analyst

__all__ = ["Analyst"]

"""Every detector of an environment, made anew: what the engine runs, and what an evaluation runs."""

from console.config import Environment
from console.engine.detectors.base import Detector
from console.engine.detectors.burn import BurnRate
from console.engine.detectors.divergence import Divergent
from console.engine.detectors.stale import StaleSource


def detectors(config: Environment) -> tuple[Detector, ...]:
    """All of them, at their defaults; those that work by the config get their part of it."""
    return (StaleSource(), BurnRate(config.objectives), Divergent())

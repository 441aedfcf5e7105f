"""Every detector of an environment, made anew: what the engine runs, and what an evaluation runs."""

from collections.abc import Iterable
from typing import TypeVar

from console.config import Environment
from console.engine.detectors.backlog import Backlogs
from console.engine.detectors.base import Detector
from console.engine.detectors.burn import BurnRate
from console.engine.detectors.cost import CostBurn
from console.engine.detectors.divergence import Divergent
from console.engine.detectors.errors import FailingMore
from console.engine.detectors.finish import FinishReasons
from console.engine.detectors.half_open import HalfOpenFlood
from console.engine.detectors.latency import SlowAnswers
from console.engine.detectors.loops import AgentLoop
from console.engine.detectors.overflow import ContextOverflow
from console.engine.detectors.phantom import PhantomSpend
from console.engine.detectors.retries import Amplified
from console.engine.detectors.retrieval import Retrieval
from console.engine.detectors.script import StrangeScript
from console.engine.detectors.shape import OutputShape
from console.engine.detectors.stale import StaleSource
from console.engine.detectors.tenants import FailingTenants
from console.engine.detectors.throttling import Throttled
from console.engine.detectors.tokens import TokensPerCharacter
from console.engine.detectors.unparsed import Unparsed
from console.engine.detectors.upstream import UpstreamChange
from console.engine.detectors.workflows import StuckWorkflow

D = TypeVar("D")


def detectors(config: Environment) -> tuple[Detector, ...]:
    """All of them, at their defaults; those that work by the config get their part of it."""
    return (
        StaleSource(),
        BurnRate(config.objectives),
        Divergent(),
        SlowAnswers(),
        FailingMore(config.objectives),
        Throttled(),
        Amplified(),
        FailingTenants(),
        HalfOpenFlood(),
        Backlogs(),
        CostBurn(),
        PhantomSpend(),
        Unparsed(),
        FinishReasons(),
        StrangeScript(),
        ContextOverflow(),
        StuckWorkflow(),
        AgentLoop(),
        Retrieval(),
        TokensPerCharacter(),
        UpstreamChange(),
        OutputShape(),
    )


def one_of(found: Iterable[Detector], kind: type[D]) -> D:
    """The detector of one kind among all of them: for what it hears beside changes and answers.

    Raises:
        StopIteration: there is none; the catalogue always has one of each.
    """
    return next(one for one in found if isinstance(one, kind))

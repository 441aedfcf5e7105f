"""What a ramp looks at, and what it may say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from console.domain.board import Board
from console.domain.refs import Ref
from console.engine.analysis.capacity import SAFE
from console.engine.answered import Answered


class Sight(Protocol):
    """What is seen at one moment; a runbook's scope is one."""

    @property
    def board(self) -> Board:
        """The latest of everything."""
        ...

    @property
    def now(self) -> float:
        """Unix seconds."""
        ...

    @property
    def past(self) -> Callable[[Ref, str, float], Sequence[float | None]]:
        """(object, metric, seconds) → its means over the last so many seconds, oldest first; None where not seen."""
        ...

    @property
    def parameters(self) -> Mapping[str, str | float]:
        """Those of the runbook, by name: durations in seconds."""
        ...


AnsweredBy = Callable[[str, float], Answered | None]
"""(deployment's name, unix seconds) → what it answered since then; None where no trace store tells."""


def nobody_tells(deployment: str, since: float) -> Answered | None:
    """`AnsweredBy` of an environment without a trace store."""
    return None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the environment's config says."""

    headroom: float = SAFE
    """The target must be able to carry so many times what a stage shifts to it (`overrides.headroom`)."""
    longest_s: float = 14400.0
    """The longest that an override may last (`overrides.max_ttl`)."""


USUAL = Policy()
"""Where the config says nothing else."""


class Result(StrEnum):
    """What is to be done with a stage."""

    GO = "go"
    """Set the next stage; the stage that comes with it is that one."""
    DONE = "done"
    """The last stage was held and is well."""
    HOLD = "hold"
    """Look again in a few seconds."""
    ABORT = "abort"
    """The target does harm: go back to the saved weights."""
    UNCLEAR = "unclear"
    """It cannot be judged: pause, and let a person look."""


class Judged(NamedTuple):
    """How a stage stands."""

    result: Result
    words: str
    """Why, with its numbers; clean."""


class RampFault(Exception):
    """A ramp cannot begin, or not go on. Nothing was done; `words` say why and what to do."""

    def __init__(self, words: str, *, passes: bool = False) -> None:
        """`passes`: it may be otherwise in a moment, so that nothing is decided by it."""
        super().__init__(words)
        self.words = words
        self.passes = passes

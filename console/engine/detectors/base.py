"""What a detector is: it hears every change and, when asked, says what is wrong now. It acts on nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers, Group
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.wire import Change


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is wrong at this moment. The lifecycle makes an alert of it; one a rule and object."""

    rule: str
    """The alert's rule: `stale-source`, `burn-rate/chat`."""
    ref: Ref
    severity: Severity
    words: str
    """What is wrong, with its numbers; clean."""
    value: float | None = None
    begins: bool = True
    """False: not bad enough to begin an alert, but too bad to end one that is firing."""
    aspect: Aspect = Aspect.TRANSPORT
    examples: tuple[str, ...] = ()
    """Trace ids of requests that show it."""
    about: Group | None = None
    """Which model calls it is about, where it was found in those."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a condition has to last before anyone is told, and to be away before it counts as over."""

    fire_after_s: float = 0.0
    """Pending for this long; 0 fires at once."""
    resolve_after_s: float = 60.0


class Detector(Protocol):
    """Online and pure: the same changes and ticks give the same conditions, whatever the machine does meanwhile.

    It may raise: the engine contains that, says it, and goes on asking.
    """

    name: str
    """The first part of its alerts' `rule`."""
    patience: Patience

    def feed(self, change: Change) -> None:
        """Hear what is new; called for every change, so it must be quick."""
        ...

    def tick(self, now: float, board: Board) -> Iterable[Condition]:
        """Everything that is wrong at `now` (unix seconds); called about once a second."""
        ...


@runtime_checkable
class OfAnswers(Protocol):
    """A detector that also judges what model calls answered."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in the minutes that one trace store tells, oldest first; each comes once."""
        ...


@runtime_checkable
class Judging(Protocol):
    """A detector that says how far it can judge."""

    def state(self, now: float) -> DetectorState:
        """What it watches, and what it cannot judge yet."""
        ...


@runtime_checkable
class Learner(Judging, Protocol):
    """A detector that knows what is usual, and does not want to learn it anew after a restart."""

    def remember(self) -> bytes:
        """What it has learnt, as JSON; its size does not grow with time."""
        ...

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what a detector of the engine before remembered; what it cannot read it learns anew.

        Never raises: state that is broken or too old is as none.
        """
        ...

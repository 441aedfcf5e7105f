"""What a detector is: it hears every change and, when asked, says what is wrong now. It acts on nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from console.domain.alerts import Severity
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

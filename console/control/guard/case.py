"""What a check may look at, and what it may find."""

from dataclasses import dataclass

from console.config import Environment
from console.control.rows import Held
from console.domain.actions import (
    CheckResult,
    Intent,
    Outcome,
    Plan,
    Restore,
    SetWeight,
    Stage,
    Trip,
)
from console.domain.board import Board
from console.domain.errors import Failure
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Access
from console.forecast.flow import Shift

PASS, WARN, TYPE_NAME, REFUSE = CheckResult.PASS, CheckResult.WARN, CheckResult.TYPE_NAME, CheckResult.REFUSE


@dataclass(frozen=True, slots=True)
class Busy:
    """An action that is not over."""

    id: str
    operator: str
    plan: Plan
    stage: Stage
    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the checks may look at."""

    intent: Intent
    plan: Plan | None
    failure: Failure | None
    """Why there is no plan."""
    access: Access
    board: Board
    now: float
    config: Environment
    held: tuple[Held, ...]
    """Every override that has not ended."""
    busy: tuple[Busy, ...]
    shift: Shift

    @property
    def target(self) -> Ref:
        """What is acted on."""
        return self.intent.target

    @property
    def name(self) -> str:
        """The target's own name, fit to be shown."""
        return clean(self.target.name, 80)

    @property
    def takes_away(self) -> bool:
        """Whether the action keeps requests away from a deployment."""
        action = self.intent.action
        return isinstance(action, Trip) or (isinstance(action, SetWeight) and action.weight == 0)

    @property
    def restored(self) -> Held | None:
        """The override that a restore ends."""
        action = self.intent.action
        wanted = action.override_id if isinstance(action, Restore) else ""
        return next((item for item in self.held if item.override.id == wanted), None)

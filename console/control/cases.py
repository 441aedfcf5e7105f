"""What the guard gets to see: one case, with everything as it is now."""

from console.config import Environment
from console.control.guard import Busy, Case
from console.control.launcher import Launcher
from console.control.ledger import Ledger
from console.control.planner import Planned
from console.control.run import Run
from console.domain.actions import Intent, Restore
from console.domain.ports import Clock
from console.domain.wire import Access
from console.engine.store import Store
from console.forecast.flow import shift


class Cases:
    """Makes cases of intents and their plans."""

    def __init__(self, config: Environment, store: Store, ledger: Ledger, launcher: Launcher, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._ledger = ledger
        self._launcher = launcher
        self._clock = clock

    def of(self, intent: Intent, planned: Planned, who: Access) -> Case:
        """The case of an intent, as the board, the overrides and what is in flight are at this moment."""
        held = tuple(self._ledger.held.values())
        wanted = intent.action.override_id if isinstance(intent.action, Restore) else ""
        parts = next((item.parts for item in held if item.override.id == wanted), ())
        return Case(
            intent=intent,
            plan=planned.plan,
            failure=planned.failure,
            access=who,
            board=self._store.board,
            now=self._clock.now(),
            config=self._config,
            held=held,
            busy=tuple(_busy(run) for run in self._launcher.runs.values() if not run.over),
            shift=shift(self._store.board, intent.target, intent.action, parts),
        )


def _busy(run: Run) -> Busy:
    return Busy(run.id, run.operator, run.plan, run.receipt.stage, run.receipt.outcome, run.receipt.words)

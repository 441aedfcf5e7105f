"""One action that is being carried out, and how the board hears of it."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from console.control.alarm import within
from console.control.ledger import Ledger
from console.control.rows import Confirmed
from console.domain.actions import Outcome, Plan, Progress, Proof, Receipt, Restore, Stage
from console.domain.errors import Failure
from console.domain.ports import Actuator, Clock
from console.domain.text import clean


@dataclass(slots=True, eq=False)
class Run:
    """One action that is being carried out."""

    id: str
    operator: str
    confirmed: Confirmed
    adapter: Actuator
    receipt: Receipt
    may_begin: bool = True
    """Whether steps that were not begun may be: False when an engine finds an old action of its predecessor."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the backend took the calls, refused, or its answer was lost."""
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the action is over, or when a whole look has ended without being able to tell."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends a pause between two looks."""
    overtaken: bool = False
    """Whether a later action has made looking on pointless."""
    early: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an operator wants it to end before its lasting step is done."""
    stopped_by: str = ""
    """Who wants that."""
    ending: bool = False
    """Whether it ends early now, whatever for."""
    under_way: bool = False
    """Whether a lasting step of it was begun: what that has moved is never rolled back."""
    carrying: bool = False
    """Whether a lasting step is being carried now."""
    progress: Progress | None = None
    """Of the lasting step that is under way, or that was the last."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing more will be done for it."""
    done: int = 0
    """How many steps the backend took."""

    def halt(self) -> None:
        """Let it end after the look that it is at: a later action has taken over."""
        self.overtaken = True
        self.wake.set()

    def end_early(self, by: str) -> None:
        """Let it end with what has been moved by now. The wish is on record already."""
        self.stopped_by = by
        self.early.set()
        self.wake.set()

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Wait, but not when somebody wants to know about it, or wants it to end."""
        try:
            await within(clock, seconds, self._woken())
        except TimeoutError:
            return

    async def _woken(self) -> None:
        await self.wake.wait()
        self.wake.clear()

    @property
    def over(self) -> bool:
        """Whether nothing more will be done for it."""
        return self.ended.is_set()

    @property
    def unwanted(self) -> bool:
        """Whether nobody waits any more for what its present step comes to."""
        return self.overtaken or self.early.is_set()

    @property
    def plan(self) -> Plan:
        """What is being done."""
        return self.confirmed.plan

    @property
    def goes_back(self) -> bool:
        """Whether it ends an override: such an action is tried again, never rolled back."""
        return isinstance(self.confirmed.intent.action, Restore)


class Teller:
    """Keeps the receipt of a run current."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def tell(
        self,
        run: Run,
        stage: Stage,
        outcome: Outcome,
        words: str,
        failure: Failure | None = None,
        proofs: tuple[Proof, ...] = (),
    ) -> None:
        """Publish where an action stands, when that is news."""
        self.show(run, self.receipt(run, stage, outcome, words, failure, proofs))

    def show(self, run: Run, receipt: Receipt) -> None:
        """Publish a receipt that was already written down."""
        if msgspec.structs.replace(receipt, updated_at=run.receipt.updated_at) != run.receipt:
            run.receipt = receipt
            self._ledger.show(receipt)

    def receipt(
        self,
        run: Run,
        stage: Stage,
        outcome: Outcome,
        words: str,
        failure: Failure | None = None,
        proofs: tuple[Proof, ...] = (),
    ) -> Receipt:
        """The run's receipt as it would be now; nothing is published."""
        return msgspec.structs.replace(
            run.receipt,
            stage=stage,
            outcome=outcome,
            words=clean(words, 300),
            failure=failure,
            proofs=proofs or run.receipt.proofs,
            progress=run.progress,
            updated_at=self._clock.now(),
        )

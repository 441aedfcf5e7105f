"""The engine's own memory of what was done: receipts and overrides, written down before they are shown."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from console.control.audit import Audit, AuditError, Entry
from console.control.rows import Held, RowKind
from console.domain.actions import Outcome, OverrideState, Receipt, Stage
from console.domain.ports import Clock
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import LogKind
from console.engine.store import Store

RECEIPTS_KEPT = 500
"""Receipts in memory; older ones are in the audit log."""


class Ledger:
    """Receipts and overrides that are not over, mirrored on the store, backed by the audit log."""

    def __init__(self, audit: Audit, store: Store, clock: Clock) -> None:
        self._audit = audit
        self._store = store
        self._clock = clock
        self._mute = False
        self.on_change: Callable[[], None] = lambda: None
        """Called after an override has changed: its end may be due at another time now."""
        self.held: dict[str, Held] = {}
        """Override id → override, of those that have not ended."""
        self.receipts: dict[str, Receipt] = {}
        """Action id → newest receipt."""
        self._ended: dict[str, tuple[str, float]] = {}
        """Override id → (who ended it, unix seconds), of those that were put back."""

    async def write(self, action_id: str, operator: str, kind: RowKind, body: object) -> None:
        """Put one row on disk; what follows may rely on it.

        Raises:
            AuditError: it could not be written: what follows must not happen.
        """
        await self._audit.append(kind, action_id, operator, body)
        self._mute = False

    async def write_after(self, entries: Sequence[Entry]) -> None:
        """Write down what has already happened. A log that cannot be written is said; the truth is told all the same.

        What is missing is found again by the next start: an action without its last row is looked up.
        """
        try:
            await self._audit.append_all(entries)
        except AuditError as error:
            if not self._mute:
                self._mute = True
                self._store.say(LogKind.ENGINE, clean(f"not in the audit log: {error}", 300), outcome="failed")

    def show(self, receipt: Receipt) -> None:
        """Publish a receipt; that of an action whose override was put back says so, whenever it comes."""
        receipt = self.as_ended(receipt)
        self.receipts.pop(receipt.id, None)
        self.receipts[receipt.id] = receipt
        while len(self.receipts) > RECEIPTS_KEPT:
            self.receipts.pop(next(iter(self.receipts)))
        self._store.publish(receipts=(receipt,))

    def as_ended(self, receipt: Receipt) -> Receipt:
        """The receipt, saying so when its action's override was put back."""
        by, at = self._ended.get(receipt.id, ("", 0.0))
        if not by or receipt.stage is not Stage.DONE or receipt.outcome is Outcome.FAILED:
            return receipt
        return msgspec.structs.replace(
            receipt, outcome=Outcome.REVERTED, updated_at=at, words=clean(f"reverted by {by}")
        )

    def rows(self, held: Iterable[Held], operator: str) -> list[Entry]:
        """The rows that say what overrides are from now on; `ended_at` is filled in."""
        return [Entry(RowKind.OVERRIDE, item.override.id, operator, item) for item in map(self._stamped, held)]

    def take(self, held: Iterable[Held]) -> None:
        """Believe and publish overrides as they are from now on; the receipts of those that were put back follow."""
        items = [self._stamped(item) for item in held]
        for item in items:
            if item.override.state is OverrideState.ENDED:
                self.held.pop(item.override.id, None)
                self._reverted(item)
            else:
                self.held[item.override.id] = item
        if items:
            self._store.publish(overrides=tuple(item.override for item in items))
            self.on_change()

    def recall(self, held: Iterable[Held]) -> None:
        """Believe overrides as the audit log has them last; those that have ended are not told again."""
        items = list(held)
        for item in items:
            if item.override.state is OverrideState.ENDED:
                self._reverted(item)
        self.take(item for item in items if item.override.state is not OverrideState.ENDED)

    async def settle(self, held: Sequence[Held], operator: str) -> None:
        """Write overrides down and publish them."""
        await self.write_after(self.rows(held, operator))
        self.take(held)

    def say(self, kind: LogKind, words: str, *, ref: Ref | None = None, operator: str = "", outcome: str = "") -> None:
        """One clean line on the timeline."""
        self._store.say(kind, clean(words, 300), ref=ref, operator=operator, outcome=outcome)

    def of(self, target: Ref) -> Held | None:
        """The override of an object that has not ended, the newest when there are several."""
        return next((item for item in reversed(self.held.values()) if item.override.target == target), None)

    def _stamped(self, held: Held) -> Held:
        override = held.override
        if override.state is not OverrideState.ENDED or override.ended_at is not None:
            return held
        stamped = msgspec.structs.replace(override, ended_at=self._clock.now())
        return msgspec.structs.replace(held, override=stamped)

    def _reverted(self, held: Held) -> None:
        override = held.override
        if override.ended_by == SUPERSEDED:
            return
        self._ended[override.id] = (override.ended_by, override.ended_at or self._clock.now())
        while len(self._ended) > RECEIPTS_KEPT:
            self._ended.pop(next(iter(self._ended)))
        if receipt := self.receipts.get(override.id):
            self.show(receipt)


SUPERSEDED = "superseded"
"""`Override.ended_by` of an override whose effect lives on in a newer one."""

"""Idempotency keys: what was confirmed under a key is not done again, whoever asks and whichever engine did it.

A key is on disk with the row that precedes every side effect, so that its absence proves that nothing was done.
"""

import asyncio
from weakref import WeakValueDictionary

import msgspec

from console.control.audit import Audit, AuditError
from console.control.audit_schema import KEY
from console.control.ledger import Ledger
from console.control.rows import Confirmed, RowKind
from console.domain.actions import Intent, Outcome, Receipt, Stage
from console.domain.errors import Refusal
from console.domain.redact import holds_secret
from console.domain.text import clean
from console.domain.wire import AuditRow

LONGEST_KEY = 200
"""Characters."""


def check_key(key: str) -> None:
    """Refuse a key that the audit log would not hold as it is: it could not be found again.

    Raises:
        Refusal: it is too long, not printable ASCII, or looks like a credential.
    """
    if len(key) > LONGEST_KEY or not key.isascii() or (key and not key.isprintable()):
        raise Refusal(f"a key is printable ASCII of at most {LONGEST_KEY} characters", code=400)
    if holds_secret(key):
        raise Refusal("the key looks like a credential, which the audit log never holds; choose another", code=400)


class Keys:
    """Finds what was confirmed under a key, and lets one at a time be confirmed under it."""

    def __init__(self, audit: Audit, ledger: Ledger) -> None:
        self._audit = audit
        self._ledger = ledger
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, key: str) -> asyncio.Lock:
        """The key's lock, to be held from the look for it until its row is written."""
        found = self._locks.get(key)
        if found is None:
            found = self._locks[key] = asyncio.Lock()
        return found

    async def find(self, key: str) -> Receipt | None:
        """The newest receipt of what was confirmed under `key`: the ledger's, or the audit log's of a former engine.

        Raises:
            Refusal: the audit log cannot be read, or not that row; whether something was done is not known then.
        """
        if not key:
            return None
        for receipt in reversed(self._ledger.receipts.values()):
            if receipt.intent.key == key:
                return receipt
        row = await keyed(self._audit, RowKind.CONFIRMED, key)
        if row is None:
            return None
        known = self._ledger.receipts.get(row.action_id)
        if known is not None:
            return known  # it came while the log was read
        try:
            return self._ledger.as_ended(await self._written(row))
        except (AuditError, msgspec.DecodeError) as error:
            raise Refusal(f"what was done under this key cannot be read: {error}", code=503) from error

    async def before(self, intent: Intent) -> Receipt | None:
        """The receipt that answers an intent whose key was confirmed before.

        Raises:
            Refusal: the key was confirmed for something else; see `find` as well.
        """
        receipt = await self.find(intent.key)
        if receipt is not None and (receipt.intent.target, receipt.intent.action) != (intent.target, intent.action):
            done = f"{receipt.intent.action.verb} {receipt.intent.target.name}"
            raise Refusal(f"the key {intent.key} was confirmed for something else: {clean(done)}", code=409)
        return receipt

    async def _written(self, row: AuditRow) -> Receipt:
        """The last receipt of a confirmed action on disk; one that says that nobody knows where there is none."""
        later = await self._audit.rows("action_id = ? and event in ('receipt', 'done')", (row.action_id,))
        if later:
            return msgspec.json.decode(later[-1].body, type=Receipt)
        confirmed = msgspec.json.decode(row.body, type=Confirmed)
        return Receipt(
            id=row.action_id, intent=confirmed.intent, operator=row.operator, stage=Stage.EXECUTING,
            outcome=Outcome.UNKNOWN, started_at=row.at, updated_at=row.at,
            words="confirmed by a former engine and not ended; switchgear audit has what was done",
        )  # fmt: skip


async def keyed(audit: Audit, kind: RowKind, key: str) -> AuditRow | None:
    """The row of one kind that was written under a key.

    Raises:
        Refusal: the audit log cannot be read.
    """
    try:
        rows = await audit.rows(f"{KEY} = ? and event = ?", (key, kind))
    except AuditError as error:
        raise Refusal(f"cannot tell whether it was done before: {error}", code=503) from error
    return rows[0] if rows else None

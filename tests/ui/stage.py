"""A platform that stands still, for looking at the screens: one snapshot, a canned proposal, a canned past."""

import math
from collections.abc import AsyncIterator
from typing import Any

from console.domain.actions import (
    Check,
    CheckResult,
    Effect,
    Intent,
    Outcome,
    Proof,
    Proposal,
    Receipt,
    Stage,
    Verdict,
)
from console.domain.readings import AnyReading
from console.domain.refs import Kind
from console.domain.wire import (
    PROTOCOL,
    Access,
    AccessLevel,
    AccessRequest,
    AuditQuery,
    AuditRow,
    Change,
    Confirm,
    Event,
    Hello,
    History,
    HistoryQuery,
    LogEntry,
    LogQuery,
    Snapshot,
)
from tests.ui import world
from tests.ui.scripted import ScriptedEngine

NOW = world.NOW


class StillEngine(ScriptedEngine):
    """Shows one board; answers every intent with the same plan."""

    def __init__(self, readings: list[AnyReading], *, busy: bool = False, operating: bool = True) -> None:
        level = AccessLevel.OPERATE if operating else AccessLevel.READ_ONLY
        own = Access(operator="bo", uid=1002, level=level, until=NOW + 1200 if operating else None, may_operate=True)
        super().__init__(
            hello=Hello(protocol=PROTOCOL, version="0", environment="prod", pid=7, started_at=NOW - 900, access=own)
        )
        self.world = readings
        self.busy = busy
        self.checks: tuple[Check, ...] = (
            Check("freshness", CheckResult.PASS, "seen 1 s ago"),
            Check("headroom", CheckResult.WARN, "claude can carry 1.1 × the shifted demand; 1.3 × is wanted"),
            Check("last healthy", CheckResult.PASS, "2 other deployments of chat take requests"),
        )
        self.intents: list[Intent] = []
        self.confirmed: list[Confirm] = []
        self.objection: Exception | None = None
        """Raised by the next confirm."""

    def snapshot(self) -> Snapshot:
        return world.snapshot(self.world, busy=self.busy)

    async def events(self) -> AsyncIterator[Event]:
        yield self.snapshot()
        while True:
            event = await self.queue.get()
            if isinstance(event, Exception):
                raise event
            yield event

    def change(self, *readings: AnyReading, **fields: Any) -> None:
        self.seq += 1
        self.queue.put_nowait(Change(seq=self.seq, at=NOW + self.seq, readings=readings, **fields))

    async def access(self, request: AccessRequest) -> Access:
        granted = await super().access(request)
        self.greeting = Hello(
            protocol=PROTOCOL, version="0", environment="prod", pid=7, started_at=NOW - 900, access=granted
        )
        return granted

    async def propose(self, intent: Intent) -> Proposal:
        self.intents.append(intent)
        operating = self.greeting.access.level is AccessLevel.OPERATE
        gate = [Check("access", CheckResult.PASS, "bo may operate until 08:20")]
        if not operating:
            gate = [Check("access", CheckResult.REFUSE, "read-only: ask for operate first, with a reason")]
        if not intent.reason:
            gate.append(Check("reason", CheckResult.REFUSE, "a reason is required: whoever comes next has to know why"))
        return Proposal(
            id=f"act-{len(self.intents)}",
            intent=intent,
            operator="bo",
            plan=world.plan(intent.target.name, intent.action.verb),
            effects=(
                Effect(label="azure-b requests", before=126.0, after=0.0, unit="req/min"),
                Effect(label="openai-a requests", before=252.0, after=336.0, unit="req/min"),
                Effect(
                    label="claude headroom", before=None, after=1.1, unit="× demand", bad=True, words="wanted: 1.3 ×"
                ),
                Effect(label="cost", before=0.0, after=1.32, unit="$/h", words="list price a request × requests"),
            ),
            verdict=Verdict((*gate, *self.checks)),
            created_at=NOW,
            valid_until=NOW + 120,
        )

    def grow(self, outcome: Outcome, stage: Stage, *holds: bool) -> Receipt:
        """Send the next receipt of the last confirmed action."""
        confirm = self.confirmed[-1]
        receipt = Receipt(
            id=confirm.proposal_id,
            intent=self.intents[-1],
            operator="bo",
            stage=stage,
            outcome=outcome,
            started_at=NOW,
            updated_at=NOW + 1,
            words=f"seen on {sum(holds)}/{len(holds)} replicas",
            proofs=tuple(
                Proof(replica=f"gateway-{at}", holds=seen, seen="blocked" if seen else "not blocked", read_at=NOW + 1)
                for at, seen in enumerate(holds, 1)
            ),
        )
        self.seq += 1
        self.queue.put_nowait(Change(seq=self.seq, at=NOW + self.seq, receipts=(receipt,)))
        return receipt

    async def confirm(self, confirm: Confirm) -> Receipt:
        if self.objection is not None:
            objection, self.objection = self.objection, None
            raise objection
        self.confirmed.append(confirm)
        return self.grow(Outcome.APPLIED, Stage.VERIFYING, False, False)

    async def history(self, query: HistoryQuery) -> History:
        def wave(size: float, rise: float = 0.0) -> tuple[float | None, ...]:
            points = [size * (1 + 0.2 * math.sin(at / 4) + (rise if at > 44 else 0)) for at in range(60)]
            return (None, None, *points[2:])

        if query.ref.kind is Kind.QUEUE:
            waiting = {
                "depth": wave(2_000, 5),
                "oldest_age_s": wave(70, 5),
                "in_per_min": wave(900),
                "out_per_min": wave(310),
                "consumers": wave(4),
            }
            return History(ref=query.ref, start=NOW - 3600, step_s=60.0, series=waiting)
        series = {
            "requests_per_min": wave(126),
            "error_ratio": wave(0.004, 90),
            "p95_s": wave(1.4, 5),
            "ttft_p50_s": wave(0.3, 2),
            "usd_per_h": wave(7.6),
        }
        return History(ref=query.ref, start=NOW - 3600, step_s=60.0, series=series)

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        return tuple(reversed(world.log())) if self.busy else ()

    async def audit(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        return tuple(
            AuditRow(
                seq=seq,
                at=NOW - 300 + seq,
                operator="ana",
                action_id="act-7",
                event=event,
                body='{"target":"gateway:deployment/openai-a"}',
                previous="00" * 32,
                hash=f"{seq:02d}ab" * 16,
            )
            for seq, event in ((3, "receipt"), (2, "confirmed"), (1, "intent"))
        )

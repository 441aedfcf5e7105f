"""The end of a trip where the backend has no half-open of its own: a small weight first, then what was before.

Three moves, each an action like any other: give the deployment about one request in a hundred, let requests back,
and after a while put its weight back, unless what came through has failed.
"""

from collections.abc import Awaitable, Callable

from console.control.ledger import Ledger
from console.control.planner import Planner
from console.control.plans import changed
from console.control.rows import Held
from console.control.run import Run
from console.domain.actions import Intent, OnExpiry, Outcome, OverrideState, Plan, Reset, SetWeight, Verb
from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.errors import Refusal
from console.domain.freshness import Freshness
from console.domain.health import BAD_ERROR_RATIO
from console.domain.ports import Clock
from console.domain.readings import Deployment
from console.forecast.routing import routes_of, slots

SHARE = 0.01
"""The part of its routes' requests that a deployment gets while it is probed."""
PROBE_S = 180.0
"""How long it is watched before its weight is put back, or it is watched again."""

Begin = Callable[[Intent, Plan, str], Awaitable[Run]]


def probes_itself(board: Board, held: Held) -> bool:
    """Whether the backend lets a few requests through first by itself."""
    reading = board.readings.get(held.override.target)
    return isinstance(reading, Deployment) and "probe" in reading.circuit.releases


def small_weight(board: Board, deployment: Deployment) -> float | None:
    """The weight that gives a deployment `SHARE` of its routes; None when weights do not decide there."""
    others = [
        sum(slot.weight or 0.0 for slot in slots(board, route) if slot.name != deployment.ref.name and slot.takes)
        for route in routes_of(board, deployment.ref)
    ]
    if deployment.weight is None or not deployment.ability(Verb.WEIGHT).able or not all(others) or not others:
        return None
    return min(deployment.weight, round(min(others) * SHARE / (1.0 - SHARE), 4)) or None


class Probe:
    """Carries out the moves. Every method answers with words when a plain revert has to do instead."""

    def __init__(self, ledger: Ledger, planner: Planner, board: Board, clock: Clock, begin: Begin, who: str) -> None:
        self._ledger = ledger
        self._planner = planner
        self._board = board
        self._clock = clock
        self._begin = begin
        self._who = who

    async def go_on(self, held: Held) -> str:
        """The next move for an override whose time is over; empty when it was made, otherwise why it was not."""
        tripped = any(part.verb is Verb.TRIP for part in held.parts)
        if tripped and probes_itself(self._board, held):
            return "the backend probes by itself"
        if tripped and held.override.owner != self._who:
            return await self._lower(held)
        if tripped:
            return await self._let_back(held)
        return await self._judge(held)

    async def _lower(self, held: Held) -> str:
        reading = self._board.readings.get(held.override.target)
        weight = small_weight(self._board, reading) if isinstance(reading, Deployment) else None
        if weight is None:
            return "it cannot be probed here: no weight decides who is asked"
        override = held.override
        intent = Intent(
            target=override.target, action=SetWeight(weight), ttl_s=PROBE_S, on_expiry=OnExpiry.PROBE, via=self._who,
            reason=f"probing after the trip of {override.owner}: {override.reason}",
        )  # fmt: skip
        run, words = await self._act(intent)
        taken = self._ledger.held.get(run.id) if run else None
        if taken is None:
            return words
        return await self._let_back(taken)

    async def _let_back(self, held: Held) -> str:
        intent = Intent(target=held.override.target, action=Reset(), reason=held.override.reason, via=self._who)
        run, words = await self._act(intent)
        left = self._ledger.held.get(held.override.id)
        if run is None or left is None:
            return words
        again = changed(left, expires_at=self._clock.now() + PROBE_S, state=OverrideState.ACTIVE)
        await self._ledger.settle([again], self._who)
        return ""

    async def _judge(self, held: Held) -> str:
        """Fresh failures keep the small weight; anything else is no reason to."""
        reading = self._board.readings.get(held.override.target)
        if not isinstance(reading, Deployment) or self._board.freshness(reading.ref) is not Freshness.FRESH:
            return "nobody can tell how the probes went"
        errors = reading.traffic.error_ratio if reading.traffic else None
        ill = reading.circuit.observed is Observed.OPEN or (errors is not None and errors >= BAD_ERROR_RATIO)
        if not ill:
            return "the probes went well"
        said = "its circuit is open" if errors is None else f"{errors:.0%} of the probes fail"
        words = f"{said}: it keeps the small weight for another {PROBE_S / 60:.0f} min"
        await self._ledger.settle(
            [changed(held, expires_at=self._clock.now() + PROBE_S, words=words)], self._who
        )  # fmt: skip
        return ""

    async def _act(self, intent: Intent) -> tuple[Run | None, str]:
        """Plan, do and wait; None with the reason when nothing could be done or it was not seen everywhere."""
        planned = await self._planner.plan(intent)
        if planned.plan is None:
            return None, str(planned.failure)
        try:
            run = await self._begin(intent, planned.plan, self._who)
        except Refusal as refusal:
            return None, refusal.words
        await run.told.wait()
        return (run, "") if run.receipt.outcome is Outcome.VERIFIED else (None, run.receipt.words)

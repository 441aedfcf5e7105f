"""Looks again, now and then, at overrides that should be in place: another hand, or a rebuilt backend, may differ."""

import random
from collections.abc import Callable

from console.control.ledger import Ledger
from console.control.planner import Planner
from console.control.plans import changed
from console.control.prove import Shown, counted, look, weigh
from console.control.rows import Held
from console.domain.actions import Override, OverrideState, Plan, Proof
from console.domain.ports import Clock
from console.domain.wire import LogKind

FIRST_S = 2.0
"""How long after the start the first look comes."""
ROUND_S = 60.0
"""About how often each override is looked at; the looks are spread over that time."""
WHO = "vigil"
"""Who the audit log names for what is only seen."""


class Vigil:
    """Says when an override has lost its effect, and when it is back. It never acts."""

    def __init__(
        self, name: str, ledger: Ledger, planner: Planner, clock: Clock, quiet: Callable[[Plan], bool]
    ) -> None:
        self._ledger = ledger
        self._planner = planner
        self._clock = clock
        self._quiet = quiet
        self._jitter = random.Random(name)  # noqa: S311  spreads looks, guards nothing

    async def run(self) -> None:
        """Look at every override in turn; never returns."""
        await self._clock.sleep(FIRST_S)
        while True:
            items = tuple(self._ledger.held.values())
            for item in items:
                await self.look_at(item)
                await self._clock.sleep(ROUND_S / len(items) * self._jitter.uniform(0.8, 1.2))
            if not items:
                await self._clock.sleep(ROUND_S)

    async def look_at(self, held: Held) -> None:
        """Look at one override, unless an action on it is under way, and say what is new."""
        override = held.override
        adapter = self._planner.actuator(override.target.source)
        if override.state is not OverrideState.ACTIVE or held.partial:
            return  # what is held only in part need not show what its plan expects
        if adapter is None or not self._quiet(override.plan):
            return
        proofs = await look(adapter, override.plan, self._clock)
        if self._ledger.held.get(override.id) is not held or not self._quiet(override.plan):
            return
        if _gone(override.plan, proofs):
            words = f"not in effect on the backend: {counted(override.plan, proofs)}"
        elif weigh(override.plan, proofs) is Shown.ALL:
            words = f"in effect again: {counted(override.plan, proofs)}"
        else:
            return
        await self._tell(held, words, in_effect=not _gone(override.plan, proofs))

    async def _tell(self, held: Held, words: str, *, in_effect: bool) -> None:
        override: Override = held.override
        if override.in_effect == in_effect:
            return
        await self._ledger.settle([changed(held, in_effect=in_effect, words=words)], WHO)
        line = f"{override.action.verb} {override.target.name} by {override.owner}: {words}"
        self._ledger.say(LogKind.OVERRIDE, line, ref=override.target, outcome="" if in_effect else "lost")


def _gone(plan: Plan, proofs: tuple[Proof, ...]) -> bool:
    """Whether somebody answered and nobody who did shows it."""
    answers = [proof.holds for proof in proofs if proof.holds is not None]
    return bool(answers) and not any(answers) and weigh(plan, proofs) in (Shown.NONE, Shown.UNKNOWN)

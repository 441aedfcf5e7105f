"""The engine killed at every instant of an action, and of an override's end, on a real LiteLLM.

The next start has to tell the truth: what it calls verified is there, what it calls failed is not, nothing is done
twice, and nothing that was begun is forgotten.
"""

import asyncio
import sys

from console.domain.actions import Action, Outcome, Receipt, SetWeight, Stage, Trip
from console.domain.errors import EngineLost, Refusal
from console.domain.refs import Ref
from console.domain.wire import AuditQuery
from tests.real.mortal_engine import VARIABLE
from tests.real.operator import Operator, deployment, operating
from tests.real.stack.cache import PROJECT
from tests.real.stack.processes import Child
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed
from tests.real.truth import blocked, weight

MOST_INSTANTS = 40
"""More than any action has; reaching it means that the engine never got to the end."""


class Mortal:
    """A home whose engine dies at a chosen instant."""

    def __init__(self, testbed: Testbed, name: str) -> None:
        self.home = Home(testbed, name, replicas=(testbed.first.url,))
        self.testbed = testbed
        self.note = self.home.folder / "last-instant"

    def start(self, instant: int, nth: int = 1) -> Child:
        """An engine with `instant` more instants to live after the NTH action is confirmed."""
        self.note.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.real.mortal_engine", self.home.name, str(instant), str(nth)]
        env = self.home.environment() | {VARIABLE: str(self.note)}
        child = self.testbed.nursery.spawn(f"mortal-{self.home.name}", command, env=env, cwd=PROJECT, orderly=True)
        child.wait_until(lambda: self.home.listens, 30)
        return child

    @property
    def died(self) -> str:
        """The instant at which it died; empty when it did not."""
        return self.note.read_text() if self.note.exists() else ""


async def _act(operator: Operator, engine: Child, target: Ref, action: Action, ttl_s: float) -> str:
    """Begin an action and stay until it is over or the engine is; returns its id."""
    await operator.board(lambda board: target in board.readings)
    proposal = await operator.propose(target, action, ttl_s)
    try:
        await operator.confirm(proposal)
        await operator.settled(proposal.id)
    except EngineLost:
        engine.process.wait(10)
    return proposal.id


async def _told(operator: Operator, action_id: str) -> Receipt | None:
    """What the next engine says in the end; None when it never heard of the action."""
    try:
        return await operator.until(action_id, lambda receipt: receipt.stage is Stage.DONE, 60)
    except Refusal as refusal:
        if refusal.code != 404:
            raise
        return None


async def test_killed_at_every_instant_of_a_trip(testbed: Testbed) -> None:
    target, shows = deployment("openai-a"), blocked("openai-a")
    seen: list[str] = []
    for instant in range(MOST_INSTANTS):
        mortal = Mortal(testbed, f"trip{instant}")
        engine = mortal.start(instant)
        action_id = await _act(Operator(mortal.home), engine, target, Trip(), 600.0)
        if not mortal.died:
            engine.stop()
            break
        seen.append(mortal.died)
        async with operating(mortal.home) as (operator, _):
            receipt = await _told(operator, action_id)
            there = shows(testbed.first)
            where = f"killed {mortal.died}: {receipt}"
            assert (receipt.outcome if receipt else None) is (Outcome.VERIFIED if there else _not_done(receipt)), where
            overrides = (await operator.board()).overrides
            assert [item.id for item in overrides.values()] == ([action_id] if there else []), where
            assert (await operator.client.verify_audit()).holds, where
            assert await _calls(operator, action_id) <= 2, where
            if there:
                assert (await operator.restore(target)).outcome is Outcome.VERIFIED
        assert not shows(testbed.first)
        testbed.settle()
    assert len(seen) >= 8, seen
    assert any("calling model.block" in words for words in seen), seen


def _not_done(receipt: Receipt | None) -> Outcome | None:
    return None if receipt is None else Outcome.FAILED


async def _calls(operator: Operator, action_id: str) -> int:
    """How often the backend was called for an action; a repeatable step may be repeated once after a look."""
    rows = await operator.client.audit(AuditQuery(action_id=action_id, limit=200))
    return sum(row.event == "step-begun" for row in rows)


async def test_killed_at_every_instant_of_an_expiry(testbed: Testbed) -> None:
    target, shows = deployment("openai-a"), weight("openai-a")
    seen: list[str] = []
    for instant in range(MOST_INSTANTS):
        mortal = Mortal(testbed, f"expiry{instant}")
        engine = mortal.start(instant, nth=2)
        await _act(Operator(mortal.home), engine, target, SetWeight(weight=1.0), 2.0)
        await _gone_or_reverted(mortal, engine)
        if not mortal.died:
            engine.stop()
            break
        seen.append(mortal.died)
        async with operating(mortal.home) as (operator, _):
            await operator.board(lambda board: not board.overrides, 60)
            assert shows(testbed.first) == 3, f"killed {mortal.died}"
            assert (await operator.client.verify_audit()).holds
        testbed.settle()
    assert len(seen) >= 6, seen
    assert shows(testbed.first) == 3


async def _gone_or_reverted(mortal: Mortal, engine: Child) -> None:
    """Stay until the expiry is over or has cost the engine its life."""
    try:
        await Operator(mortal.home).board(lambda board: not board.overrides, 60)
    except EngineLost:
        await asyncio.to_thread(engine.process.wait, 10)


async def test_an_override_that_expired_while_no_engine_ran_is_reverted_at_the_next_start(testbed: Testbed) -> None:
    home = Home(testbed, "absent")
    async with operating(home) as (operator, engine):
        await operator.act(deployment("openai-a"), SetWeight(weight=1.0), 5.0)
        engine.kill()
    await asyncio.sleep(5)
    assert weight("openai-a")(testbed.first) == 1
    async with operating(home) as (operator, _):
        await operator.board(lambda board: not board.overrides, 60)
        assert [weight("openai-a")(replica) for replica in testbed.replicas] == [3, 3]

"""The same deaths before the simulated platform: two replicas that converge one after the other."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.simulator import SPEC, SimulatorOptions
from adapters.simulator.adapter import SimulatorAdapter
from console.control.access import Grants
from console.control.control import Control
from console.domain.actions import Action, Intent, Outcome, OverrideState, SetWeight, Step, Switch, Trip
from console.domain.freshness import Freshness
from console.domain.ports import AdapterContext
from console.domain.readings import Route, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import Confirm
from console.engine.store import Store
from tests.unit.control.house import ALICE, House
from tests.unit.control.test_killed import Killed, Killer, MortalAudit

WORLD = "gw"


class MortalWorld(SimulatorAdapter):
    """The simulated platform, seen by an engine that can be killed around each call."""

    killer = Killer()
    calls: list[str]

    async def execute(self, step: Step) -> None:
        self.killer.instant()
        await super().execute(step)
        self.calls.append(step.words)
        self.killer.instant()


class SimulatedHouse(House):
    """One platform that outlives its engines."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        options = SimulatorOptions(scenario="calm", seed=7, speed=1.0)
        context = AdapterContext(WORLD, self.clock, lambda ref: ref, 4.0, options)
        self.world = MortalWorld(context)
        self.world.calls = []

    async def engine(self, killer: Killer) -> None:
        self.audit = MortalAudit(self.path, self.clock)
        self.audit.killer = self.world.killer = killer
        await self.audit.open()
        self.store = Store("test", self.clock)
        grants = Grants(self.config, self.clock, self.audit, self.store, ALICE.uid)
        self.control = Control(
            "test", self.config, self.store, {WORLD: self.world}, self.audit, grants, self.clock, lambda source: None
        )
        await self.look()
        self.task = asyncio.ensure_future(self.control.run())

    async def look(self, freshness: Freshness = Freshness.FRESH, down: tuple[str, ...] = ()) -> None:
        now = self.clock.now()
        source = Source(
            ref=Ref(WORLD, Kind.SOURCE, WORLD), observed_at=now, adapter=SPEC.name, freshness=freshness,
            interval_s=5.0, last_ok_at=now,
        )  # fmt: skip
        self.store.observe(source, await self.world.observe())


async def live(h: SimulatedHouse, killer: Killer, intent: Intent | None) -> None:
    await h.engine(killer)
    worker = asyncio.ensure_future(_work(h, intent))
    while not worker.done() and not killer.dead:
        await asyncio.sleep(0)
    killer.dead = True
    worker.cancel()
    with suppress(asyncio.CancelledError, Killed):
        await worker
    await h.kill()


async def _work(h: SimulatedHouse, intent: Intent | None) -> None:
    if intent is not None:
        proposal = await h.control.propose(intent, ALICE)
        assert proposal.verdict.allowed, proposal.verdict.refusals
        await h.control.confirm(Confirm(proposal_id=proposal.id, typed_name=intent.target.name), ALICE)
    await h.clock.advance(40)


async def wishes(h: SimulatedHouse) -> dict[str, tuple[Ref, Action]]:
    observation = await h.world.observe()
    route = next(r for r in observation.readings if isinstance(r, Route) and len(r.targets) > 1 and r.switch_options)
    first = Ref(WORLD, Kind.DEPLOYMENT, route.targets[0].deployment)
    option = route.switch_options[0]
    return {
        "trip": (first, Trip()),
        "weight": (first, SetWeight(3.0)),
        "switch": (route.ref, Switch(option.to, option.mechanism)),
    }


@pytest.mark.parametrize("wish", ["trip", "weight", "switch"])
async def test_killed_at_every_instant_of_an_action_on_the_simulated_platform(tmp_path: Path, wish: str) -> None:
    death, struck = 0, True
    while struck:
        h = SimulatedHouse(tmp_path / f"{death}.db")
        target, action = (await wishes(h))[wish]
        intent = Intent(target=target, action=action, reason="drill", ttl_s=90.0)
        killer = Killer(death)
        killer.armed = True
        await live(h, killer, intent)
        struck = killer.struck
        await h.clock.advance(1)
        await h.engine(Killer())
        await h.clock.advance(40)
        receipts = list(h.store.board.receipts.values())
        rows = await h.audit.rows("event = 'confirmed'")
        done = await h.audit.rows("event = 'done'")
        assert len(done) == len(rows)
        assert all(receipt.outcome is Outcome.VERIFIED for receipt in receipts)
        held = list(h.store.board.overrides.values())
        assert len(held) == len(rows)
        assert all(item.state is OverrideState.ACTIVE for item in held)
        for item in held:
            assert all(proof.holds for proof in await h.world.prove(item.plan))
        await h.clock.advance(120)
        assert h.store.board.overrides == {}
        for item in held:
            assert all(proof.holds for proof in await h.world.prove(item.plan, undone=True))
        await h.kill()
        death += 1
    assert death > 10

"""A whole ramp on the simulated platform: engine, control and runner, on a clock that skips what nobody waits for."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.scenario import load_scenario
from console.config import Environment
from console.control.access import Peer
from console.domain.readings import Deployment
from console.domain.refs import Kind, Ref
from console.domain.runbooks import Run, RunCommand, RunOrder, RunState, StartRun
from console.domain.wire import AccessLevel, AccessRequest
from console.runtime.proving.hurried import HurriedClock, HurriedLoop, run_hurried
from console.runtime.wiring import Runtime, build

BEGIN = 1_799_748_000.0
"""Unix seconds: a Tuesday, half past ten."""
AZURE = Ref("gateway", Kind.DEPLOYMENT, "chat-azure")
OPERATOR = Peer(uid=os.geteuid(), gid=os.getegid(), pid=os.getpid(), name="operator", groups=frozenset())
ILL = """
schemaVersion: 1
name: ill
summary: The new deployment fails one call in four.
tracks:
  - {target: deployment/chat-azure, fault: FAULT, points: [[0, VALUE]]}
"""


async def nothing_at(share: float) -> None:
    """Nothing happens."""


@dataclass
class Rig:
    """One engine before a world in which chat-azure has next to nothing of its route."""

    runtime: Runtime
    gateway: SimulatorAdapter
    folder: Path
    seen: list[float] = field(default_factory=list)
    """Every weight of chat-azure that the gateway was seen with, in turn."""

    async def begin(self, stages: str = "5,25,50,100") -> Run:
        await self.set("chat-azure", 0.6)
        await self.runtime.clock.sleep(120)
        await self.operate()
        given = {
            "route": "chat",
            "to": "chat-azure",
            "stages": stages,
            "hold": "1m",
            "requests": "20",
            "patience": "3m",
            "keep": "2m",
        }
        return await self.runtime.runner.start(StartRun(runbook="ramp", parameters=given), OPERATOR)

    async def operate(self) -> None:
        await self.runtime.grants.request(OPERATOR, AccessRequest(level=AccessLevel.OPERATE, reason="test"))

    async def set(self, name: str, weight: float) -> None:
        """What another hand does, past the engine."""
        ref = Ref("gateway", Kind.DEPLOYMENT, name)
        await self.gateway.execute((await self.gateway.plan_weight(ref, weight)).steps[0])

    async def follow(
        self, run: Run, at: Callable[[float], Awaitable[None]] = nothing_at, most_s: float = 1800.0
    ) -> Run:
        """Say yes where it asks, until it is over or pauses; `at` hears every share whose stage is held."""
        until, heard = self.runtime.clock.now() + most_s, set[float]()
        while not run.state.over and run.state is not RunState.PAUSED and self.runtime.clock.now() < until:
            if run.state is RunState.AWAITING:
                await self.order(run, RunOrder.CONFIRM)
            await self.runtime.clock.sleep(5)
            run = await self.runtime.runner.run_of(run.id)
            weight = self.weights()["chat-azure"]
            self.seen += [] if self.seen[-1:] == [weight] else [weight]
            stage = run.steps[0].ramp
            if stage is not None and stage.since and stage.shares[stage.index] not in heard:
                heard.add(stage.shares[stage.index])
                await at(stage.shares[stage.index])
        return run

    async def order(self, run: Run, order: RunOrder) -> Run:
        return await self.runtime.runner.order(RunCommand(run=run.id, order=order), OPERATOR)

    def weights(self) -> dict[str, float]:
        world = self.gateway.world
        return {one.spec.name: world.gateway.weight(one) for one in world.routes["chat"].deployments}

    def fall_ill(self, fault: str, value: float) -> None:
        path = self.folder / "ill.yaml"
        path.write_text(ILL.replace("FAULT", fault).replace("VALUE", str(value)))
        self.gateway.world.play(load_scenario(str(path)), self.runtime.clock.now())

    @property
    def share(self) -> float:
        """Percent of the route's attempts that reach chat-azure, as the board shows it."""
        board = self.runtime.store.board
        flows = [board.readings[Ref("gateway", Kind.DEPLOYMENT, name)] for name in self.weights()]
        rates = [one.traffic.requests_per_min for one in flows if isinstance(one, Deployment) and one.traffic]
        mine = board.readings[AZURE]
        assert isinstance(mine, Deployment)
        assert mine.traffic is not None
        return 100.0 * mine.traffic.requests_per_min / sum(rates)


@asynccontextmanager
async def rig(loop: HurriedLoop, folder: Path, clock: HurriedClock | None = None) -> AsyncIterator[Rig]:
    """An engine; with the `clock` of another one, before the same world as that."""
    options = {"scenario": "calm", "seed": 3, "speed": 1.0, "tick_s": 5.0, "world": "ramp"}
    config = Environment.model_validate({
        "sources": {"gateway": {"adapter": "simulator", "interval": 10.0, "options": options}},
    })  # fmt: skip
    async with build("test", config, clock or HurriedClock(BEGIN, loop), folder / "state", seed=3) as runtime:
        loop.also_busy = lambda: runtime.journal.asking > 0
        gateway = runtime.adapters["gateway"]
        assert isinstance(gateway, SimulatorAdapter)
        running = asyncio.create_task(runtime.run())
        try:
            await runtime.clock.sleep(60)
            yield Rig(runtime, gateway, folder)
        finally:
            running.cancel()
            await asyncio.wait([running])


def test_a_good_target_gets_the_whole_route_and_the_operator_hears_until_when(tmp_path: Path) -> None:
    async def play(loop: HurriedLoop) -> None:
        async with rig(loop, tmp_path) as here:
            run = await here.follow(await here.begin())
            assert run.state is RunState.SUCCEEDED, run
            assert run.steps[0].words.startswith("chat-azure has 100 % of chat. It is held by overrides")
            assert [round(weight, 2) for weight in here.seen] == [0.6, 3.16, 20.0, 60.0]
            await here.runtime.clock.sleep(60)
            assert here.share > 99
            ends = [one.expires_at or 0.0 for one in here.runtime.store.board.overrides.values()]
            await here.runtime.clock.sleep(max(ends) - here.runtime.clock.now() + 60)
            assert here.runtime.store.board.overrides == {}
            assert here.weights()["chat-azure"] == 0.6  # the weight from before the ramp, not that of a stage
            assert here.share < 2

    run_hurried(play)


def test_a_target_that_falls_ill_at_a_quarter_is_given_back_the_weights_of_before(tmp_path: Path) -> None:
    async def play(loop: HurriedLoop) -> None:
        async with rig(loop, tmp_path) as here:

            async def at(share: float) -> None:
                if share == 25:
                    here.fall_ill("errors", 0.25)

            run = await here.follow(await here.begin(), at)
            assert run.state is RunState.FAILED, run
            assert "surely more than" in run.steps[0].words
            assert max(here.seen) == 20.0  # a quarter was the most that it had
            assert here.weights()["chat-azure"] == 0.6
            assert here.runtime.store.board.overrides == {}

    run_hurried(play)


def test_a_jump_that_would_exhaust_the_target_pauses_before_it(tmp_path: Path) -> None:
    async def play(loop: HurriedLoop) -> None:
        async with rig(loop, tmp_path) as here:

            async def at(share: float) -> None:
                here.fall_ill("rate_limit", 0.6)

            run = await here.follow(await here.begin("50,100"), at)
            assert run.state is RunState.PAUSED, run
            assert "1.3 × is wanted" in run.words
            assert here.weights()["chat-azure"] == 60.0  # it stays at half
            run = await here.follow(await here.order(run, RunOrder.ABORT))
            assert run.state is RunState.ABORTED, run
            assert here.weights()["chat-azure"] == 0.6

    run_hurried(play)


def test_another_hand_pauses_a_ramp_and_resuming_sets_the_stage_again(tmp_path: Path) -> None:
    async def play(loop: HurriedLoop) -> None:
        async with rig(loop, tmp_path) as here:

            async def at(share: float) -> None:
                await here.runtime.clock.sleep(30)
                await here.set("chat-azure", 7.0)

            run = await here.follow(await here.begin("25,50"), at)
            assert run.state is RunState.PAUSED, run
            assert "the weight of chat-azure is 7, not 20" in run.words
            run = await here.follow(await here.order(run, RunOrder.RESUME))
            assert run.state is RunState.SUCCEEDED, run
            assert here.seen == [0.6, 20.0, 7.0, 20.0, 60.0]

    run_hurried(play)


def test_an_engine_that_ends_in_the_middle_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    async def play(loop: HurriedLoop) -> None:
        clock = HurriedClock(BEGIN, loop)
        async with rig(loop, tmp_path, clock) as here:
            run = await here.follow(await here.begin("5,25,50"), most_s=120)
            assert run.state is RunState.RUNNING
            world = here.gateway  # it lives on
        loop.also_busy = lambda: True
        async with rig(loop, tmp_path, clock) as here:
            assert here.gateway.world is world.world
            run = await here.follow(await here.runtime.runner.run_of(run.id))
            assert run.state is RunState.PAUSED, run
            assert "operate" in run.words  # nobody has it after a restart
            assert here.weights()["chat-azure"] in (3.15789, 20.0)
            await here.operate()
            run = await here.follow(await here.order(run, RunOrder.RESUME))
            assert run.state is RunState.SUCCEEDED, run
            assert here.weights()["chat-azure"] == 60.0
            stage = run.steps[0].ramp
            assert stage is not None
            assert stage.saved["chat-azure"] == 0.6

    run_hurried(play)

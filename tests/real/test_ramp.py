"""A ramp on real replicas: the share that a stage asks for is the one that the upstreams see, and back it goes too."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from console.client.socket_client import SocketClient
from console.domain.board import Board
from console.domain.runbooks import Run, RunCommand, RunOrder, RunState, StartRun
from console.domain.verbs import Verb
from tests.real.operator import deployment, operating
from tests.real.stack.litellm import Replica
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed
from tests.real.truth import on, weight

LIMIT_S = 90.0
EVERY_S = 0.05


@asynccontextmanager
async def asked(testbed: Testbed) -> AsyncIterator[None]:
    """Meanwhile both replicas are asked for gpt-main again and again."""
    going = True

    async def ask(replica: Replica) -> None:
        while going:
            await asyncio.to_thread(replica.ask, "gpt-main")
            await asyncio.sleep(EVERY_S)

    async with asyncio.TaskGroup() as tasks:
        for replica in testbed.replicas:
            tasks.create_task(ask(replica))
        try:
            yield
        finally:
            going = False


async def until(client: SocketClient, run: Run, shows: Callable[[Run], bool]) -> Run:
    """The run once `shows` says yes to it, with a yes wherever it asks for one."""
    deadline = time.monotonic() + LIMIT_S
    while not shows(run):
        assert time.monotonic() < deadline, run
        if run.state is RunState.AWAITING:
            await client.order_run(RunCommand(run=run.id, order=RunOrder.CONFIRM))
        await asyncio.sleep(0.1)
        run = await client.run(run.id)
    return run


def held_at(share: float) -> Callable[[Run], bool]:
    def shows(run: Run) -> bool:
        stage = run.steps[0].ramp
        assert not run.state.over, (run.words, run.steps[0].words)
        return stage is not None and stage.since > 0 and stage.shares[stage.index] == share

    return shows


async def begin(client: SocketClient, stages: str, hold: str) -> Run:
    given = {"route": "gpt-main", "to": "azure-b", "stages": stages, "hold": hold, "requests": "30"}
    return await client.start_run(StartRun(runbook="ramp", parameters=given))


def hits(testbed: Testbed) -> dict[str, int]:
    return {name: testbed.upstreams.hits(name) for name in ("openai-a", "azure-b", "groq-c")}


async def test_shares_are_what_the_upstreams_see_and_an_ill_target_gives_everything_back(testbed: Testbed) -> None:
    async with operating(Home(testbed, "ramp")) as (operator, _), asked(testbed):
        await operator.board(able)
        run = await begin(operator.client, "75,100", "6s")
        run = await until(operator.client, run, held_at(75))
        assert on(testbed.replicas, weight("azure-b")) == [9, 9]
        seen = await seen_more(testbed, 48)
        print(seen)
        assert abs(seen["azure-b"] / sum(seen.values()) - 0.75) < 0.25  # four deviations
        run = await until(operator.client, run, held_at(100))
        seen = await seen_more(testbed, 8)
        assert seen["azure-b"] == sum(seen.values())  # asked first, by its order
        testbed.upstreams.tell("azure-b", "500")
        run = await until(operator.client, run, lambda run: run.state.over)
        assert run.state is RunState.FAILED, run
        assert on(testbed.replicas, weight("azure-b")) == [1, 1]
        assert on(testbed.replicas, weight("openai-a")) == [3, 3]
        assert on(testbed.replicas, order("azure-b")) == [1, 1]
        assert not (await operator.board()).overrides


def able(board: Board) -> bool:
    """Whether the engine has found out what its key may do."""
    reading = board.readings.get(deployment("azure-b"))
    return reading is not None and reading.ability(Verb.WEIGHT).able


def order(model_id: str) -> Callable[[Replica], object]:
    """A deployment's place in the routing order, as a replica has it."""
    return lambda replica: replica.deployments()[model_id]["litellm_params"].get("order")


async def seen_more(testbed: Testbed, count: int) -> dict[str, int]:
    """The next requests of gpt-main that the upstreams see, so many at the least."""
    before, more = hits(testbed), dict[str, int]()
    while sum(more.values()) < count:
        await asyncio.sleep(0.2)
        more = {name: found - before[name] for name, found in hits(testbed).items()}
    return more

"""Consumers moved and paused by the engine as it is shipped, on a real NATS server: killed in the middle, put back."""

import asyncio
from pathlib import Path

import pytest

from console.domain.actions import Action, Outcome
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Park, Pause, Replay
from tests.real.nats_bench import SOURCE, hand
from tests.real.operator import Operator
from tests.real.stack.homes import QueueHome, nats_home
from tests.real.stack.nats import NatsServer
from tests.real.stack.processes import Child
from tests.real.test_nats import numbers

COUNT = 20_000
TARGET = Ref(SOURCE, Kind.QUEUE, "JOBS/worker")


@pytest.fixture
def home(nats: NatsServer, tmp_path: Path) -> QueueHome:
    return nats_home(nats, tmp_path, SOURCE)


async def _start(home: QueueHome) -> tuple[Operator, Child]:
    engine = await asyncio.to_thread(home.start_engine)
    operator = Operator(home)
    await operator.board(lambda board: isinstance(board.readings.get(TARGET), Queue))
    return operator, engine


async def _begin(operator: Operator, action: Action) -> str:
    await operator.board(lambda board: TARGET in board.readings and board.readings[TARGET].ability(action.verb).able)
    return (await operator.confirm(await operator.propose(TARGET, action))).id


async def test_an_engine_killed_in_the_middle_of_a_park_loses_and_doubles_nothing(
    nats: NatsServer, home: QueueHome
) -> None:
    async with hand(nats) as one:
        await one.stream("JOBS")
        await one.consumer("JOBS")
        await one.publish("JOBS.a", COUNT)
        operator, engine = await _start(home)
        park = await _begin(operator, Park())
        await one.until_parked("JOBS", 500)
        engine.kill()
        assert len(await one.parked("JOBS")) < COUNT, "the park was over before the engine died"
        operator, engine = await _start(home)
        done = await operator.settled(park)
        assert done.outcome is Outcome.VERIFIED, done
        assert done.progress is not None
        assert (done.progress.done, done.progress.total) == (COUNT, COUNT)
        assert await one.parked("JOBS") == numbers(COUNT)
        assert not await one.bodies("JOBS")

        back = await operator.settled(await _begin(operator, Replay()))
        assert back.outcome is Outcome.VERIFIED, back
        await operator.board(lambda board: not board.overrides)
        assert await one.bodies("JOBS") == numbers(COUNT)
        assert (await operator.client.verify_audit()).holds

        paused = await operator.settled(await _begin(operator, Pause()))
        assert paused.outcome is Outcome.VERIFIED, paused
        assert (await one.info("JOBS"))["paused"]
        engine.stop()

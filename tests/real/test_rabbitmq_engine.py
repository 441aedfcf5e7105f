"""Queues moved by the engine as it is shipped, on a real RabbitMQ: killed in the middle, stopped, put back."""

import asyncio
from pathlib import Path

import pytest

from console.domain.actions import Action, Outcome, Receipt, Stage
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Park, Replay, Stop
from tests.real.operator import Operator
from tests.real.rabbit_bench import RabbitBench, counted, numbered
from tests.real.stack.homes import QueueHome, broker_home
from tests.real.stack.processes import Child
from tests.real.stack.rabbitmq import RabbitServer

COUNT = 40_000
TARGET = Ref("jobs", Kind.QUEUE, "orders")
PARKED = "switchgear.parked.orders"


@pytest.fixture
def home(broker: RabbitServer, tmp_path: Path) -> QueueHome:
    return broker_home(broker, tmp_path)


async def _start(home: QueueHome) -> tuple[Operator, Child]:
    engine = await asyncio.to_thread(home.start_engine)
    operator = Operator(home)
    await operator.board(lambda board: isinstance(board.readings.get(TARGET), Queue))
    return operator, engine


async def _begin(operator: Operator, action: Action) -> str:
    await operator.board(
        lambda board: any(
            one.able for one in board.readings[TARGET].can if TARGET in board.readings and one.verb is action.verb
        )
    )
    return (await operator.confirm(await operator.propose(TARGET, action))).id


async def _moved(operator: Operator, action_id: str, count: int) -> Receipt:
    """Wait until an action has moved so many messages, or is over."""

    def shows(receipt: Receipt) -> bool:
        return receipt.stage is Stage.DONE or (receipt.progress is not None and receipt.progress.done >= count)

    return await operator.until(action_id, shows)


async def test_an_engine_killed_in_the_middle_of_a_park_and_of_its_way_back_loses_and_doubles_nothing(
    broker: RabbitServer, home: QueueHome
) -> None:
    broker.declare("orders")
    await broker.publish("orders", numbered(COUNT))
    operator, engine = await _start(home)
    park = await _begin(operator, Park())
    for moved in (3_000, 27_000):
        receipt = await _moved(operator, park, moved)
        assert receipt.stage is not Stage.DONE, receipt
        engine.kill()
        operator, engine = await _start(home)
    done = await operator.settled(park)
    assert done.outcome is Outcome.VERIFIED, done
    assert done.progress is not None
    assert (done.progress.done, done.progress.total) == (COUNT, COUNT)
    assert (await broker.count("orders"), await broker.count(PARKED)) == (0, COUNT)

    replay = await _begin(operator, Replay(per_s=15_000))
    await _moved(operator, replay, 10_000)
    engine.kill()
    operator, engine = await _start(home)
    back = await operator.settled(replay)
    assert back.outcome is Outcome.VERIFIED, back
    board = await operator.board(lambda board: not board.overrides)
    assert board.overrides == {}
    assert (await operator.client.verify_audit()).holds
    engine.stop()
    assert RabbitBench(broker).shovels() == []
    assert sorted((await counted(broker, "orders", PARKED)).values()) == [1] * COUNT


async def test_a_park_that_is_stopped_says_what_it_moved_and_can_be_put_back(
    broker: RabbitServer, home: QueueHome
) -> None:
    broker.declare("orders")
    await broker.publish("orders", numbered(COUNT))
    operator, engine = await _start(home)
    park = await _begin(operator, Park())
    await _moved(operator, park, 2_000)
    stopped = await operator.act(TARGET, Stop(action_id=park))
    assert stopped.outcome is Outcome.VERIFIED, stopped
    receipt = await operator.settled(park)
    assert receipt.outcome is Outcome.STOPPED, receipt
    assert receipt.progress is not None
    assert 2_000 <= receipt.progress.done < COUNT
    assert receipt.progress.done == await broker.count(PARKED)
    assert f"{receipt.progress.done:,} of {COUNT:,} parked" in receipt.words
    back = await operator.restore(TARGET)
    assert back.outcome is Outcome.VERIFIED, back
    engine.stop()
    assert sorted((await counted(broker, "orders", PARKED)).values()) == [1] * COUNT

"""A park through a management API that is away for a while, behind a proxy that answers 503 in its place."""

import asyncio
from pathlib import Path

import pytest

from console.domain.actions import Outcome, Receipt, Stage
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Park
from tests.real.operator import Operator
from tests.real.rabbit_bench import RabbitBench, counted, numbered
from tests.real.stack.homes import broker_home
from tests.real.stack.rabbitmq import RabbitServer
from tests.real.stack.relay import Relays, relaying

COUNT = 30_000
TARGET = Ref("jobs", Kind.QUEUE, "orders")
PARKED = "switchgear.parked.orders"


@pytest.mark.parametrize("away", [Relays.NOTHING, Relays.NO_WORD])
async def test_a_park_waits_for_an_api_that_answers_503_says_so_and_goes_on(
    broker: RabbitServer, tmp_path: Path, away: Relays
) -> None:
    broker.declare("orders")
    await broker.publish("orders", numbered(COUNT))
    async with relaying(broker.url) as relay:
        home = broker_home(broker, tmp_path, urls=[relay.url])
        engine = await asyncio.to_thread(home.start_engine)
        operator = Operator(home)
        await operator.board(lambda board: isinstance(board.readings.get(TARGET), Queue))
        park = (await operator.confirm(await operator.propose(TARGET, Park()))).id
        begun = await operator.until(park, lambda one: one.progress is not None and one.progress.done > 0)
        assert begun.stage is Stage.EXECUTING, begun
        relay.mode = away
        waiting = await operator.until(park, _waits)
        assert waiting.stage is Stage.EXECUTING, waiting
        assert waiting.failure is not None
        assert "it goes on in" in waiting.words
        assert relay.url in waiting.words, "for whom it waits"
        assert ("PUT" in relay.refused) == (away is Relays.NO_WORD), "a shovel was set, and nobody told"
        relay.mode = Relays.ALL
        done = await operator.settled(park)
        engine.stop()
    assert done.outcome is Outcome.VERIFIED, done
    assert done.progress is not None
    assert (done.progress.done, done.progress.total) == (COUNT, COUNT)
    assert RabbitBench(broker).shovels() == []
    assert (await broker.count("orders"), await broker.count(PARKED)) == (0, COUNT)
    assert sorted((await counted(broker, PARKED)).values()) == [1] * COUNT


def _waits(receipt: Receipt) -> bool:
    return receipt.stage is Stage.DONE or "503" in receipt.words

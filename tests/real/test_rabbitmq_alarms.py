"""Memory and disk alarms in the middle of moving messages: said in words, ended by nothing but their own end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adapters.rabbitmq import alarms, moving
from console.domain.actions import Outcome, Progress, Receipt, Stage
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Isolate, Park
from tests.real.operator import Operator
from tests.real.rabbit_bench import RabbitBench, counted, numbered
from tests.real.stack.homes import broker_home
from tests.real.stack.rabbitmq import RabbitServer

TARGET = Ref("jobs", Kind.QUEUE, "orders")
PARKED, RETRIES = "switchgear.parked.orders", "switchgear.retries.orders"
LIMIT_S = 30.0


@pytest.fixture
async def bench(broker: RabbitServer) -> AsyncIterator[RabbitBench]:
    made = RabbitBench(broker)
    yield made
    await made.adapter.close()


async def told_of(shows: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not shows():
            await asyncio.sleep(0.05)


async def test_a_memory_alarm_blocks_producers_and_a_park_goes_on_and_says_so(
    bench: RabbitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, count, told = bench.server, 10_000, list[Progress]()
    monkeypatch.setattr(alarms, "LOOK_S", 0.2)
    monkeypatch.setattr(moving, "BATCH", 200)  # slowly: the broker tells of its alarm up to 5 s later
    server.declare("orders")
    await server.publish("orders", numbered(count))
    plan = await bench.plan("orders", Park())
    await bench.run(plan.steps[:-1])
    carried = asyncio.ensure_future(bench.adapter.carry(plan.steps[-1], told.append))
    await told_of(lambda: bool(told) and told[-1].done > 0)
    with server.alarm("memory"):
        late = asyncio.ensure_future(server.publish("mails", numbered(10, begin=count)))
        await told_of(lambda: carried.done() or "memory alarm" in told[-1].words)
        assert not carried.done(), carried
        assert "vm_memory_high_watermark" in told[-1].words, "the way out"
        at = told[-1].done
        await told_of(lambda: carried.done() or told[-1].done > at)
        assert not late.done(), "who publishes over AMQP waits"
    await carried
    await bench.shown(plan)
    await late
    assert (told[-1].done, told[-1].total) == (count, count)
    assert bench.shovels() == []
    found = await counted(server, "orders", PARKED)
    assert (len(found), found.total()) == (count, count), "none lost, none twice"


async def test_an_isolate_that_a_disk_alarm_blocks_says_why_and_goes_on_when_it_is_over(
    broker: RabbitServer, tmp_path: Path
) -> None:
    count = 6_000
    broker.declare("orders")
    await broker.publish("orders", numbered(count), headers={"retries": 1})
    home = broker_home(broker, tmp_path)
    engine = await asyncio.to_thread(home.start_engine)
    operator = Operator(home)
    await operator.board(lambda board: isinstance(board.readings.get(TARGET), Queue))
    proposal = await operator.propose(TARGET, Isolate())

    def halted(receipt: Receipt) -> bool:
        return receipt.stage is Stage.DONE or "disk alarm" in receipt.words

    # Before the first message is looked at: however slow the machine, the work is not over before the alarm is.
    with broker.alarm("disk"):
        receipt = await operator.confirm(proposal)
        receipt = await operator.until(receipt.id, halted, LIMIT_S)
        assert receipt.stage is Stage.EXECUTING, receipt
        assert "disk_free_limit" in receipt.words, "the way out"
        assert receipt.progress is not None
        assert receipt.progress.done < count
    done = await operator.settled(receipt.id, LIMIT_S)
    engine.stop()
    assert done.outcome is Outcome.VERIFIED, done
    assert "alarm" not in done.words
    found = await counted(broker, "orders", RETRIES)
    assert (len(found), found.total()) == (count, count), "none lost, none twice"
    assert await broker.count("orders") == 0

"""Hands and brokers that work against a queue action: the queue goes away, another console does the same, rubbish."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.rabbitmq.abilities import QUEUE_VERBS
from adapters.rabbitmq.shovels import MOVE_PREFETCH
from console.domain.actions import Outcome, Stage
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Ability, Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Park, Purge, Verb
from tests.real.operator import Operator
from tests.real.rabbit_bench import RabbitBench, counted, numbered
from tests.real.stack.homes import broker_home
from tests.real.stack.rabbitmq import RabbitServer
from tests.unit.adapters.misbehaving import Misbehaving, misbehaving

TARGET = Ref("jobs", Kind.QUEUE, "orders")
PARKED = "switchgear.parked.orders"


@pytest.fixture
async def bench(broker: RabbitServer, tmp_path: Path) -> AsyncIterator[RabbitBench]:
    made = RabbitBench(broker, exports=tmp_path / "exports", replay_per_s=20_000)
    yield made
    await made.adapter.close()


@pytest.fixture
async def bad() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as server:
        yield server


async def test_a_queue_that_is_deleted_while_it_is_parked_keeps_what_was_moved_and_leaves_no_shovel(
    bench: RabbitBench,
) -> None:
    server = bench.server
    server.declare("orders")
    await server.publish("orders", numbered(20_000))
    plan = await bench.plan("orders", Park())
    await bench.run(plan.steps[:-1])
    carried = await bench.begun(plan.steps[-1], 500)
    server.call("DELETE", "queues/%2F/orders")
    async with asyncio.timeout(60):
        ended = (await asyncio.gather(carried, return_exceptions=True))[0]
    await bench.run(plan.tidy)
    assert bench.shovels() == []
    if ended is None:  # the shovel was quicker than the next look, and has made the queue again
        assert await server.count("orders") == 0
    else:
        assert isinstance(ended, BackendError)
        assert ended.kind is not ErrorKind.UNREACHABLE, "it would be tried for ever"
        assert "orders" in str(ended)
    assert set((await counted(server, PARKED)).values()) == {1}, "what was moved is kept"


async def test_a_parking_queue_that_somebody_made_with_a_limit_is_refused(bench: RabbitBench) -> None:
    server = bench.server
    server.declare("orders")
    await server.publish("orders", numbered(50))
    server.declare(PARKED, x_max_length=10)
    with pytest.raises(BackendError, match="max-length") as caught:
        await bench.plan("orders", Park())
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert await server.count("orders") == 50


async def test_two_engines_that_park_one_queue_at_once_lose_nothing(broker: RabbitServer, tmp_path: Path) -> None:
    count = 15_000
    broker.declare("orders")
    await broker.publish("orders", numbered(count))
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    homes = [broker_home(broker, folder) for folder in folders]
    engines = [await asyncio.to_thread(home.start_engine) for home in homes]
    operators = [Operator(home) for home in homes]
    for operator in operators:
        await operator.board(lambda board: isinstance(board.readings.get(TARGET), Queue))
    proposals = [await operator.propose(TARGET, Park()) for operator in operators]
    receipts = await asyncio.gather(
        *(operator.confirm(proposal) for operator, proposal in zip(operators, proposals, strict=True)),
        return_exceptions=True,
    )
    ids = [None if isinstance(one, BaseException) else one.id for one in receipts]
    assert any(ids), receipts
    for operator, action_id in zip(operators, ids, strict=True):
        if action_id is not None:
            receipt = await operator.until(action_id, lambda one: one.stage is Stage.DONE, 120)
            assert receipt.outcome is Outcome.VERIFIED, receipt
    for engine in engines:
        engine.stop()
    assert RabbitBench(broker).shovels() == []
    assert await broker.count(PARKED) >= count - MOVE_PREFETCH
    found = await counted(broker, "orders", PARKED)
    assert len(found) == count
    assert found.total() - count <= MOVE_PREFETCH, "one may take the other's shovel over, at the same instant"


@pytest.mark.parametrize(
    ("mode", "status", "body", "content_type", "kind"),
    [
        ("hang", 200, b"", "application/json", ErrorKind.TIMEOUT),
        ("cut", 200, b"", "application/json", ErrorKind.MALFORMED),
        ("huge", 200, b"", "application/json", ErrorKind.MALFORMED),
        ("ok", 200, b"<html>\x1b]0;owned\x07<b>login</b></html>", "text/html", ErrorKind.MALFORMED),
        ("ok", 200, b'{"items": [{"na', "application/json", ErrorKind.MALFORMED),
        ("ok", 200, b"[" * 100_000, "application/json", ErrorKind.MALFORMED),
        ("ok", 200, b'{"items": {"name": 1}}', "application/json", ErrorKind.MALFORMED),
        ("ok", 401, b'{"error":"not_authorised","reason":"Login failed"}', "application/json", ErrorKind.UNAUTHORISED),
        ("ok", 503, b"busy", "text/plain", ErrorKind.UNREACHABLE),
    ],
)
async def test_a_management_api_that_answers_rubbish_is_said_and_nothing_can_be_done(
    bad: Misbehaving, broker: RabbitServer, tmp_path: Path, mode: str, status: int, body: bytes, content_type: str,
    kind: ErrorKind,
) -> None:  # fmt: skip
    bad.mode, bad.status, bad.body, bad.content_type = mode, status, body, content_type
    bench = RabbitBench(broker, exports=tmp_path, timeout_s=1.0, urls=[bad.url], amqp=None)
    async with asyncio.timeout(60):
        with pytest.raises(BackendError) as caught:
            await bench.adapter.observe()
        assert caught.value.kind is kind, caught.value
        assert "\x1b" not in str(caught.value)
        rows = await bench.adapter.check()
        assert any(row.ok is False for row in rows)
        with pytest.raises(BackendError):
            await bench.plan("orders", Park())
    await bench.adapter.close()


async def test_with_monitoring_alone_each_verb_has_its_reason_and_changes_nothing(
    broker: RabbitServer, tmp_path: Path
) -> None:
    broker.declare("orders")
    await broker.publish("orders", numbered(10))
    broker.add_user("console-ro", "console-secret", "monitoring", rights="^$")
    bench = RabbitBench(broker, exports=tmp_path, user="console-ro")
    try:
        abilities = await _abilities(bench)
        assert set(abilities) == set(QUEUE_VERBS)
        purge = abilities.pop(Verb.PURGE)
        assert purge.able, "it takes nothing but the right to read"
        assert all(not one.able and one.reason for one in abilities.values()), abilities
        with pytest.raises(BackendError):
            await bench.plan("orders", Park())
        with pytest.raises(BackendError) as caught:
            await bench.act("orders", Purge())
        assert caught.value.kind is ErrorKind.FORBIDDEN
    finally:
        await bench.adapter.close()
        broker.call("DELETE", "users/console-ro")
    assert await broker.count("orders") == 10


async def _abilities(bench: RabbitBench) -> dict[Verb, Ability]:
    """What can be done to the one queue, once the broker tells how many wait in it."""
    async with asyncio.timeout(30):
        while True:
            queues = [one for one in (await bench.adapter.observe()).readings if isinstance(one, Queue)]
            if any(queue.depth for queue in queues):
                return {one.verb: one for queue in queues for one in queue.can}
            await asyncio.sleep(0.2)

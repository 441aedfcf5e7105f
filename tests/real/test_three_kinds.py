"""The three kinds of backend under one engine: gateways, the queues that feed them, and what each request did."""

import asyncio
import json
import re
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from console.domain.board import Board
from console.domain.readings import Queue, Request, Service
from console.domain.refs import Kind, Ref
from console.domain.spans import SpanKind, TraceQuery
from tests.real.conftest import ready_or_skip
from tests.real.operator import Operator
from tests.real.rabbit_bench import drained
from tests.real.sharing import Shared
from tests.real.stack.collector import Collector
from tests.real.stack.jobs import JOBS, Job, named
from tests.real.stack.platform import Platform
from tests.real.stack.rabbitmq import RabbitServer
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed
from tests.real.terminal import Terminal
from tests.real.test_console import DOWN, ENTER, confirm, console, eventually

INDEX, CHAT = named("index-jobs"), named("chat-jobs")
PARKED = f"switchgear.parked.{INDEX.queue}"
FEW, MANY = 6_000, 20_000
"""Jobs that wait when they are parked: a backlog, and one that is long enough for the move to be seen on its way."""


@pytest.fixture(scope="module")
def platform(gateways: Shared[Testbed], brokers: Shared[RabbitServer]) -> Iterator[Platform]:
    """The gateways and the broker with a route, queues and a collector of this file's own."""
    testbed, broker = ready_or_skip(gateways.get()), ready_or_skip(brokers.get())
    testbed.settle()
    broker.clear()
    platform = Platform(testbed.nursery, testbed, broker, Collector(testbed.nursery))
    platform.furnish()
    yield platform
    platform.clear()
    platform.collector.end()
    broker.clear()


@pytest.fixture(scope="module")
def home(platform: Platform) -> Iterator[Home]:
    """An engine on all three."""
    home = Home(platform.testbed, "three", **platform.settings())
    engine = home.start_engine()
    yield home
    engine.stop()


@pytest.fixture
def work(platform: Platform) -> Platform:
    """Providers that are well, and everything at work."""
    platform.testbed.upstreams.heal()
    platform.start_work()
    return platform


def queue_of(board: Board, job: Job) -> Queue | None:
    found = board.readings.get(Ref("jobs", Kind.QUEUE, job.queue))
    return found if isinstance(found, Queue) else None


def status(home: Home) -> dict[str, Any]:
    done = subprocess.run(
        [*home.command(), "status", home.name, "--json"],
        env=home.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def act(home: Home, *words: str) -> str:
    """One action from the command line, done and verified; returns what it printed."""
    command = [*home.command(), "act", *words, "-e", home.name, "--reason", "real tier", "--yes"]
    done = subprocess.run(command, env=home.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_the_board_holds_routes_the_queues_that_feed_them_and_requests_with_their_spans(
    work: Platform, home: Home
) -> None:
    def holds(board: Board) -> bool:
        services = {reading.ref.name for reading in board.of(Service)}
        return (
            all((queue := queue_of(board, job)) is not None and queue.consumers for job in JOBS)
            and {"shop-api", *(job.service for job in JOBS)} <= services
            and any(request.service == INDEX.service for request in board.of(Request))
        )

    operator = Operator(home)
    board = await operator.board(holds)
    for job in JOBS:
        queue = queue_of(board, job)
        assert queue is not None
        assert queue.feeds == (f"gateway:route/{job.route}",)
        assert all(Ref.parse(route) in board.readings for route in queue.feeds), "its route is on the board, too"
        assert queue.kind == job.kind
        assert queue.dead_letter_queue == job.dead
    request = next(request for request in board.of(Request) if request.service == INDEX.service)
    assert (request.deployment, request.route, request.failed) == ("azure-index", INDEX.route, False)
    assert request.conversation.startswith(INDEX.queue)
    assert (request.tokens_in, request.tokens_out) == (20, 30)
    trace = await operator.client.trace(TraceQuery(source="traces", trace_id=request.trace_id))
    root, call = trace.spans
    assert (root.kind, call.kind, call.parent_id) == (SpanKind.QUEUE, SpanKind.MODEL, root.span_id)
    assert root.attributes["messaging.destination.name"] == INDEX.queue
    assert root.attributes["messaging.message.id"] in work.ledger.read(INDEX.queue, "done")


async def test_a_fault_upstream_is_named_at_the_route_at_the_queue_behind_it_and_at_the_requests(
    work: Platform, home: Home
) -> None:
    told: dict[str, Any] = {}
    ill = {f"gateway:route/{INDEX.route}", f"jobs:queue/{INDEX.queue}", f"traces:service/{INDEX.service}"}

    def all_named() -> bool:
        told.update(status(home))
        waiting = {queue["ref"]["name"]: queue["depth"] for queue in told["queues"]}
        named = {finding["ref"] for finding in told["findings"]}
        return ill <= named and waiting[INDEX.queue] > 10 + waiting[CHAT.queue]

    work.testbed.upstreams.tell("azure-b", "500")
    assert await asyncio.to_thread(eventually, all_named, 120.0), (told["findings"], told["queues"])
    board = await Operator(home).board()
    failed = [request for request in board.of(Request) if request.failed and request.service == INDEX.service]
    assert failed
    assert all(request.route == INDEX.route and request.error for request in failed)
    work.testbed.upstreams.heal()


async def backlog(platform: Platform, count: int) -> None:
    """Many jobs more than the workers can do, known to the ledger like all others."""
    assert platform.broker is not None
    begin = uuid.uuid4().hex[:8]
    ids = [f"{begin}-{number}" for number in range(count)]
    about = {"conversation": begin, "at": time.time()}
    await platform.broker.publish(INDEX.queue, (json.dumps({"id": one, **about}).encode() for one in ids))
    platform.ledger.note(INDEX.queue, "sent", "\n".join(ids))


async def accounted(platform: Platform, *queues: str) -> dict[str, "Counter[str]"]:
    """Which messages are where, by id, with nobody at work any more; the queues are empty afterwards."""
    assert platform.broker is not None
    found = {"done": platform.ledger.read(INDEX.queue, "done")}
    for queue in queues:
        found[queue] = Counter(str(json.loads(one.body)["id"]) for one in await drained(platform.broker, queue))
    return found


async def test_park_and_replay_from_the_command_line_lose_no_job_of_workers_that_go_on(
    work: Platform, home: Home
) -> None:
    assert work.broker is not None
    await backlog(work, FEW)
    said = act(home, "park", INDEX.queue)
    parked = await work.broker.count(PARKED)
    assert parked > 0.95 * FEW
    assert f"{parked:,}" in said
    done = work.ledger.read(INDEX.queue, "done").total()
    assert eventually(lambda: work.ledger.read(INDEX.queue, "done").total() > done + 2), (
        "workers go on with what is new"
    )
    said = act(home, "replay", INDEX.queue, "4000")
    assert await work.broker.count(PARKED) == 0
    work.stop("producers", *(job.queue for job in JOBS))
    found = await accounted(work, INDEX.queue, INDEX.dead, PARKED)
    sent, everywhere = work.ledger.read(INDEX.queue, "sent"), sum(found.values(), Counter[str]())
    assert not set(sent) - set(everywhere), "none is lost"
    twice = {one: count for one, count in everywhere.items() if count > 1}
    in_hand = INDEX.slots  # a job that was done and not yet acknowledged when its worker was ended
    assert len(twice) <= in_hand, twice
    assert found[INDEX.queue].total() > 0.9 * FEW, "what was parked waits again"


async def test_park_by_key_shows_its_progress_and_its_outcome(work: Platform, home: Home) -> None:
    assert work.broker is not None
    await backlog(work, MANY)
    with console(home) as terminal:
        _on_queue(terminal, INDEX.queue)
        terminal.press("d")
        terminal.wait_for(f"{INDEX.queue}: ", "workers finish", "set aside")
        terminal.press(DOWN, ENTER)
        confirm(terminal, "Park")
        terminal.wait_until(_progress, "how far the park is")
        terminal.wait_for("verified", limit_s=30)
        assert await work.broker.count(PARKED) > 0.95 * MANY
        assert await work.broker.count(INDEX.queue) < 0.05 * MANY


def _on_queue(terminal: Terminal, name: str) -> None:
    terminal.press("5")
    terminal.wait_for("in flight", name)
    terminal.press("/", *name, ENTER)
    terminal.wait_for(f"/{name}")
    terminal.press("g")  # the first row: it has the longest backlog


def _progress(text: str) -> bool:
    """Whether the dialog says how much has been moved, and that this is not all."""
    part = re.search(r"moved .*?(\d+)% ", text)
    return part is not None and 0 < int(part[1]) < 100

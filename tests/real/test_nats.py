"""The NATS adapter on a real server: what is seen, what pauses, and that no message is lost or doubled by a move."""

import asyncio
import base64
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.nats import parking
from console.domain.actions import Finish, Park, Pause, Plan, Progress, Replay, Resume, Verb
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import AgeQuality
from console.domain.text import clean
from console.domain.wire import encode
from tests.real.nats_bench import PARKED, NatsBench, hand, working
from tests.real.stack.nats import NatsServer, start_nats
from tests.real.stack.processes import Nursery

JOBS = "JOBS/worker"


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture
async def bench(nats: NatsServer) -> AsyncIterator[NatsBench]:
    """The adapter on a server with the work queue JOBS and its consumer `worker`."""
    found = NatsBench(nats)
    async with hand(nats) as one:
        await one.stream("JOBS")
        await one.consumer("JOBS")
    yield found
    await found.adapter.close()


def numbers(count: int, begin: int = 0) -> "Counter[bytes]":
    """Each of so many numbered messages once."""
    return Counter(f"{number:08d}".encode() for number in range(begin, begin + count))


# ---- seeing


async def test_backlog_age_flight_and_flow(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 10)
        before = time.time()
        await one.publish("JOBS.a", 90, begin=10)
        await bench.adapter.observe()
        held = await (await one.client.jetstream().pull_subscribe_bind("worker", "JOBS")).fetch(10)
        await asyncio.sleep(1.5)
        queue = await bench.queue(JOBS)
        assert (queue.depth, queue.in_flight, queue.redelivered, queue.parked) == (90, 10, 0, 0)
        assert (queue.kind, queue.paused, queue.dead_letters) == ("workqueue", False, None)
        assert queue.age_quality is AgeQuality.EXACT
        assert 1.5 <= (queue.oldest_age_s or 0) <= time.time() - before + 0.2
        assert (queue.in_per_min, queue.out_per_min) == (0, 0)
        for message in held[:5]:
            await message.ack_sync()
        await held[5].nak()
        await asyncio.sleep(0.2)
        (again,) = await (await one.client.jetstream().pull_subscribe_bind("worker", "JOBS")).fetch(1)
        queue = await bench.queue(JOBS)
        assert (queue.in_flight, queue.redelivered) == (5, 1)
        assert (queue.out_per_min or 0) > 60
        await again.ack_sync()


async def test_nobody_at_work_is_said_only_when_it_is_certain(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        assert (await bench.queue(JOBS)).consumers is None
        await one.publish("JOBS.a", 5)
        await bench.adapter.observe()
        assert (await bench.queue(JOBS)).consumers == 0
        pull = await one.client.jetstream().pull_subscribe_bind("worker", "JOBS")
        await pull.fetch(5)
        waiting = asyncio.ensure_future(pull.fetch(5, timeout=2))
        await asyncio.sleep(0.2)
        assert (await bench.queue(JOBS)).consumers == 1
        waiting.cancel()


async def test_many_consumers_are_read_page_by_page(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.stream("MANY")
        await asyncio.gather(*(one.consumer("MANY", f"c{i}", filter_subject=f"MANY.{i}") for i in range(300)))
        await one.publish("MANY.7", 2)
        assert len((await bench.adapter.observe()).readings) == 301
        assert (await bench.queue("MANY/c7")).depth == 2


@pytest.mark.parametrize(("stream", "consumer"), [("b[bold]", "模型🔥"), ("a\x1b[2J\x1b[31mred", "d\u202eesrever")])
async def test_strange_names_reach_their_queue(bench: NatsBench, stream: str, consumer: str) -> None:
    async with hand(bench.server) as one:
        await one.stream(stream, subjects=["strange"])
        await one.consumer(stream, consumer)
        await one.client.publish("strange", b"00000000")
        queue = await bench.queue(f"{stream}/{consumer}")
        assert queue.depth == 1
        plan = await bench.act(queue.ref.name, Pause())
        for words in (plan.words, *plan.notes, *(step.words for step in plan.steps)):
            assert clean(words, 1000) == words
        await bench.act(queue.ref.name, Resume())
        if queue.ability(Verb.PARK).able:
            await bench.act(queue.ref.name, Park())
            assert (await bench.queue(queue.ref.name)).parked == 1
            await bench.act(queue.ref.name, Replay())
        else:
            assert "control characters" in queue.ability(Verb.PARK).reason
        assert await one.bodies(stream) == numbers(1)


async def test_a_work_queue_without_a_consumer_is_told(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.stream("LOST")
        await one.publish("LOST.x", 4)
        notes = (await bench.adapter.observe()).notes
        assert notes == ("LOST is a work queue with 4 messages and no consumer",)


# ---- pausing


async def test_a_pause_is_ended_by_the_server_with_nobody_left_to_ask_it(bench: NatsBench) -> None:
    plan = await bench.act(JOBS, Pause(), ttl_s=2.0)
    await bench.adapter.close()
    async with hand(bench.server) as one, working(bench.server, "JOBS") as done:
        await one.publish("JOBS.a", 20)
        await asyncio.sleep(1.0)
        assert not done
        async with asyncio.timeout(10):
            while done != numbers(20):
                await asyncio.sleep(0.05)
    assert await bench.holds(plan, undone=True) is True


async def test_a_pause_is_seen_and_ended_by_a_resume(bench: NatsBench) -> None:
    await bench.act(JOBS, Pause(), ttl_s=600)
    assert (await bench.queue(JOBS)).paused
    assert any("paused" in note for note in (await bench.adapter.observe()).notes)
    await bench.act(JOBS, Resume())
    assert not (await bench.queue(JOBS)).paused


# ---- parking and giving back


async def test_parking_beside_workers_and_producers_loses_and_doubles_none(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 3000)
        async with working(bench.server, "JOBS", pause_s=0.002) as done:
            producing = asyncio.ensure_future(one.publish("JOBS.b", 1000, begin=3000))
            plan = await bench.act(JOBS, Park())
            await producing
            parked = await one.parked("JOBS")
            assert len(parked) > 2000
            async with asyncio.timeout(20):
                while sum(done.values()) + len(parked) < 4000:
                    await asyncio.sleep(0.05)
            assert done + parked == numbers(4000)
        await bench.run(plan.undo[:0])
        await bench.act(JOBS, Replay(per_s=20_000))
        assert await one.bodies("JOBS") == parked
        assert not await one.parked("JOBS")


async def test_what_is_given_back_is_what_was_parked(bench: NatsBench) -> None:
    head = (
        b"NATS/1.0\r\nNats-Msg-Id: order-7\r\nNats-Expected-Last-Subject-Sequence: 0\r\nA: one\r\nA: two\r\n"
        b"Content-Type: x;  y\r\n\r\n"
    )
    body = b"\x00\xff\r\nbinary"
    async with hand(bench.server) as one:
        raw = f"HPUB JOBS.x.y {len(head)} {len(head) + len(body)}\r\n".encode() + head + body + b"\r\n"
        await one.client._send_command(raw)
        await one.client.flush()
        await one.publish("JOBS.a", 3)
        (first, *_) = await one.stored("JOBS")
        await bench.act(JOBS, Park())
        await bench.act(JOBS, Replay())
        (back, *rest) = await one.stored("JOBS")
        assert (back["subject"], base64.b64decode(back["data"])) == ("JOBS.x.y", body)
        lines = base64.b64decode(back["hdrs"]).decode().split("\r\n")
        assert lines.count("A: one") == lines.count("A: two") == 1
        assert "Content-Type: x;  y" in lines
        assert "Switchgear-Msg-Id: order-7" in lines
        assert f"Switchgear-Time: {first['time']}" in lines
        assert not any("order-7" in line and line.startswith("Nats-") for line in lines)
        assert not any("Last-Subject-Sequence" in line for line in lines)
        assert [one["subject"] for one in rest] == ["JOBS.a"] * 3
        await bench.act(JOBS, Park())  # and once more: nothing of it wears out
        await bench.act(JOBS, Replay())
        (again, *_) = await one.stored("JOBS")
        lines = base64.b64decode(again["hdrs"]).decode().split("\r\n")
        assert "Switchgear-Msg-Id: order-7" in lines
        assert f"Switchgear-Time: {first['time']}" in lines


async def test_a_replay_keeps_its_rate(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 150)
        await bench.act(JOBS, Park())
        began = time.monotonic()
        await bench.act(JOBS, Replay(per_s=100))
        assert time.monotonic() - began >= 1.4


async def test_what_workers_hold_is_not_parked_and_a_pause_from_before_stays(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 50)
        held = await (await one.client.jetstream().pull_subscribe_bind("worker", "JOBS")).fetch(10)
        await bench.act(JOBS, Pause(), ttl_s=600)
        await bench.act(JOBS, Park())
        assert await one.parked("JOBS") == numbers(40, begin=10)
        assert await one.bodies("JOBS") == numbers(10)
        assert (await bench.queue(JOBS)).paused
        for message in held:
            await message.ack_sync()
        assert not await one.bodies("JOBS")


async def test_only_what_the_consumer_takes_is_parked(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.stream("BOTH")
        await one.consumer("BOTH", "few", filter_subjects=["BOTH.a", "BOTH.b"])
        await one.consumer("BOTH", "rest", filter_subject="BOTH.rest")
        for first in range(0, 600, 100):
            await one.publish("BOTH.rest", 90, begin=first)
            await one.publish("BOTH.a", 5, begin=first + 90)
            await one.publish("BOTH.b", 5, begin=first + 95)
        await bench.act("BOTH/few", Park())
        assert len(await one.parked("BOTH", "few")) == 60
        info = await one.info("BOTH", "rest")
        assert info["num_pending"] == 540


@pytest.mark.parametrize("cut", [1, 2, 3])
async def test_a_stop_leaves_nothing_half_moved(bench: NatsBench, cut: int) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 2000)
        plan = await bench.plan(JOBS, Park())
        await bench.run(plan.steps[:1])
        told: list[int] = []
        carried = asyncio.ensure_future(bench.adapter.carry(plan.steps[1], lambda news: told.append(news.done)))
        while len(told) <= cut:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02 * cut)
        carried.cancel()
        with pytest.raises(asyncio.CancelledError):
            await carried
        await bench.run(plan.tidy)
        parked, waiting = await one.parked("JOBS"), await one.bodies("JOBS")
        assert parked + waiting == numbers(2000)
        assert (await bench.adapter.count(plan.steps[1])).done == len(parked) > 0
        assert not (await bench.queue(JOBS)).paused


MOVER = """
import asyncio, sys
from console.domain.actions import Step
from console.domain.wire import decode
from tests.real.nats_bench import NatsBench
from tests.real.stack.nats import NatsServer

async def main():
    server = NatsServer(None, None, {}, int(sys.argv[1]))
    print("begins", flush=True)
    await NatsBench(server).adapter.carry(decode(sys.argv[2].encode(), Step), lambda news: print(news.done, flush=True))

asyncio.run(main())
"""


def _killed_after(server: NatsServer, plan: Plan, windows: int, more_s: float) -> int:
    """A mover in a process of its own, killed -9; what it said last."""
    command = [sys.executable, "-c", MOVER, str(server.port), encode(plan.steps[-1]).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mover:
        assert mover.stdout is not None
        said = [mover.stdout.readline() for _ in range(windows)]
        time.sleep(more_s)
        mover.kill()
    return int(said[-1] or -1)


async def test_a_mover_killed_in_the_middle_of_20000_goes_on_and_every_message_is_there_once(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 20_000)
        plan = await bench.plan(JOBS, Park())
        await bench.run(plan.steps[:1])
        for windows, more_s in ((5, 0.05), (4, 0.11)):
            done = await asyncio.to_thread(_killed_after, bench.server, plan, windows, more_s)
            assert 0 <= done < 20_000
        told = await bench.run(plan.steps)
        assert told[0].done > 0
        assert told[-1].done == told[-1].total == 20_000
        assert await bench.holds(plan) is True
        assert await one.parked("JOBS") == numbers(20_000)
        assert not await one.bodies("JOBS")


async def test_a_replay_killed_in_the_middle_goes_on_and_every_message_is_there_once(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 1_500)
        await bench.act(JOBS, Park())
        plan = await bench.plan(JOBS, Replay(per_s=20_000))
        for windows, more_s in ((3, 0.03), (2, 0.1)):
            await asyncio.to_thread(_killed_after, bench.server, plan, windows, more_s)
        await bench.run(plan.steps)
        assert await one.bodies("JOBS") == numbers(1_500)
        assert not await one.parked("JOBS")


async def test_a_server_killed_while_parking_and_started_again_has_every_message_once(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 2_000)
        plan = await bench.plan(JOBS, Park())
        await bench.run(plan.steps[:1])
        for so_far in (300, 1000):
            told: list[Progress] = []
            carried = asyncio.ensure_future(bench.adapter.carry(plan.steps[1], told.append))
            while not (told and told[-1].done >= so_far):
                await asyncio.sleep(0.01)
            bench.server.kill()
            with pytest.raises(BackendError) as caught:
                await carried
            assert caught.value.kind in (ErrorKind.UNREACHABLE, ErrorKind.UNKNOWN_OUTCOME, ErrorKind.TIMEOUT)
            await asyncio.to_thread(bench.server.start)
        await bench.run(plan.steps)
    async with hand(bench.server) as one:
        assert await one.parked("JOBS") == numbers(2_000)
        assert not await one.bodies("JOBS")


async def test_copies_of_what_a_worker_got_when_the_fuse_had_burnt_down_are_dropped(
    bench: NatsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise BackendError(ErrorKind.UNREACHABLE, "dead between keeping and deleting")

    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 100)
        plan = await bench.plan(JOBS, Park())
        with monkeypatch.context() as patched:
            patched.setattr(parking, "_decide", dies)
            patched.setattr(parking, "FUSE_S", 1.0)
            with pytest.raises(BackendError):
                await bench.run(plan.steps)
        assert await one.parked("JOBS") == await one.bodies("JOBS") == numbers(100)
        pull = await one.client.jetstream().pull_subscribe_bind("worker", "JOBS")
        held = await pull.fetch(30, timeout=10)  # the server itself has let it go on
        assert len(held) == 30
        await bench.run(plan.steps)
        assert await one.parked("JOBS") == numbers(70, begin=30)
        assert await one.bodies("JOBS") == numbers(30)


async def test_a_worker_let_loose_in_the_middle_gets_no_message_that_is_parked_too(
    bench: NatsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, copied = parking._decide, asyncio.Event()

    async def slow(*args: object) -> None:
        copied.set()
        await whole(*args)  # type: ignore[arg-type]

    # A worker that takes its time: it is not done before the park begins, however slow that is.
    async with hand(bench.server) as one, working(bench.server, "JOBS", pause_s=0.005) as done:
        await one.publish("JOBS.a", 2000)
        monkeypatch.setattr(parking, "_decide", slow)
        carried = asyncio.ensure_future(bench.act(JOBS, Park()))
        await copied.wait()
        await one.api("CONSUMER.PAUSE.JOBS.worker", {})
        await carried
        parked = await one.parked("JOBS")
        async with asyncio.timeout(10):
            while sum(done.values()) + len(parked) < 2000:
                await asyncio.sleep(0.05)
        assert done + parked == numbers(2000)


# ---- what cannot be done, and why


async def test_messages_that_others_read_too_are_not_parked(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.stream("EVENTS", retention="limits")
        await one.consumer("EVENTS", "first")
        await one.publish("EVENTS.x", 10)
        await bench.act("EVENTS/first", Park())
        assert await one.parked("EVENTS", "first") == numbers(10)
        await bench.act("EVENTS/first", Replay())
        await one.consumer("EVENTS", "second")
        assert "other consumers" in (await bench.queue("EVENTS/first")).ability(Verb.PARK).reason
        assert (await bench.queue("EVENTS/first")).ability(Verb.PAUSE).able


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"deny_delete": True}, "deleted"),
        ({"max_msgs_per_subject": 1}, "subject"),
        ({"subject_transform": {"src": "ODD.>", "dest": "other.>"}}, "changes subjects"),
    ],
)
async def test_a_stream_that_could_not_take_them_back_says_why(
    bench: NatsBench, more: dict[str, object], word: str
) -> None:
    async with hand(bench.server) as one:
        await one.stream("ODD", **more)
        await one.consumer("ODD")
        assert word in (await bench.queue("ODD/worker")).ability(Verb.PARK).reason


async def test_a_parking_stream_that_is_limited_or_not_ours_is_refused_before_anything_is_moved(
    bench: NatsBench,
) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 10)
        for more in ({"max_msgs": 5}, {"subjects": ["elsewhere"]}):
            config = {"subjects": ["switchgear.parked.JOBS.worker"], "retention": "limits", **more}
            await one.stream(f"{PARKED}JOBS_worker", **config)
            with pytest.raises(BackendError) as caught:
                await bench.plan(JOBS, Park())
            assert caught.value.kind is ErrorKind.UNSUPPORTED
            await one.api(f"STREAM.DELETE.{PARKED}JOBS_worker")
        assert await one.bodies("JOBS") == numbers(10)


async def test_a_stream_that_was_made_anew_is_not_taken_for_the_old_one(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 10)
        plan = await bench.plan(JOBS, Park())
        await one.api("STREAM.DELETE.JOBS")
        await one.stream("JOBS")
        await one.consumer("JOBS")
        await one.publish("JOBS.a", 10)
        assert await bench.adapter.generation(plan) != plan.generation
        with pytest.raises(BackendError) as caught:
            await bench.run(plan.steps)
        assert caught.value.kind is ErrorKind.CONFLICT
        assert len(await one.bodies("JOBS")) == 10


async def test_a_stream_that_takes_no_more_ends_a_replay_with_the_reason(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.stream("FULL", max_msgs=10, discard="new")
        await one.consumer("FULL")
        await one.publish("FULL.a", 10)
        await bench.act("FULL/worker", Park())
        await one.publish("FULL.b", 6, begin=10)
        plan = await bench.plan("FULL/worker", Replay())
        with pytest.raises(BackendError) as caught:
            await bench.run(plan.steps)
        assert caught.value.kind is ErrorKind.FAILED
        assert "maximum messages" in str(caught.value)
        assert await one.parked("FULL") + await one.bodies("FULL") == numbers(16)


async def test_workers_finish_what_waited_and_not_what_comes(bench: NatsBench) -> None:
    async with hand(bench.server) as one:
        await one.publish("JOBS.a", 100)
        plan = await bench.plan(JOBS, Finish())
        await one.publish("JOBS.b", 1000, begin=100)
        assert await bench.holds(plan) is False
        async with working(bench.server, "JOBS", pause_s=0.005) as done:
            told = await bench.run(plan.steps)
            assert len(done) < 1100
        assert told[-1].done == told[-1].total == 100
        assert numbers(100) <= done
        assert await bench.holds(plan) is True


# ---- who may, and what is not there


@pytest.mark.usefixtures("nats")
async def test_wrong_credentials_and_missing_rights_are_told(nursery: Nursery) -> None:
    users = [
        {"user": "all", "password": "secret"},
        {"user": "reader", "password": "secret", "permissions": {
            "publish": {"deny": ["$JS.API.CONSUMER.PAUSE.>", "$JS.API.STREAM.CREATE.>"]}}},
    ]  # fmt: skip
    server = start_nats(nursery, authorization={"users": users})
    for user, password, kind in (
        ("all", "wrong", ErrorKind.UNAUTHORISED),
        ("nobody", "secret", ErrorKind.UNAUTHORISED),
    ):
        bench = NatsBench(server, user=user, password=f"env:{password}")
        with pytest.raises(BackendError) as caught:
            await bench.adapter.observe()
        assert caught.value.kind is kind
        assert password not in str(caught.value)
        await bench.adapter.close()
    bench = NatsBench(server, user="reader", password="env:secret")
    rows = {row.what: row for row in await bench.adapter.check()}
    assert rows["list"].ok
    assert (rows["pause"].ok, rows["park"].ok) == (False, False)
    assert "may not" in rows["pause"].words
    await bench.adapter.close()


@pytest.mark.usefixtures("nats")
async def test_a_token_opens_the_door_and_a_server_without_jetstream_says_so(nursery: Nursery) -> None:
    bare = start_nats(nursery, jetstream=False, authorization={"token": "open"})
    bench = NatsBench(bare, token="env:open")
    with pytest.raises(BackendError) as caught:
        await bench.adapter.observe()
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert "JetStream" in str(caught.value)
    await bench.adapter.close()


async def test_a_server_without_tls_is_not_asked_where_tls_is_wanted(bench: NatsBench) -> None:
    wary = NatsBench(bench.server, urls=[bench.server.url.replace("nats:", "tls:")])
    with pytest.raises(BackendError) as caught:
        await wary.adapter.observe()
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert "TLS" in str(caught.value)
    await wary.adapter.close()


async def test_a_server_that_is_gone_is_unreachable_proves_nothing_and_comes_back(bench: NatsBench) -> None:
    plan = await bench.plan(JOBS, Pause())
    bench.server.kill()
    for call in (bench.adapter.observe(), bench.adapter.execute(plan.steps[0])):
        with pytest.raises(BackendError) as caught:
            await call
        assert caught.value.kind is ErrorKind.UNREACHABLE
    assert await bench.holds(plan) is None
    assert any(row.ok is False for row in await bench.adapter.check())
    await asyncio.to_thread(bench.server.start)
    assert (await bench.queue(JOBS)).depth == 0

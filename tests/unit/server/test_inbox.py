"""A console that reads slowly gets everything, merged, and costs a bounded amount of memory."""

import asyncio
from contextlib import aclosing

import pytest

from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Observation, Source, Traffic
from console.domain.refs import Kind, Ref
from console.domain.wire import HEARTBEAT_S, Change, Heartbeat, LogKind, Snapshot
from console.engine.clock import ManualClock
from console.engine.store import Store
from console.server import inbox as inbox_module
from console.server.inbox import Inbox


class World:
    """A store and something that changes in it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = Store("test", self.clock)
        self.inbox = Inbox(self.store, self.clock)
        self.rate = 0.0

    def look(self, *names: str) -> None:
        """One poll that sees a deployment of each name, all with a new rate."""
        self.rate += 1.0
        now = self.clock.now()
        source = Source(
            ref=Ref("gw", Kind.SOURCE, "gw"),
            observed_at=now,
            last_ok_at=now,
            adapter="a",
            freshness=Freshness.FRESH,
            interval_s=1.0,
        )
        seen = tuple(
            Deployment(
                ref=Ref("gw", Kind.DEPLOYMENT, name),
                observed_at=now,
                provider="p",
                model="m",
                traffic=Traffic(window_s=60, requests_per_min=self.rate),
            )
            for name in names
        )
        self.store.observe(source, Observation(observed_at=now, readings=seen))


@pytest.fixture
def world() -> World:
    return World()


async def test_a_snapshot_comes_first_and_then_each_change(world: World) -> None:
    world.look("a")
    async with aclosing(world.inbox.events()) as events:
        first = await anext(events)
        assert isinstance(first, Snapshot)
        assert len(first.readings) == 2
        world.look("a")
        second = await anext(events)
        assert isinstance(second, Change)
        assert second.seq == first.seq + 1


async def test_a_slow_reader_gets_one_change_that_says_it_all(world: World) -> None:
    mirror = Board()
    async with aclosing(world.inbox.events()) as events:
        mirror.apply(await anext(events))
        for step in range(300):
            world.look("a", "b" if step % 2 else "c")
            world.store.say(LogKind.ENGINE, f"line {step}")
        assert world.inbox.pending <= 5
        mirror.apply(await anext(events))
    board = world.store.board
    assert mirror.seq == board.seq
    assert mirror.readings == board.readings
    assert mirror.observed == board.observed
    assert mirror.log == board.log


async def test_a_reader_that_stands_still_is_given_up_and_gets_a_snapshot_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "RESYNC_AT", 10)
    mirror = Board()
    async with aclosing(world.inbox.events()) as events:
        mirror.apply(await anext(events))
        for step in range(100):
            world.look(f"name-{step}")
            assert world.inbox.pending <= 12
        late = await anext(events)
        assert isinstance(late, Snapshot)
        mirror.apply(late)
    assert mirror.readings == world.store.board.readings


async def test_merging_for_nobody_ends(world: World) -> None:
    async with aclosing(world.inbox.events()) as events:
        await anext(events)
        for _ in range(inbox_module.RESYNC_AFTER + 1):
            world.look("a")
        assert world.inbox.pending == 0
        assert isinstance(await anext(events), Snapshot)


async def test_nothing_new_is_said_by_a_heartbeat_in_time(world: World) -> None:
    world.look("a")
    async with aclosing(world.inbox.events()) as events:
        await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await world.clock.advance(HEARTBEAT_S)
        beat = await asyncio.wait_for(waiting, 5)
        assert isinstance(beat, Heartbeat)
        assert beat.observed == world.store.board.observed


async def test_closing_ends_the_stream_after_the_last_word(world: World) -> None:
    async with aclosing(world.inbox.events()) as events:
        await anext(events)
        world.store.say(LogKind.ENGINE, "the last word")
        world.inbox.close()
        last = await anext(events)
        assert isinstance(last, Change)
        assert last.log[0].words == "the last word"
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    world.look("a")
    assert world.inbox.pending == 0

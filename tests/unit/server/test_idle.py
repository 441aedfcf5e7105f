"""When an engine goes: nobody attached, nothing pending, no call under way."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import msgspec

from console.domain.actions import Intent, Outcome, Receipt, Stage, Trip
from console.domain.refs import Ref
from console.server.idle import LAST_CALLS_S, idle, settled
from tests.unit.server.engines import OWNER, engine

TARGET = Ref.parse("world:deployment/chat-openai")


def receipt(stage: Stage) -> Receipt:
    return Receipt(
        id="a",
        intent=Intent(target=TARGET, action=Trip()),
        operator="olga",
        stage=stage,
        outcome=Outcome.APPLIED,
        started_at=0.0,
        updated_at=0.0,
    )


async def test_idle_counts_from_the_last_one_who_was_there(tmp_path: Path) -> None:
    async with engine(tmp_path, idle_exit=10.0) as (door, _, clock):
        waiting = asyncio.create_task(idle(door))
        async with aclosing(door.for_peer(OWNER).events()) as events:
            await anext(events)
            await clock.advance(60)
            assert not waiting.done()
        await clock.advance(9)
        await door.for_peer(OWNER).hello()
        await clock.advance(9)
        assert not waiting.done()
        await clock.advance(3)
        assert waiting.done()


async def test_a_call_that_has_begun_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    async with engine(tmp_path) as (_, runtime, clock):
        await settled(runtime)
        runtime.store.publish(receipts=[receipt(Stage.EXECUTING)])
        waiting = asyncio.create_task(settled(runtime))
        await clock.advance(1)
        assert not waiting.done()
        runtime.store.publish(receipts=[receipt(Stage.VERIFYING)])
        await clock.advance(1)
        assert waiting.done()
        runtime.store.publish(receipts=[receipt(Stage.CONFIRMED)])
        waiting = asyncio.create_task(settled(runtime))
        await clock.advance(LAST_CALLS_S + 1)
        assert waiting.done()


async def test_what_lasts_is_not_waited_for(tmp_path: Path) -> None:
    async with engine(tmp_path) as (_, runtime, clock):
        moving = msgspec.structs.replace(receipt(Stage.EXECUTING), outcome=Outcome.CONVERGING)
        runtime.store.publish(receipts=[moving])
        waiting = asyncio.create_task(settled(runtime))
        await clock.advance(0.1)
        assert waiting.done()

"""One round: a queue with a producer and a worker, one action on it, and something that is killed at some instant.

What was killed is started again, the end is waited for, and then every message is looked for by its id.
"""

import asyncio
import json
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiormq
from aiormq.abc import DeliveredMessage

from adapters.rabbitmq.exports import read_export
from console.domain.actions import Action, Outcome, OverrideState, Receipt, Stage
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Isolate, Park, Pause, Purge, Replay, Requeue, Verb
from tests.real.operator import Operator
from tests.real.rabbit_bench import drained
from tests.real.stack.processes import Child
from tests.real.stack.rabbitmq import RabbitServer
from tests.real.stack.switchgear import Home
from tests.real.terminal import Terminal
from tests.real.test_console import DOWN, ENTER, confirm, console

TARGET = Ref("jobs", Kind.QUEUE, "orders")
DEAD = "dead-letters"
HOLDING = tuple(f"switchgear.{hold}.orders" for hold in ("parked", "paused", "retries"))
VICTIMS = ("broker", "engine", "console", "all")
PRODUCED_PER_S = 100
WORK_S = 0.02
"""Seconds that the worker needs for a message: it does half of what comes in."""
RATE = 5_000.0
"""Messages a second of what is asked for with a rate, so that it takes as long as the rest."""
PAUSED_S = 12.0
_ACTIONS: dict[Verb, Action] = {
    Verb.PARK: Park(), Verb.PAUSE: Pause(), Verb.REPLAY: Replay(per_s=RATE), Verb.REQUEUE: Requeue(per_s=RATE),
    Verb.ISOLATE: Isolate(), Verb.PURGE: Purge(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Round:
    """What is done, and what is killed when."""

    verb: Verb
    victim: str
    kind: str
    messages: int
    after_s: float
    """Seconds from the operator's yes to the kill."""
    away_s: float
    """Seconds until what was killed is started again."""

    @classmethod
    def drawn(cls, random: Random, verb: Verb, victim: str, most: int = 30_000) -> "Round":
        """A round at an instant that chance chooses."""
        kind = "classic" if verb is Verb.ISOLATE else random.choice(("classic", "quorum"))
        messages = random.randrange(most // 3, most)
        return cls(verb, victim, kind, messages, round(random.uniform(0, 3), 2), round(random.uniform(0, 3), 2))

    @property
    def begins_in(self) -> str:
        """The queue in which its messages lie at the beginning."""
        return {Verb.REPLAY: HOLDING[0], Verb.REQUEUE: DEAD}.get(self.verb, TARGET.name)

    def kills(self, what: str) -> bool:
        """Whether this one is killed."""
        return self.victim in (what, "all")


@dataclass(slots=True)
class Ledger:
    """What producer and worker know, by message id."""

    sent: set[str] = field(default_factory=set)
    """Confirmed by the broker: these have to be found again."""
    unsure: set[str] = field(default_factory=set)
    """Sent, and the broker died before it confirmed them."""
    done: "Counter[str]" = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a round."""

    lost: set[str]
    twice: int
    """Messages that lie somewhere, or were worked on, once more than they should."""
    said: int
    """How many the plan said might come twice, given what was killed."""
    where: dict[str, int]
    receipt: Receipt | None
    """None when the yes had not been taken by then."""
    untrue: list[str]
    """What was told and is not so."""


async def play(server: RabbitServer, home: Home, plan: Round) -> Found:
    """Play a round to its end; the broker is empty before, and the engine ended after it."""
    ledger = Ledger()
    await _furnish(server, plan, ledger)
    engine = await asyncio.to_thread(home.start_engine)
    operator = Operator(home)
    await operator.board(lambda board: _able(board.readings.get(TARGET), plan.verb))
    async with _traffic(server, ledger) as stop:
        terminal = await asyncio.to_thread(_at_queue, home)
        try:
            proposal = await operator.propose(TARGET, _ACTIONS[plan.verb], PAUSED_S)
            assert proposal.plan is not None, proposal.verdict
            assert _said(proposal.plan.notes), "a crash may bring messages twice, and the plan does not say so"
            notes = proposal.plan.notes
            yes = asyncio.create_task(_say_yes(operator, terminal, plan))
            await asyncio.wait([yes], timeout=plan.after_s if plan.verb is not Verb.PARK else None)
            if plan.verb is Verb.PARK:
                await asyncio.sleep(plan.after_s)
            await _kill(server, home, plan, engine, terminal)
            if plan.kills("console"):
                terminal = await asyncio.to_thread(console, home)
            with suppress(Exception):  # the engine may have died before it answered
                await yes
            receipt = await _over(operator)
            await stop()
            untrue = await _untrue(server, home, operator, plan, receipt)
        finally:
            terminal.kill()
    await asyncio.to_thread(home.end_engine)
    where = {"done": ledger.done, **await _everywhere(server), "file": _files(home)}
    return _found(plan, ledger, where, receipt, untrue, notes)


async def _furnish(server: RabbitServer, plan: Round, ledger: Ledger) -> None:
    """The queues, and the messages that lie there at the beginning."""
    dead: dict[str, Any] = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": DEAD}
    server.declare(DEAD)
    server.declare(TARGET.name, x_queue_type=plan.kind, **dead)
    if plan.verb is Verb.REPLAY:
        server.declare(HOLDING[0], x_queue_type=plan.kind)
        if plan.kind == "quorum":
            await asyncio.sleep(2)
    ids = [f"first-{number:06d}" for number in range(plan.messages)]
    third = plan.messages // 3
    await server.publish(plan.begins_in, (one.encode() for one in ids[third:]))
    await server.publish(plan.begins_in, (one.encode() for one in ids[:third]), headers={"retries": 1})
    ledger.sent.update(ids)


def _able(reading: object, verb: Verb) -> bool:
    return isinstance(reading, Queue) and any(one.able for one in reading.can if one.verb is verb)


def _at_queue(home: Home) -> Terminal:
    """A console with its cursor on the queue."""
    terminal = console(home)
    terminal.wait_for("Overview")
    terminal.press("5")
    terminal.wait_for("in flight", TARGET.name)
    terminal.press("/", *TARGET.name, ENTER)
    terminal.wait_for(f"/{TARGET.name}")
    terminal.press(DOWN)
    return terminal


async def _say_yes(operator: Operator, terminal: Terminal, plan: Round) -> None:
    """Parks by keys, as an operator does; the others at the socket."""
    if plan.verb is Verb.PARK:
        await asyncio.to_thread(_park_by_keys, terminal)
    else:
        await operator.confirm(await operator.propose(TARGET, _ACTIONS[plan.verb], PAUSED_S))


def _park_by_keys(terminal: Terminal) -> None:
    terminal.press("d")
    terminal.wait_for("workers finish", "set aside")
    terminal.press(DOWN, ENTER)
    confirm(terminal, "Park")


async def _kill(server: RabbitServer, home: Home, plan: Round, engine: Child, terminal: Terminal) -> None:
    """Kill what the round says, and start it again."""
    if plan.kills("broker"):
        server.kill()
    if plan.kills("engine"):
        engine.kill()
    if plan.kills("console"):
        terminal.kill()
    await asyncio.sleep(plan.away_s)
    if plan.kills("engine"):
        await asyncio.to_thread(home.engine_again)
    if plan.kills("broker"):
        await asyncio.to_thread(server.start)


async def _over(operator: Operator) -> Receipt | None:
    """The action's last receipt, once nothing more will be done and no pause is left; None when there never was one."""
    board = await operator.board(lambda board: TARGET in board.readings, 60)
    found = [one for one in board.receipts.values() if one.intent.target == TARGET and one.operator != "expiry"]
    if not found:
        return None
    receipt = await operator.until(found[0].id, lambda one: one.stage is Stage.DONE, 150)
    if receipt.intent.action.verb is Verb.PAUSE:
        await operator.board(lambda board: not board.overrides, 90)
        return await operator.until(receipt.id, lambda one: one.outcome is Outcome.REVERTED, 10)
    return receipt


async def _untrue(
    server: RabbitServer, home: Home, operator: Operator, plan: Round, receipt: Receipt | None
) -> list[str]:
    """What Switchgear says and the broker does not."""
    wrong: list[str] = []
    depths = {one: await _count(server, one) for one in (TARGET.name, DEAD, *HOLDING)}
    parked = sum(depths[hold] for hold in HOLDING)

    def same(board: Any) -> bool:
        queue = board.readings.get(TARGET)
        return isinstance(queue, Queue) and (queue.depth, queue.parked or 0) == (depths[TARGET.name], parked)

    try:
        board = await operator.board(same, 20)
    except AssertionError as error:
        return [f"the board does not come to {depths}: {error}"]
    status = _run(home, "status", home.name, "--json")
    told = json.loads(status.stdout)
    shown = next(one for one in told["queues"] if one["ref"]["name"] == TARGET.name)
    if (shown["depth"], shown["parked"]) != (depths[TARGET.name], parked):
        wrong.append(f"status tells {shown['depth']} and {shown['parked']}, there are {depths}")
    if (audit := _run(home, "audit", "-e", home.name, "verify")).returncode:
        wrong.append(f"audit verify: {audit.stdout}{audit.stderr}")
    if open_ones := [one for one in board.receipts.values() if one.stage is not Stage.DONE]:
        wrong.append(f"still open: {open_ones}")
    if shovels := [one["name"] for one in server.call("GET", "parameters/shovel")]:
        wrong.append(f"left at the broker: {shovels}")
    overrides = [one for one in told["overrides"] if one["state"] == OverrideState.ACTIVE]
    if len(overrides) != (parked > 0 and receipt is not None):
        wrong.append(f"{parked} are set aside, and the overrides are {overrides}")
    if receipt is not None:
        wrong += _untrue_receipt(plan, receipt, depths)
    return wrong


def _untrue_receipt(plan: Round, receipt: Receipt, depths: dict[str, int]) -> list[str]:
    """What the receipt says of how many were moved."""
    held = {Verb.PARK: depths[HOLDING[0]], Verb.ISOLATE: depths[HOLDING[2]]}.get(plan.verb)
    if receipt.outcome != ("reverted" if plan.verb is Verb.PAUSE else "verified"):
        return [f"{receipt.outcome}: {receipt.words} {receipt.failure}"]
    done = receipt.progress.done if receipt.progress is not None else None
    if held is not None and (done is None or (done != held if not plan.kills("broker") else done > held)):
        return [f"the receipt says {receipt.words} ({done}), and {held} are set aside"]
    return []


def _run(home: Home, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*home.command(), *words], env=home.environment(), capture_output=True, text=True, check=False
    )


async def _count(server: RabbitServer, queue: str) -> int:
    with suppress(aiormq.AMQPError):
        return await server.count(queue)
    return 0


async def _everywhere(server: RabbitServer) -> "dict[str, Counter[str]]":
    """Which messages are in which queue, by id; they are empty afterwards."""
    names = [one["name"] for one in server.call("GET", "queues?disable_stats=true")]
    return {name: Counter(one.body.decode() for one in await drained(server, name)) for name in names}


def _files(home: Home) -> "Counter[str]":
    """The messages that were written to files."""
    files: list[Path] = [file for file in home.folder.rglob("*.jsonl") if file.stat().st_size]
    return Counter(one.body.decode() for file in files for one in read_export(file))


def _found(
    plan: Round, ledger: Ledger, where: "dict[str, Counter[str]]", receipt: Receipt | None, untrue: list[str],
    notes: tuple[str, ...],
) -> Found:  # fmt: skip
    everywhere = sum(where.values(), Counter[str]())
    strange = set(everywhere) - ledger.sent - ledger.unsure
    assert not strange, f"nobody sent {sorted(strange)[:5]}"
    return Found(
        lost=ledger.sent - set(everywhere),
        twice=everywhere.total() - len(everywhere),
        said=_said(notes) if plan.victim != "console" or plan.verb is Verb.PAUSE else 0,
        where={name: count.total() for name, count in where.items() if count},
        receipt=receipt,
        untrue=untrue,
    )


def _said(notes: tuple[str, ...]) -> int:
    """The most that a plan's notes say of messages that may come twice."""
    said = [re.search(r"up to ([\d,]+)", note) for note in notes if "twice" in note or "both" in note]
    return max((int(one[1].replace(",", "")) for one in said if one), default=0)


@asynccontextmanager
async def _traffic(server: RabbitServer, ledger: Ledger) -> AsyncIterator[Any]:
    """A producer and a worker that connect again whenever they have to; yields what ends them, with nothing in hand."""
    ending = asyncio.Event()
    tasks = [asyncio.create_task(_produce(server, ledger, ending)), asyncio.create_task(_work(server, ledger, ending))]

    async def stop() -> None:
        ending.set()
        await asyncio.wait(tasks, timeout=10)
        await asyncio.sleep(1)  # until what the worker gave back is counted as waiting

    try:
        yield stop
    finally:
        ending.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _produce(server: RabbitServer, ledger: Ledger, ending: asyncio.Event) -> None:
    number = 0
    while not ending.is_set():
        with suppress(aiormq.AMQPError, OSError, TimeoutError):
            async with server.channel() as channel:
                while not ending.is_set():
                    number += 1
                    one = f"later-{number:06d}"
                    about = aiormq.spec.Basic.Properties(delivery_mode=2, message_id=one)
                    ledger.unsure.add(one)
                    async with asyncio.timeout(5):
                        await channel.basic_publish(one.encode(), routing_key=TARGET.name, properties=about)
                    ledger.unsure.discard(one)
                    ledger.sent.add(one)
                    await asyncio.sleep(1 / PRODUCED_PER_S)
        await asyncio.sleep(0.3)


async def _work(server: RabbitServer, ledger: Ledger, ending: asyncio.Event) -> None:
    while not ending.is_set():
        with suppress(aiormq.AMQPError, OSError, TimeoutError):
            async with server.channel(prefetch=10) as channel:
                waiting: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
                await channel.basic_consume(TARGET.name, waiting.put)
                while not ending.is_set() and not channel.is_closed:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.5):
                            message = await waiting.get()
                        await asyncio.sleep(WORK_S)
                        await channel.basic_ack(message.delivery_tag or 0)
                        ledger.done[message.body.decode()] += 1
        await asyncio.sleep(0.3)

"""One round: a runbook is followed on real gateways and a real broker by an engine that is killed at some instant.

The engine that is started after it goes on. Whoever follows the run only says yes, and what is asked for. In the end
every change that came to a backend is counted at its door, and every message is looked for.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from console.control.rows import Confirmed
from console.domain.actions import Outcome, Receipt, Stage
from console.domain.errors import EngineLost
from console.domain.readings import Deployment, Queue
from console.domain.refs import Kind, Ref
from console.domain.runbooks import Run, RunCommand, RunOrder, RunState, StartRun, StepState
from console.domain.wire import AuditQuery
from tests.real.mortal_engine import VARIABLE
from tests.real.mortal_runner import lines_of
from tests.real.operator import Operator, deployment
from tests.real.stack.cache import PROJECT
from tests.real.stack.processes import StartError
from tests.real.stack.rabbitmq import CONSOLE, RabbitServer
from tests.real.stack.relay import Relay, relaying
from tests.real.stack.switchgear import BROKER_VARIABLE, Home
from tests.real.stack.testbed import Testbed
from tests.real.truth import alias, weight

MESSAGES = 40
QUEUE = "orders"
JOBS = Ref("jobs", Kind.QUEUE, QUEUE)
LIMIT_S = 120.0
"""How long a run may take …"""
LIFE_S = 15.0
"""… and how much longer for each engine that dies in it."""

BOOK = """\
schemaVersion: 1
id: drill
title: A drill that is undone
preconditions:
  - condition: weight("openai-a") > 0
steps:
  - id: weigh
    action: {verb: weight, target: deployment/openai-a, weight: 1, ttl: 10m}
    confirm: never
    verify: {successCondition: weight("openai-a") == 1, interval: 1s}
  - id: breathe
    wait: {for: 1s}
  - id: park
    action: {verb: park, target: queue/orders}
  - id: parked
    wait: {until: parked("orders") > 0, interval: 1s}
    timeout: 60s
  - id: switch
    action: {verb: switch, target: route/gpt-main, to: backup, ttl: 10m}
    confirm: never
  - id: empty
    check: parked("orders") == 0
    onFailure: rollback
"""
"""Its last check is wrong, because of what its own third step did: everything is put back."""

GATEWAY_CHANGES = 4
"""What a run nobody disturbs asks of the gateway: a weight, an alias, and both back."""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Where engines die, each at the first of these that it comes to."""

    instants: tuple[str, ...] = ()
    """Durable writes, as `mortal_runner` names or numbers them; each once."""
    left: tuple[int, ...] = ()
    """The numbers of changes at a backend's door, those asked for again not counted, that are not passed on yet …"""
    answered: tuple[int, ...] = ()
    """… and of those whose answer is not brought back yet. None is in both: the first has killed who could read it."""

    def __len__(self) -> int:
        return len(self.instants) + len(self.left) + len(self.answered)

    def __str__(self) -> str:
        changes = f"{len(self.left)} left {self.left[:2]}, {len(self.answered)} answered {self.answered[:2]}"
        return f"{len(self.instants)} writes {self.instants[:2]}, {changes}"


@dataclass(slots=True)
class Found:
    """What came of a round."""

    run: Run
    died: list[str]
    """Where engines died."""
    trail: list[str]
    """The instants that the mortal engines reached."""
    gateway: list[str]
    broker: list[str]
    """The changes that came to each."""
    receipts: dict[str, list[Receipt]] = field(default_factory=dict)
    """Key → the last receipt of each action that was confirmed under it."""
    untrue: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Drill:
    """The place in which a round is played."""

    def __init__(self, testbed: Testbed, broker: RabbitServer, gateway: Relay, jobs: Relay, name: str) -> None:
        self.testbed, self.broker, self.relays = testbed, broker, (gateway, jobs)
        options = {
            "urls": [jobs.url], "user": CONSOLE[0], "password": f"env:{BROKER_VARIABLE}", "amqp": broker.amqp,
            "replay_per_s": 20_000,
        }  # fmt: skip
        books = testbed.nursery.folder / "books"
        books.mkdir(exist_ok=True)
        (books / "drill.yaml").write_text(BOOK)
        source = {"adapter": "rabbitmq", "interval": "2s", "timeout": "1.8s", "options": options}
        self.home = Home(testbed, name, replicas=(gateway.url,), sources={"jobs": source}, runbooks=[str(books)])
        self._dooms = self.home.folder / "dooms"
        self._killed = 0

    def doom(self, deaths: Deaths) -> None:
        """Say where engines have to die."""
        self._dooms.write_text("\n".join(deaths.instants))
        met: dict[str, list[str]] = {"left": [], "answered": []}
        wanted = {"left": deaths.left, "answered": deaths.answered}

        def strike(relay: Relay, moment: str) -> None:
            change = relay.changes[-1]
            if change in met[moment]:
                return
            met[moment].append(change)
            if len(met[moment]) - 1 in wanted[moment]:
                self._note(f"{moment}: {change}")
                self.engine.kill()

        for relay in self.relays:
            relay.on_change = partial(strike, relay)

    def start(self) -> None:
        """The next engine: a mortal one as long as there is a write to die at, then the one that is shipped."""
        if not self._dooms.read_text():
            self.engine = self.home.start_engine()
            return
        command = [sys.executable, "-m", "tests.real.mortal_runner", self.home.name]
        env = self.home.environment() | {VARIABLE: str(self._dooms)}
        self.engine = self.testbed.nursery.spawn(
            f"mortal-{self.home.name}", command, env=env, cwd=PROJECT, orderly=True
        )
        try:
            self.engine.wait_until(lambda: self.home.listens, 30)
        except StartError:
            if len(self.died) == self._killed:
                raise
            self.start_again()  # it came to its instant before it listened

    def start_again(self) -> None:
        """The next engine, after one that was killed.

        Raises:
            AssertionError: it ended otherwise.
        """
        self.engine.process.wait(10)
        self._killed += 1
        assert len(self.died) == self._killed, f"an engine ended by itself: {self.engine.log_tail()}"
        self.start()

    @property
    def died(self) -> list[str]:
        """Where engines died so far."""
        return lines_of(self._dooms.with_suffix(".died"))

    @property
    def trail(self) -> list[str]:
        """What mortal engines reached so far."""
        return lines_of(self._dooms.with_suffix(".trail"))

    def _note(self, words: str) -> None:
        with self._dooms.with_suffix(".died").open("a") as died:
            died.write(f"{words}\n")


@asynccontextmanager
async def drilling(testbed: Testbed, broker: RabbitServer, name: str) -> AsyncIterator[Drill]:
    """A drill with a relay before each backend."""
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(relaying(testbed.first.url))
        jobs = await stack.enter_async_context(relaying(broker.url))
        yield Drill(testbed, broker, gateway, jobs, name)


async def play(testbed: Testbed, broker: RabbitServer, deaths: Deaths, name: str) -> Found:
    """Play one round to its end. The gateways are as they were seeded, the broker is empty."""
    began, limit_s = time.monotonic(), LIMIT_S + LIFE_S * len(deaths)
    broker.declare(QUEUE)
    await broker.publish(QUEUE, (f"order-{number:03d}".encode() for number in range(MESSAGES)))
    async with drilling(testbed, broker, name) as drill:
        drill.doom(deaths)
        await asyncio.to_thread(drill.start)
        operator = Operator(drill.home)
        try:
            async with asyncio.timeout(limit_s):
                run = await _followed(drill, operator)
            gateway, jobs = (list(relay.changes) for relay in drill.relays)
            found = Found(run, drill.died, drill.trail, gateway, jobs)
            found.receipts = await _receipts(operator)
            found.untrue = await _untrue(drill, operator, found)
        finally:
            await asyncio.to_thread(drill.engine.stop)
    found.untrue += await _messages(broker)
    found.seconds = time.monotonic() - began
    return found


async def _followed(drill: Drill, operator: Operator) -> Run:
    """The run when it is over, through however many engines."""
    while True:
        try:
            await operator.board(_seen)
            run = await operator.client.start_run(StartRun(runbook="drill", request="round"))
            return await _to_its_end(operator, run.id)
        except EngineLost:
            await asyncio.to_thread(drill.start_again)


def _seen(board: Any) -> bool:
    queue, gateway = board.readings.get(JOBS), board.readings.get(deployment("openai-a"))
    return isinstance(queue, Queue) and queue.depth is not None and isinstance(gateway, Deployment)


async def _to_its_end(operator: Operator, run_id: str) -> Run:
    """Say yes where a yes is awaited, until it is over; it never needs anything else."""
    while not (run := await operator.client.run(run_id)).state.over:
        step = run.step(run.current)
        assert run.state is not RunState.PAUSED, f"paused at {run.current}: {run.words} ({step})"
        if step is not None and step.state is StepState.AWAITING_CONFIRM and run.state is RunState.AWAITING:
            target = step.target.name if step.target else ""
            await operator.client.order_run(RunCommand(run=run_id, order=RunOrder.CONFIRM, step=step.id, name=target))
        await asyncio.sleep(0.1)
    return run


async def _receipts(operator: Operator) -> dict[str, list[Receipt]]:
    """What became of each action, by its key; those that go on are waited for."""
    found: dict[str, list[Receipt]] = {}
    for row in await operator.client.audit(AuditQuery(limit=1000)):
        if row.event == "confirmed":
            key = msgspec.json.decode(row.body, type=Confirmed).intent.key
            receipt = await operator.until(row.action_id, lambda one: one.stage is Stage.DONE, 60)
            found.setdefault(key, []).append(receipt)
    return found


async def _untrue(drill: Drill, operator: Operator, found: Found) -> list[str]:
    """What the run, its receipts and the backends do not agree on."""
    wrong = [f"{key!r} was confirmed {len(some)} times" for key, some in found.receipts.items() if len(some) != 1]
    for step in found.run.steps:
        if not step.action_id:
            continue
        receipt = next((one for some in found.receipts.values() for one in some if one.id == step.action_id), None)
        if receipt is None or receipt.outcome not in (Outcome.VERIFIED, Outcome.REVERTED):
            wrong.append(f"{step.id} is {step.state} and its action {receipt}")
    states = {step.id: str(step.state) for step in found.run.steps}
    told = {
        "weigh": "rolled_back",
        "breathe": "succeeded",
        "park": "rolled_back",
        "parked": "succeeded",
        "switch": "rolled_back",
    }
    if found.run.state is not RunState.FAILED or states != told | {"empty": "failed"}:
        wrong.append(f"the run ends as {found.run.state} ({found.run.words}): {states}")
    board = await operator.board()
    if board.overrides:
        wrong.append(f"overrides are left: {list(board.overrides.values())}")
    first = drill.testbed.first
    if (weight("openai-a")(first), alias("gpt-main")(first)) != (3, None):
        wrong.append(f"the gateway has {weight('openai-a')(first)}, {alias('gpt-main')(first)}")
    if shovels := drill.broker.call("GET", "parameters/shovel"):
        wrong.append(f"shovels are left: {shovels}")
    if not (report := await operator.client.verify_audit()).holds:
        wrong.append(report.words)
    return wrong + _counted(found) + await _lines(operator, found.run)


async def _lines(operator: Operator, run: Run) -> list[str]:
    """Changes of the run's states that the audit log lacks, or has twice."""
    async with asyncio.timeout(LIFE_S):
        while True:  # the last of them are written when the run has been over for a moment
            rows = await operator.client.audit(AuditQuery(limit=1000, action_id=run.id))
            bodies = [json.loads(row.body) for row in reversed(rows)]
            lines = [body for body in bodies if "line" in body]
            if lines and lines[-1]["words"].startswith(run.state):
                break
            await asyncio.sleep(0.1)
    numbers = [body["line"] for body in lines]
    return [] if numbers == list(range(len(numbers))) else [f"the audit log has the lines {numbers}"]


def _counted(found: Found) -> list[str]:
    """Changes that came to the gateway more often than once, but for the one during which the engine died."""
    counts = Counter(found.gateway)
    most = {change: 1 + any(died.endswith(change) for died in found.died) for change in counts}
    wrong = [f"{count} times: {change[:200]}" for change, count in counts.items() if count > most[change]]
    if len(counts) != GATEWAY_CHANGES:
        wrong.append(f"the gateway was asked for {len(counts)} different changes: {list(counts)}")
    moves = Counter(one.get("src-queue") for one in map(_shovel, found.broker) if one)
    if set(moves) != {QUEUE, f"switchgear.parked.{QUEUE}"}:
        wrong.append(f"messages were moved out of {dict(moves)}")
    return wrong


def _shovel(change: str) -> dict[str, Any]:
    method, path, body = change.split(" ", 2)
    if method != "PUT" or "/parameters/shovel/" not in path:
        return {}
    value: dict[str, Any] = json.loads(body)["value"]
    return value


async def _messages(broker: RabbitServer) -> list[str]:
    """Messages that are not where they were, or not once."""
    names = [one["name"] for one in broker.call("GET", "queues?disable_stats=true")]
    where = {name: Counter(one.body.decode() for one in await broker.take(name)) for name in names}
    wanted = Counter(f"order-{number:03d}" for number in range(MESSAGES))
    if where.pop(QUEUE, Counter()) != wanted or any(where.values()):
        return [
            f"messages are elsewhere, gone or there twice: { {name: sum(one.values()) for name, one in where.items()} }"
        ]
    return []


def written(found: Found) -> str:
    """A round in a line."""
    return (
        f"{len(found.died)} deaths ({'; '.join(one[:60] for one in found.died)}); {len(found.trail)} instants, "
        f"{len(found.gateway)} + {len(found.broker)} changes, {found.run.state} in {found.seconds:.1f} s"
    )


def where(folder: Path) -> str:
    """A short name for a round's environment."""
    return folder.name.replace("_", "-")[:30]

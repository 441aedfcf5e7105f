"""A broker in memory whose messages are counted one by one, beside the gateway of `backend`.

What moves messages is the broker's own (a shovel): once set going it goes on while no engine is there. The plans are
shaped as a real adapter's are: steps and ways back with every number that they need, and a tidying up.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from console.domain.actions import (
    Effect,
    Expectation,
    ExpiryHome,
    Finish,
    Isolate,
    Park,
    Pause,
    Plan,
    Progress,
    Proof,
    Purge,
    QueueAction,
    Replay,
    Requeue,
    Resume,
    Step,
    Verb,
)
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Clock
from console.domain.readings import Observation, Queue
from console.domain.refs import Kind, Ref
from tests.unit.control.backend import ALL, SOURCE, Backend

JOBS = Ref(SOURCE, Kind.QUEUE, "jobs")
MAIL = Ref(SOURCE, Kind.QUEUE, "mail")


@dataclass(slots=True)
class Shovel:
    """Moves messages from one queue to another until `left` are moved."""

    src: str
    dst: str
    rate: float
    left: int
    since: float


@dataclass(slots=True)
class Counts:
    """What a test looks at."""

    moves: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(shovel, message) → how often it moved it."""
    puts: Counter[str] = field(default_factory=Counter)


class Broker(Backend):
    """Queues `jobs` and `mail`; parked messages lie in `jobs.parked`, what is held back in `jobs.held`."""

    def __init__(self, clock: Clock, waiting: int = 20, rate: float = 5.0) -> None:
        super().__init__(clock, replicas=1)
        self.rate = rate
        self.queues: dict[str, list[int]] = {
            "jobs": [],
            "mail": [],
            "jobs.parked": [],
            "mail.parked": [],
            "dead": [],
            "file": [],
        }
        self.queues["jobs.held"] = []
        self.shovels: dict[str, Shovel] = {}
        self.counts = Counts()
        self.consumers: dict[str, int | None] = {"jobs": 2, "mail": 2}
        self.in_per_min = 0.0
        self.full: dict[str, int] = {}
        """How many messages a queue takes, where it has a limit."""
        self.away: list[Exception] = []
        """Raised by the next looks of a carried step, one each."""
        self.uncountable = False
        self.stubborn = False
        """Whether a carried step goes on when it is told to let go."""
        self.slow_s = 0.0
        """How long every call takes."""
        self.instant: Callable[[], None] = lambda: None
        """Called around everything that has an effect, and at every look of a carried step."""
        self.published = 0
        """How many messages were published; they are numbered from 1 on."""
        self._started: dict[str, int] = {}
        self.state |= {("jobs", "diverted"): False, ("mail", "diverted"): False}
        self._seen = {name: dict(self.state) for name in self.replicas}
        for _ in range(waiting):
            self.publish()

    # ---- what happens by itself

    def publish(self, queue: str = "jobs") -> int:
        """One more message."""
        self.settle()
        self.published += 1
        self.queues["jobs.held" if self.state.get((queue, "diverted")) else queue].append(self.published)
        return self.published

    def settle(self) -> None:
        """Let every shovel move what it has had the time for."""
        for name, shovel in self.shovels.items():
            due = int(shovel.rate * (self.clock.now() - shovel.since) + 1e-6)
            shovel.since += due / shovel.rate
            room = self.full.get(shovel.dst, 1_000_000) - len(self.queues[shovel.dst])
            for _ in range(min(due, shovel.left, room, len(self.queues[shovel.src]))):
                message = self.queues[shovel.src].pop(0)
                self.queues[shovel.dst].append(message)
                self.counts.moves[name, message] += 1
                shovel.left -= 1

    def waiting(self, queue: str) -> int:
        self.settle()
        return len(self.queues[queue])

    # ---- observing

    async def observe(self) -> Observation:
        seen = await super().observe()
        queues = tuple(
            Queue(
                ref=ref, observed_at=self.clock.now(), can=ALL, depth=self.waiting(ref.name), in_flight=0,
                consumers=self.consumers[ref.name], in_per_min=self.in_per_min, out_per_min=0.0,
                parked=self.waiting(f"{ref.name}.parked"), paused=bool(self.state[ref.name, "diverted"]),
            )
            for ref in (JOBS, MAIL)
        )  # fmt: skip
        return Observation(observed_at=seen.observed_at, readings=(*seen.readings, *queues))

    # ---- planning

    async def plan_queue(self, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
        name, parking = target.name, f"{target.name}.parked"
        ready, parked = self.waiting(name), self.waiting(parked_name(name))
        declare = self._step(target, "declare", "parking", True, True)
        back = self._move(f"{name}.back", parking, name, parked, None)
        match action:
            case Park() | Isolate():
                move = self._move(f"{name}.park", name, parking, parked, ready)
                seal = (self._step(target, "seal", "sealed", True, True),) if isinstance(action, Isolate) else ()
                return self._queue_plan(
                    target, action, (declare, move, *seal), (back,),
                    expects={"parked_min": parked + ready}, undo_expects={"parked_max": parked},
                )  # fmt: skip
            case Replay():
                move = self._move(f"{name}.back", parking, name, 0, None)
                return self._queue_plan(target, action, (move,), (), {"parked_max": 0})
            case Requeue():
                move = self._move(f"{name}.requeue", "dead", name, 0, None)
                return self._queue_plan(target, action, (move,), (), {"dead_max": 0})
            case Purge():
                move = self._move(f"{name}.purge", name, "file", len(self.queues["file"]), ready)
                return self._queue_plan(target, action, (move,), (), {})
            case Pause() | Finish():
                divert = self._step(target, "divert", "diverted", True, True)
                finish = self._move(f"{name}.finish", name, "jobs.done", 0, ready)
                steps = (divert, finish) if isinstance(action, Finish) else (divert,)
                undo = (
                    self._step(target, "un-divert", "diverted", False, True),
                    self._move(f"{name}.unhold", "jobs.held", name, 0, None),
                )
                wanted = {"diverted": True}
                return self._queue_plan(target, action, steps, undo, wanted, {"diverted": False, "held_max": 0})
            case Resume():
                undo = (
                    self._step(target, "un-divert", "diverted", False, True),
                    self._move(f"{name}.unhold", "jobs.held", name, 0, None),
                )
                return self._queue_plan(target, action, undo, (), {"diverted": False, "held_max": 0})
            case _:
                raise BackendError(ErrorKind.UNSUPPORTED, f"no {action.verb} here")

    def _queue_plan(
        self,
        target: Ref,
        action: QueueAction,
        steps: tuple[Step, ...],
        undo: tuple[Step, ...],
        expects: dict[str, Any],
        undo_expects: dict[str, Any] | None = None,
    ) -> Plan:
        shovels = sorted({step.args["shovel"] for step in (*steps, *undo) if step.lasting})
        held = action.verb in (Verb.PAUSE, Verb.FINISH)
        diverted = bool(self.state[target.name, "diverted"])
        after = held or (diverted and action.verb is not Verb.RESUME)
        return Plan(
            target=target, verb=action.verb, steps=steps, undo=undo,
            expects=tuple(Expectation(ref=target, field=f, value=v) for f, v in expects.items()),
            undo_expects=tuple(Expectation(ref=target, field=f, value=v) for f, v in (undo_expects or {}).items()),
            before={"diverted": diverted}, after={"diverted": after}, generation=f"{target.name} exists",
            replicas=tuple(self.replicas), converge_s=5.0,
            expiry_home=ExpiryHome.ENGINE if held else ExpiryHome.NOBODY, words=f"{action.verb} {target.name}",
            tidy=tuple(Step(op="unshovel", args={"shovel": s}, words=f"delete {s}") for s in shovels),
            effects=(Effect(label="moved", before=0, after=float(self.waiting(target.name)), unit="messages"),),
        )  # fmt: skip

    def _move(self, shovel: str, src: str, dst: str, base: int, total: int | None) -> Step:
        """Move `total` messages (counted in `dst` from `base` on), or without it all but `base` of them."""
        args = {"shovel": shovel, "src": src, "dst": dst, "base": base, "total": total}
        return Step(op="shovel", args=args, words=f"shovel {src} to {dst}", lasting=True)

    def _generation(self, target: Ref, before: dict[str, Any]) -> str:
        return f"{target.name} exists" if target.kind is Kind.QUEUE else super()._generation(target, before)

    # ---- acting

    def _take_effect(self, step: Step) -> None:
        self.settle()
        if step.op == "unshovel":
            self.shovels.pop(step.args["shovel"], None)
            self.effects[step.words] += 1
        else:
            super()._take_effect(step)

    async def execute(self, step: Step) -> None:
        await self.clock.sleep(self.slow_s)
        await super().execute(step)

    async def count(self, step: Step) -> Progress:
        if self.uncountable:
            raise BackendError(ErrorKind.UNREACHABLE, "nobody answers")
        return self._progress(step)

    def _progress(self, step: Step) -> Progress:
        args = step.args
        src, dst = self.waiting(args["src"]), len(self.queues.setdefault(args["dst"], []))
        if args["total"] is not None:
            return Progress(done=dst - args["base"], total=args["total"])
        started = self._started.get(args["shovel"], src)
        return Progress(done=started - src, total=started - args["base"])

    async def carry(self, step: Step, tell: Callable[[Progress], None]) -> None:
        self.calls.append(f"carry {step.words}")
        args, name = step.args, step.args["shovel"]
        while True:
            self.instant()
            if self.away:
                raise self.away.pop(0)
            if args["total"] is None and name not in self.shovels:
                self._started[name] = max(self.waiting(args["src"]), self._started.get(name, 0))
            progress = self._progress(step)
            tell(progress)
            left = (progress.total or 0) - progress.done
            if left <= 0:
                break
            if name not in self.shovels:
                self.instant()
                rate = self.rate
                self.shovels[name] = Shovel(args["src"], args["dst"], rate, left, self.clock.now())
                self.counts.puts[name] += 1
                self.instant()
            elif len(self.queues[args["dst"]]) >= self.full.get(args["dst"], 1_000_000):
                raise BackendError(ErrorKind.FAILED, f"{args['dst']} is full")
            try:
                await self.clock.sleep(1.0)
            except asyncio.CancelledError:
                if not self.stubborn:
                    raise
        self.instant()
        self.shovels.pop(name, None)
        self._started.pop(name, None)
        self.instant()

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        if plan.target.kind is not Kind.QUEUE:
            return await super().prove(plan, undone=undone)
        wanted = plan.undo_expects if undone else plan.expects
        holds = None if "r1" in self.down else all(map(self._shows, wanted))
        return (Proof(replica="r1", holds=holds, read_at=self.clock.now()),)

    def _shows(self, wanted: Expectation) -> bool:
        name = wanted.ref.name
        match wanted.field:
            case "parked_min":
                return self.waiting(parked_name(name)) >= int(wanted.value)
            case "parked_max":
                return self.waiting(parked_name(name)) <= int(wanted.value)
            case "held_max":
                return self.waiting("jobs.held") <= int(wanted.value)
            case "dead_max":
                return self.waiting("dead") <= int(wanted.value)
            case _:
                return bool(self.state[name, wanted.field] == wanted.value)


def parked_name(name: str) -> str:
    return f"{name}.parked"

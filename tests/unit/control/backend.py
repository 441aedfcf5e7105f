"""A small real backend in memory: replicas that converge, calls that can be refused or lost, and effects counted.

It implements the ports of an adapter that acts. Nothing in it knows how control works.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from console.domain.actions import Expectation, ExpiryHome, Plan, Proof, Step, Verb
from console.domain.circuit import Circuit, Observed, ReplicaCircuit
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Clock
from console.domain.readings import (
    Ability,
    Deployment,
    Headroom,
    Latency,
    Observation,
    Route,
    RouteTarget,
    SwitchOption,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow

SOURCE = "gw"
ALL = tuple(Ability(verb, able=True) for verb in Verb)
Key = tuple[str, str]
"""(object's name, field)."""


def deployment(name: str) -> Ref:
    return Ref(SOURCE, Kind.DEPLOYMENT, name)


def route(name: str) -> Ref:
    return Ref(SOURCE, Kind.ROUTE, name)


class Backend:
    """Two routes, `main` (a, b, c) and `spare` (d), on two replicas.

    A switch is two steps that are not repeatable (`counter`-like calls), everything else is one repeatable step.
    """

    def __init__(self, clock: Clock, replicas: int = 2) -> None:
        self.clock = clock
        self.replicas = [f"r{n}" for n in range(1, replicas + 1)]
        self.state: dict[Key, Any] = {}
        for name in "abcd":
            self.state |= {(name, "blocked"): False, (name, "weight"): 10.0}
        self.state |= {("main", "alias"): "", ("main", "flag"): 0}
        self.lag = dict.fromkeys(self.replicas, 0.0)
        self.down: set[str] = set()
        self.effects: Counter[str] = Counter()
        """Step's words → how many times it took effect."""
        self.calls: list[str] = []
        self.faults: list[tuple[str, BackendError | BaseException, bool]] = []
        """(a part of the step's words, what is raised, whether the effect happens all the same); used once each."""
        self.before_effect: Callable[[Step], None] = lambda step: None
        self.after_effect: Callable[[Step], None] = lambda step: None
        self.home = ExpiryHome.ENGINE
        self.repeatable_switch = False
        self.errors = dict.fromkeys("abcd", 0.0)
        """Failing requests a minute, of twenty."""
        self.vague = False
        """Whether steps do not say what shows when they alone are done."""
        self.converge_s = 10.0
        self._shown: dict[str, list[tuple[float, Key, Any]]] = {name: [] for name in self.replicas}
        self._seen: dict[str, dict[Key, Any]] = {name: dict(self.state) for name in self.replicas}

    # ---- observing

    async def observe(self) -> Observation:
        now, seen = self.clock.now(), self._view(self.replicas[0])
        shapes: dict[str, tuple[str, ...]] = {"main": ("a", "b", "c"), "spare": ("d",)}
        readings: list[Deployment | Route] = []
        for name in "abcd":
            opened = Observed.OPEN if seen[name, "blocked"] else Observed.CLOSED
            readings.append(
                Deployment(
                    ref=deployment(name), observed_at=now, can=ALL, provider=f"p{name}", model="m",
                    routes=tuple(r for r, names in shapes.items() if name in names),
                    circuit=Circuit(replicas=(ReplicaCircuit(replica="r1", observed=opened),)),
                    weight=seen[name, "weight"],
                    traffic=Traffic(window_s=60, requests_per_min=20.0, errors_per_min=self.errors[name]),
                    latency=Latency(window_s=60, p95_s=1.5),
                    headroom=Headroom(requests_left=500.0, requests_limit=1000.0),
                    usd_per_request=0.01,
                )
            )  # fmt: skip
        for name, names in shapes.items():
            readings.append(
                Route(
                    ref=route(name), observed_at=now, can=ALL,
                    targets=tuple(RouteTarget(deployment=n, weight=seen[n, "weight"]) for n in names),
                    answered_by=seen["main", "alias"] if name == "main" else "",
                    traffic=Traffic(window_s=60, requests_per_min=20.0 * len(names)),
                    switch_options=(SwitchOption(to="spare", mechanism="alias", words="main answers from spare"),),
                )
            )  # fmt: skip
        return Observation(observed_at=now, readings=tuple(readings))

    async def check(self) -> tuple[CheckRow, ...]:
        return ()

    async def close(self) -> None:
        return

    # ---- planning

    async def plan_trip(self, target: Ref, ttl_s: float) -> Plan:
        return self._plan(target, Verb.TRIP, {"blocked": True}, "block")

    async def plan_reset(self, target: Ref) -> Plan:
        plan = self._plan(target, Verb.RESET, {"blocked": False}, "unblock")
        return Plan(
            target=target, verb=Verb.RESET, steps=plan.steps, expects=plan.expects, before=plan.before,
            after=plan.after, generation=plan.generation, expiry_home=ExpiryHome.NOBODY, replicas=plan.replicas,
            converge_s=plan.converge_s, words=plan.words,
        )  # fmt: skip

    async def plan_weight(self, target: Ref, weight: float) -> Plan:
        return self._plan(target, Verb.WEIGHT, {"weight": weight}, "weigh")

    async def plan_switch(self, target: Ref, to: str, mechanism: str) -> Plan:
        plan = self._plan(target, Verb.SWITCH, {"alias": to, "flag": 1}, "switch", self.repeatable_switch)
        return plan

    def _plan(self, target: Ref, verb: Verb, values: dict[str, Any], word: str, repeatable: bool = True) -> Plan:
        before = {field: self.state[target.name, field] for field in values}
        steps = [self._step(target, word, f, value, repeatable) for f, value in values.items()]
        undo = [self._step(target, f"un-{word}", f, before[f], repeatable) for f in reversed(values)]
        return Plan(
            target=target, verb=verb, steps=tuple(steps), undo=tuple(undo),
            expects=tuple(Expectation(ref=target, field=f, value=value) for f, value in values.items()),
            undo_expects=tuple(Expectation(ref=target, field=f, value=value) for f, value in before.items()),
            before=before, after=values, generation=self._generation(target, before),
            expiry_home=self.home if verb is Verb.TRIP else ExpiryHome.ENGINE,
            replicas=tuple(self.replicas), converge_s=self.converge_s, words=f"{word} {target.name}",
        )  # fmt: skip

    def _step(self, target: Ref, word: str, field: str, value: Any, repeatable: bool) -> Step:
        args = {"name": target.name, "field": field, "value": value}
        words = f"{word} {target.name} {field}={value}"
        shows = () if repeatable or self.vague else (Expectation(ref=target, field=field, value=value),)
        return Step(op="set", args=args, words=words, repeatable=repeatable, expects=shows)

    def _generation(self, target: Ref, before: dict[str, Any]) -> str:
        return repr([(field, self.state[target.name, field]) for field in sorted(before)])

    # ---- acting

    async def execute(self, step: Step) -> None:
        self.calls.append(step.words)
        fault = next((item for item in self.faults if item[0] in step.words), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[2]:
                self._take_effect(step)
            raise fault[1]
        self.before_effect(step)
        self._take_effect(step)
        self.after_effect(step)

    def _take_effect(self, step: Step) -> None:
        self.effects[step.words] += 1
        self.put(step.args["name"], step.args["field"], step.args["value"])

    def put(self, name: str, field: str, value: Any) -> None:
        """Change the state, as a call or another hand does; replicas follow after their lag."""
        self.state[name, field] = value
        for replica in self.replicas:
            self._shown[replica].append((self.clock.now() + self.lag[replica], (name, field), value))

    async def generation(self, plan: Plan) -> str:
        return self._generation(plan.target, plan.before)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        wanted = plan.undo_expects if undone else plan.expects
        proofs = []
        for replica in self.replicas:
            seen = self._view(replica)
            holds = None if replica in self.down else all(seen[e.ref.name, e.field] == e.value for e in wanted)
            proofs.append(Proof(replica=replica, holds=holds, read_at=self.clock.now()))
        return tuple(proofs)

    def _view(self, replica: str) -> dict[Key, Any]:
        waiting = []
        for at, key, value in self._shown[replica]:
            if at <= self.clock.now():
                self._seen[replica][key] = value
            else:
                waiting.append((at, key, value))
        self._shown[replica] = waiting
        return self._seen[replica]


def lost() -> BackendError:
    return BackendError(ErrorKind.UNKNOWN_OUTCOME, "connection lost after sending")


def refused() -> BackendError:
    return BackendError(ErrorKind.FAILED, "500 no")

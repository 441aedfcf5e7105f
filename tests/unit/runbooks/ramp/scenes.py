"""A route of three deployments, as a ramp sees it: 90 % old, 10 % older, and a new one without a weight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.domain.actions import Expectation, ExpiryHome, OnExpiry, Override, OverrideState, Plan, SetWeight, Verb
from console.domain.alerts import Alert
from console.domain.board import Board
from console.domain.circuit import Circuit, Observed, ReplicaCircuit
from console.domain.freshness import Freshness
from console.domain.readings import (
    Ability,
    Deployment,
    Headroom,
    Latency,
    Route,
    RouteTarget,
    Source,
    SwitchOption,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import Snapshot
from runbooks.schema import Ramp

ABLE = tuple(Ability(verb, able=True) for verb in (Verb.WEIGHT, Verb.TRIP))
ROUTE = Ref("gw", Kind.ROUTE, "chat")
RAMP = Ramp(route="chat", to="new")


def ref(name: str) -> Ref:
    return Ref("gw", Kind.DEPLOYMENT, name)


NEW = ref("new")


def circuit(state: Observed) -> Circuit:
    return Circuit(replicas=(ReplicaCircuit(replica="r1", observed=state, cause="500"),))


def nothing(target: Ref, metric: str, seconds: float) -> Sequence[float | None]:
    return ()


@dataclass(slots=True)
class Look:
    """A sight whose parts a test changes."""

    now: float = 1000.0
    weights: dict[str, float | None] = field(default_factory=lambda: {"old": 90.0, "older": 10.0, "new": 0.0})
    demand: float = 600.0
    p95: dict[str, float | None] = field(default_factory=lambda: {"old": 1.0, "older": 1.0, "new": 1.0})
    errors: dict[str, float] = field(default_factory=dict)
    """Part of the requests that fail."""
    circuits: dict[str, Observed] = field(default_factory=dict)
    left: float | None = 10_000.0
    """Requests a minute that each can take on top."""
    orders: dict[str, int | None] = field(default_factory=dict)
    unable: dict[str, str] = field(default_factory=dict)
    answered_by: str = ""
    options: tuple[SwitchOption, ...] = ()
    freshness: Freshness = Freshness.FRESH
    stale_since: float = 0.0
    alerts: tuple[Alert, ...] = ()
    overrides: tuple[Override, ...] = ()
    past: Callable[[Ref, str, float], Sequence[float | None]] = nothing
    attempts: float | None = None
    parameters: dict[str, str | float] = field(default_factory=dict)
    routed: dict[str, float] | None = None
    """What each gets, where the gateway does not go by the weights."""

    def shares(self) -> dict[str, float]:
        """By the weights, of those that take any."""
        if self.routed is not None:
            return self.routed
        takes = {n: w or 0.0 for n, w in self.weights.items() if self.circuits.get(n) is not Observed.OPEN}
        whole = sum(takes.values())
        return {name: takes.get(name, 0.0) / whole if whole else 0.0 for name in self.weights}

    @property
    def board(self) -> Board:
        shares = self.shares()
        made = Board()
        made.apply(
            Snapshot(
                seq=1, at=self.now, environment="test",
                readings=(self._source(), self._route(shares), *(self._one(name, shares[name]) for name in shares)),
                alerts=self.alerts, overrides=self.overrides,
            )
        )  # fmt: skip
        return made

    def _source(self) -> Source:
        return Source(
            ref=Ref("gw", Kind.SOURCE, "gw"), observed_at=self.now, adapter="x", freshness=self.freshness,
            interval_s=5.0, last_ok_at=self.now, since=self.stale_since,
        )  # fmt: skip

    def _route(self, shares: dict[str, float]) -> Route:
        return Route(
            ref=ROUTE,
            observed_at=self.now,
            can=(Ability(Verb.SWITCH, able=bool(self.options)),),
            targets=tuple(RouteTarget(deployment=name, share=share) for name, share in shares.items()),
            traffic=Traffic(window_s=60, requests_per_min=self.demand, attempts_per_request=self.attempts),
            switch_options=self.options,
            answered_by=self.answered_by,
        )

    def _one(self, name: str, share: float) -> Deployment:
        rate = share * self.demand
        why = self.unable.get(name, "")
        return Deployment(
            ref=ref(name), observed_at=self.now, provider=name, model="m", routes=("chat",),
            can=tuple(Ability(one.verb, able=False, reason=why) for one in ABLE) if why else ABLE,
            weight=self.weights[name], order=self.orders.get(name),
            circuit=circuit(self.circuits.get(name, Observed.CLOSED)),
            traffic=Traffic(window_s=60, requests_per_min=rate, errors_per_min=rate * self.errors.get(name, 0.0)),
            latency=Latency(window_s=60, p95_s=self.p95.get(name) if rate else None),
            headroom=None if self.left is None else Headroom(requests_left=self.left),
        )  # fmt: skip

    def wait(self, seconds: float) -> "Look":
        self.now += seconds
        return self


def override(name: str, *, number: str = "o1", expires_at: float | None = 5000.0, **more: Any) -> Override:
    values: dict[str, Any] = {
        "id": number, "target": ref(name), "action": SetWeight(5.0), "owner": "ann", "reason": "because",
        "created_at": 1000.0, "expires_at": expires_at, "on_expiry": OnExpiry.REVERT,
        "expiry_home": ExpiryHome.ENGINE, "state": OverrideState.ACTIVE, "plan": weight_plan(name),
    }  # fmt: skip
    return Override(**(values | more))


def weight_plan(name: str, *fields: str) -> Plan:
    expects = tuple(Expectation(ref=ref(name), field=each, value=1) for each in fields or ("weight",))
    return Plan(target=ref(name), verb=Verb.WEIGHT, steps=(), expects=expects, undo_expects=expects)

"""A small platform: one route of three deployments at two providers, its queue, a service, money, an incident."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.board import Board
from console.domain.circuit import Circuit, Observed, ReplicaCircuit
from console.domain.freshness import Freshness
from console.domain.incidents import Blame, Dimension, Incident
from console.domain.readings import (
    AnyReading,
    Checkpoint,
    Deployment,
    FailureClass,
    Headroom,
    Latency,
    Provider,
    Queue,
    ReplicaStatus,
    Route,
    RouteTarget,
    Service,
    Source,
    Spend,
    SpendScope,
    Traffic,
    Workflow,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import Snapshot
from runbooks.expressions import Scope, judge

NOW = 10_000.0
ROUTE = Ref("gw", Kind.ROUTE, "chat")
SLOW = Ref("gw", Kind.DEPLOYMENT, "chat-azure")
WELL = Ref("gw", Kind.DEPLOYMENT, "chat-openai")
IDLE = Ref("gw", Kind.DEPLOYMENT, "chat-spare")
AZURE = Ref("gw", Kind.PROVIDER, "azure")
SHARES = {"chat-azure": 0.7, "chat-openai": 0.3, "chat-spare": 0.0}
QUEUE = Ref("jobs", Kind.QUEUE, "chat-jobs")


def flow(per_min: float, failing: float = 0.0, **more: Any) -> Traffic:
    return Traffic(window_s=60.0, requests_per_min=per_min, errors_per_min=per_min * failing, **more)


def deployment(ref: Ref, provider: str, per_min: float, p95: float | None, failing: float = 0.0) -> Deployment:
    return Deployment(
        ref=ref, observed_at=NOW, provider=provider, model="gpt-5", routes=("chat",), region="eu", weight=per_min,
        circuit=Circuit(replicas=(ReplicaCircuit(replica="r1", observed=Observed.CLOSED),)),
        traffic=flow(per_min, failing, tokens_in_per_min=1000.0, in_flight=4),
        latency=Latency(window_s=60.0, p50_s=None if p95 is None else p95 / 2, p95_s=p95),
        failures=(FailureClass("429", per_min * failing),),
        headroom=Headroom(requests_left=400.0, requests_limit=1000.0), usd_per_h=3.0, usd_per_request=0.01,
    )  # fmt: skip


def source(name: str, freshness: Freshness = Freshness.FRESH, seen: float = NOW - 3.0) -> Source:
    replicas = (ReplicaStatus(name="r1", url="http://x", up=True), ReplicaStatus(name="r2", url="http://y", up=False))
    return Source(
        ref=Ref(name, Kind.SOURCE, name), observed_at=NOW, adapter="x", freshness=freshness, interval_s=5.0,
        last_ok_at=seen, replicas=replicas,
    )  # fmt: skip


def readings() -> dict[Ref, AnyReading]:
    queue = Queue(
        ref=QUEUE, observed_at=NOW, depth=1200, in_flight=5, consumers=4, oldest_age_s=90.0, in_per_min=60.0,
        out_per_min=180.0, redelivered_per_min=18.0, dead_letters=7, parked=0, feeds=(str(ROUTE),),
    )  # fmt: skip
    workflow = Workflow(
        name="etl", running=9, stuck=2, duplicates=1, idle_most_s=600.0, checkpoints=(Checkpoint("a", 9),)
    )
    things: tuple[AnyReading, ...] = (
        source("gw"),
        source("jobs"),
        source("traces"),
        Route(
            ref=ROUTE, observed_at=NOW, traffic=flow(140.0, 0.1, attempts_per_request=1.2),
            latency=Latency(window_s=60.0, p95_s=5.0), usd_per_h=6.0,
            targets=tuple(RouteTarget(deployment=one, share=share) for one, share in SHARES.items()),
        ),
        deployment(SLOW, "azure", 100.0, 8.0, 0.2),
        deployment(WELL, "openai", 40.0, 2.0),
        deployment(IDLE, "openai", 0.0, None),
        Provider(ref=AZURE, observed_at=NOW, deployments=("chat-azure",), traffic=flow(100.0, 0.2)),
        Provider(ref=Ref("gw", Kind.PROVIDER, "openai"), observed_at=NOW, deployments=("chat-openai", "chat-spare")),
        Spend(
            ref=Ref("gw", Kind.SPEND, "key/batch"), observed_at=NOW, scope=SpendScope.KEY, subject="batch",
            usd_per_h=12.0, usd_today=20.0, budget_usd=100.0, budget_used_usd=75.0,
            exhausted_at=NOW + 3600.0, priced_usd_today=10.0,
        ),
        queue,
        Service(
            ref=Ref("traces", Kind.SERVICE, "api"), observed_at=NOW, workflows=(workflow,), snapshots=("v2", "v1"),
            traffic=flow(10.0),
        ),
    )  # fmt: skip
    return {one.ref: one for one in things}


def alert(rule: str = "latency", ref: Ref = SLOW, **more: Any) -> Alert:
    values: dict[str, Any] = {
        "severity": Severity.TICKET,
        "state": AlertState.FIRING,
        "since": NOW - 300,
        "words": "slow",
    }
    return Alert(rule=rule, ref=ref, **(values | more))


def incident(*alerts: Alert, **more: Any) -> Incident:
    blame = Blame(dimension=Dimension.PROVIDER, name="azure", ref=AZURE, score=0.9, because="all of it is slow")
    values: dict[str, Any] = {
        "id": "i1", "since": NOW - 300, "state": AlertState.FIRING, "severity": Severity.TICKET,
        "title": "azure is slow", "blame": blame, "alerts": tuple(one.id for one in alerts),
    }  # fmt: skip
    return Incident(**(values | more))


@dataclass(slots=True)
class Scene:
    """What a test changes before it looks."""

    things: dict[Ref, AnyReading] = field(default_factory=readings)
    alerts: tuple[Alert, ...] = ()
    incidents: tuple[Incident, ...] = ()
    past: Mapping[tuple[Ref, str], Sequence[float | None]] = field(default_factory=dict)
    snapshot: dict[str, Any] = field(default_factory=dict)

    @property
    def board(self) -> Board:
        made = Board()
        everything = Snapshot(
            seq=1, at=NOW, environment="test", readings=tuple(self.things.values()), alerts=self.alerts,
            incidents=self.incidents, **self.snapshot,
        )  # fmt: skip
        made.apply(everything)
        return made

    def scope(self, **parameters: str | float) -> Scope:
        """With `NAME__TYPE` as a parameter of that type."""
        pairs = {name.partition("__")[0]: (name.partition("__")[2], value) for name, value in parameters.items()}
        return Scope(
            board=self.board,
            now=NOW,
            past=lambda ref, metric, window: self.past.get((ref, metric), ())[-int(window / 15) :],
            parameters={name: value for name, (_, value) in pairs.items()},
            types={name: kind for name, (kind, _) in pairs.items()},
            alert=self.alerts[0] if self.alerts else None,
            incident=self.incidents[0] if self.incidents else None,
            extra={"run_s": 60.0, "step_s": 5.0},
        )

    def holds(self, text: str, **parameters: str | float) -> bool | None:
        return judge("check", text, self.scope(**parameters)).holds

    def why(self, text: str, **parameters: str | float) -> str:
        found = judge("check", text, self.scope(**parameters))
        assert found.holds is None, f"{text} is {found.holds}"
        return found.words


def stale(scene: Scene, name: str = "gw") -> None:
    """Let a source not have answered for ten minutes."""
    for ref, one in scene.things.items():
        if ref.source == name:
            scene.things[ref] = replace(one, observed_at=NOW - 600.0)
    scene.things[Ref(name, Kind.SOURCE, name)] = source(name, Freshness.STALE, NOW - 600.0)


__all__ = [
    "AZURE", "IDLE", "NOW", "QUEUE", "ROUTE", "SLOW", "WELL", "Aspect", "Scene", "alert", "deployment", "flow",
    "incident", "stale",
]  # fmt: skip

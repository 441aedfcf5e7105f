"""A small platform by hand: three gateways' worth of siblings, a queue, keys, services, and alerts at given minutes."""

from collections.abc import Iterable

import msgspec

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.answers import Group
from console.domain.freshness import Freshness
from console.domain.incidents import Incident
from console.domain.readings import (
    Ability,
    AnyReading,
    Deployment,
    Headroom,
    Latency,
    Observation,
    Provider,
    Queue,
    Route,
    RouteTarget,
    Service,
    Source,
    Spend,
    SpendScope,
    SwitchOption,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.engine.diagnosis import Diagnosis
from console.engine.knowledge import NO_KNOWLEDGE
from console.engine.store import Store

BEGIN = 1_700_000_000.0
GW, TRACES, JOBS = "gw", "traces", "jobs"
DEPLOYMENTS = (
    ("chat-openai", "openai", "gpt-5", "chat", 300.0),
    ("chat-azure", "azure", "gpt-5", "chat", 200.0),
    ("chat-claude", "anthropic", "sonnet", "chat", 2.0),
    ("lite-mini", "openai", "gpt-5-mini", "chat-lite", 40.0),
    ("lite-haiku", "anthropic", "haiku", "chat-lite", 40.0),
    ("summarise-claude", "anthropic", "sonnet", "summarise", 60.0),
    ("summarise-azure", "azure", "gpt-5", "summarise", 25.0),
    ("embed-openai", "openai", "embedding", "embed", 400.0),
    ("embed-mistral", "mistral", "mistral-embed", "embed", 100.0),
    ("agents-claude", "anthropic", "opus", "agents", 20.0),
)


def deployment(name: str, provider: str, model: str, route: str, per_min: float) -> Deployment:
    return Deployment(
        ref=Ref(GW, Kind.DEPLOYMENT, name),
        observed_at=BEGIN,
        can=(Ability(Verb.TRIP, True),),
        provider=provider,
        model=model,
        routes=(route,),
        traffic=Traffic(window_s=60, requests_per_min=per_min, errors_per_min=0.0),
        latency=Latency(window_s=60, p50_s=1.0, ttft_p50_s=0.5),
        headroom=Headroom(requests_left=500.0, requests_limit=1000.0),
        usd_per_h=per_min / 10,
    )


def readings() -> list[AnyReading]:
    """All of it, well."""
    found: list[AnyReading] = [
        Source(
            ref=Ref(name, Kind.SOURCE, name), observed_at=BEGIN, adapter="x", freshness=Freshness.FRESH, interval_s=5.0,
            last_ok_at=BEGIN,
        )
        for name in (GW, TRACES, JOBS)
    ]  # fmt: skip
    found += [deployment(*one) for one in DEPLOYMENTS]
    for name in ("chat", "chat-lite", "summarise", "embed", "agents"):
        targets = tuple(RouteTarget(deployment=one[0]) for one in DEPLOYMENTS if one[3] == name)
        option = SwitchOption(to="chat-lite", mechanism="alias", words="chat-lite answers")
        found.append(
            Route(
                ref=Ref(GW, Kind.ROUTE, name), observed_at=BEGIN, can=(Ability(Verb.SWITCH, True),), targets=targets,
                switch_options=(option,), traffic=Traffic(window_s=60, requests_per_min=100.0),
            )
        )  # fmt: skip
    for provider in ("openai", "azure", "anthropic", "mistral"):
        names = tuple(one[0] for one in DEPLOYMENTS if one[1] == provider)
        found.append(Provider(ref=Ref(GW, Kind.PROVIDER, provider), observed_at=BEGIN, deployments=names))
        ref = Ref(GW, Kind.SPEND, f"provider/{provider}")
        found.append(Spend(ref=ref, observed_at=BEGIN, scope=SpendScope.PROVIDER, subject=provider))
    total = Ref(GW, Kind.SPEND, "total/all")
    found.append(Spend(ref=total, observed_at=BEGIN, scope=SpendScope.TOTAL, subject="all"))
    for key in ("web", "mobile", "agents"):
        found.append(Spend(ref=Ref(GW, Kind.KEY, key), observed_at=BEGIN, scope=SpendScope.KEY, subject=key))
    can = (Ability(Verb.PAUSE, True), Ability(Verb.ISOLATE, True))
    found.append(
        Queue(ref=Ref(JOBS, Kind.QUEUE, "chat-jobs"), observed_at=BEGIN, can=can, depth=90, redelivered=30,
              feeds=("gw:route/chat",))
    )  # fmt: skip
    found += [Service(ref=Ref(TRACES, Kind.SERVICE, name), observed_at=BEGIN) for name in ("api", "agent-worker")]
    return found


def about(ref: str) -> Ref:
    """`deployment/chat-azure`, on the source that has it."""
    kind, _, name = ref.partition("/")
    source = {"service": TRACES, "conversation": TRACES, "queue": JOBS}.get(kind, GW)
    if kind == "source":
        source = name
    return Ref(source, Kind(kind), name)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at - BEGIN

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class House:
    """A store with the platform on it and its diagnosis; `fire` alerts, let time pass, and see the incidents."""

    def __init__(self) -> None:
        self.clock = Hands()
        self.knowledge = NO_KNOWLEDGE
        self.store = Store("test", self.clock)
        self.diagnosis = Diagnosis(self.store, self.clock, lambda _: self.knowledge)
        self.put(*readings())

    def put(self, *found: AnyReading) -> None:
        """Put readings on the board; those of a source replace only their own."""
        for one in found:
            if isinstance(one, Source):
                self.store.observe(one)
        kept = {ref: one for ref, one in self.store.board.readings.items() if not isinstance(one, Source)}
        kept.update({one.ref: one for one in found if not isinstance(one, Source)})
        for name in (GW, TRACES, JOBS):
            source = self.store.board.source(name)
            assert source is not None
            mine = tuple(one for one in kept.values() if one.ref.source == name)
            self.store.observe(source, Observation(observed_at=self.clock.now(), readings=mine))

    def fire(
        self,
        rule: str,
        ref: str,
        *,
        severity: Severity = Severity.TICKET,
        aspect: Aspect = Aspect.TRANSPORT,
        group: Group | None = None,
        state: AlertState = AlertState.FIRING,
    ) -> Alert:
        alert = Alert(
            rule=rule, ref=about(ref), severity=severity, state=state, since=self.clock.now(),
            words=f"{rule} of {ref} is off", aspect=aspect, about=group,
        )  # fmt: skip
        self.store.publish(alerts=(alert,))
        return alert

    def answers(self, rule: str, ref: str, **group: str) -> Alert:
        return self.fire(rule, ref, aspect=Aspect.ANSWERS, group=Group(**group))

    def end(self, *alerts: Alert) -> None:
        now = self.clock.now()
        over = [msgspec.structs.replace(alert, state=AlertState.RESOLVED, since=now) for alert in alerts]
        self.store.publish(alerts=over)

    def wait(self, seconds: float = 60.0) -> None:
        """Let time pass, with a tick at its end."""
        self.clock.at += seconds
        self.store.publish()
        self.diagnosis.tick()

    def incidents(self) -> list[Incident]:
        self.diagnosis.tick()
        return [one for one in self.store.board.incidents.values() if one.until is None]

    def one(self) -> Incident:
        found = self.incidents()
        assert len(found) == 1, [one.title for one in found]
        return found[0]

    def culprit(self) -> str:
        blame = self.one().blame
        return "" if blame is None else f"{blame.dimension}/{blame.name}"


def advised(incident: Incident, *, traps: bool = False) -> str:
    """All advice in one line."""
    return "; ".join(one.words for one in incident.advice if one.trap is traps)


def refs(incident: Incident) -> Iterable[str]:
    return (alert_id.partition("@")[2] for alert_id in incident.alerts)

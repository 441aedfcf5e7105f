"""A platform on one afternoon, as readings: two routes in trouble, one calm; money; a queueless gateway."""

from console.domain.actions import Expectation, ExpiryHome, OnExpiry, Override, OverrideState, Plan, Step, Trip, Verb
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit
from console.domain.errors import ErrorKind, Failure
from console.domain.freshness import Freshness
from console.domain.readings import (
    Ability,
    AnyReading,
    Deployment,
    FailureClass,
    Headroom,
    Latency,
    Provider,
    ReplicaStatus,
    Route,
    RouteTarget,
    Source,
    Spend,
    SpendScope,
    SwitchOption,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import Access, AccessLevel, LogEntry, LogKind, Snapshot

NOW = 1_800_000_000.0
GATEWAY = "gateway"
ABLE = tuple(Ability(verb, able=True) for verb in (Verb.TRIP, Verb.RESET, Verb.WEIGHT))


def ref(kind: Kind, name: str) -> Ref:
    return Ref(GATEWAY, kind, name)


def circuit(*states: Observed, mode: Mode = Mode.AUTO, until: float | None = None, cause: str = "") -> Circuit:
    replicas = tuple(
        ReplicaCircuit(replica=f"gateway-{at}", observed=state, until=until, cause=cause)
        for at, state in enumerate(states, 1)
    )
    return Circuit(mode=mode, replicas=replicas, releases="timer, all at once")


CLOSED = circuit(Observed.CLOSED, Observed.CLOSED)


def deployment(
    name: str,
    provider: str,
    *routes: str,
    flow: float = 100.0,
    errors: float = 0.002,
    p95: float = 1.2,
    breaker: Circuit = CLOSED,
    can: tuple[Ability, ...] = ABLE,
    room: float | None = 0.7,
    model: str = "gpt-5",
) -> Deployment:
    return Deployment(
        ref=ref(Kind.DEPLOYMENT, name),
        observed_at=NOW,
        can=can,
        provider=provider,
        model=model,
        routes=routes,
        endpoint=f"https://{provider}.example/v1",
        origin="database",
        circuit=breaker,
        weight=1.0,
        order=1,
        traffic=Traffic(
            window_s=60,
            requests_per_min=flow,
            errors_per_min=flow * errors,
            attempts_per_request=1.02,
            tokens_in_per_min=flow * 900,
            tokens_out_per_min=flow * 210,
            in_flight=round(flow / 20),
        ),
        latency=Latency(window_s=60, p50_s=p95 / 2.2, p95_s=p95, ttft_p50_s=p95 / 4),
        failures=(FailureClass("500", flow * errors * 0.8), FailureClass("429", flow * errors * 0.2)),
        headroom=None if room is None else Headroom(requests_left=1000 * room, requests_limit=1000),
        usd_per_h=flow * 0.06,
        usd_per_request=0.001,
    )


def route(name: str, *targets: tuple[str, float], flow: float, errors: float, p95: float = 1.3) -> Route:
    return Route(
        ref=ref(Kind.ROUTE, name),
        observed_at=NOW,
        can=(Ability(Verb.SWITCH, able=True),),
        targets=tuple(RouteTarget(deployment=target, share=share, weight=1.0) for target, share in targets),
        fallbacks=("chat-small",) if name == "chat" else (),
        traffic=Traffic(
            window_s=60, requests_per_min=flow, errors_per_min=flow * errors, attempts_per_request=1.0 + errors
        ),
        latency=Latency(window_s=60, p50_s=p95 / 2, p95_s=p95),
        switch_options=(
            SwitchOption(to="claude", mechanism="order", words="claude is asked first, the others only when it fails"),
            SwitchOption(to="chat-small", mechanism="alias", words="chat is answered by the route chat-small"),
        )
        if name == "chat"
        else (),
        usd_per_h=flow * 0.06,
    )


def provider(name: str, *deployments: str, flow: float, errors: float = 0.002) -> Provider:
    return Provider(
        ref=ref(Kind.PROVIDER, name),
        observed_at=NOW,
        deployments=deployments,
        traffic=Traffic(window_s=60, requests_per_min=flow, errors_per_min=flow * errors),
        latency=Latency(window_s=60, p50_s=0.6, p95_s=1.4, ttft_p50_s=0.3),
        headroom=Headroom(tokens_left=420_000, tokens_limit=600_000),
        usd_per_h=flow * 0.06,
    )


def money() -> list[AnyReading]:
    def spend(scope: SpendScope, subject: str, rate: float, today: float, **more: float | str) -> Spend:
        return Spend(
            ref=Ref(GATEWAY, Kind.SPEND, f"{scope}/{subject}"),
            observed_at=NOW,
            scope=scope,
            subject=subject,
            usd_per_h=rate,
            usd_today=today,
            window_s=300,
            requests_today=today * 900,
            tokens_in_today=today * 60_000,
            tokens_out_today=today * 12_000,
            **more,  # type: ignore[arg-type]
        )

    return [
        spend(SpendScope.TOTAL, "all", 24.1, 143.2, priced_usd_today=141.0),
        spend(SpendScope.PROVIDER, "openai", 15.2, 90.0, priced_usd_today=88.0),
        spend(SpendScope.PROVIDER, "azure", 6.1, 40.0, priced_usd_today=13.0),
        spend(
            SpendScope.KEY,
            "team-search",
            9.4,
            52.0,
            budget_usd=80.0,
            budget_used_usd=66.4,
            budget_period="1d",
            budget_resets_at=NOW + 30_000,
            exhausted_at=NOW + 5_200,
        ),
        spend(SpendScope.KEY, "team-chat", 3.0, 20.0, budget_usd=500.0, budget_used_usd=40.0, budget_period="30d"),
    ]


def source(freshness: Freshness = Freshness.FRESH, *, up: int = 2, failure: Failure | None = None) -> Source:
    return Source(
        ref=Ref(GATEWAY, Kind.SOURCE, GATEWAY),
        observed_at=NOW,
        adapter="litellm",
        freshness=freshness,
        interval_s=5.0,
        last_ok_at=NOW,
        since=NOW - 900,
        failure=failure,
        replicas=tuple(
            ReplicaStatus(
                name=f"gateway-{at}",
                url=f"http://10.0.0.{at}:4000",
                up=at <= up,
                failure=None
                if at <= up
                else Failure(kind=ErrorKind.UNREACHABLE, message="connection refused", way_out="is it running?"),
            )
            for at in (1, 2)
        ),
        notes=("database: models can be changed through the API",),
    )


def calm() -> list[AnyReading]:
    """Nothing is wrong."""
    return [
        source(),
        route("chat", ("openai-a", 0.6), ("azure-b", 0.3), ("claude", 0.1), flow=420, errors=0.002),
        route("embed", ("openai-embed", 1.0), flow=1240, errors=0.0, p95=0.09),
        route("summarise", ("claude", 1.0), flow=38, errors=0.004, p95=3.4),
        deployment("openai-a", "openai", "chat", flow=252),
        deployment("azure-b", "azure", "chat", flow=126, p95=1.5),
        deployment("claude", "anthropic", "chat", "summarise", flow=80, p95=1.9, model="claude-sonnet"),
        deployment("openai-embed", "openai", "embed", flow=1240, p95=0.08, model="text-embedding-3"),
        provider("openai", "openai-a", "openai-embed", flow=1492),
        provider("azure", "azure-b", flow=126),
        provider("anthropic", "claude", flow=80),
        money()[0],
    ]


def trouble() -> list[AnyReading]:
    """azure-b fails, openai-embed is open on one replica of two, a key's budget runs out, a sum is phantom spend."""
    split = circuit(Observed.CLOSED, Observed.OPEN, until=NOW + 42, cause="429: rate limit reached")
    yaml = (
        Ability(Verb.TRIP, able=True),
        Ability(Verb.RESET, able=True),
        Ability(Verb.WEIGHT, able=False, reason="azure-b is defined in config.yaml: change its weight there"),
    )
    return [
        source(up=1),
        route("chat", ("openai-a", 0.6), ("azure-b", 0.3), ("claude", 0.1), flow=420, errors=0.11, p95=4.2),
        route("embed", ("openai-embed", 1.0), flow=1240, errors=0.01, p95=0.09),
        route("summarise", ("claude", 1.0), flow=38, errors=0.004, p95=3.4),
        deployment("openai-a", "openai", "chat", flow=252),
        deployment("azure-b", "azure", "chat", flow=126, errors=0.38, p95=8.5, can=yaml, room=0.04),
        deployment("claude", "anthropic", "chat", "summarise", flow=80, p95=1.9, model="claude-sonnet"),
        deployment("openai-embed", "openai", "embed", flow=1240, p95=0.08, breaker=split, model="text-embedding-3"),
        provider("openai", "openai-a", "openai-embed", flow=1492),
        provider("azure", "azure-b", flow=126, errors=0.38),
        provider("anthropic", "claude", flow=80),
        *money(),
    ]


def plan(name: str = "openai-a", verb: Verb = Verb.TRIP) -> Plan:
    target = ref(Kind.DEPLOYMENT, name)
    return Plan(
        target=target,
        verb=verb,
        steps=(Step(op="model.block", words=f"POST /model/block {name} on gateway-1"),),
        expects=(Expectation(ref=target, field="blocked", value=True, words=f"{name} is blocked"),),
        undo=(Step(op="model.unblock", words=f"POST /model/unblock {name} on gateway-1"),),
        expiry_home=ExpiryHome.ENGINE,
        replicas=("gateway-1", "gateway-2"),
        words=f"block {name} through the API",
        notes=("LiteLLM has no half-open: requests come back all at once",),
    )


def override(name: str = "openai-a", owner: str = "ana") -> Override:
    return Override(
        id="act-7",
        target=ref(Kind.DEPLOYMENT, name),
        action=Trip(),
        owner=owner,
        reason="brownout since 14:10",
        created_at=NOW - 300,
        expires_at=NOW + 1500,
        on_expiry=OnExpiry.REVERT,
        expiry_home=ExpiryHome.ENGINE,
        state=OverrideState.ACTIVE,
        plan=plan(name),
    )


def alerts() -> tuple[Alert, ...]:
    return (
        Alert(
            rule="burn-rate/chat",
            ref=ref(Kind.ROUTE, "chat"),
            severity=Severity.PAGE,
            state=AlertState.FIRING,
            since=NOW - 240,
            words="11% of chat fails: its 30-day budget of 0.1% burns 110 times too fast (1 h and 5 min)",
            value=110.0,
        ),
    )


def log() -> tuple[LogEntry, ...]:
    return (
        LogEntry(id=1, at=NOW - 900, kind=LogKind.ENGINE, words="engine started, watching 1 source"),
        LogEntry(
            id=2,
            at=NOW - 300,
            kind=LogKind.ACTION,
            words="trip openai-a: brownout since 14:10; seen on 2/2 replicas in 0.4 s",
            ref=ref(Kind.DEPLOYMENT, "openai-a"),
            operator="ana",
            outcome="verified",
        ),
        LogEntry(
            id=3,
            at=NOW - 240,
            kind=LogKind.ALERT,
            words="burn-rate/chat fires: 11% of chat fails",
            ref=ref(Kind.ROUTE, "chat"),
        ),
    )


def snapshot(readings: list[AnyReading], *, busy: bool = False, access: AccessLevel | None = None) -> Snapshot:
    held = (Access(operator="ana", uid=1001, level=AccessLevel.OPERATE, until=NOW + 1200),) if busy else ()
    return Snapshot(
        seq=1,
        at=NOW,
        environment="prod",
        readings=tuple(readings),
        alerts=alerts() if busy else (),
        overrides=(override("claude"),) if busy else (),
        log=log() if busy else (),
        access=held,
    )


def board(readings: list[AnyReading], *, busy: bool = False) -> Board:
    found = Board()
    found.apply(snapshot(readings, busy=busy))
    return found

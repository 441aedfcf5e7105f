"""Small domain values for the tests."""

from console.domain.actions import (
    Expectation,
    ExpiryHome,
    Intent,
    OnExpiry,
    Outcome,
    Override,
    OverrideState,
    Plan,
    Receipt,
    Stage,
    Step,
    Trip,
    Verb,
)
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import AnyReading, Deployment, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import Snapshot

SOURCE = "gw"


def ref(name: str, kind: Kind = Kind.DEPLOYMENT) -> Ref:
    return Ref(SOURCE, kind, name)


def source(freshness: Freshness = Freshness.FRESH, **more: object) -> Source:
    return Source(
        ref=Ref(SOURCE, Kind.SOURCE, SOURCE),
        observed_at=100.0,
        adapter="x",
        freshness=freshness,
        interval_s=5.0,
        last_ok_at=100.0,
        **more,  # type: ignore[arg-type]
    )


def deployment(name: str = "a", *, observed_at: float = 100.0, weight: float | None = None) -> Deployment:
    return Deployment(ref=ref(name), observed_at=observed_at, provider="p", model="m", routes=("r",), weight=weight)


def alert(rule: str, state: AlertState = AlertState.FIRING, since: float = 100.0, **more: object) -> Alert:
    severity = more.pop("severity", Severity.PAGE)
    assert isinstance(severity, Severity)
    return Alert(
        rule=rule,
        ref=ref("a"),
        severity=severity,
        state=state,
        since=since,
        words=f"{rule} burns",
        **more,  # type: ignore[arg-type]
    )


def plan(name: str = "a") -> Plan:
    return Plan(
        target=ref(name),
        verb=Verb.TRIP,
        steps=(Step(op="x", words="x"),),
        expects=(Expectation(ref=ref(name), field="blocked", value=True),),
    )


def override(number: int, state: OverrideState = OverrideState.ACTIVE, name: str = "a") -> Override:
    return Override(
        id=f"o{number}",
        target=ref(name),
        action=Trip(),
        owner="ann",
        reason="it burns",
        created_at=100.0,
        expires_at=200.0,
        on_expiry=OnExpiry.REVERT,
        expiry_home=ExpiryHome.ENGINE,
        state=state,
        plan=plan(name),
    )


def receipt(number: int, updated_at: float = 100.0) -> Receipt:
    return Receipt(
        id=f"r{number}",
        intent=Intent(target=ref("a"), action=Trip()),
        operator="ann",
        stage=Stage.DONE,
        outcome=Outcome.VERIFIED,
        started_at=100.0,
        updated_at=updated_at,
    )


def board(*readings: AnyReading, at: float = 100.0, **more: object) -> Board:
    made = Board()
    made.apply(Snapshot(seq=1, at=at, environment="test", readings=readings, **more))  # type: ignore[arg-type]
    return made

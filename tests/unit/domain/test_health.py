"""One judgement per object: its level, its word, and why; and which of them is said first."""

from typing import Any

import msgspec
import pytest

from console.domain.actions import OverrideState
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit
from console.domain.errors import ErrorKind, Failure
from console.domain.freshness import Freshness
from console.domain.health import Health, Level, findings, judge, overall
from console.domain.readings import (
    AgeQuality,
    AnyReading,
    Deployment,
    Headroom,
    Provider,
    Queue,
    ReplicaStatus,
    Route,
    RouteTarget,
    Source,
    Spend,
    SpendScope,
    Traffic,
)
from console.domain.refs import Kind, Ref
from tests.unit.domain.things import alert, board, deployment, override, ref, source


def _judge(reading: AnyReading, *beside: AnyReading, **more: Any) -> Health:
    readings = (*beside, reading) if isinstance(reading, Source) else (source(), *beside, reading)
    return judge(board(*readings, **more), reading)


def _flow(requests: float, errors: float = 0.0, attempts: float | None = None) -> Traffic:
    return Traffic(window_s=60, requests_per_min=requests, errors_per_min=errors, attempts_per_request=attempts)


def _circuit(*states: Observed, mode: Mode = Mode.AUTO, cause: str = "") -> Circuit:
    replicas = tuple(ReplicaCircuit(replica=f"r{n}", observed=state, cause=cause) for n, state in enumerate(states))
    return Circuit(mode=mode, replicas=replicas)


def _with(name: str, **change: object) -> Deployment:
    return msgspec.structs.replace(deployment(name), **change)


def _route(*names: str, **more: object) -> Route:
    targets = tuple(RouteTarget(deployment=name) for name in names)
    return Route(ref=ref("r", Kind.ROUTE), observed_at=100.0, targets=targets, **more)  # type: ignore[arg-type]


OPEN, CLOSED, HALF = Observed.OPEN, Observed.CLOSED, Observed.HALF_OPEN


@pytest.mark.parametrize(
    ("traffic", "level", "word"),
    [
        (None, Level.OK, "ok"),
        (_flow(0), Level.OK, "ok"),
        (_flow(100, 1), Level.OK, "ok"),
        (_flow(100, 2), Level.WARN, "errors"),
        (_flow(100, 20), Level.BAD, "errors"),
        (_flow(100, 0, 1.05), Level.OK, "ok"),
        (_flow(100, 0, 1.1), Level.WARN, "retries"),
        (_flow(100, 0, 3.0), Level.BAD, "retries"),
        (_flow(100, 2, 3.0), Level.WARN, "errors"),
        (_flow(4, 2), Level.WARN, "errors"),
        (_flow(4, 3), Level.BAD, "errors"),
    ],
)
def test_flow(traffic: Traffic | None, level: Level, word: str) -> None:
    for reading in (
        _with("a", traffic=traffic),
        Provider(ref=ref("p", Kind.PROVIDER), observed_at=100.0, traffic=traffic),
        _route(traffic=traffic),
    ):
        assert _judge(reading)[:2] == (level, word)


@pytest.mark.parametrize(
    ("circuit", "level", "why"),
    [
        (_circuit(CLOSED, CLOSED), Level.OK, ""),
        (_circuit(), Level.OK, ""),
        (_circuit(OPEN, OPEN, cause="429s\x1b"), Level.BAD, "circuit open: 429s�"),
        (_circuit(OPEN, CLOSED), Level.BAD, "circuit open on 1/2 replicas"),
        (_circuit(HALF, HALF), Level.WARN, "probing"),
        (_circuit(OPEN, OPEN, mode=Mode.FORCED_OPEN), Level.NOTICE, "kept open by an operator"),
        (_circuit(OPEN, CLOSED, mode=Mode.FORCED_OPEN), Level.NOTICE, "kept open by an operator on 1/2 replicas"),
        (_circuit(CLOSED, mode=Mode.DISABLED), Level.NOTICE, "kept open by an operator"),
    ],
)
def test_circuit(circuit: Circuit, level: Level, why: str) -> None:
    found = _judge(_with("a", circuit=circuit))
    assert (found.level, found.why) == (level, why)


@pytest.mark.parametrize(
    ("left", "level"), [(None, Level.OK), (100.0, Level.OK), (5.0, Level.OK), (4.9, Level.WARN), (0.0, Level.WARN)]
)
def test_rate_limit(left: float | None, level: Level) -> None:
    found = _judge(_with("a", headroom=Headroom(requests_left=left, requests_limit=100.0)))
    assert found.level is level


SHUT = _circuit(OPEN, OPEN)
FORCED = _circuit(OPEN, OPEN, mode=Mode.FORCED_OPEN)
HALVED = _circuit(OPEN, CLOSED)


@pytest.mark.parametrize(
    ("circuits", "level", "word", "why"),
    [
        ((_circuit(CLOSED), _circuit(CLOSED)), Level.OK, "ok", ""),
        ((SHUT,), Level.BAD, "no target", "its only deployment is open"),
        ((SHUT, FORCED), Level.BAD, "no target", "all 2 are open"),
        ((SHUT, _circuit(CLOSED)), Level.WARN, "degraded", "1 of 2 deployments is open"),
        ((SHUT, FORCED, _circuit(CLOSED)), Level.WARN, "degraded", "2 of 3 deployments are open"),
        ((FORCED, _circuit(CLOSED)), Level.NOTICE, "reduced", "1 of 2 deployments is open, as an operator wanted"),
        ((HALVED,), Level.WARN, "degraded", "a deployment is open on some replicas"),
    ],
)
def test_route(circuits: tuple[Circuit, ...], level: Level, word: str, why: str) -> None:
    behind = [_with(f"d{number}", circuit=circuit) for number, circuit in enumerate(circuits)]
    assert _judge(_route(*(item.ref.name for item in behind)), *behind) == (level, word, why)


def test_a_switched_route_says_who_answers() -> None:
    assert _judge(_route(answered_by="b\x1b")) == (Level.NOTICE, "switched", "answered by b�")


@pytest.mark.parametrize(
    ("change", "level", "word"),
    [
        ({}, Level.OK, "ok"),
        ({"blocked": True}, Level.BAD, "blocked"),
        ({"budget_usd": 10.0, "budget_used_usd": 7.9}, Level.OK, "ok"),
        ({"budget_usd": 10.0, "budget_used_usd": 8.0}, Level.WARN, "budget"),
        ({"budget_usd": 10.0, "budget_used_usd": 10.0}, Level.BAD, "over budget"),
        ({"usd_today": 20.0, "priced_usd_today": 1.0}, Level.WARN, "disagrees"),
        ({"usd_today": 1.0, "priced_usd_today": 20.0}, Level.WARN, "disagrees"),
        ({"usd_today": 1.2, "priced_usd_today": 1.0}, Level.OK, "ok"),
        ({"usd_today": 0.009, "priced_usd_today": 0.0001}, Level.OK, "ok"),
    ],
)
def test_spend(change: dict[str, object], level: Level, word: str) -> None:
    spend = Spend(ref=ref("key", Kind.KEY), observed_at=100.0, scope=SpendScope.KEY, subject="key")
    assert _judge(msgspec.structs.replace(spend, **change))[:2] == (level, word)


FAILURE = Failure(kind=ErrorKind.TIMEOUT, message="no answer in 4 s")


def _replicas(*up: bool) -> tuple[ReplicaStatus, ...]:
    return tuple(ReplicaStatus(name=f"r{number}", url="http://x", up=state) for number, state in enumerate(up))


@pytest.mark.parametrize(
    ("reading", "level", "word"),
    [
        (source(), Level.OK, "ok"),
        (source(replicas=_replicas(True, True)), Level.OK, "ok"),
        (source(replicas=_replicas(True, False)), Level.WARN, "1/2"),
        (source(failure=FAILURE), Level.WARN, "failing"),
        (source(problems=(FAILURE,)), Level.WARN, "partial"),
        (source(Freshness.STALE, failure=FAILURE), Level.STALE, "stale"),
        (source(Freshness.MISSING), Level.STALE, "missing"),
    ],
)
def test_source(reading: Source, level: Level, word: str) -> None:
    assert _judge(reading)[:2] == (level, word)


def test_a_paused_queue_is_meant() -> None:
    queue = Queue(ref=ref("q", Kind.QUEUE), observed_at=100.0, depth=3)
    assert _judge(queue).level is Level.OK
    assert _judge(msgspec.structs.replace(queue, paused=True))[:2] == (Level.NOTICE, "paused")


@pytest.mark.parametrize(
    ("values", "level", "word"),
    [
        ({"depth": 0, "consumers": 0}, Level.OK, "ok"),
        ({"depth": 3, "consumers": 0}, Level.BAD, "no workers"),
        ({"depth": 3, "consumers": 0, "paused": True}, Level.NOTICE, "paused"),
        ({"depth": 3, "consumers": 0, "oldest_age_s": 9e4, "holds_dead": True}, Level.OK, "ok"),
        ({"depth": 3, "consumers": 1, "oldest_age_s": 9e4, "holds_dead": True}, Level.BAD, "old"),
        ({"depth": 3, "oldest_age_s": 299.0}, Level.OK, "ok"),
        ({"depth": 3, "oldest_age_s": 300.0}, Level.WARN, "old"),
        ({"depth": 3, "oldest_age_s": 1800.0}, Level.BAD, "old"),
        ({"depth": 3, "oldest_age_s": 1800.0, "paused": True}, Level.NOTICE, "paused"),
        ({"depth": 900, "in_per_min": 500.0, "out_per_min": 100.0}, Level.WARN, "growing"),
        ({"depth": 300, "in_per_min": 500.0, "out_per_min": 100.0}, Level.OK, "ok"),
        ({"depth": 900, "in_per_min": 500.0, "out_per_min": 490.0}, Level.OK, "ok"),
        ({"depth": 9, "out_per_min": 100.0, "redelivered_per_min": 30.0}, Level.WARN, "redelivered"),
        ({"depth": 0, "dead_letters": 2}, Level.WARN, "dead letters"),
        ({"depth": 0, "parked": 2}, Level.NOTICE, "parked"),
    ],
)
def test_queue(values: dict[str, Any], level: Level, word: str) -> None:
    assert _judge(Queue(ref=ref("q", Kind.QUEUE), observed_at=100.0, **values))[:2] == (level, word)


def test_an_age_says_how_it_is_known() -> None:
    queue = Queue(ref=ref("q", Kind.QUEUE), observed_at=100.0, depth=3, oldest_age_s=600.0)
    assert "about 10 min" in _judge(queue).why
    assert "about" not in _judge(msgspec.structs.replace(queue, age_quality=AgeQuality.EXACT)).why


def test_stale_is_never_green_and_worse_than_a_warning() -> None:
    for reading in (deployment(), _with("b", traffic=_flow(100, 5))):
        stale = board(source(Freshness.STALE), reading)
        assert judge(stale, reading).level is Level.STALE
    assert overall(board(source(Freshness.STALE))) is Level.STALE
    assert overall(board()) is Level.STALE
    assert overall(board(source(), deployment())) is Level.OK


def test_a_stale_source_is_said_once() -> None:
    stale = board(source(Freshness.STALE), deployment("a"), deployment("b"))
    assert [found.ref.kind for found in findings(stale)] == [Kind.SOURCE]


def test_the_worst_comes_first_and_causes_before_effects() -> None:
    bad = _flow(100, 50)
    readings = (
        source(),
        _route("a", "b", traffic=bad),
        _with("a", traffic=bad),
        _with("b", traffic=_flow(100, 5)),
        Provider(ref=ref("p", Kind.PROVIDER), observed_at=100.0, deployments=("a", "b"), traffic=bad),
    )
    found = findings(board(*readings))
    assert [one.ref.kind for one in found] == [Kind.PROVIDER, Kind.DEPLOYMENT, Kind.ROUTE, Kind.DEPLOYMENT]
    assert findings(board(*readings), 2) == found[:2]


def test_a_provider_with_one_deployment_is_not_said_twice() -> None:
    bad = _flow(100, 50)
    provider = Provider(ref=ref("p", Kind.PROVIDER), observed_at=100.0, deployments=("a",), traffic=bad)
    assert [one.ref.kind for one in findings(board(source(), _with("a", traffic=bad), provider))] == [Kind.DEPLOYMENT]


@pytest.mark.parametrize(
    ("one", "level"),
    [
        (alert("burn/x"), Level.BAD),
        (alert("burn/x", severity=Severity.TICKET), Level.WARN),
        (alert("burn/x", severity=Severity.NOTICE), Level.NOTICE),
        (alert("burn/x", AlertState.PENDING), Level.OK),
        (alert("burn/x", AlertState.RESOLVED), Level.OK),
        (alert("burn/x", silenced_until=200.0), Level.OK),
        (alert("burn/x", silenced_until=99.0), Level.BAD),
    ],
)
def test_a_firing_alert_counts_unless_it_is_silenced(one: object, level: Level) -> None:
    found = _judge(deployment(), alerts=(one,))
    assert found.level is level
    assert found.word == ("burn" if level else "ok")


def test_an_override_is_said_with_its_owner_and_reason() -> None:
    found = _judge(deployment(), overrides=(override(1),))
    assert found == (Level.NOTICE, "trip", "trip by ann: it burns")


def test_an_override_that_cannot_be_ended_is_bad() -> None:
    assert _judge(deployment(), overrides=(override(1, OverrideState.STUCK),)).level is Level.BAD


def test_a_stuck_override_is_not_hidden_by_an_older_one() -> None:
    both = (override(1), override(2, OverrideState.STUCK))
    assert _judge(deployment(), overrides=both).level is Level.BAD


def test_the_newest_override_is_the_one_that_is_said() -> None:
    newer = msgspec.structs.replace(override(2), owner="bob", reason="still burns")
    assert _judge(deployment(), overrides=(override(1), newer)).why == "trip by bob: still burns"


def test_one_of_one_is_said_as_it_was_counted() -> None:
    once = Traffic(window_s=300.0, requests_per_min=0.2, errors_per_min=0.2)
    found = _judge(msgspec.structs.replace(deployment(), traffic=once))
    assert found == (Level.WARN, "errors", "1 of 1 requests in 5 min failed")


@pytest.mark.parametrize("ref", [Ref("gw", Kind.CONVERSATION, "c-7"), Ref("gw", Kind.REQUEST, "ab" * 16)])
def test_an_alert_of_what_is_not_on_the_board_is_a_finding(ref: Ref) -> None:
    alert = Alert(
        rule="divergence/gw/c-7",
        ref=ref,
        severity=Severity.PAGE,
        state=AlertState.FIRING,
        since=1.0,
        words="search and answers read different snapshots of kb",
    )
    told = board(source())
    told.alerts[alert.id] = alert
    (found,) = findings(told)
    assert (found.ref, found.health.level, found.health.word) == (ref, Level.BAD, "divergence")
    assert overall(told) is Level.BAD

from collections.abc import Sequence
from typing import Any

import pytest

from console.control.preview import effects, headroom_per_min, headroom_ratio, usd_per_h
from console.domain.actions import Action, Plan, Reset, Restore, SetWeight, Switch, Trip, Verb
from console.domain.board import Board
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit
from console.domain.readings import AnyReading, Deployment, Headroom, Latency, Route, RouteTarget, Traffic
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.forecast.flow import Shift, shift

OPEN = Circuit(replicas=(ReplicaCircuit(replica="r1", observed=Observed.OPEN),))


def flow(rate: float, errors: float = 0.0, tokens: float | None = None, attempts: float | None = None) -> Traffic:
    return Traffic(
        window_s=60, requests_per_min=rate, errors_per_min=errors, tokens_in_per_min=tokens,
        attempts_per_request=attempts,
    )  # fmt: skip


def dep(name: str, rate: float | None = 10.0, **more: Any) -> Deployment:
    traffic = None if rate is None else flow(rate)
    values: dict[str, Any] = {"provider": name, "model": "m", "traffic": traffic, "usd_per_request": 0.01} | more
    return Deployment(ref=Ref("gw", Kind.DEPLOYMENT, name), observed_at=0.0, **values)


def way(name: str, targets: str, rate: float | None = None, **more: Any) -> Route:
    return Route(
        ref=Ref("gw", Kind.ROUTE, name),
        observed_at=0.0,
        targets=tuple(RouteTarget(deployment=target) for target in targets),
        traffic=None if rate is None else flow(rate),
        **more,
    )


def board(*readings: AnyReading) -> Board:
    built = Board()
    built.apply(Change(seq=1, at=0.0, readings=readings))
    return built


def after(found: Shift) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 6) for name, value in found.after.items()}


def see(here: Board, action: Action, name: str = "a", undoes: Sequence[Plan] = ()) -> Shift:
    kind = Kind.ROUTE if isinstance(action, Switch) else Kind.DEPLOYMENT
    return shift(here, Ref("gw", kind, name), action, undoes)


def test_a_trip_moves_the_load_to_the_siblings_by_weight() -> None:
    here = board(dep("a", 30), dep("b", 10, weight=3.0), dep("c", 10, weight=1.0), way("main", "abc"))
    assert after(see(here, Trip())) == {"a": 0.0, "b": 32.5, "c": 17.5}


def test_open_and_weightless_siblings_get_nothing() -> None:
    here = board(dep("a", 30), dep("b", 0, circuit=OPEN), dep("c", 0, weight=0.0), dep("d", 10), way("main", "abcd"))
    found = see(here, Trip())
    assert found.receivers() == ["d"]
    assert after(found)["d"] == 40.0


def test_the_lowest_order_is_asked_first() -> None:
    here = board(dep("a", 30, order=1), dep("b", 0, order=2), dep("c", 0, order=3), way("main", "abc"))
    assert after(see(here, Trip())) == {"a": 0.0, "b": 30.0, "c": 0.0}
    assert [line.label for line in effects(here, see(here, Trip()), 1.3, "a")] == [
        "a requests", "b requests", "b headroom", "cost",
    ]  # fmt: skip


def test_without_siblings_the_fallback_route_gets_it() -> None:
    here = board(dep("a", 30), dep("d", 5), way("main", "a", fallbacks=("spare",)), way("spare", "d"))
    found = see(here, Trip())
    assert after(found) == {"a": 0.0, "d": 35.0}
    assert found.homeless == 0.0


def test_without_anybody_the_requests_have_no_home() -> None:
    found = see(board(dep("a", 30), way("main", "a")), Trip())
    assert found.homeless == 30.0
    lines = effects(board(dep("a", 30), way("main", "a")), found, 1.3)
    (homeless,) = (line for line in lines if line.label == "without a target")
    assert (homeless.after, homeless.bad) == (30.0, True)


def test_observed_shares_go_before_weights() -> None:
    targets = tuple(RouteTarget(deployment=n, share=s) for n, s in (("a", 0.8), ("b", 0.1), ("c", 0.1)))
    main = Route(ref=Ref("gw", Kind.ROUTE, "main"), observed_at=0.0, targets=targets, traffic=flow(100))
    here = board(dep("a", 80), dep("b", 10), dep("c", 10), main)
    assert after(see(here, Trip())) == {"a": 0.0, "b": 50.0, "c": 50.0}


def test_a_reset_gives_the_share_back() -> None:
    here = board(dep("a", 0, circuit=OPEN), dep("b", 30), way("main", "ab", 30))
    assert after(see(here, Reset())) == {"a": 15.0, "b": 15.0}


def test_a_weight_shares_out_anew() -> None:
    here = board(dep("a", 20, weight=1.0), dep("b", 20, weight=1.0), way("main", "ab", 40))
    assert after(see(here, SetWeight(3.0))) == {"a": 30.0, "b": 10.0}
    assert after(see(here, SetWeight(0.0))) == {"a": 0.0, "b": 40.0}


def test_a_switch_moves_the_whole_route() -> None:
    here = board(dep("a", 30), dep("b", 10), dep("d", 5), way("main", "ab", 40), way("spare", "d", 5))
    assert after(see(here, Switch("spare"), "main")) == {"a": 0.0, "b": 0.0, "d": 45.0}
    assert after(see(here, Switch("b"), "main")) == {"a": 0.0, "b": 40.0}


def test_restoring_a_switch_brings_the_route_home() -> None:
    main = way("main", "ab", 40, answered_by="spare")
    here = board(dep("a", 0), dep("b", 0), dep("d", 45), main, way("spare", "d", 5))
    found = shift(here, main.ref, Restore("o"), (Plan(target=main.ref, verb=Verb.SWITCH, steps=(), expects=()),))
    assert (found.after["a"], found.after["b"]) == (20.0, 20.0)
    assert found.after["d"] == 5.0


def test_restoring_a_trip_and_a_weight() -> None:
    here = board(dep("a", 0, circuit=OPEN, weight=0.0), dep("b", 30, weight=10.0), way("main", "ab", 30))
    target = Ref("gw", Kind.DEPLOYMENT, "a")
    plans = (
        Plan(target=target, verb=Verb.TRIP, steps=(), expects=(), before={"blocked": False}),
        Plan(target=target, verb=Verb.WEIGHT, steps=(), expects=(), before={"weight": 20.0}),
    )
    assert after(see(here, Restore("o"), undoes=plans)) == {"a": 20.0, "b": 10.0}


def test_a_route_that_is_answered_elsewhere_is_not_concerned() -> None:
    here = board(dep("a", 0), dep("b", 0), way("main", "ab", 40, answered_by="spare"))
    assert see(here, Trip()).after == {}


def test_unknown_stays_unknown() -> None:
    here = board(dep("a", None), dep("b", None), way("main", "ab"))
    found = see(here, Trip())
    assert not found.known
    (line,) = effects(here, found, 1.3)
    assert (line.before, line.after) == (None, None)
    half = board(dep("a", None), dep("b", 10), way("main", "ab", 20))
    assert see(half, Trip()).after["a"] is None
    assert usd_per_h(half, see(half, Trip())) is None


def test_headroom_is_the_scarcer_of_requests_and_tokens() -> None:
    rooms = Headroom(requests_left=100, tokens_left=6000)
    here = board(dep("a", traffic=flow(10, tokens=2000), headroom=rooms), dep("b", headroom=Headroom(requests_left=7)))
    assert headroom_per_min(here, "a", "gw") == 30.0
    assert headroom_per_min(here, "b", "gw") == 7.0
    assert headroom_per_min(board(dep("a")), "a", "gw") is None


def test_headroom_counts_in_shifted_demand() -> None:
    here = board(dep("a", 30), dep("b", 10, headroom=Headroom(requests_left=45)), way("main", "ab"))
    found = see(here, Trip())
    assert headroom_ratio(here, found, "b") == 1.5
    assert headroom_ratio(here, found, "a") is None


def test_the_cost_is_the_difference_in_dollars_an_hour() -> None:
    here = board(dep("a", 30, usd_per_request=0.01), dep("b", 10, usd_per_request=0.03), way("main", "ab"))
    assert usd_per_h(here, see(here, Trip())) == pytest.approx(60 * 30 * 0.02)
    free = board(dep("a", 30), dep("b", 10, usd_per_request=None), way("main", "ab"))
    assert usd_per_h(free, see(free, Trip())) is None


def test_a_trip_ends_the_retries_that_the_target_caused() -> None:
    """533 requests become 1,450 attempts because `a` fails; without it there is nothing to retry."""
    ill = dep("a", traffic=flow(1070, errors=950))
    well = dep("b", traffic=flow(380), headroom=Headroom(requests_left=1000))
    main = Route(
        ref=Ref("gw", Kind.ROUTE, "main"), observed_at=0.0, traffic=flow(533, attempts=2.72),
        targets=(RouteTarget(deployment="a"), RouteTarget(deployment="b")),
    )  # fmt: skip
    here = board(ill, well, main)
    found = see(here, Trip())
    assert after(found) == {"a": 0.0, "b": pytest.approx(533, abs=1)}
    assert round(found.retries[0]) == 917
    assert found.retries[1] == 0.0
    lines = {line.label: line for line in effects(here, found, 1.3, "a")}
    assert lines["retries"].after == 0.0
    assert (lines["b headroom"].after or 0) > 6


def test_a_trip_of_a_sound_deployment_ends_no_retries() -> None:
    ill, sound = dep("a", traffic=flow(100, errors=50)), dep("b", traffic=flow(50))
    main = Route(
        ref=Ref("gw", Kind.ROUTE, "main"), observed_at=0.0, traffic=flow(100, attempts=1.5),
        targets=(RouteTarget(deployment="a"), RouteTarget(deployment="b")),
    )  # fmt: skip
    found = see(board(ill, sound, main), Trip(), "b")
    assert found.retries == (50.0, 50.0)
    assert after(found) == {"a": 150.0, "b": 0.0}


def test_failed_attempts_cost_nothing() -> None:
    here = board(
        dep("a", traffic=flow(30, errors=15), usd_per_request=0.01), dep("b", 10, usd_per_request=0.01),
        way("main", "ab"),
    )  # fmt: skip
    assert usd_per_h(here, see(here, Trip())) == pytest.approx(60 * 0.01 * (30 - 15))


def test_the_lines_name_headroom_errors_and_latency_of_who_gets_more() -> None:
    receiver = dep(
        "b", traffic=flow(10, errors=1.0), headroom=Headroom(requests_left=30), latency=Latency(window_s=60, p95_s=2.5)
    )
    here = board(dep("a", 30), receiver, way("main", "ab"))
    lines = {line.label: line for line in effects(here, see(here, Trip()), 1.3, "a")}
    assert (lines["a requests"].before, lines["a requests"].after) == (30.0, 0.0)
    assert (lines["b headroom"].after, lines["b headroom"].bad) == (1.0, True)
    assert lines["b errors"].before == pytest.approx(10.0)
    assert lines["b errors"].bad
    assert lines["b p95"].before == 2.5
    assert lines["cost"].unit == "$/h"
    assert lines["cost"].after == pytest.approx(-60 * 30 * 0.01 * 0.1)  # a tenth of what `b` gets fails


def test_a_long_list_is_cut_and_says_so() -> None:
    names = [f"d{n}" for n in range(20)]
    targets = tuple(RouteTarget(deployment=name) for name in names)
    main = Route(ref=Ref("gw", Kind.ROUTE, "main"), observed_at=0.0, targets=targets)
    here = board(*(dep(name) for name in names), main)
    lines = effects(here, see(here, Trip(), "d0"), 1.3, "d0")
    assert any("7 more" in line.words for line in lines)


def test_names_of_the_backend_are_cleaned() -> None:
    here = board(dep("a\x1b[31m", 30), way("main", "b"))
    main = Route(
        ref=Ref("gw", Kind.ROUTE, "main"), observed_at=0.0, targets=(RouteTarget(deployment="a\x1b[31m"),)
    )  # fmt: skip
    here = board(dep("a\x1b[31m", 30), main)
    assert all("\x1b" not in line.label for line in effects(here, see(here, Trip(), "a\x1b[31m"), 1.3))


def test_traffic_from_before_a_trip_is_not_traffic_of_now() -> None:
    """Traffic is counted over a minute: just after a trip the tripped one still shows some, and gets none."""
    forced = Circuit(mode=Mode.FORCED_OPEN, replicas=(ReplicaCircuit(replica="r1", observed=Observed.OPEN),))
    tripped = dep("a", traffic=flow(380, errors=130), circuit=forced)
    main = Route(
        ref=Ref("gw", Kind.ROUTE, "main"), observed_at=0.0, traffic=flow(530, attempts=1.25),
        targets=(RouteTarget(deployment="a", weight=40.0), RouteTarget(deployment="b", weight=40.0)),
    )  # fmt: skip
    here = board(tripped, dep("b", traffic=flow(285), weight=40.0), main)
    found = see(here, SetWeight(3.0), "b")
    assert after(found)["b"] == pytest.approx(found.before["b"])
    assert found.receivers() == []


def test_a_breaker_that_opens_and_closes_by_itself_is_counted_as_observed() -> None:
    here = board(dep("a", 20, circuit=OPEN), dep("b", 20), way("main", "ab", 40))
    assert after(see(here, Trip())) == {"a": 0.0, "b": 40.0}


def test_a_thousand_deployments_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who serves what is indexed once a preview: the work grows with the board, not with its square."""
    routes = [
        Route(
            ref=Ref("gw", Kind.ROUTE, f"r{n}"), observed_at=0.0,
            targets=tuple(RouteTarget(deployment=f"d{n}-{m}") for m in range(40)),
        )
        for n in range(25)
    ]  # fmt: skip
    here = board(*(dep(t.deployment) for r in routes for t in r.targets), *routes)
    looks = 0
    of = Board.of

    def counted(self: Board, kind: Any) -> Any:
        nonlocal looks
        looks += 1
        return of(self, kind)

    monkeypatch.setattr(Board, "of", counted)
    assert len(see(here, Trip(), "d3-0").receivers()) == 39
    assert looks <= 3

"""Forecasts of a gateway, held against flows that can be worked out by hand."""

import msgspec
import pytest

from console.domain.actions import Plan
from console.domain.board import Board
from console.domain.forecasts import Course, Foreseen, Quantity
from console.domain.freshness import Freshness
from console.domain.readings import (
    Ability,
    AnyReading,
    Deployment,
    FailureClass,
    Headroom,
    Latency,
    Queue,
    Route,
    RouteTarget,
    Source,
    SwitchOption,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.verbs import Action, Pause, Reissue, SetWeight, Stop, Switch, Trip, Verb
from console.forecast.outlook import Doing, forecast

NOW = 1000.0
CHAT, LITE = Ref("gw", Kind.ROUTE, "chat"), Ref("gw", Kind.ROUTE, "lite")
A, B = Ref("gw", Kind.DEPLOYMENT, "a"), Ref("gw", Kind.DEPLOYMENT, "b")
JOBS = Ref("jobs", Kind.QUEUE, "work")


def deployment(
    name: str, flow: float, route: str = "chat", *, limit: float | None = 1000.0, failing: tuple[FailureClass, ...] = ()
) -> Deployment:
    """Each answered request costs a cent."""
    errors = sum(item.per_min for item in failing)
    return Deployment(
        ref=Ref("gw", Kind.DEPLOYMENT, name), observed_at=NOW, provider=f"of-{name}", model="m", routes=(route,),
        weight=1.0, traffic=Traffic(window_s=30.0, requests_per_min=flow, errors_per_min=errors), failures=failing,
        latency=Latency(window_s=30.0, p50_s=2.0), usd_per_h=0.6 * (flow - errors), usd_per_request=0.01,
        headroom=None if limit is None else Headroom(requests_left=max(0.0, limit - flow), requests_limit=limit),
        can=(Ability(Verb.TRIP, able=True), Ability(Verb.WEIGHT, able=True)),
    )  # fmt: skip


def board(*changed: AnyReading) -> Board:
    """`chat`: 300 requests a minute at a, 100 at b; 40 more at c, which serves `lite`."""
    there: list[AnyReading] = [
        deployment("a", 300.0), deployment("b", 100.0), deployment("c", 40.0, "lite"),
        Route(
            ref=CHAT, observed_at=NOW, usd_per_h=240.0,
            targets=tuple(RouteTarget(deployment=d, share=part, weight=1.0) for d, part in (("a", 0.75), ("b", 0.25))),
            traffic=Traffic(window_s=30.0, requests_per_min=400.0, attempts_per_request=1.0),
            switch_options=(SwitchOption(to="lite", mechanism="alias", words="lite answers"),),
            can=(Ability(Verb.SWITCH, able=True),),
        ),
        Route(
            ref=LITE, observed_at=NOW, targets=(RouteTarget(deployment="c", share=1.0, weight=1.0),),
            traffic=Traffic(window_s=30.0, requests_per_min=40.0),
        ),
        Queue(
            ref=JOBS, observed_at=NOW, depth=50, in_flight=3, consumers=3, in_per_min=20.0, out_per_min=30.0,
            redelivered_per_min=0.0, feeds=(str(CHAT),),
            can=(Ability(Verb.PAUSE, able=True), Ability(Verb.PARK, able=True)),
        ),
    ]  # fmt: skip
    found = Board()
    found.readings = {one.ref: one for one in (*there, *changed)}
    for name in ("gw", "jobs"):
        ref = Ref(name, Kind.SOURCE, name)
        found.readings[ref] = Source(
            ref=ref, observed_at=NOW, adapter="test", freshness=Freshness.FRESH, interval_s=5.0, last_ok_at=NOW
        )
    return found


def courses(
    at: Board, target: Ref, action: Action, plan: Plan | None = None, ttl_s: float | None = None
) -> tuple[Course, ...]:
    doing = Doing(target=target, action=action, plan=plan, ttl_s=ttl_s)
    found = forecast(at, lambda _ref, _metric, _s: (), NOW, doing)
    assert found is not None
    return found.courses


def row(course: Course, quantity: Quantity, ref: Ref | None = None) -> Foreseen:
    return next(one for one in course.foreseen if one.quantity is quantity and ref in (None, one.ref))


def then(course: Course, quantity: Quantity) -> float:
    value = row(course, quantity).then
    assert value is not None
    return value


def test_nothing_wrong_stays_as_it_is() -> None:
    _, nothing, *_ = courses(board(), A, Trip())
    assert then(nothing, Quantity.ERRORS) == 0.0
    assert then(nothing, Quantity.USD_PER_H) == pytest.approx(264.0)
    assert then(nothing, Quantity.HEADROOM) == pytest.approx(0.7)


def test_a_trip_sends_all_to_the_other_and_its_room_shrinks() -> None:
    own, *_ = courses(board(), A, Trip())
    assert then(own, Quantity.ERRORS) == 0.0
    assert then(own, Quantity.HEADROOM) == pytest.approx(0.6)
    assert then(own, Quantity.USD_PER_H) == pytest.approx(264.0)


def test_what_is_above_the_limit_fails_and_is_not_paid() -> None:
    own, *_ = courses(board(deployment("b", 100.0, limit=300.0)), A, Trip())
    assert then(own, Quantity.ERRORS) == pytest.approx(0.25, abs=0.01)
    assert then(own, Quantity.HEADROOM) == 0.0
    assert then(own, Quantity.USD_PER_H) == pytest.approx(264.0 - 60.0, abs=2.0)


def test_a_fallback_takes_what_the_others_cannot() -> None:
    at = board(deployment("b", 100.0, limit=300.0))
    chat = at.readings[CHAT]
    assert isinstance(chat, Route)
    fields = {name: getattr(chat, name) for name in chat.__struct_fields__}
    at.readings[CHAT] = Route(**(fields | {"fallbacks": ("lite",)}))
    own, *_ = courses(at, A, Trip())
    assert then(own, Quantity.ERRORS) == pytest.approx(0.0, abs=0.01)
    assert then(own, Quantity.USD_PER_H) == pytest.approx(264.0, abs=3.0)


def test_taking_the_ill_one_away_ends_its_failures() -> None:
    ill = deployment("a", 300.0, failing=(FailureClass("500", 240.0),))
    at = board(ill)
    chat = at.readings[CHAT]
    assert isinstance(chat, Route)
    fields = {name: getattr(chat, name) for name in chat.__struct_fields__}
    failing = Traffic(window_s=30.0, requests_per_min=400.0, errors_per_min=80.0, attempts_per_request=1.0)
    at.readings[CHAT] = Route(**(fields | {"traffic": failing}))
    own, nothing, *_ = courses(at, A, Trip())
    assert then(nothing, Quantity.ERRORS) == pytest.approx(0.2)
    assert then(own, Quantity.ERRORS) == pytest.approx(0.0, abs=0.001)
    assert then(own, Quantity.USD_PER_H) > then(nothing, Quantity.USD_PER_H), "what succeeds again is paid again"


def test_an_override_that_ends_before_leaves_nothing_to_see() -> None:
    own, nothing, *_ = courses(board(deployment("b", 100.0, limit=300.0)), A, Trip(), ttl_s=300.0)
    assert then(own, Quantity.ERRORS) == then(nothing, Quantity.ERRORS)
    assert "it has ended by then" in row(own, Quantity.ERRORS).words


def test_a_switch_carries_the_whole_route_over() -> None:
    own, _, *others = courses(board(), CHAT, Switch("lite", "alias"))
    assert own.words == "switch chat to lite"
    assert others == []
    assert then(own, Quantity.HEADROOM) == pytest.approx(0.56, abs=0.01)
    crowded, *_ = courses(board(deployment("c", 40.0, "lite", limit=240.0)), CHAT, Switch("lite", "alias"))
    assert then(crowded, Quantity.ERRORS) == pytest.approx(1 - 240 / 440, abs=0.05)


def test_a_paused_queue_asks_its_route_no_more() -> None:
    own, nothing, *_ = courses(board(), JOBS, Pause())
    assert then(own, Quantity.BACKLOG) == pytest.approx(50 + 15 * 20)
    assert then(nothing, Quantity.BACKLOG) < 10.0
    assert then(nothing, Quantity.USD_PER_H) - then(own, Quantity.USD_PER_H) == pytest.approx(20 * 0.01 * 60, rel=0.05)


def test_a_forecast_has_up_to_three_others_that_can_be_done() -> None:
    _, _, *others = courses(board(), A, SetWeight(0.5))
    assert [one.words for one in others] == ["trip a", "weight 0 for a"]
    _, _, *queues = courses(board(), JOBS, Pause())
    assert [one.words for one in queues] == ["park work"]


def test_what_is_not_known_is_said_and_not_made_up() -> None:
    silent = board(deployment("b", 100.0, limit=None))
    own, *_ = courses(silent, A, Trip())
    assert row(own, Quantity.HEADROOM).then is None
    assert "no limit of who carries them is told" in row(own, Quantity.HEADROOM).words
    assert "no limit of b is known" in row(own, Quantity.ERRORS).words


def test_more_than_was_ever_seen_to_be_carried_is_said() -> None:
    own, nothing, *_ = courses(board(), A, Trip())
    assert "b would get 400/min and was seen to carry 100 at most" in row(own, Quantity.ERRORS).words
    assert "seen to carry" not in row(nothing, Quantity.ERRORS).words


def test_what_is_ill_is_not_believed_to_have_room_and_workers_wait_there() -> None:
    well, ill = (deployment("b", 100.0, failing=failing) for failing in ((), (FailureClass("500", 30.0),)))
    (sound, *_), (own, nothing, *_) = courses(board(well), A, Trip()), courses(board(ill), A, Trip())
    assert "b is not well" in row(own, Quantity.ERRORS).words
    assert then(own, Quantity.ERRORS) > 0.5 > then(nothing, Quantity.ERRORS)
    assert then(sound, Quantity.BACKLOG) < 10.0
    # 3 workers; each call waits for 6 × 2 s, and then some in vain: 7 a minute at the most, and 20 come
    assert then(own, Quantity.BACKLOG) > 50 + 15 * (20 - 7)


def test_refusals_go_where_their_callers_go_and_make_nobody_ill() -> None:
    at = board(deployment("b", 100.0, failing=(FailureClass("403", 30.0),)))
    own, nothing, *_ = courses(at, A, Trip())
    assert "not well" not in row(own, Quantity.ERRORS).words
    assert then(own, Quantity.ERRORS) == then(nothing, Quantity.ERRORS)


def test_a_fallback_that_was_asked_already_has_no_second_room() -> None:
    at = board(deployment("c", 40.0, "lite", limit=240.0))
    chat = at.readings[CHAT]
    assert isinstance(chat, Route)
    at.readings[CHAT] = msgspec.structs.replace(chat, fallbacks=("lite",))
    alone, *_ = courses(board(deployment("c", 40.0, "lite", limit=240.0)), CHAT, Switch("lite", "alias"))
    own, *_ = courses(at, CHAT, Switch("lite", "alias"))
    assert then(own, Quantity.ERRORS) == pytest.approx(then(alone, Quantity.ERRORS))


def test_what_moves_no_flow_has_no_forecast() -> None:
    at = board()
    reissue = Reissue(source="traces", trace_id="0" * 32, span_id="0" * 16)
    for action in (Stop("x"), reissue):
        assert forecast(at, lambda _ref, _metric, _s: (), NOW, Doing(target=A, action=action)) is None

"""Retries by layer, what a dearer hour is made of, whether it will recover, and whether the rest can carry it."""

import msgspec
import pytest

from console.domain.analysis import Recovery
from console.domain.freshness import Freshness
from console.domain.readings import (
    AnyReading,
    Deployment,
    FailureClass,
    Headroom,
    Provider,
    Queue,
    Route,
    RouteTarget,
    Source,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import History, HistoryQuery
from console.engine.analysis import Analyst
from console.engine.analysis.capacity import without
from console.engine.analysis.past import DAYS, LAST_DAY, PER_DAY, SAME_HALF_HOUR, SLOT_S, Before, Past, past_of
from console.engine.analysis.recovery import verdict
from console.engine.analysis.waterfall import waterfall
from console.engine.analysis.xray import xray
from console.engine.clock import ManualClock
from tests.unit.domain.things import board, ref, source

NOW = 1_700_000_000.0


def _deployment(name: str, per_min: float, *, left: float | None = None, **more: object) -> Deployment:
    traffic = Traffic(window_s=60, requests_per_min=per_min, tokens_in_per_min=100 * per_min)
    room = None if left is None else Headroom(requests_left=left, requests_limit=1000)
    fields: dict[str, object] = {"provider": name.partition("-")[0], "model": "m", "routes": ("r",), **more}
    return Deployment(ref=ref(name), observed_at=1.0, traffic=traffic, headroom=room, **fields)  # type: ignore[arg-type]


def _provider(name: str, *deployments: str) -> Provider:
    return Provider(ref=ref(name, Kind.PROVIDER), observed_at=1.0, deployments=deployments)


def _route(calls: float, tries: float | None, fallbacks: float = 0.0, failed: float = 0.0, *names: str) -> Route:
    traffic = Traffic(
        window_s=60, requests_per_min=calls, attempts_per_request=tries, fallbacks_per_min=fallbacks,
        errors_per_min=failed,
    )  # fmt: skip
    targets = tuple(RouteTarget(deployment=name) for name in names)
    return Route(ref=ref("r", Kind.ROUTE), observed_at=1.0, targets=targets, traffic=traffic)


def _jobs(again: float) -> Queue:
    return Queue(
        ref=Ref("gw", Kind.QUEUE, "jobs"), observed_at=1.0, depth=0, redelivered_per_min=again, feeds=("gw:route/r",)
    )


def test_each_layer_is_told_apart_and_their_product_is_the_amplification() -> None:
    # 100 original requests; applications send 10 again, workers 40; the gateway makes 300 of those 150; 60 go on.
    route = _route(150, 3.6, 60.0, 0.0, "a-1", "b-1")
    found = xray(route, board(source(), route, _deployment("a-1", 200), _deployment("b-1", 100), _jobs(40)), {})
    assert found is not None
    factors = {layer.name: layer.factor for layer in found.layers}
    assert factors == pytest.approx({"application": 1.071, "worker": 1.4, "gateway": 2.0, "fallback": 1.2}, abs=0.001)
    assert found.amplification == pytest.approx(3.6, abs=0.01)
    assert found.worst == "gateway"
    assert found.layers[1].ref == Ref("gw", Kind.QUEUE, "jobs")


def test_a_healthy_route_multiplies_nothing_and_an_idle_one_is_not_looked_through() -> None:
    route = _route(100, 1.0, 0.0, 0.0, "a-1")
    found = xray(route, board(source(), route, _deployment("a-1", 100)), {})
    assert found is not None
    assert (found.amplification, found.worst) == (1.0, "")
    assert xray(_route(0.2, None), board(source()), {}) is None


def test_a_deployment_of_two_routes_counts_for_each_by_its_calls() -> None:
    route, other = (
        _route(100, None, 0.0, 0.0, "a-1"),
        msgspec.structs.replace(_route(300, None), ref=ref("q", Kind.ROUTE)),
    )
    shared = _deployment("a-1", 800, routes=("r", "q"))
    found = xray(route, board(source(), route, other, shared), {})
    assert found is not None
    assert found.layers[2].factor == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("tries", "failing", "recovery"),
    [
        (1.02, (), Recovery.FINE),
        (2.5, (FailureClass("500", 40.0),), Recovery.TRIGGERED),
        (2.5, (FailureClass("timeout", 40.0), FailureClass("429", 20.0)), Recovery.METASTABLE),
        (1.2, (FailureClass("429", 20.0),), Recovery.TRIGGERED),
        (2.5, (FailureClass("timeout", 40.0), FailureClass("400", 60.0)), Recovery.METASTABLE),
    ],
)
def test_retries_that_outlive_their_trigger_are_metastable(
    tries: float, failing: tuple[FailureClass, ...], recovery: Recovery
) -> None:
    failed = 10.0 if failing else 0.0
    route = _route(100, tries, 0.0, failed, "a-1")
    on = board(source(), route, _deployment("a-1", 100 * tries, failures=failing))
    found = verdict(route, on, xray(route, on, {}))
    assert found is not None
    assert found.recovery is recovery
    assert found.retry_part == pytest.approx(tries - 1.0, abs=0.01)


def test_nothing_is_said_of_a_route_whose_source_does_not_answer() -> None:
    route = _route(100, 2.5, 0.0, 0.0, "a-1")
    on = board(source(Freshness.STALE), route, _deployment("a-1", 250))
    found = verdict(route, on, xray(route, on, {}))
    assert found is not None
    assert found.recovery is Recovery.UNKNOWN


def _platform(
    *more: AnyReading, left: float | None = 400.0, freshness: Freshness = Freshness.FRESH
) -> list[Source | AnyReading]:
    return [
        source(freshness), _route(300, None, 0.0, 0.0, "a-1", "b-1"), _deployment("a-1", 200, left=100),
        _deployment("b-1", 100, left=left), _provider("a", "a-1"), _provider("b", "b-1"), *more,
    ]  # fmt: skip


def test_whether_the_rest_can_carry_a_provider_is_said_with_room_to_spare_or_not_at_all() -> None:
    a, b = without(board(*_platform()))
    assert (a.provider.name, a.demand_per_min, a.room_per_min, a.carries) == ("a", 200.0, 400.0, True)
    assert (b.provider.name, b.room_per_min, b.carries) == ("b", 100.0, False)
    assert b.words == "a-1 has room for 100 more requests/min, 1.0× the 100 of r that would move"
    unknown = without(board(*_platform(left=None)))[0]
    assert (unknown.carries, unknown.room_per_min) == (None, None)
    assert without(board(*_platform(freshness=Freshness.STALE)))[0].carries is None


def test_a_route_with_a_single_provider_is_carried_by_nobody_unless_it_falls_back() -> None:
    lone = _deployment("c-1", 50, left=500, routes=("s",))
    route = Route(ref=ref("s", Kind.ROUTE), observed_at=1.0, targets=(RouteTarget(deployment="c-1"),))
    found = {one.provider.name: one for one in without(board(*_platform(lone, route, _provider("c", "c-1"))))}
    assert found["c"].carries is False
    assert found["c"].words == "s has nothing but c"
    falls = msgspec.structs.replace(route, fallbacks=("r",))
    found = {one.provider.name: one for one in without(board(*_platform(lone, falls, _provider("c", "c-1"))))}
    assert found["c"].carries is True


def _history(days: int, now: float, then: float) -> History:
    values: list[float | None] = [None] * (DAYS * PER_DAY)
    for slot in range(1, 1 + days * PER_DAY):
        values[-1 - slot] = then
    values[-1] = now
    start = NOW - (DAYS * PER_DAY - 1) * SLOT_S - 600
    return History(ref=ref("a", Kind.PROVIDER), start=start, step_s=SLOT_S, series={"usd_per_h": tuple(values)})


@pytest.mark.parametrize(("days", "usual", "of"), [(3, 4.0, SAME_HALF_HOUR), (1, 4.0, LAST_DAY), (0, None, "")])
async def test_what_is_usual_is_that_of_the_same_half_hour_as_soon_as_it_is_known(
    days: int, usual: float | None, of: str
) -> None:
    async def ask(query: HistoryQuery) -> History:
        return _history(days, 9.0, 4.0)

    past = await past_of(ref("a", Kind.PROVIDER), ask, NOW)
    assert past.now("usd_per_h") == 9.0
    assert past.usual("usd_per_h") == usual
    assert past.usual_of == of


def _past(usual: tuple[float, float, float], now: tuple[float, float, float]) -> Past:
    names = ("usd_per_h", "requests_per_min", "tokens_per_min")
    return Past({n: Before(b, a) for n, a, b in zip(names, usual, now, strict=True)}, SAME_HALF_HOUR)


def test_the_steps_of_a_waterfall_add_up_to_the_difference_and_name_what_changed() -> None:
    grown = _past((60.0, 100.0, 100_000.0), (180.0, 150.0, 300_000.0))  # half again as many, twice the tokens for each
    steady = _past((40.0, 100.0, 50_000.0), (40.0, 100.0, 50_000.0))
    found = waterfall({ref("a", Kind.PROVIDER): grown, ref("b", Kind.PROVIDER): steady})
    assert found is not None
    assert (found.usual_usd_per_h, found.now_usd_per_h) == (100.0, 220.0)
    assert sum(step.usd_per_h for step in found.steps) == pytest.approx(120.0)
    by_name = {step.name: step for step in found.steps}
    assert by_name["volume"].usd_per_h == pytest.approx(25.0)
    assert by_name["tokens per request"].usd_per_h > 50.0
    assert by_name["volume"].words == "200 → 250 requests/min, most of it at a"


def test_money_without_tokens_is_not_explained_and_nothing_is_made_up_without_a_usual() -> None:
    bare = Past({"usd_per_h": _past((5.0, 1.0, 1.0), (9.0, 1.0, 1.0)).metrics["usd_per_h"]}, LAST_DAY)
    found = waterfall({ref("a", Kind.PROVIDER): bare})
    assert found is not None
    assert [(step.name, step.usd_per_h) for step in found.steps] == [("not explained", 4.0)]
    assert waterfall({ref("a", Kind.PROVIDER): Past({}, "")}) is None


async def test_an_analysis_of_a_whole_board_says_what_it_cannot_say() -> None:
    asked: list[Ref] = []

    async def ask(query: HistoryQuery) -> History:
        asked.append(query.ref)
        return History(ref=query.ref, start=0.0, step_s=1.0, series={})

    paid = msgspec.structs.replace(_provider("a", "a-1"), usd_per_h=3.0)
    clock = ManualClock(NOW)
    analyst = Analyst(board(*_platform(paid)), ask, clock)
    found = await analyst.analysis()
    assert found.cost is None
    assert [one.route.name for one in found.retries] == ["r"]
    assert len(found.without) == 2
    assert "cost: what is usual is known after two hours of history" in found.unknown
    assert asked == [paid.ref, ref("r", Kind.ROUTE)]
    await analyst.analysis()
    assert len(asked) == 2  # who asks at once reads no journal

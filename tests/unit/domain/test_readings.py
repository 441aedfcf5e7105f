"""What a reading says of itself: ratios that may be unknown, abilities, and whether anything has changed."""

import msgspec
import pytest

from console.domain.actions import Check, CheckResult, Verb, Verdict
from console.domain.errors import BackendError, ErrorKind, Refusal
from console.domain.readings import (
    Ability,
    Deployment,
    Headroom,
    Latency,
    Queue,
    Spend,
    SpendScope,
    Traffic,
    same_values,
    series,
)
from console.domain.refs import Kind, Ref
from tests.unit.domain.things import deployment, ref, source


@pytest.mark.parametrize(("requests", "errors", "ratio"), [(0, 0, None), (10, 0, 0.0), (10, 5, 0.5), (10, 11, 1.0)])
def test_the_error_ratio_is_unknown_without_traffic_and_never_more_than_one(
    requests: float, errors: float, ratio: float | None
) -> None:
    assert Traffic(window_s=60, requests_per_min=requests, errors_per_min=errors).error_ratio == ratio


@pytest.mark.parametrize(
    ("headroom", "ratio"),
    [
        (Headroom(), None),
        (Headroom(requests_left=5), None),
        (Headroom(requests_left=5, requests_limit=0), None),
        (Headroom(requests_left=5, requests_limit=10), 0.5),
        (Headroom(requests_left=0, requests_limit=10), 0.0),
        (Headroom(requests_left=5, requests_limit=10, tokens_left=1, tokens_limit=10), 0.1),
    ],
)
def test_the_scarcer_limit_counts(headroom: Headroom, ratio: float | None) -> None:
    assert headroom.left_ratio == ratio


@pytest.mark.parametrize(
    ("booked", "priced", "off"),
    [(None, 1.0, None), (1.0, None, None), (1.0, 0.0, None), (0.005, 0.001, None), (20.0, 1.0, 20.0), (1.0, 1.0, 1.0)],
)
def test_spend_disagrees_only_where_both_sides_are_known(
    booked: float | None, priced: float | None, off: float | None
) -> None:
    spend = Spend(
        ref=ref("all", Kind.SPEND),
        observed_at=1.0,
        scope=SpendScope.TOTAL,
        subject="all",
        usd_today=booked,
        priced_usd_today=priced,
    )
    assert spend.disagreement == off


def test_a_verb_that_nobody_declared_is_not_there_and_says_so() -> None:
    reading = msgspec.structs.replace(deployment(), can=(Ability(Verb.TRIP, able=True),))
    assert reading.ability(Verb.TRIP).able
    assert reading.ability(Verb.WEIGHT) == Ability(
        Verb.WEIGHT, able=False, reason="this backend has no weight for a deployment"
    )


def test_a_newer_look_alone_is_no_change() -> None:
    assert same_values(deployment(observed_at=1.0), deployment(observed_at=2.0))
    assert not same_values(deployment(weight=1.0), deployment(weight=2.0))
    assert not same_values(deployment(observed_at=1.0, weight=1.0), deployment(observed_at=2.0, weight=2.0))
    assert same_values(source(), msgspec.structs.replace(source(), observed_at=5.0, last_ok_at=5.0))
    assert not same_values(source(), msgspec.structs.replace(source(), notes=("new",)))


def test_what_is_unknown_has_no_history() -> None:
    reading: Deployment = msgspec.structs.replace(
        deployment(),
        traffic=Traffic(window_s=60, requests_per_min=10, errors_per_min=1),
        latency=Latency(window_s=60, p50_s=0.5),
    )
    found = dict(series(reading))
    assert found["p50_s"] == 0.5
    assert "p95_s" not in found
    assert dict(series(deployment())) == {}


def test_a_verdict_is_its_worst_check() -> None:
    fine, warned = Check("a", CheckResult.PASS, "ok"), Check("b", CheckResult.WARN, "hm")
    named, refused = Check("c", CheckResult.TYPE_NAME, "sure?"), Check("d", CheckResult.REFUSE, "no")
    assert Verdict((fine, warned)).allowed
    assert not Verdict((fine, warned)).needs_name
    assert Verdict((fine, named)).allowed
    assert Verdict((fine, named)).needs_name
    assert not Verdict((fine, refused)).allowed
    assert Verdict((fine, refused)).refusals == ("no",)


def test_errors_carry_clean_words_and_the_way_out() -> None:
    error = BackendError(ErrorKind.FORBIDDEN, "no\x1b[2J", where="GET /x", way_out="ask\nfor a key")
    assert error.kind is ErrorKind.FORBIDDEN
    assert str(error) == "forbidden: no�[2J (GET /x) → ask for a key"
    assert Refusal("no\x1b").words == "no�"


def test_a_queue_says_when_nothing_will_wait() -> None:
    queue = Queue(ref=Ref("jobs", Kind.QUEUE, "q"), observed_at=1.0, depth=300, in_per_min=100.0, out_per_min=400.0)
    assert queue.growth_per_min == -300.0
    assert queue.drain_s == 60.0
    assert msgspec.structs.replace(queue, depth=0).drain_s == 0.0
    assert msgspec.structs.replace(queue, out_per_min=100.0).drain_s is None
    assert msgspec.structs.replace(queue, out_per_min=None).drain_s is None

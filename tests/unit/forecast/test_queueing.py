"""Queues as flows, held against what can be worked out by hand."""

from collections.abc import Sequence

import pytest

from console.domain.actions import Effect, Plan, Verb
from console.domain.board import Board
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Action, Finish, Isolate, Park, Pause, Purge, Replay, Requeue, Resume
from console.forecast.queueing import (
    Course,
    arrivals_of,
    backlog_after,
    minutes_when,
    rhythm_of,
    waiting_by_chance,
    workers_of,
)
from console.forecast.trend import SLOT_S
from console.forecast.waiting import Line

JOBS = Ref("jobs", Kind.QUEUE, "jobs")
ROUTE = Ref("gw", Kind.ROUTE, "chat")
HOUR = 240


def queue(**changed: object) -> Queue:
    """Four workers, each a tenth of a minute a message: 40 a minute."""
    fields = {
        "depth": 100, "in_flight": 4, "consumers": 4, "in_per_min": 30.0, "out_per_min": 40.0,
        "redelivered_per_min": 0.0, "parked": 120, "dead_letters": 60,
    }  # fmt: skip
    return Queue(ref=JOBS, observed_at=0.0, **(fields | changed))  # type: ignore[arg-type]


def steady(reading: Queue) -> dict[tuple[Ref, str], Sequence[float | None]]:
    """An hour in which everything was as it is."""
    values = {"in_per_min": reading.in_per_min, "out_per_min": reading.out_per_min, "in_flight": reading.in_flight}
    return {(JOBS, metric): (value,) * HOUR for metric, value in values.items()}


def line(reading: Queue) -> Line:
    past = steady(reading)
    return Line(Board(), reading, lambda ref, metric, s: past.get((ref, metric), ())[-round(s / SLOT_S) :], 0.0, 900.0)


def after(
    action: Action, reading: Queue | None = None, plan: Plan | None = None, ttl_s: float | None = 3600.0
) -> float:
    found = line(reading or queue()).after(action, plan, (), ttl_s).waiting
    assert found is not None
    return found


def test_a_backlog_shrinks_by_service_minus_arrivals() -> None:
    course = Course(arrivals=lambda _: 30.0, capacity=lambda _: 34.0, workers=4)
    waiting, leaving = backlog_after(900.0, 100.0, course)
    assert waiting == pytest.approx(40.0)
    assert leaving == pytest.approx(34.0)


def test_a_backlog_without_enough_workers_grows_by_the_difference() -> None:
    course = Course(arrivals=lambda _: 30.0, capacity=lambda _: 20.0, workers=4)
    assert backlog_after(900.0, 10.0, course)[0] == pytest.approx(160.0)


def test_workers_who_keep_up_leave_what_chance_leaves_waiting() -> None:
    assert waiting_by_chance(30.0, 40.0, 1.0) == pytest.approx(0.75**2 / 0.25)
    course = Course(arrivals=lambda _: 30.0, capacity=lambda _: 40.0, workers=1)
    assert backlog_after(900.0, 10.0, course)[0] == pytest.approx(2.25)


def test_the_pace_of_workers_is_what_they_hold_by_what_leaves() -> None:
    reading = queue(in_flight=2, out_per_min=20.0, redelivered_per_min=5.0)
    workers = workers_of(reading, lambda ref, metric, _: steady(reading).get((ref, metric), ()))
    assert workers.minutes_each == pytest.approx(0.1)
    assert workers.per_min() == pytest.approx(40.0)
    assert workers.again == pytest.approx(0.2)


def test_a_pace_is_recalled_from_when_the_route_answered_like_that() -> None:
    series = {
        (JOBS, "out_per_min"): (40.0,) * 120 + (16.0,) * 120,
        (JOBS, "in_flight"): (4.0,) * 120 + (5.0,) * 120,
        (ROUTE, "p50_s"): (3.0,) * 120 + (15.0,) * 120,
    }
    minutes = minutes_when(queue(), lambda ref, metric, _: series[ref, metric], ROUTE, 3.2)
    assert minutes == pytest.approx(0.1)
    assert minutes_when(queue(), lambda ref, metric, _: series[ref, metric], ROUTE, 7.0) is None


def test_workers_who_hold_nothing_now_and_then_are_not_taken_for_slow_ones() -> None:
    """Twenty leave a minute, and half of the time nobody holds one: each takes a tenth of a minute, not a fifth."""
    series = {(JOBS, "out_per_min"): (20.0,) * HOUR, (JOBS, "in_flight"): (0.0, 4.0) * (HOUR // 2)}
    workers = workers_of(queue(), lambda ref, metric, _: series.get((ref, metric), ()))
    assert workers.minutes_each == pytest.approx(0.1)


def test_workers_with_little_to_do_are_known_by_the_hour() -> None:
    """The last five minutes show more held than leaves, by chance; the route answers as it did all the hour."""
    series = {
        (JOBS, "out_per_min"): (10.0,) * HOUR,
        (JOBS, "in_flight"): (1.0,) * (HOUR - 20) + (2.0,) * 20,
        (ROUTE, "p50_s"): (3.0,) * HOUR,
    }
    workers = workers_of(queue(), lambda ref, metric, _: series[ref, metric], [ROUTE])
    assert workers.minutes_each == pytest.approx((220 + 40) / 240 / 10)


def test_a_pace_from_better_minutes_is_not_believed_when_the_route_has_slowed_down() -> None:
    """Nothing left while it was held; meanwhile a call has come to take twelve seconds more."""
    series = {
        (JOBS, "out_per_min"): (40.0,) * 200 + (0.0,) * 40,
        (JOBS, "in_flight"): (4.0,) * 200 + (0.0,) * 40,
        (ROUTE, "p50_s"): (3.0,) * 200 + (15.0,) * 40,
    }
    workers = workers_of(queue(), lambda ref, metric, s: series[ref, metric][-round(s / SLOT_S) :], [ROUTE])
    assert workers.minutes_each == pytest.approx(0.1 + 12.0 / 60.0)


def test_a_few_messages_less_are_no_slope() -> None:
    falling = (30.0,) * 44 + tuple(30.0 - step for step in range(16))
    series = {(JOBS, "in_per_min"): falling}
    arrivals = arrivals_of(queue(), lambda ref, metric, _: series.get((ref, metric), ()), working=True)
    assert arrivals is not None
    assert arrivals(0.0) == arrivals(900.0) == pytest.approx(22.5)


def test_batches_come_again_in_their_rhythm() -> None:
    one_round = (120.0, 120.0, *(0.0,) * 38)
    assert rhythm_of(one_round * 6) == 40
    assert rhythm_of((30.0, 31.0, 29.5) * 80) == 0


def test_each_verb_has_its_own_arithmetic() -> None:
    assert after(Pause()) == pytest.approx(100 + 15 * 30)
    assert after(Pause(), ttl_s=600.0) == pytest.approx(100 + 10 * 30 - 5 * 10)
    assert after(Resume(), queue(depth=500, paused=True)) == pytest.approx(500 - 15 * 10)
    assert after(Park()) == after(Purge()) == pytest.approx(waiting_by_chance(30.0, 40.0, 4.0))
    assert after(Finish(), queue(depth=700)) == pytest.approx(700 - 15 * 40)
    assert after(Replay(2.0), queue(depth=200)) == pytest.approx(200 + 120 - 15 * 10)
    assert after(Requeue(2.0), queue(depth=200)) == pytest.approx(200 + 60 - 15 * 10)
    aside = Plan(
        target=JOBS, verb=Verb.ISOLATE, steps=(), expects=(),
        effects=(Effect(label="set aside", before=0.0, after=80.0, unit="messages"),),
    )  # fmt: skip
    assert after(Isolate(), queue(depth=300), aside) == pytest.approx(300 - 80 - 15 * 10)


def test_what_comes_back_comes_at_the_pace_of_the_plan_unless_the_operator_says_another() -> None:
    slow = Plan(target=JOBS, verb=Verb.REPLAY, steps=(), expects=(), back_per_s=0.1)
    assert after(Replay(), queue(depth=200, parked=300), slow) == pytest.approx(200 + 15 * 6 - 15 * 10)
    assert after(Replay(10.0), queue(depth=200, parked=300), slow) == pytest.approx(200 + 300 - 15 * 10)


def test_a_paused_queue_that_is_left_alone_fills_up() -> None:
    assert line(queue(depth=0, paused=True)).left_alone().waiting == pytest.approx(450.0)


def test_what_nobody_tells_is_not_made_up() -> None:
    silent = line(queue(in_per_min=None)).left_alone()
    assert silent.waiting is None
    assert silent.words == "what comes in is not told"
    idle = line(queue(out_per_min=None, in_flight=None, consumers=None)).left_alone()
    assert idle.waiting is None
    assert "how fast its workers are is not known" in idle.words
    assert line(queue()).after(Isolate(), None, (), None).waiting is None

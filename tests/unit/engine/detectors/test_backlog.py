"""Queues that will not get empty in time, and batches that will."""

from console.domain.alerts import Severity
from console.domain.readings import AgeQuality, AnyReading, Queue
from console.domain.refs import Kind, Ref
from console.engine.detectors.backlog import Backlogs
from tests.unit.engine.detectors.parts import DAY_S, HOUR_S, Scene


class Jobs:
    """First in, first out, at rates a minute; workers may be away."""

    def __init__(self) -> None:
        self.coming, self.able, self.consumers, self.paused = 60.0, 90.0, 5, False
        self.waiting: list[tuple[float, float]] = []
        self.batch = 0.0
        self.at = 0.0

    def __call__(self, at: float) -> list[AnyReading]:
        minutes = (at - self.at) / 60.0 if self.at else 0.0
        self.at = at
        came, self.batch = self.coming * minutes + self.batch, 0.0
        if came:
            self.waiting.append((at, came))
        left = room = self.able * minutes if self.consumers and not self.paused else 0.0
        while self.waiting and left > 0:
            since, many = self.waiting[0]
            taken = min(many, left)
            left -= taken
            if taken == many:
                self.waiting.pop(0)
            else:
                self.waiting[0] = (since, many - taken)
        depth = sum(many for _, many in self.waiting)
        queue = Queue(
            ref=Ref("jobs", Kind.QUEUE, "chat-jobs"),
            observed_at=at,
            depth=round(depth),
            consumers=self.consumers,
            oldest_age_s=at - self.waiting[0][0] if self.waiting else 0.0,
            age_quality=AgeQuality.EXACT,
            in_per_min=came / minutes if minutes else None,
            out_per_min=(room - left) / minutes if minutes else None,
            paused=self.paused,
        )
        return [queue]


def test_a_queue_that_grows_is_told_before_it_is_late_and_paged_when_it_is() -> None:
    scene, jobs = Scene(Backlogs()), Jobs()
    assert scene.play(HOUR_S, jobs, step_s=30.0) == []
    jobs.coming = 120.0
    ((after, found),) = scene.play(1800.0, jobs, step_s=30.0)
    assert after <= 900.0
    assert found.severity is Severity.TICKET
    assert "more each minute, the oldest for" in found.words
    assert scene.conditions[0].severity is Severity.PAGE


def test_a_batch_that_drains_in_time_is_quiet() -> None:
    scene, jobs = Scene(Backlogs()), Jobs()
    scene.play(HOUR_S, jobs, step_s=30.0)
    jobs.batch = 1500.0  # takes 50 minutes
    assert scene.play(2 * HOUR_S, jobs, step_s=30.0) == []


def test_a_batch_that_takes_all_day_is_told() -> None:
    scene, jobs = Scene(Backlogs()), Jobs()
    scene.play(HOUR_S, jobs, step_s=30.0)
    jobs.batch = 12_000.0
    ((_, found),) = scene.play(2 * HOUR_S, jobs, step_s=60.0)
    assert "draining takes" in found.words


def test_batches_of_every_ten_minutes_are_usual() -> None:
    scene, jobs = Scene(Backlogs()), Jobs()
    jobs.coming = 0.0

    def every_ten_minutes(at: float) -> list[AnyReading]:
        if at % 600.0 == 0.0:
            jobs.batch = 700.0
        return jobs(at)

    assert scene.play(DAY_S, every_ten_minutes) == []


def test_nobody_takes_them() -> None:
    scene, jobs = Scene(Backlogs()), Jobs()
    scene.play(HOUR_S, jobs, step_s=30.0)
    jobs.consumers = 0
    ((after, found),) = scene.play(600.0, jobs, step_s=30.0)
    assert after <= 180.0
    assert found.severity is Severity.PAGE
    assert "nobody takes them" in found.words


def test_a_queue_that_an_operator_paused_is_left_alone() -> None:
    scene, jobs = Scene(Backlogs()), Jobs()
    jobs.paused, jobs.consumers = True, 0
    assert scene.play(2 * HOUR_S, jobs, step_s=30.0) == []

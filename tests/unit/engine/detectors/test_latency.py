"""Answers that slow down are found, and weeks without a fault stay silent."""

import pytest

from console.domain.alerts import Severity
from console.domain.freshness import Freshness
from console.domain.readings import AnyReading, Provider
from console.domain.refs import Kind, Ref
from console.engine.detectors.latency import SlowAnswers
from tests.unit.engine.detectors.parts import BEGIN, DAY_S, HOUR_S, Scene, Wander, day, deployment


class Usual:
    """One deployment with a day and noise; `slow` and `busy` may be set."""

    def __init__(self, seed: int = 1, correlation: float = 0.5) -> None:
        self.wander = Wander(0.06, correlation, seed)
        self.onset = float("inf")
        self.rate = 0.01
        self.busy = 1.0

    def __call__(self, at: float) -> tuple[AnyReading, ...]:
        slow = 1.0 + max(0.0, self.rate * (at - self.onset) / 60.0)
        load = day(at)
        ttft = 0.5 * (1 + 0.2 * load) * self.wander() * slow
        return (deployment(at, requests=100.0 * load * self.busy, ttft=ttft, p50=None),)


@pytest.fixture(scope="module")
def three_days() -> bytes:
    """What three ordinary days have taught."""
    scene = Scene(SlowAnswers())
    assert scene.play(3 * DAY_S, Usual()) == []
    assert isinstance(scene.detector, SlowAnswers)
    return scene.detector.remember()


def learnt(memory: bytes, at: float = 0.0) -> Scene:
    detector, now = SlowAnswers(), BEGIN + 3 * DAY_S + at
    detector.recall(memory, now)
    return Scene(detector, now)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_creep_of_one_percent_a_minute_is_found_in_half_an_hour(three_days: bytes, seed: int) -> None:
    scene, usual = learnt(three_days, at=14 * HOUR_S), Usual(seed)
    assert scene.play(HOUR_S, usual) == []
    usual.onset = scene.now
    ((after, found),) = scene.play(HOUR_S, usual)
    assert after <= 34 * 60.0
    assert found.severity is Severity.TICKET
    assert "time to first token of azure/gpt-5 is 1." in found.words
    assert "its usual for 15:" in found.words
    assert "%/min for" in found.words


def test_a_jump_is_found_in_minutes_and_is_over_soon_after_it(three_days: bytes) -> None:
    scene, usual = learnt(three_days), Usual()
    scene.play(HOUR_S, usual)
    usual.onset, usual.rate = scene.now - 200 * 60.0, 0.01
    ((after, found),) = scene.play(1800.0, usual)
    assert after <= 360.0
    assert found.value == pytest.approx(3.0, rel=0.2)
    usual.onset = float("inf")
    scene.play(600.0, usual)
    assert scene.conditions == []
    scene.play(HOUR_S, usual)
    assert scene.conditions == []


def test_a_creep_does_not_become_usual(three_days: bytes) -> None:
    scene, usual = learnt(three_days), Usual()
    usual.onset, usual.rate = scene.now, 0.005
    scene.play(6 * HOUR_S, usual)
    assert [condition.severity for condition in scene.conditions] == [Severity.PAGE]


def test_a_week_that_wanders_is_silent() -> None:
    assert Scene(SlowAnswers()).play(7 * DAY_S, Usual(9, correlation=0.9)) == []


def test_more_traffic_explains_somewhat_slower_answers(three_days: bytes) -> None:
    scene, usual = learnt(three_days), Usual()
    usual.busy = 2.0
    usual.onset, usual.rate = scene.now - 80 * 60.0, 0.002  # 1.16 times the usual, at once
    assert scene.play(0.5 * HOUR_S, usual) == []


def test_a_cold_start_finds_what_no_time_of_day_explains() -> None:
    scene, usual = Scene(SlowAnswers()), Usual()
    scene.play(0.6 * HOUR_S, usual)
    state = scene.detector.state(scene.now) if isinstance(scene.detector, SlowAnswers) else None
    assert state is not None
    assert state.watching == 1
    assert "less than a day" in state.unknown[0]
    usual.onset, usual.rate = scene.now, 0.03
    ((after, found),) = scene.play(HOUR_S, usual)
    assert after <= 25 * 60.0
    assert "what was usual so far" in found.words


@pytest.mark.parametrize(("times", "told"), [(1.3, False), (3.0, True)])
def test_after_ten_minutes_only_what_is_gross_is_told(times: float, told: bool) -> None:
    scene, usual = Scene(SlowAnswers()), Usual()
    assert scene.play(600.0, usual) == []
    usual.onset, usual.rate = scene.now - 60.0 * 100.0 * (times - 1.0), 0.01
    found = scene.play(420.0, usual)
    assert bool(found) is told
    scene.play(2 * HOUR_S, usual)
    assert bool(scene.conditions) is told


def test_nothing_is_said_of_few_calls_or_of_a_stale_source(three_days: bytes) -> None:
    scene, usual = learnt(three_days), Usual()
    usual.onset, usual.busy = scene.now - 200 * 60.0, 0.002
    assert scene.play(HOUR_S, usual) == []
    scene.source(Freshness.STALE)
    usual.busy = 1.0
    assert scene.play(HOUR_S, usual) == []


def test_a_provider_speaks_when_most_of_its_deployments_are_ill() -> None:
    ill: set[str] = set()
    names = ("a", "b", "c")
    wander = Wander(0.05, 0.3)

    def script(at: float) -> list[AnyReading]:
        each: list[AnyReading] = [
            deployment(at, name, ttft=0.5 * wander() * (2.5 if name in ill else 1.0), token=None) for name in names
        ]
        one = deployment(at, ttft=0.5 * wander() * (2.5 if ill else 1.0), token=None)
        ref = Ref("gateway", Kind.PROVIDER, "azure")
        together = Provider(ref=ref, observed_at=at, deployments=names, traffic=one.traffic, latency=one.latency)
        return [*each, together]

    scene = Scene(SlowAnswers())
    scene.play(2 * HOUR_S, script)
    ill.add("a")
    scene.play(HOUR_S, script)
    assert {condition.ref.name for condition in scene.conditions} == {"a"}
    ill.add("b")
    scene.play(HOUR_S, script)
    assert {condition.ref.name for condition in scene.conditions} == {"a", "b", "azure"}


def test_an_object_that_leaves_takes_its_alert_with_it(three_days: bytes) -> None:
    scene, usual = learnt(three_days), Usual()
    usual.onset = scene.now - 200 * 60.0
    scene.play(HOUR_S, usual)
    assert scene.conditions
    scene.put(removed=(Ref("gateway", Kind.DEPLOYMENT, "chat-azure"),))
    assert list(scene.detector.tick(scene.now + 60.0, scene.board)) == []


@pytest.mark.parametrize("state", [b"", b"{}", b"nonsense", b'{"version":1,"at":1,"cases":{"x":{"y":2}}}'])
def test_a_memory_that_cannot_be_read_is_as_none(state: bytes) -> None:
    scene, usual = Scene(SlowAnswers()), Usual()
    scene.detector.recall(state, scene.now)  # type: ignore[attr-defined]
    assert scene.play(HOUR_S, usual) == []

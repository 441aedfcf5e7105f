"""Failures, rate limits and retries, each against what is usual for the very object."""

import pytest

from console.config import Objective
from console.domain.alerts import Severity
from console.domain.readings import AnyReading, Headroom, Provider, Route, Traffic
from console.domain.refs import Kind, Ref
from console.engine.detectors.errors import FailingMore
from console.engine.detectors.retries import Amplified
from console.engine.detectors.throttling import Throttled
from tests.unit.engine.detectors.parts import DAY_S, HOUR_S, Scene, Wander, day, deployment


def with_errors(part: float, name: str = "chat-azure", limited: float = 0.0) -> list[AnyReading]:
    return [deployment(0.0, name, errors=100.0 * part, limited=100.0 * limited)]


def test_failures_are_told_in_minutes_with_their_usual_part() -> None:
    scene = Scene(FailingMore())
    assert scene.play(HOUR_S, lambda _: with_errors(0.004), step_s=15.0) == []
    ((after, found),) = scene.play(600.0, lambda _: with_errors(0.05), step_s=15.0)
    assert after <= 300.0
    assert found.severity is Severity.TICKET
    assert found.words.endswith("requests to azure/gpt-5 failed in 5 min, mostly 500; 0.5% is usual")
    scene.play(600.0, lambda _: with_errors(0.4), step_s=15.0)
    assert [condition.severity for condition in scene.conditions] == [Severity.PAGE]
    scene.play(600.0, lambda _: with_errors(0.004), step_s=15.0)
    assert scene.conditions == []


def test_what_always_fails_in_part_is_usual() -> None:
    scene = Scene(FailingMore())
    scene.play(2 * DAY_S, lambda _: with_errors(0.05))
    assert scene.play(DAY_S, lambda _: with_errors(0.07)) == []
    assert scene.play(900.0, lambda _: with_errors(0.25)) != []


def test_a_week_of_ordinary_failures_is_silent() -> None:
    wander = Wander(0.5, 0.8)
    scene = Scene(FailingMore())
    assert scene.play(7 * DAY_S, lambda at: [deployment(at, requests=60.0 * day(at), errors=0.2 * wander())]) == []


def test_a_burst_of_a_minute_is_no_alert() -> None:
    scene = Scene(FailingMore())
    scene.play(HOUR_S, lambda _: with_errors(0.004), step_s=15.0)
    scene.play(60.0, lambda _: with_errors(0.3), step_s=15.0)
    scene.play(180.0, lambda _: with_errors(0.004), step_s=15.0)
    assert not [condition for condition in scene.conditions if condition.begins]


def test_objects_with_an_objective_are_left_to_it() -> None:
    objective = Objective(name="chat", match="gateway:deployment/chat-*", target=0.99)
    scene = Scene(FailingMore((objective,)))
    assert scene.play(900.0, lambda _: with_errors(0.5)) == []


@pytest.mark.parametrize(("ill", "told"), [(1, {"a"}), (2, {"a", "b", "azure"})])
def test_a_provider_is_told_when_most_of_it_fails(ill: int, told: set[str]) -> None:
    names = ("a", "b", "c")

    def script(_: float) -> list[AnyReading]:
        each = [with_errors(0.3 if place < ill else 0.0, name)[0] for place, name in enumerate(names)]
        provider = Provider(
            ref=Ref("gateway", Kind.PROVIDER, "azure"),
            observed_at=0.0,
            deployments=names,
            traffic=Traffic(window_s=60.0, requests_per_min=300.0, errors_per_min=30.0 * ill),
        )
        return [*each, provider]

    scene = Scene(FailingMore())
    scene.play(900.0, script)
    assert {condition.ref.name for condition in scene.conditions} == told


def test_rate_limits_are_told_as_such_and_not_as_failures() -> None:
    failing, throttled = Scene(FailingMore()), Scene(Throttled())
    assert failing.play(900.0, lambda _: with_errors(0.0, limited=0.3), step_s=15.0) == []
    ((_, found),) = throttled.play(900.0, lambda _: with_errors(0.0, limited=0.3), step_s=15.0)
    assert found.rule == "throttling"
    assert "were turned away by its rate limit" in found.words
    assert throttled.conditions[0].severity is Severity.PAGE


def test_the_end_of_a_rate_limit_is_foretold_as_a_notice() -> None:
    import msgspec

    scene = Scene(Throttled())
    begin = scene.now

    def script(at: float) -> list[AnyReading]:
        room = Headroom(requests_left=max(0.0, 500.0 - 0.4 * (at - begin)), requests_limit=1000.0)
        return [msgspec.structs.replace(deployment(at), headroom=room)]

    ((after, found),) = scene.play(1100.0, script, step_s=15.0)
    assert found.severity is Severity.NOTICE
    assert 500.0 <= after <= 900.0
    assert "% of the rate limit of azure/gpt-5 is left, none in" in found.words


def tried(attempts: float, requests: float = 60.0) -> list[AnyReading]:
    traffic = Traffic(window_s=60.0, requests_per_min=requests, attempts_per_request=attempts)
    return [Route(ref=Ref("gateway", Kind.ROUTE, "chat"), observed_at=0.0, traffic=traffic)]


@pytest.mark.parametrize(
    ("attempts", "severity"), [(1.05, None), (1.2, Severity.TICKET), (1.7, Severity.PAGE), (3.5, Severity.PAGE)]
)
def test_retries_are_told_by_how_much_they_multiply(attempts: float, severity: Severity | None) -> None:
    scene = Scene(Amplified())
    scene.play(HOUR_S, lambda _: tried(1.01), step_s=15.0)
    scene.play(600.0, lambda _: tried(attempts), step_s=15.0)
    assert [condition.severity for condition in scene.conditions] == ([severity] if severity else [])


def test_few_requests_and_a_usual_factor_are_no_amplification() -> None:
    assert Scene(Amplified()).play(HOUR_S, lambda _: tried(2.0, requests=5.0), step_s=15.0) == []
    scene = Scene(Amplified())
    scene.play(2 * DAY_S, lambda _: tried(1.09))
    assert scene.play(HOUR_S, lambda _: tried(1.15)) == []

"""pending → firing → resolved, once for all detectors."""

from dataclasses import replace

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.answers import Group
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.lifecycle import PROVE_AGAIN_S, SAY_AGAIN_S, Lifecycle
from tests.unit.engine.parts import ref

SLOW = Patience(fire_after_s=30.0, resolve_after_s=60.0)
QUICK = Patience(fire_after_s=0.0, resolve_after_s=60.0)


def bad(
    value: float = 1.0, *, begins: bool = True, severity: Severity = Severity.PAGE, rule: str = "rule"
) -> Condition:
    return Condition(rule, ref(), severity, f"value {value}", value, begins=begins)


def states(alerts: list[Alert]) -> list[AlertState]:
    return [alert.state for alert in alerts]


def test_a_condition_has_to_last_before_it_fires() -> None:
    cases = Lifecycle()
    assert states(cases.take("rule", SLOW, [bad()], 0.0)) == [AlertState.PENDING]
    assert cases.take("rule", SLOW, [bad()], 29.0) == []
    fired = cases.take("rule", SLOW, [bad()], 30.0)
    assert states(fired) == [AlertState.FIRING]
    assert fired[0].since == 30.0


def test_a_condition_that_goes_before_it_fired_leaves_at_once() -> None:
    cases = Lifecycle()
    cases.take("rule", SLOW, [bad()], 0.0)
    assert states(cases.take("rule", SLOW, [], 1.0)) == [AlertState.RESOLVED]
    assert cases.take("rule", SLOW, [], 2.0) == []


def test_it_resolves_only_after_it_has_been_away_for_a_while() -> None:
    cases = Lifecycle()
    cases.take("rule", QUICK, [bad()], 0.0)
    assert cases.take("rule", QUICK, [], 30.0) == []
    assert cases.take("rule", QUICK, [bad()], 50.0) == []
    assert cases.take("rule", QUICK, [], 100.0) == []
    assert states(cases.take("rule", QUICK, [], 110.0)) == [AlertState.RESOLVED]


def test_nearly_bad_enough_keeps_an_alert_and_begins_none() -> None:
    cases = Lifecycle()
    assert cases.take("rule", QUICK, [bad(begins=False)], 0.0) == []
    cases.take("rule", QUICK, [bad()], 1.0)
    for at in range(2, 500, 10):
        assert cases.take("rule", QUICK, [bad(begins=False)], float(at)) == []


def test_one_detector_says_nothing_of_anothers_alerts() -> None:
    cases = Lifecycle()
    cases.take("rule", QUICK, [bad()], 0.0)
    assert cases.take("other", QUICK, [], 1000.0) == []
    cases.take("burn-rate", QUICK, [bad(rule="burn-rate/chat")], 1000.0)
    assert states(cases.take("burn-rate", QUICK, [], 2000.0)) == [AlertState.RESOLVED]


def test_numbers_are_brought_up_to_date_seldom_and_severity_at_once() -> None:
    cases = Lifecycle()
    cases.take("rule", QUICK, [bad(1.0, severity=Severity.TICKET)], 0.0)
    assert cases.take("rule", QUICK, [bad(5.0, severity=Severity.TICKET)], 10.0) == []
    assert cases.take("rule", QUICK, [bad(1.05, severity=Severity.TICKET)], 31.0) == []
    assert cases.take("rule", QUICK, [bad(5.0, severity=Severity.TICKET)], 32.0)[0].value == 5.0
    assert cases.take("rule", QUICK, [bad(5.0)], 33.0)[0].severity is Severity.PAGE


def test_marks_stay_with_the_alert_and_a_silence_outlives_it() -> None:
    cases = Lifecycle()
    alert = cases.take("rule", QUICK, [bad()], 0.0)[0]
    marked = cases.mark(alert.id, "ada", 600.0, 10.0)
    assert (marked.acknowledged_by, marked.silenced_until) == ("ada", 610.0)
    cases.take("rule", QUICK, [], 100.0)
    again = cases.take("rule", QUICK, [bad()], 200.0)[0]
    assert again.acknowledged_by == ""
    assert again.silenced_until == 610.0
    assert cases.expire_silences(609.0) == []
    assert cases.expire_silences(610.0)[0].silenced_until is None


def test_an_acknowledgement_alone_silences_nothing() -> None:
    cases = Lifecycle()
    alert = cases.take("rule", QUICK, [bad()], 0.0)[0]
    assert cases.mark(alert.id, "ada", 0.0, 10.0).silenced_until is None


def test_the_next_engine_goes_on_where_this_one_stopped() -> None:
    cases = Lifecycle()
    alert = cases.take("rule", QUICK, [bad()], 0.0)[0]
    alert = cases.mark(alert.id, "ada", 900.0, 1.0)
    later = Lifecycle()
    assert later.restore([alert], 100.0) == [alert]
    assert later.take("rule", QUICK, [bad()], 101.0) == []
    assert later.mark(alert.id, "bob", 0.0, 102.0).silenced_until == 901.0


def test_what_nobody_sees_again_is_over_after_a_while() -> None:
    cases = Lifecycle()
    alert = cases.take("rule", QUICK, [bad()], 0.0)[0]
    later = Lifecycle()
    later.restore([alert], 1000.0)
    assert later.take("rule", QUICK, [], 1000.0 + PROVE_AGAIN_S - 1) == []
    assert states(later.take("rule", QUICK, [], 1000.0 + PROVE_AGAIN_S)) == [AlertState.RESOLVED]


def test_what_an_alert_is_about_may_become_known_later_and_is_not_forgotten() -> None:
    lifecycle = Lifecycle()
    first = Condition("rule", ref(), Severity.TICKET, "bad", 1.0)
    lifecycle.take("rule", Patience(), [first], 0.0)
    known = replace(first, about=Group(service="api"))
    assert lifecycle.take("rule", Patience(), [known], 1.0) == [], "not with every tick"
    (alert,) = lifecycle.take("rule", Patience(), [known], SAY_AGAIN_S + 1.0)
    assert alert.about == Group(service="api")
    (alert,) = lifecycle.take("rule", Patience(), [replace(first, value=2.0)], 2 * SAY_AGAIN_S + 2.0)
    assert alert.about == Group(service="api")

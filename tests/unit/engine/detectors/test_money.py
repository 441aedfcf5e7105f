"""Money that goes too fast, budgets that will not last, and spend that no token explains."""

import pytest

from console.domain.alerts import Aspect, Severity
from console.domain.readings import AnyReading, Deployment, Spend, SpendScope
from console.domain.refs import Kind, Ref
from console.engine.detectors.cost import CostBurn
from console.engine.detectors.day_counter import DayCounter
from console.engine.detectors.phantom import PhantomSpend
from tests.unit.engine.detectors.parts import DAY_S, HOUR_S, Scene, Wander, day, deployment


class Purse:
    """One key's money since midnight; `times` multiplies what is booked, `traffic` everything."""

    def __init__(self, budget: float | None = None, discount: float = 1.0) -> None:
        self.wander = Wander(0.08, 0.7)
        self.traffic = self.times = 1.0
        self.discount = discount
        self.budget = budget
        self.booked = self.priced = self.at = 0.0
        self.steady = False

    def __call__(self, at: float) -> list[AnyReading]:
        level = 1.0 if self.steady else day(at) * self.wander()
        grown = 40.0 * level * self.traffic * (at - self.at) / HOUR_S if self.at else 0.0
        if at // DAY_S != self.at // DAY_S:
            self.booked = self.priced = 0.0
        self.at, self.priced = at, self.priced + grown
        self.booked += grown * self.times * self.discount
        spend = Spend(
            ref=Ref("gateway", Kind.KEY, "agents"),
            observed_at=at,
            scope=SpendScope.KEY,
            subject="agents",
            usd_today=round(self.booked, 2),
            priced_usd_today=round(self.priced, 2),
            budget_usd=self.budget,
            budget_used_usd=None if self.budget is None else self.booked,
            budget_resets_at=(at // DAY_S + 1) * DAY_S,
        )
        return [spend]


def test_a_counter_that_is_set_back_has_grown_by_what_it_shows() -> None:
    counter = DayCounter(2)
    assert counter.grown(5.0, 1.0) is None
    assert counter.grown(7.0, 1.5) == [2.0, 0.5]
    assert counter.grown(1.0, 2.0) == [1.0, 0.5]
    assert counter.grown(None, 2.0) is None
    assert counter.grown(3.0, 2.0) is None


def test_an_agent_that_loops_is_told_and_twice_the_traffic_is_not() -> None:
    scene, purse = Scene(CostBurn()), Purse()
    assert scene.play(2 * DAY_S, purse, step_s=90.0) == []
    purse.traffic = 3.0
    assert scene.play(2 * HOUR_S, purse) == []
    purse.traffic = 30.0
    ((after, found),) = scene.play(HOUR_S, purse)
    assert after <= 600.0
    assert (found.severity, found.aspect) == (Severity.PAGE, Aspect.COST)
    assert "USD an hour" in found.words
    assert "× its usual for 0" in found.words
    purse.traffic = 1.0
    scene.play(HOUR_S, purse)
    assert scene.conditions == []


def test_a_budget_that_ends_before_its_reset_is_a_notice_and_a_ticket_when_the_rate_is_unusual() -> None:
    scene, purse = Scene(CostBurn()), Purse(budget=950.0)
    scene.play(2 * DAY_S, purse, step_s=90.0)
    assert scene.play(DAY_S, purse, step_s=90.0) == []
    purse.traffic = 3.0
    scene.play(6 * HOUR_S, purse)
    ((_, found),) = scene.play(4 * HOUR_S, purse)
    assert found.severity in (Severity.TICKET, Severity.PAGE)
    assert "the budget of agents ends in" in found.words


def test_a_request_that_costs_more_is_told_whatever_the_traffic() -> None:
    each, wander, tokens = 0.004, Wander(0.04, 0.5), 1.0

    def script(at: float) -> list[AnyReading]:
        requests = 100.0 * day(at) * wander()
        one = deployment(at, requests=requests)
        money = 60.0 * requests * each * tokens * wander()
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        return [Deployment(**{**fields, "usd_per_h": money})]

    scene = Scene(CostBurn())
    assert scene.play(3 * DAY_S, script) == []
    tokens = 1.4
    ((after, found),) = scene.play(HOUR_S, script)
    assert after <= 900.0
    assert found.value == pytest.approx(1.4, abs=0.08)
    assert "traffic does not explain" in found.words


@pytest.mark.parametrize("discount", [1.0, 0.6])
def test_what_no_token_explains_is_told_in_minutes_of_what_was_booked_lately(discount: float) -> None:
    scene, purse = Scene(PhantomSpend()), Purse(discount=discount)
    assert scene.play(1.8 * DAY_S, purse, step_s=90.0) == []
    purse.times = 2.5
    ((after, found),) = scene.play(HOUR_S, purse)
    assert after <= 900.0
    assert found.aspect is Aspect.COST
    assert f"is {2.5 * discount:.1f}× tokens × price" in scene.conditions[0].words
    purse.times = 1.0
    scene.play(HOUR_S, purse)
    assert scene.conditions == []


def test_cents_do_not_disagree() -> None:
    scene, purse = Scene(PhantomSpend()), Purse()
    purse.traffic, purse.times, purse.steady = 0.002, 3.0, True
    assert scene.play(6 * HOUR_S, purse) == []

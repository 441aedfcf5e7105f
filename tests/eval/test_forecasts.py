"""Forecasts against a simulated platform, and how their errors are added up."""

import asyncio
import json

import pytest

from console.domain.forecasts import Quantity
from console.domain.refs import Kind, Ref
from console.forecast.daily import PER_DAY
from console.forecast.quantities import relative_error
from evaluation.doings import EVERYWHERE, doing_of
from evaluation.forecasts import lines, main
from evaluation.foretold import Outcome, Stage, branch
from evaluation.hours import Day, Means
from evaluation.stand import MONDAY


def test_what_is_forecast_of_a_pause_is_what_the_world_then_shows() -> None:
    stage = Stage(3, None)
    asyncio.run(stage.run(1200.0))
    pause = doing_of(EVERYWHERE[1])
    assert pause is not None
    found = {one.quantity: one for one in branch(stage, pause, "other")}
    assert found[Quantity.BACKLOG].actual > 200
    for quantity in (Quantity.BACKLOG, Quantity.USD_PER_H):
        row = found[quantity]
        assert relative_error(quantity, row.expected, row.actual) < 0.25, row


def outcome(now: float, expected: float, actual: float) -> Outcome:
    return Outcome(
        scenario="s", where="w", verb="pause", role="other", quantity=Quantity.BACKLOG, object="jobs:queue/q",
        moment_s=300.0, now=now, expected=expected, actual=actual,
    )  # fmt: skip


def test_errors_are_relative_and_a_goal_that_does_not_hold_is_said() -> None:
    found = [outcome(100.0, 150.0, 200.0), outcome(0.0, 2.0, 1.0), outcome(100.0, 90.0, 100.0)]
    measured = {(line["quantity"], line["verb"]): line for line in lines(found)}
    whole = measured["backlog", "all"]
    assert (whole["count"], whole["median"], whole["holds"]) == (3, pytest.approx(0.1), True)
    waiting = measured["waiting", "all"]
    assert (waiting["count"], waiting["median"], waiting["holds"]) == (2, pytest.approx(0.25), True)
    assert (waiting["naive median"], whole["naive p90"]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert not next(lines([outcome(0.0, 10.0, 100.0)]))["holds"]


def test_what_the_hour_of_the_day_is_worth_is_told_beside_what_is_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [Day(100.0, 118.0, 108.0, 120.0), Day(50.0, 60.0, 48.0, 60.0)]
    monkeypatch.setattr("evaluation.forecasts.measured", lambda _seed, _shape: days)
    assert main(["--hours", "--seeds", "1:2", "--jobs", "1"]) == 0
    told = {(line := json.loads(text))["calm day"]: line for text in capsys.readouterr().out.splitlines()}
    assert told["knowing"]["median"] == pytest.approx(0.017, abs=0.001)
    assert told["without"]["p90"] == pytest.approx(0.2)
    assert told["now"]["count"] == 2


def test_a_mean_of_a_quarter_of_an_hour_grows_as_it_did_on_the_days_before() -> None:
    means, ref = Means(), Ref("gw", Kind.ROUTE, "chat")
    for half_minute in range(7 * PER_DAY * 15):
        slot = half_minute // 30 % PER_DAY
        means.take(MONDAY + 30.0 * half_minute, [(ref, "requests_per_min", 100.0 + slot)])
    assert means.growth(ref, "requests_per_min") > 1.0
    assert means.growth(ref, "never seen") == 1.0

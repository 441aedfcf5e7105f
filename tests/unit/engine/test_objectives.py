"""The workbook's arithmetic."""

import pytest

from console.domain.objectives import BURN_RULES, burn, check_objective, largest_burn

MONTH_S = 30 * 86400.0


def test_a_month_has_the_workbooks_thresholds() -> None:
    assert [rule.threshold(MONTH_S) for rule in BURN_RULES] == pytest.approx([14.4, 6.0, 1.0])


def test_a_shorter_period_is_watched_for_the_same_part_of_its_budget() -> None:
    assert [rule.threshold(7 * 86400.0) for rule in BURN_RULES] == pytest.approx([3.36, 1.4, 1.0])


def test_burn_is_the_error_ratio_in_budgets() -> None:
    assert burn(1, 1000, 0.999) == pytest.approx(1.0)
    assert burn(1000, 1000, 0.999) == pytest.approx(largest_burn(0.999)) == pytest.approx(1000.0)
    assert burn(0, 0, 0.999) == 0.0


@pytest.mark.parametrize("target", [0.95, 0.99, 0.999, 0.9306])
def test_objectives_whose_rules_can_fire_are_good(target: float) -> None:
    check_objective("chat", target, MONTH_S)


def test_a_rule_that_can_never_fire_is_refused_with_what_would_do() -> None:
    with pytest.raises(ValueError, match=r"1 h rule fires at a burn of 14\.4.*10 at most.*at least 0\.9306"):
        check_objective("chat", 0.9, MONTH_S)
    check_objective("chat", 0.9, 7 * 86400.0)


@pytest.mark.parametrize("target", [0.0, 1.0, 99.9, -1.0])
def test_a_target_that_is_no_part_is_refused(target: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        check_objective("chat", target, MONTH_S)


def test_a_period_shorter_than_its_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3d"):
        check_objective("chat", 0.999, 86400.0)

"""How long a number may be believed."""

import pytest

from console.domain.freshness import Freshness, freshness, stale_after_s


@pytest.mark.parametrize(("interval_s", "limit_s"), [(0.5, 5.0), (1.0, 5.0), (2.0, 6.0), (30.0, 90.0)])
def test_three_missed_intervals_are_too_many_and_never_less_than_five_seconds(
    interval_s: float, limit_s: float
) -> None:
    assert stale_after_s(interval_s) == limit_s
    assert freshness(1000.0, 1000.0 + limit_s, interval_s) is Freshness.FRESH
    assert freshness(1000.0, 1000.1 + limit_s, interval_s) is Freshness.STALE


def test_what_was_never_seen_is_missing() -> None:
    assert freshness(None, 1000.0, 5.0) is Freshness.MISSING

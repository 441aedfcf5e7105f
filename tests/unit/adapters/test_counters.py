"""Deltas survive restarts, windows forget, quantiles read like PromQL's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.counters import Deltas, RollingSums, quantile


def test_the_first_page_is_only_a_mark() -> None:
    deltas = Deltas[str]()
    assert deltas.feed([("a", 10.0)]) == {}
    assert deltas.feed([("a", 12.0), ("b", 3.0), ("c", 0.0)]) == {"a": 2.0, "b": 3.0}
    assert deltas.feed([("a", 12.0), ("b", 3.0)]) == {}


def test_a_counter_that_goes_back_began_at_zero() -> None:
    deltas = Deltas[str]()
    deltas.feed([("a", 10.0), ("b", 5.0), ("n", math.nan)])
    assert deltas.feed([("a", 4.0), ("b", 0.0), ("n", math.nan)]) == {"a": 4.0}


@given(st.lists(st.lists(st.integers(0, 5), min_size=2, max_size=2), min_size=1, max_size=30))
def test_deltas_add_up_to_what_was_counted(steps: list[list[int]]) -> None:
    deltas = Deltas[int]()
    totals, added = [100, 200], [0.0, 0.0]
    deltas.feed(enumerate(map(float, totals)))
    for step in steps:
        totals = [total + more for total, more in zip(totals, step, strict=True)]
        for key, value in deltas.feed(enumerate(map(float, totals))).items():
            added[key] += value
    assert added == [totals[0] - 100, totals[1] - 200]


def test_a_window_forgets_and_leaves_no_dust() -> None:
    sums = RollingSums[str](30)
    sums.begin(0)
    sums.add(10, {"a": 0.1})
    sums.add(20, {"a": 0.2, "b": 1})
    assert sums.sums == {"a": pytest.approx(0.3), "b": 1}
    assert sums.span_s(20) == 20
    sums.add(45, {})
    assert sums.sums == {"a": pytest.approx(0.2), "b": 1}
    assert sums.span_s(45) == 35
    sums.add(60, {})
    assert sums.sums == {}
    assert sums.span_s(60) == 40


def test_quantiles() -> None:
    inf = math.inf
    buckets = [(0.1, 50.0), (1.0, 90.0), (inf, 100.0)]
    assert quantile(0.5, buckets) == pytest.approx(0.1)
    assert quantile(0.25, buckets) == pytest.approx(0.05)
    assert quantile(0.7, buckets) == pytest.approx(0.1 + 0.9 * 20 / 40)
    assert quantile(0.99, buckets) == 1.0
    assert quantile(0.5, [(0.1, 0.0), (inf, 0.0)]) is None
    assert quantile(0.5, [(0.1, 3.0)]) is None
    assert quantile(0.5, []) is None

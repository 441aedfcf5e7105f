"""Where a request's time went."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.spans import Span, SpanKind
from console.traces.critical import critical_path
from console.traces.tree import NO_SPAN, Tree, tree_of
from tests.unit.traces.spans import BEGIN, span


def _path(*spans: Span) -> list[tuple[int, float, float]]:
    """Span, start and own seconds of each part; 0 stands for no span."""
    return [
        (int(one.span_id or "0", 16), round(one.at - BEGIN, 3), round(one.own_s, 3))
        for one in critical_path(tree_of(spans))
    ]


def test_it_goes_through_whatever_finished_last() -> None:
    path = _path(span(1, 0, 0, 10), span(2, 1, 1, 4), span(3, 1, 4, 9), span(4, 3, 5, 8), span(5, 1, 1, 3))

    assert path == [(1, 0, 1), (2, 1, 3), (3, 4, 1), (4, 5, 3), (3, 8, 1), (1, 9, 1)]


def test_a_child_that_nobody_waited_for_is_not_on_it() -> None:
    assert _path(span(1, 0, 0, 10), span(2, 1, 1, 60)) == [(1, 0, 10)]


def test_a_child_that_outlives_its_parent_was_waited_for_by_the_first_span_above_that_outlives_it() -> None:
    handed_over = span(1, 0, 0, 10), span(2, 1, 1, 2), span(3, 2, 1.5, 9)

    assert _path(*handed_over) == [(1, 0, 1), (2, 1, 0.5), (3, 1.5, 7.5), (1, 9, 1)]


def test_a_job_that_waited_in_a_queue_leaves_the_wait_to_the_request() -> None:
    queued = span(1, 0, 0, 10), span(2, 1, 0, 1, SpanKind.QUEUE), span(3, 2, 4, 9, SpanKind.QUEUE, service="worker")

    assert _path(*queued) == [(2, 0, 1), (1, 1, 3), (3, 4, 5), (1, 9, 1)]


def test_of_two_that_overlap_only_the_last_to_finish_was_waited_for() -> None:
    assert _path(span(1, 0, 0, 10), span(2, 1, 1, 6), span(3, 1, 4, 9)) == [(1, 0, 4), (3, 4, 5), (1, 9, 1)]


def test_a_clock_that_is_behind_is_put_right_first() -> None:
    assert _path(span(1, 0, 0, 10), span(2, 1, -35, -31, service="other")) == [(1, 0, 3), (2, 3, 4), (1, 7, 3)]


def test_spans_whose_parent_has_not_arrived_count_as_the_requests() -> None:
    assert _path(span(1, 0, 0, 10), span(3, 2, 4, 9)) == [(1, 0, 4), (3, 4, 5), (1, 9, 1)]


def test_without_a_root_time_that_nobody_tells_of_has_no_span() -> None:
    assert _path(span(2, 9, 0, 3), span(3, 8, 5, 9)) == [(2, 0, 3), (0, 3, 2), (3, 5, 4)]


def test_a_request_that_runs_is_followed_to_the_last_moment_known() -> None:
    assert _path(span(1, 0, 0, None), span(2, 1, 1, 4)) == [(1, 0, 1), (2, 1, 3)]


_KINDS = st.sampled_from(SpanKind)
_SECONDS = st.floats(-50, 50) | st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf])


@st.composite
def any_spans(draw: st.DrawFn) -> Sequence[Span]:
    """Spans with any parents: circles, doubles, parents that are not there."""
    count = draw(st.integers(0, 14))
    return tuple(
        Span(
            span_id=f"{draw(st.integers(1, count + 2)):016x}",
            parent_id=f"{parent:016x}" if (parent := draw(st.integers(0, count + 2))) else "",
            name=draw(st.sampled_from(["a", "b"])),
            kind=draw(_KINDS),
            service=draw(st.sampled_from(["", "x", "y"])),
            started_at=BEGIN + draw(_SECONDS),
            duration_s=draw(st.none() | _SECONDS),
            failed=draw(st.booleans()),
        )
        for _ in range(count)
    )


def _whole(tree: Tree) -> float:
    """Seconds of the request."""
    if not tree.spans:
        return 0.0
    if tree.root == NO_SPAN:
        return max(tree.ends) - min(tree.starts)
    return tree.ends[tree.root] - tree.starts[tree.root]


@given(any_spans())
@settings(max_examples=80, deadline=None)
def test_its_parts_follow_each_other_and_add_up_to_the_request(spans: Sequence[Span]) -> None:
    tree = tree_of(spans)

    path = critical_path(tree)

    # moments are unix seconds or, where a clock is broken, zero: a float of those has a quarter of a microsecond
    assert sum(one.own_s for one in path) == pytest.approx(_whole(tree), abs=1e-5)
    assert all(one.own_s > 0 for one in path)
    for one, following in pairwise(path):
        assert one.at + one.own_s == pytest.approx(following.at, abs=1e-5)
        assert one.span_id != following.span_id or len({span.span_id for span in spans}) < len(spans)
    assert {one.span_id for one in path} <= {span.span_id for span in spans} | {""}


@given(any_spans())
@settings(max_examples=80, deadline=None)
def test_every_span_is_in_the_tree_once_and_nothing_begins_before_its_caller_on_another_machine(
    spans: Sequence[Span],
) -> None:
    tree = tree_of(spans)

    assert sorted(tree.order) == list(range(len(spans)))
    assert all(tree.ends[place] >= tree.starts[place] for place in tree.order)
    for place, parent in enumerate(tree.parents):
        if parent == NO_SPAN:
            assert place in tree.tops
            continue
        assert tree.order.index(parent) < tree.order.index(place)
        services = tree.spans[place].service, tree.spans[parent].service
        if all(services) and services[0] != services[1]:
            assert tree.starts[place] >= tree.starts[parent] - 1e-6

"""The last good request like another one, and why it was taken."""

import pytest

from console.domain.readings import Request
from console.domain.refs import Kind, Ref
from console.domain.spans import RequestQuery
from console.traces.likeness import last_good, searches, why

NOW = 1_795_000_000.0


def _request(trace: str, earlier_s: float, name: str = "chat", service: str = "web", **more: object) -> Request:
    return Request(
        ref=Ref("s", Kind.REQUEST, trace),
        observed_at=NOW,
        started_at=NOW - earlier_s,
        name=name,
        service=service,
        trace_id=trace,
        **more,  # type: ignore[arg-type]
    )


LOOKED_AT = _request("now", 0, route="main", failed=True)


@pytest.mark.parametrize(
    ("candidates", "chosen", "words"),
    [
        (
            [_request("a", 60, route="main"), _request("b", 240, route="main")],
            "a",
            "the last good chat of web, 60 s earlier",
        ),
        (
            [_request("a", 60, route="other"), _request("b", 240, route="main")],
            "b",
            "the last good chat of web, 4 min earlier",
        ),
        (
            [_request("a", 60, service="app", route="main"), _request("b", 7_200, route="other")],
            "b",
            "the last good chat of web, 2 h earlier",
        ),
        (
            [_request("a", 60, "index", route="main"), _request("b", 200_000, service="app")],
            "b",
            "the last good chat of app, 2 d earlier: none of web is kept",
        ),
        (
            [_request("a", 60, "index", route="main"), _request("b", 30, "index", route="other")],
            "a",
            "the last good index of web, 60 s earlier, by the same route: no good chat is kept",
        ),
    ],
)
def test_the_nearest_of_those_most_like_it_is_taken(candidates: list[Request], chosen: str, words: str) -> None:
    found = last_good(LOOKED_AT, candidates)

    assert found is not None
    assert (found.trace_id, why(found, LOOKED_AT)) == (chosen, words)


@pytest.mark.parametrize(
    "one",
    [
        _request("a", 60, failed=True),
        _request("a", -60),
        _request("now", 60),
        _request("a", 60, "index"),
        _request("a", 60, "index", "app", route="main"),
    ],
)
def test_what_failed_came_later_or_did_other_work_is_not(one: Request) -> None:
    assert last_good(LOOKED_AT, [one]) is None


def test_a_store_is_asked_for_the_most_alike_first() -> None:
    good = {"source": "s", "limit": 9, "before": NOW, "good": True}

    assert searches(LOOKED_AT, "s", 9) == (
        RequestQuery(name="chat", service="web", **good),  # type: ignore[arg-type]
        RequestQuery(name="chat", **good),  # type: ignore[arg-type]
        RequestQuery(service="web", **good),  # type: ignore[arg-type]
    )
    assert len(searches(_request("now", 0, service=""), "s", 9)) == 1

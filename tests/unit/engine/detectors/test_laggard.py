"""Who lags behind, of services that disagree."""

import pytest

from console.domain.answers import Group
from console.domain.conversations import Divergence, DivergenceKind, Mark, MarkKind
from console.domain.readings import Service
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.detectors.laggard import Laggard


def _mark(service: str, version: str) -> Mark:
    return Mark(trace_id="t", span_id="s", at=1.0, service=service, kind=MarkKind.RETRIEVAL, version=version)


def _split(first: Mark, against: Mark, kind: DivergenceKind = DivergenceKind.SNAPSHOTS) -> Divergence:
    return Divergence(kind=kind, conversation="c", about="docs", first=first, against=against)


def _heard() -> Laggard:
    laggard = Laggard()
    for at, snapshots in ((10.0, ("old",)), (20.0, ("new", "old"))):
        reading = Service(ref=Ref("traces", Kind.SERVICE, "api"), observed_at=at, snapshots=snapshots)
        laggard.feed(Change(seq=1, at=at, readings=(reading,)))
    return laggard


def test_who_answers_from_what_was_seen_first_lags_whichever_of_the_two_is_told() -> None:
    laggard = _heard()
    ahead, behind = _mark("api", "new"), _mark("worker", "old")
    assert laggard.about("traces", [_split(ahead, behind)]) == Group(service="worker")
    assert laggard.about("traces", [_split(behind, ahead)]) == Group(service="worker")


@pytest.mark.parametrize(
    ("newer", "older", "known"),
    [
        ("kb-304", "kb-302", True),
        ("kb-1000", "kb-999", True),
        ("2026-11-23", "2026-11-22", True),
        ("2026-12-01", "2026-11-30", False),
        ("9f31", "8f30", False),
        ("kb-304", "idx-302", False),
        ("304", "kb-304", False),
    ],
)
def test_a_number_tells_what_is_older_although_it_was_seen_later(newer: str, older: str, known: bool) -> None:
    laggard = Laggard()
    found = laggard.about("traces", [_split(_mark("api", newer), _mark("worker", older))])
    assert found == (Group(service="worker") if known else None)
    for at, version in ((1.0, newer), (2.0, older)):
        reading = Service(ref=Ref("traces", Kind.SERVICE, "api"), observed_at=at, snapshots=(version,))
        laggard.feed(Change(seq=1, at=at, readings=(reading,)))
    if known:
        assert laggard.about("traces", [_split(_mark("worker", older), _mark("api", newer))]) == Group(service="worker")


def test_nobody_is_named_where_times_do_not_tell_or_the_services_take_turns() -> None:
    laggard = _heard()
    ahead, behind = _mark("api", "new"), _mark("worker", "old")
    turned = _split(_mark("worker", "new"), _mark("api", "old"))
    assert laggard.about("traces", [_split(ahead, _mark("worker", "never seen"))]) is None
    assert laggard.about("elsewhere", [_split(ahead, behind)]) is None
    assert laggard.about("traces", [_split(ahead, behind), turned]) is None


def test_what_was_lost_is_laid_to_who_wrote_it() -> None:
    lost = _split(_mark("api", "3"), _mark("worker", "4"), DivergenceKind.LOST_WRITE)
    assert Laggard().about("traces", [lost]) == Group(service="worker")


def test_it_remembers_no_more_versions_than_it_needs() -> None:
    laggard = Laggard()
    for number in range(1000):
        reading = Service(ref=Ref("traces", Kind.SERVICE, "api"), observed_at=1.0, snapshots=(f"v{number}",))
        laggard.feed(Change(seq=1, at=float(number), readings=(reading,)))
    assert len(vars(laggard)["_seen"]) <= 200

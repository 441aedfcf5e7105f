"""Transport, answers and cost are judged apart, and a banner says where they disagree."""

import msgspec

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health import NOT_SEEN, Columns, Level, all_columns, columns, disagreement, judge
from console.domain.readings import (
    AnyReading,
    Provider,
    Route,
    RouteTarget,
    Service,
    Source,
    Spend,
    SpendScope,
    Traffic,
    Workflow,
)
from console.domain.refs import Kind, Ref
from tests.unit.domain.things import board, deployment, ref, source

A, B = deployment("a"), deployment("b")
ROUTE = Route(ref=ref("r", Kind.ROUTE), observed_at=100.0, targets=tuple(RouteTarget(deployment=n) for n in "ab"))
PROVIDER = Provider(ref=ref("p", Kind.PROVIDER), observed_at=100.0, deployments=("a", "b"))
BOT = Service(ref=Ref("traces", Kind.SERVICE, "bot"), observed_at=100.0)
TRACES = msgspec.structs.replace(source(), ref=Ref("traces", Kind.SOURCE, "traces"))


def _alert(of: Ref, aspect: Aspect = Aspect.ANSWERS, severity: Severity = Severity.PAGE) -> Alert:
    words = "9 % of its answers cannot be parsed"
    return Alert(
        rule="unparsed", ref=of, severity=severity, state=AlertState.FIRING, since=90.0, words=words, aspect=aspect
    )


def _board(*alerts: Alert, traces: Source | None = TRACES, more: tuple[AnyReading, ...] = ()) -> Board:
    seen: tuple[AnyReading, ...] = () if traces is None else (traces, BOT)
    return board(source(), A, B, ROUTE, PROVIDER, *seen, *more, alerts=alerts)


def _levels(found: Columns) -> tuple[Level, Level, Level]:
    return found.transport.level, found.answers.level, found.cost.level


def test_an_alert_counts_in_the_column_that_it_is_about_and_judge_says_the_worst() -> None:
    ill = _board(_alert(A.ref))
    assert _levels(columns(ill, A)) == (Level.OK, Level.BAD, Level.OK)
    assert _levels(columns(_board(_alert(A.ref, Aspect.TRANSPORT)), A)) == (Level.BAD, Level.OK, Level.OK)
    assert _levels(columns(_board(_alert(A.ref, Aspect.COST)), A)) == (Level.OK, Level.OK, Level.BAD)
    assert judge(ill, A).level is Level.BAD


def test_a_route_and_a_provider_answer_as_their_deployments_do_and_are_bad_only_when_all_are() -> None:
    one, all_of_them = _board(_alert(A.ref)), _board(_alert(A.ref), _alert(B.ref))
    for whole in (ROUTE, PROVIDER):
        assert columns(one, whole).answers.level is Level.WARN
        assert columns(one, whole).answers.why.startswith("1 of 2 deployments")
        assert columns(all_of_them, whole).answers.level is Level.BAD


def test_answers_that_nobody_tells_are_not_seen_and_never_just_ok() -> None:
    assert columns(_board(traces=None), A).answers == NOT_SEEN
    stale = msgspec.structs.replace(TRACES, freshness=Freshness.STALE)
    assert columns(_board(traces=stale), A).answers.level is Level.STALE
    assert columns(_board(traces=stale), A).transport.level is Level.OK
    assert columns(_board(), A).answers.word == "ok"


def test_money_and_workflows_have_columns_of_their_own() -> None:
    spend = Spend(ref=ref("k", Kind.SPEND), observed_at=1.0, scope=SpendScope.KEY, subject="k", blocked=True)
    stuck = msgspec.structs.replace(BOT, workflows=(Workflow(name="import", running=9, stuck=4),))
    found = _board(more=(spend,))
    assert _levels(columns(found, spend)) == (Level.OK, Level.OK, Level.BAD)
    assert columns(found, stuck).answers.word == "stuck"


def test_green_and_wrong_is_what_the_banner_says_first() -> None:
    found = disagreement(_board(_alert(A.ref)))
    assert found is not None
    assert found.hidden
    assert found.refs[0] == A.ref
    assert found.words == "transport is ok, answers are not: deployment a: 9 % of its answers cannot be parsed"


def test_an_outage_with_right_answers_is_the_reverse_and_both_together_are_no_disagreement() -> None:
    bad = msgspec.structs.replace(A, traffic=Traffic(window_s=60, requests_per_min=60, errors_per_min=40))
    alone = board(source(), TRACES, BOT, bad, B)
    found = disagreement(alone)
    assert found is not None
    assert not found.hidden
    assert found.refs == (A.ref,)
    assert disagreement(board(source(), bad, B)) is None  # nobody tells what is answered
    both = board(source(), TRACES, BOT, bad, B, alerts=(_alert(A.ref),))
    assert disagreement(both) is None
    assert disagreement(_board()) is None


def test_what_is_not_on_the_board_is_judged_by_its_alerts() -> None:
    key = Ref("gw", Kind.KEY, "mobile")
    found = all_columns(_board(_alert(key, Aspect.TRANSPORT, Severity.TICKET)))
    assert _levels(found[key]) == (Level.WARN, Level.OK, Level.OK)

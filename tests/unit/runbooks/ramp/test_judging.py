import random
from collections.abc import Sequence

import msgspec
import pytest
from scipy.stats import binomtest

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.refs import Kind, Ref
from console.domain.runbooks import RampStage
from console.engine.answered import Answered
from runbooks import ramping
from runbooks.ramp.harm import surely_failing
from runbooks.ramping import Judged, Policy, Result
from runbooks.schema import Ramp
from tests.unit.runbooks.ramp.scenes import NEW, RAMP, ROUTE, Look, ref

EVERY_S = 5.0
SMALL = Ramp(route="chat", to="new", stages=(25, 50, 100), hold=60, requests=100, patience=300)


def set_up(ramp: Ramp = SMALL, look: Look | None = None) -> tuple[Look, RampStage]:
    """A ramp whose first stage has just been shown."""
    look = look or Look()
    stage = ramping.begin(ramp, ROUTE, NEW, look)
    return look, apply(look, stage)


def apply(look: Look, stage: RampStage) -> RampStage:
    look.weights.update(stage.weights)
    return ramping.shown(stage, look.now)


def follow(ramp: Ramp, stage: RampStage, look: Look, seconds: float) -> tuple[RampStage, Judged]:
    """Judge every few seconds, until it is more than a hold or the time is over."""
    said = Judged(Result.HOLD, "")
    until = look.now + seconds
    while look.now < until and said.result is Result.HOLD:
        stage, said = ramping.judge(ramp, stage, look.wait(EVERY_S))
    return stage, said


def test_a_good_target_goes_through_all_stages() -> None:
    look, stage = set_up()
    seen = []
    while True:
        stage, said = follow(SMALL, stage, look, 400)
        seen.append((stage.shares[stage.index], said.result, round(look.now)))
        if said.result is not Result.GO:
            break
        stage = apply(look, stage)
    assert [(share, result) for share, result, _ in seen] == [(50, Result.GO), (100, Result.GO), (100, Result.DONE)]
    assert look.weights == {"old": 0.0, "older": 0.0, "new": 100.0}
    assert stage.saved == {"old": 90.0, "older": 10.0, "new": 0.0}


def test_a_stage_is_held_for_its_time_and_its_requests() -> None:
    ramp = Ramp(route="chat", to="new", stages=(1, 100), hold=60, requests=30)
    look, stage = set_up(ramp)
    stage, said = follow(ramp, stage, look, 240)  # 6 requests a minute: 24 after 4 minutes
    assert said.result is Result.HOLD
    assert stage.requests == pytest.approx(24, abs=1)
    assert "24 of 30 requests" in said.words
    _, said = follow(ramp, stage, look, 120)
    assert said.result is Result.GO
    assert look.now == pytest.approx(1300, abs=EVERY_S)


def test_requests_of_a_time_without_looks_come_from_the_past_and_unseen_ones_do_not_count() -> None:
    asked: list[float] = []

    def past(target: Ref, metric: str, seconds: float) -> Sequence[float | None]:
        asked.append(seconds)
        return (60.0, None, None, 60.0) if metric == "requests_per_min" else ()

    look, stage = set_up(look=Look(past=past))
    stage, _ = ramping.judge(SMALL, stage, look.wait(40.0))
    assert 40.0 in asked
    assert stage.requests == pytest.approx(20.0)


# ---- abort


@pytest.mark.parametrize(("errors", "confidence"), [(0.0, 0.9), (0.0, 0.99), (0.02, 0.9), (0.02, 0.99)])
def test_errors_abort_exactly_where_the_bounds_part(errors: float, confidence: float) -> None:
    ramp = Ramp(route="chat", to="new", stages=(50, 100), hold=60, requests=290, confidence=confidence)
    theirs = binomtest(int(300 * errors), 300).proportion_ci(confidence)
    first = next(k for k in range(300) if binomtest(k, 300).proportion_ci(confidence).low > theirs.high)
    for failed in (first - 1, first):
        look = Look(errors={"old": errors, "older": errors, "new": failed / 300})
        look, stage = set_up(ramp, look)
        _, said = follow(ramp, stage, look, 60)
        assert (said.result is Result.ABORT) == (failed == first)


def test_before_its_requests_only_what_is_almost_certain_aborts() -> None:
    ramp = Ramp(route="chat", to="new", stages=(50, 100), hold=600, requests=3000)
    look, stage = set_up(ramp, Look(errors={"old": 0.01, "older": 0.01, "new": 0.045}))
    _, said = follow(ramp, stage, look, 60)
    assert said.result is Result.HOLD  # 13 of 300 against 3 of 300
    look, stage = set_up(ramp, Look(errors={"old": 0.01, "older": 0.01, "new": 0.5}))
    _, said = follow(ramp, stage, look, 60)
    assert said.result is Result.ABORT
    assert look.now < 1015
    assert "requests failed: surely more than" in said.words


def test_where_the_others_fail_as_much_nothing_is_aborted() -> None:
    look, stage = set_up(look=Look(errors={"old": 0.3, "older": 0.3, "new": 0.3}))
    assert follow(SMALL, stage, look, 100)[1].result is Result.GO


def test_chance_alone_seldom_ends_a_ramp() -> None:
    """Equal parts fail, in twenty ramps that are looked at again and again: of 3,000, 2.5 % ended by chance."""
    chance = random.Random(4)
    assert sum(_is_ended_by_chance(chance) for _ in range(20)) <= 2


def _is_ended_by_chance(chance: random.Random) -> bool:
    others = failed = 0.0
    for share in (0.01, 0.05, 0.25, 0.5):
        stage = RampStage(route=ROUTE, target=NEW, index=0, shares=(1,), began_at=0, wanted_requests=300, wanted_s=9)
        while stage.requests < 330:
            new, old = round(300 * share), round(300 * (1 - share))
            others, failed = others + old, failed + sum(chance.random() < 0.02 for _ in range(old))
            stage = msgspec.structs.replace(
                stage,
                requests=stage.requests + new,
                errors=stage.errors + sum(chance.random() < 0.02 for _ in range(new)),
                others_requests=others,
                others_errors=failed,
            )
            if surely_failing(RAMP, stage, now=9.0 if stage.requests >= 300 else 0.0):
                return True
    return False


@pytest.mark.parametrize(("p95", "aborts"), [(1.4, False), (1.6, True)])
def test_a_slower_p95_aborts_from_the_limit_on(p95: float, aborts: bool) -> None:
    look, stage = set_up(look=Look(p95={"old": 1.0, "older": 1.0, "new": p95}))
    _, said = follow(SMALL, stage, look, 60)
    assert (said.result is Result.ABORT) == aborts
    if aborts:
        assert "its p95 is 1.6 s, 1.6 × the others' 1 s" in said.words


def test_before_its_end_only_a_gross_slowness_aborts() -> None:
    for p95, result in ((2.0, Result.HOLD), (2.5, Result.ABORT)):
        look, stage = set_up(look=Look(p95={"old": 1.0, "older": 1.0, "new": p95}))
        assert follow(SMALL, stage, look, 50)[1].result is result


def test_the_p95_of_few_requests_or_of_one_window_says_little() -> None:
    look, stage = set_up(look=Look(p95={"old": 1.0, "older": 1.0, "new": 9.0}))
    assert ramping.judge(SMALL, stage, look.wait(EVERY_S))[1].result is Result.HOLD  # 12 requests so far
    look = Look(past=lambda target, metric, seconds: (1.0,) * 8 if metric == "p95_s" else ())
    look, stage = set_up(look=look)
    look.p95["new"] = 9.0
    assert follow(SMALL, stage, look, 60)[1].result is Result.GO


def test_in_the_last_stage_it_is_held_against_what_the_others_were() -> None:
    ramp = Ramp(route="chat", to="new", stages=(50, 100), hold=60, requests=100)
    look, stage = set_up(ramp)
    stage, said = follow(ramp, stage, look, 100)
    assert said.result is Result.GO
    stage = apply(look, stage)
    look.p95["new"] = 2.0
    assert follow(ramp, stage, look, 100)[1].result is Result.ABORT
    look.p95["new"], look.errors["new"] = 1.0, 0.2
    assert follow(ramp, stage, look, 100)[1].result is Result.ABORT


def test_its_circuit_opens() -> None:
    look, stage = set_up()
    look.circuits["new"] = Observed.OPEN
    _, said = ramping.judge(SMALL, stage, look.wait(EVERY_S))
    assert said.result is Result.ABORT
    assert "the circuit of new has opened: 500" in said.words


def page(target: Ref, since: float, severity: Severity = Severity.PAGE) -> Alert:
    return Alert(rule="errors", ref=target, severity=severity, state=AlertState.FIRING, since=since, words="it burns")


@pytest.mark.parametrize("target", [NEW, Ref("gw", Kind.PROVIDER, "new"), ROUTE])
def test_a_new_page_of_the_target_its_provider_or_the_route(target: Ref) -> None:
    look, stage = set_up()
    look.alerts = (page(target, 1002.0),)
    _, said = ramping.judge(SMALL, stage, look.wait(EVERY_S))
    assert said.result is Result.ABORT
    assert "it burns" in said.words


def test_a_page_of_the_route_is_no_reason_to_go_back_to_others_that_do_worse() -> None:
    look, stage = set_up(look=Look(errors={"old": 0.8, "older": 0.8, "new": 0.002}))
    look.alerts = (page(ROUTE, 1002.0),)
    stage, said = follow(SMALL, stage, look, 100)
    assert said.result is Result.GO
    look.alerts = (page(NEW, 1002.0),)
    assert follow(SMALL, apply(look, stage), look, 100)[1].result is Result.ABORT


def test_a_last_stage_that_nobody_can_be_held_against_is_judged_by_itself() -> None:
    ramp = Ramp(route="chat", to="new", stages=(100,), hold=60, requests=100)
    for errors, result in ((0.05, Result.DONE), (0.5, Result.ABORT)):
        look, stage = set_up(ramp, Look(errors={"new": errors}))
        assert follow(ramp, stage, look, 100)[1].result is result


def test_pages_from_before_tickets_and_those_of_the_others_end_nothing() -> None:
    look, stage = set_up()
    look.alerts = (page(ROUTE, 900.0), page(ref("old"), 1002.0), page(NEW, 1002.0, Severity.TICKET))
    assert ramping.judge(SMALL, stage, look.wait(EVERY_S))[1].result is Result.HOLD


@pytest.mark.parametrize(
    ("mine", "theirs", "aborts"),
    [
        (Answered(structured=200, unparsed=8), Answered(structured=2000, unparsed=10), True),
        (Answered(structured=200, unparsed=4), Answered(structured=2000, unparsed=10), False),  # 1.5 points
        (Answered(structured=20, unparsed=1), Answered(structured=2000, unparsed=10), False),  # one may be chance
        (Answered(answers=200, refused=9), Answered(answers=2000, refused=20), True),
        (Answered(answers=200, refused=9), Answered(answers=2000, refused=90), False),
    ],
)
def test_answers_that_do_not_parse_or_are_refused(mine: Answered, theirs: Answered, aborts: bool) -> None:
    look, stage = set_up()
    told = {"new": mine, "old": theirs, "older": Answered()}
    _, said = ramping.judge(SMALL, stage, look.wait(EVERY_S), answered=lambda name, since: told[name])
    assert (said.result is Result.ABORT) == aborts


# ---- pause


def test_stale_data_never_lets_a_ramp_go_on() -> None:
    look, stage = set_up()
    stage, _ = follow(SMALL, stage, look, 55)
    look.freshness, look.stale_since = Freshness.STALE, look.now
    before = stage.requests
    stage, said = follow(SMALL, stage, look, 25)
    assert said.result is Result.HOLD  # a moment is borne
    stage, said = follow(SMALL, stage, look, 25)
    assert said.result is Result.UNCLEAR
    assert "gw is stale" in said.words
    assert stage.requests == before


def test_what_cannot_be_judged_in_time_pauses() -> None:
    look, stage = set_up(look=Look(demand=4.0))
    _, said = follow(SMALL, stage, look, 400)
    assert said.result is Result.UNCLEAR
    assert "could not be judged within 5 min: 25 %: 5 of 100 requests" in said.words
    assert look.now == 1300


def test_another_hand_on_a_weight_pauses_and_resuming_sets_the_stage_again() -> None:
    look, stage = set_up()
    stage, _ = follow(SMALL, stage, look, 30)
    look.weights["old"] = 20.0
    stage, said = follow(SMALL, stage, look, 10)
    assert said.result is Result.UNCLEAR
    assert "the weight of old is 20, not 90" in said.words
    again = ramping.resumed(stage, look)
    assert again.weights["new"] == 10.0  # a quarter beside 20 and 10
    assert again.saved["old"] == 90.0
    assert again.requests == 0


def test_a_weight_that_is_not_seen_yet_is_waited_for() -> None:
    look = Look()
    stage = ramping.shown(ramping.begin(SMALL, ROUTE, NEW, look), look.now)  # the board lags behind the proof
    stage, said = ramping.judge(SMALL, stage, look.wait(EVERY_S))
    assert said.result is Result.HOLD
    _, said = follow(SMALL, stage, look, 60)
    assert said.result is Result.UNCLEAR  # its override has ended, or somebody put it back


def test_an_alias_a_new_deployment_and_another_order_pause() -> None:
    for change in ("alias", "new", "order"):
        look, stage = set_up()
        look.wait(30.0)
        if change == "alias":
            look.answered_by = "lite"
        elif change == "new":
            look.weights["brand-new"] = 5.0
        else:
            look.orders = {"old": 1, "older": 2, "new": 2}
        assert ramping.judge(SMALL, stage, look)[1].result is Result.UNCLEAR, change


def test_the_next_share_has_to_fit_in_the_targets_headroom() -> None:
    look, stage = set_up(look=Look(left=300.0))  # at 25 %; 50 % would bring 150 more, 100 % another 300
    stage, said = follow(SMALL, stage, look, 100)
    assert said.result is Result.GO
    stage, said = follow(SMALL, apply(look, stage), look, 100)
    assert said.result is Result.UNCLEAR
    assert "1.0 × the 300 that 100 % would bring; 1.3 × is wanted" in said.words
    _, said = ramping.judge(SMALL, stage, look, Policy(headroom=0.9))
    assert said.result is Result.GO


def test_response_times_that_only_the_others_have_cannot_be_judged() -> None:
    look, stage = set_up(look=Look(p95={"old": 1.0, "older": 1.0, "new": None}))
    _, said = follow(SMALL, stage, look, 100)
    assert said.result is Result.UNCLEAR
    assert "response times are not known" in said.words


def test_a_target_that_left_the_route_pauses() -> None:
    look, stage = set_up()
    del look.weights["new"]
    assert ramping.judge(SMALL, stage, look.wait(EVERY_S))[1].result is Result.UNCLEAR


@pytest.mark.parametrize(("part", "result"), [(0.33, Result.UNCLEAR), (0.05, Result.GO), (0.001, Result.UNCLEAR)])
def test_a_gateway_that_does_not_go_by_weights_is_noticed(part: float, result: Result) -> None:
    ramp = Ramp(route="chat", to="new", stages=(5, 50), hold=60, requests=1)
    look, stage = set_up(ramp, Look(demand=6000.0))
    look.routed = {"old": 0.9 - part, "older": 0.1, "new": part}
    _, said = follow(ramp, stage, look, 100)
    assert said.result is result
    if result is Result.UNCLEAR:
        assert "share requests out by weight?" in said.words

"""Delays, culprits, controls and false rates, with made-up runs."""

import pytest

from evaluation.alarms import WEEK_S, Alarm, Scores
from evaluation.lines import lines
from evaluation.protocol import Clean, Played
from evaluation.scoring import OURS, delay_min, false_rate, judged, loud, right_rate, thresholds, within

ONSET = 10_000.0


def played(*alarms: Alarm, control: bool = False, rival: float = 0.0) -> Played:
    at = [ONSET + 60.0 * n for n in range(60)]
    values = [rival if n == 10 else 0.0 for n in range(60)]
    return Played(
        scenario="storm" if control else "brownout",
        control=control,
        culprits=frozenset({"provider/azure", "model/gpt-5"}),
        where="seed 1, here",
        began=ONSET - 60.0,
        onset=ONSET,
        end=ONSET + 3600.0,
        alarms=alarms,
        scores=(Scores("rival", at, values, ["provider/azure ttft"] * 60),),
    )


def alarm(after_s: float, blames: str = "", what: str = "latency@gateway:provider/azure") -> Alarm:
    return Alarm(ONSET + after_s, ONSET + after_s + 60.0, what, "slow", frozenset({blames} if blames else ()))


def clean(*begins: float, values: tuple[float, ...] = (0.0, 1.0, 0.5)) -> Clean:
    return Clean(
        where="seed 1, here",
        seconds=2 * WEEK_S,
        providers=4,
        alarms=tuple(Alarm(at, at + 30.0, "errors@x", "cries wolf") for at in begins),
        scores=(Scores("rival", [3600.0 * n for n in range(len(values))], values, ["a b"] * len(values)),),
    )


def test_the_first_alarm_from_the_onset_on_counts_and_no_other() -> None:
    verdict = judged(
        played(), [alarm(-90.0, "provider/azure"), alarm(600.0, "tenant/web"), alarm(700.0, "model/gpt-5")]
    )
    assert verdict.delay_s == 600.0
    assert not verdict.right
    assert verdict.blamed == "tenant/web"


def test_what_is_seen_before_anybody_could_is_seen_at_once() -> None:
    verdict = judged(played(), [alarm(-30.0, "provider/azure"), alarm(600.0)])
    assert (verdict.delay_s, verdict.right) == (0.0, True)


def test_who_else_is_right_is_right() -> None:
    assert judged(played(), [alarm(5.0, "model/gpt-5")]).right


def test_silence_is_a_miss_and_its_delay_is_endless() -> None:
    found = [judged(played(), [alarm(s)] if s else []) for s in (60.0, 600.0, None, None, None)]
    assert within(found, 5) == pytest.approx(0.2)
    assert within(found, 15) == pytest.approx(0.4)
    assert delay_min(found, 0.5) is None
    assert delay_min(found[:3], 0.5) == pytest.approx(10.0)
    assert delay_min(found[:3], 0.9) is None


def test_the_right_ones_are_counted_among_those_detected() -> None:
    found = [judged(played(), [alarm(60.0, "provider/azure")]), judged(played(), [alarm(60.0)]), judged(played(), [])]
    assert right_rate(found) == pytest.approx(0.5)
    assert right_rate(found[2:]) is None


def test_a_control_may_say_that_it_does_not_see_and_nothing_else() -> None:
    stale = alarm(30.0, what="stale-source@jobs:source/jobs")
    assert loud(played(control=True), [stale]) == []
    assert loud(played(control=True), [stale, alarm(40.0)]) == [alarm(40.0)]
    assert loud(played(control=True), [alarm(-70.0)]) == []


def test_false_episodes_a_week_hold_a_crowd_of_alarms_for_one() -> None:
    rate = false_rate(OURS, [clean(0.0, 10.0, 90_000.0), clean()], {})
    assert (rate.episodes, rate.weeks, rate.budget) == (2, 4.0, 0.4)
    assert rate.per_week == pytest.approx(0.5)
    assert all("cries wolf" in words for words in rate.words)


def test_rivals_get_the_lowest_threshold_that_the_budget_allows() -> None:
    found = thresholds([clean(values=(0.0, 7.0, 0.0)), clean(values=(0.0, 9.0, 0.0))])
    assert found == {"rival": 7.0}


def test_every_goal_is_a_line_that_says_whether_it_holds() -> None:
    runs = [played(alarm(120.0, "provider/azure"), rival=8.0), played(control=True)]
    found = list(lines(runs, [clean()], {"rival": 7.0}))
    goals = {line["name"]: line["holds"] for line in found if "holds" in line}
    assert goals == {
        "incidents detected": True,
        "right culprit": True,
        "times sooner than rival (medians 2.0 and 10.0 min)": True,
        "controls that were not quiet": True,
        "false episodes a week": True,
    }


def test_goals_that_do_not_hold_are_said_so() -> None:
    runs = [played(rival=8.0), played(alarm(5.0), control=True)]
    found = list(lines(runs, [clean(0.0, 90_000.0)], {"rival": 7.0}))
    goals = {line["name"]: line["holds"] for line in found if "holds" in line}
    assert not any(goals.values())
    missed = next(line for line in found if line.get("scenario") == "brownout" and line["method"] == OURS)
    assert missed["missed"] == ["seed 1, here"]

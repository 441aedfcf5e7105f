"""Episodes, thresholds and budgets, with made-up scores."""

from math import inf

from evaluation.alarms import BUDGET, WEEK_S, Alarm, Scores, alarms_at, allowed, episodes, tuned

MINUTE = 60.0


def scores(values: list[float], name: str = "provider/a errors") -> Scores:
    return Scores("rival", [MINUTE * n for n in range(len(values))], values, [name] * len(values))


def alarm(begin: float, end: float, what: str = "x") -> Alarm:
    return Alarm(begin, end, what)


def test_alarms_that_overlap_or_nearly_do_are_one_episode() -> None:
    found = episodes([alarm(1000, 1100), alarm(0, 300), alarm(200, 500), alarm(1800, 1900)])
    assert [[one.begin for one in group] for group in found] == [[0, 200, 1000], [1800]]


def test_a_long_alarm_swallows_those_that_begin_while_it_lasts() -> None:
    assert len(episodes([alarm(0, inf), alarm(50_000, 50_100), alarm(90_000, 90_010)])) == 1


def test_an_alarm_lasts_until_the_score_has_been_low_for_a_while() -> None:
    found = alarms_at(scores([0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 2]), 1.0)
    assert [(one.begin, one.end) for one in found] == [(60.0, 480.0), (600.0, inf)]
    assert found[0].blames == {"provider/a"}


def test_the_lowest_threshold_within_the_budget_is_chosen() -> None:
    far = [0.0] * 30
    clean = scores([*far, 3.0, *far, 5.0, *far, 4.0, *far])
    for most, wanted in ((0, 5.0), (1, 4.0), (2, 3.0)):
        threshold = tuned([clean], most)
        assert threshold == wanted
        assert len(episodes(alarms_at(clean, threshold))) <= most


def test_the_budget_counts_episodes_over_all_environments() -> None:
    far = [0.0] * 30
    one, other = scores([*far, 3.0, *far]), scores([*far, 2.0, *far])
    assert tuned([one, other], 1) == 2.0


def test_what_the_budget_allows() -> None:
    assert BUDGET * 10 == 1.0
    assert allowed(4 * WEEK_S, 10) == 4
    assert allowed(4 * WEEK_S, 4) == 1
    assert allowed(WEEK_S, 4) == 0

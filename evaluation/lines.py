"""What came out, as one JSON object a line: by incident and method, by control, by method, and all goals."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from evaluation.protocol import Clean, Played
from evaluation.scoring import (
    OURS,
    WITHIN_MIN,
    Rate,
    Verdict,
    alarms_of,
    delay_min,
    false_rate,
    judged,
    loud,
    right_rate,
    within,
)

Line = dict[str, Any]


def lines(played: Sequence[Played], clean: Sequence[Clean], limits: dict[str, float]) -> Iterator[Line]:
    """Everything that was measured."""
    methods = (OURS, *limits)
    incidents = [one for one in played if not one.control]
    verdicts = {method: [judged(one, alarms_of(one, method, limits)) for one in incidents] for method in methods}
    for scenario in sorted({one.scenario for one in incidents}):
        for method in methods:
            yield {"scenario": scenario, **_figures(method, [v for v in verdicts[method] if v.scenario == scenario])}
    for one in (one for one in played if one.control):
        yield from _control(one, methods, limits)
    rates = {method: false_rate(method, clean, limits) for method in methods} if clean else {}
    for rate in rates.values():
        yield _rate(rate)
    for method in methods:
        if verdicts[method]:
            yield {"scenario": "all", **_figures(method, verdicts[method])}
    if clean:
        yield {"name": "times real time, one core", "value": round(median(one.speed for one in clean), 0), "unit": "×"}
    yield from _goals(played, verdicts, rates, limits)


def _figures(method: str, verdicts: Sequence[Verdict]) -> Line:
    found: Line = {"method": method, "n": len(verdicts)}
    found |= {f"detected within {minutes} min": round(within(verdicts, minutes), 3) for minutes in WITHIN_MIN}
    found["detected"] = round(within(verdicts, float("inf")), 3)
    for name, part in (("p50", 0.5), ("p90", 0.9)):
        delay = delay_min(verdicts, part)
        found[f"{name} delay, min"] = None if delay is None else round(delay, 1)
    right = right_rate(verdicts)
    found["right culprit"] = None if right is None else round(right, 3)
    if method == OURS:
        found["missed"] = [v.where for v in verdicts if v.delay_s is None]
        found["wrong culprit"] = [
            f"{v.where}: {v.blamed or 'nobody'}: {v.first}" for v in verdicts if v.delay_s is not None and not v.right
        ]
    return found


def _control(one: Played, methods: Sequence[str], limits: dict[str, float]) -> Iterator[Line]:
    for method in methods:
        heard = loud(one, alarms_of(one, method, limits))
        words = [f"{alarm.what}: {alarm.words}"[:200] for alarm in heard]
        yield {"control": one.scenario, "where": one.where, "method": method, "quiet": not heard, "words": words[:5]}


def _rate(rate: Rate) -> Line:
    return {
        "method": rate.method,
        "false episodes a week": round(rate.per_week, 2),
        "budget": rate.budget,
        "episodes": rate.episodes,
        "weeks": round(rate.weeks, 2),
        "threshold": rate.threshold,
        "words": list(rate.words[:20]) if rate.method == OURS else [],
    }


def _goals(
    played: Sequence[Played], verdicts: dict[str, list[Verdict]], rates: dict[str, Rate], limits: dict[str, float]
) -> Iterator[Line]:
    ours = verdicts[OURS]
    if ours:
        yield _goal("incidents detected", within(ours, float("inf")), ">= 0.9", within(ours, float("inf")) >= 0.9)
        right = right_rate(ours) or 0.0
        yield _goal("right culprit", right, ">= 0.85", right >= 0.85)
        yield from _sooner(verdicts)
    controls = [one for one in played if one.control]
    if controls:
        noisy = sum(bool(loud(one, alarms_of(one, OURS, limits))) for one in controls)
        yield _goal("controls that were not quiet", noisy, "<= 0", noisy == 0)
    if OURS in rates:
        rate = rates[OURS]
        holds = rate.per_week <= rate.budget
        yield _goal("false episodes a week", rate.per_week, f"<= {rate.budget:g}", holds)


def _sooner(verdicts: dict[str, list[Verdict]]) -> Iterator[Line]:
    """Our median delay beside the best rival's, over all incidents; one that is missed lasts for ever."""
    mine = delay_min(verdicts[OURS], 0.5)
    rivals = {method: delay_min(found, 0.5) for method, found in verdicts.items() if method != OURS}
    known = {method: delay for method, delay in rivals.items() if delay is not None}
    if mine is None or not rivals:
        return
    if not known:
        line = _goal("median delay, min; every rival misses most incidents", mine, "", True)
    else:
        best = min(known, key=lambda method: known[method])
        times = known[best] / mine if mine else float("inf")
        line = _goal(f"times sooner than {best} (medians {mine:.1f} and {known[best]:.1f} min)", times, ">= 1.5",
                     times >= 1.5)  # fmt: skip
    yield line


def _goal(name: str, value: float, goal: str, holds: bool) -> Line:
    return {"name": name, "value": round(value, 3), "goal": goal, "holds": holds}

"""From alarms to figures: how soon, how surely, whom, how often for nothing. No moment counts for its neighbours."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from evaluation.alarms import WEEK_S, Alarm, Scores, alarms_at, allowed, episodes, tuned
from evaluation.protocol import Clean, Played

OURS = "switchgear"
WITHIN_MIN = (5, 15, 30)
STALE = "stale-source"
"""The one rule that may speak of a source that is lost."""
WORDS_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One method on one incident."""

    scenario: str
    where: str
    delay_s: float | None
    """From the onset to its first alarm; None: a miss."""
    right: bool
    """Whether that alarm blames who is to blame, no later than ten minutes after it."""
    first: str = ""
    """The alarm's words."""
    blamed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One method on all clean time."""

    method: str
    episodes: int
    weeks: float
    budget: float
    """Episodes a week that it may have."""
    threshold: float | None = None
    words: tuple[str, ...] = ()
    """The alarms that began each episode."""

    @property
    def per_week(self) -> float:
        """False episodes a week."""
        return self.episodes / self.weeks if self.weeks else math.nan


def thresholds(tuning: Sequence[Clean]) -> dict[str, float]:
    """For every rival, the lowest threshold within the budget on the tuning set's clean time."""
    seconds = sum(clean.seconds for clean in tuning)
    most = allowed(seconds, max((clean.providers for clean in tuning), default=0))
    by_method: dict[str, list[Scores]] = {}
    for clean in tuning:
        for scores in clean.scores:
            by_method.setdefault(scores.method, []).append(scores)
    return {method: tuned(found, most) for method, found in by_method.items()}


def alarms_of(run: Played | Clean, method: str, limits: dict[str, float]) -> list[Alarm]:
    """What one method said in one run."""
    if method == OURS:
        return list(run.alarms)
    return [alarm for s in run.scores if s.method == method for alarm in alarms_at(s, limits[method])]


def judged(played: Played, alarms: Iterable[Alarm]) -> Verdict:
    """The first alarm of an incident; one between its time 0 and the labelled onset was there at once."""
    first = min((a for a in alarms if a.begin >= played.began), key=lambda alarm: alarm.begin, default=None)
    if first is None:
        return Verdict(scenario=played.scenario, where=played.where, delay_s=None, right=False)
    return Verdict(
        scenario=played.scenario,
        where=played.where,
        delay_s=max(0.0, first.begin - played.onset),
        right=bool(first.blames & played.culprits),
        first=f"{first.what}: {first.words}"[:WORDS_MOST],
        blamed=", ".join(sorted(first.blames)),
    )


def false_rate(method: str, clean: Sequence[Clean], limits: dict[str, float]) -> Rate:
    """Episodes in all clean time."""
    found = [one for run in clean for one in episodes(alarms_of(run, method, limits))]
    return Rate(
        method=method,
        episodes=len(found),
        weeks=sum(run.seconds for run in clean) / WEEK_S,
        budget=max((run.providers for run in clean), default=0) / 10.0,
        threshold=limits.get(method),
        words=tuple(f"{one[0].what}: {one[0].words}"[:WORDS_MOST] for one in found),
    )


def loud(played: Played, alarms: Iterable[Alarm]) -> list[Alarm]:
    """What a control should not have brought about: everything but word that a source is not seen."""
    return [alarm for alarm in alarms if alarm.begin >= played.began and not alarm.what.startswith(STALE)]


def within(verdicts: Sequence[Verdict], minutes: float) -> float:
    """The part that was detected so soon."""
    return sum(v.delay_s is not None and v.delay_s <= 60.0 * minutes for v in verdicts) / len(verdicts)


def delay_min(verdicts: Sequence[Verdict], part: float) -> float | None:
    """The delay within which `part` of all incidents were detected, minutes; a miss lasts for ever (None)."""
    ordered = sorted(math.inf if v.delay_s is None else v.delay_s for v in verdicts)
    value = median(ordered) if part == 0.5 else ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]
    return value / 60.0 if math.isfinite(value) else None


def right_rate(verdicts: Sequence[Verdict]) -> float | None:
    """The part of those detected where the right one is blamed; None when none was."""
    seen = [v for v in verdicts if v.delay_s is not None]
    return sum(v.right for v in seen) / len(seen) if seen else None

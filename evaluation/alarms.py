"""When somebody was called: alarms, episodes of them, and how many of those a budget allows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WEEK_S = 7 * 86400.0
MERGE_S = 600.0
"""Alarms with no more than this between them are one episode: nobody goes back to bed for less."""
CLEARS_S = 300.0
"""A rival's alarm is over when its score has been below the threshold for this long."""
BUDGET = 0.1
"""False episodes a week for each provider: one for ten of them."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One call, from `begin` to `end` (unix seconds; infinity while it lasts)."""

    begin: float
    end: float
    what: str
    """Which rule and object, or which number of which object."""
    words: str = ""
    blames: frozenset[str] = frozenset()
    """Whom it points at, as `dimension/name`; several only where a rival's object is in several."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How alarming one rival found each moment: the same numbers serve every threshold."""

    method: str
    at: Sequence[float]
    score: Sequence[float]
    what: Sequence[str]
    """Which number of which object scored highest."""


def episodes(alarms: Iterable[Alarm]) -> list[list[Alarm]]:
    """Alarms that overlap or nearly do, together; each is one time that somebody is called."""
    found: list[list[Alarm]] = []
    reaches = -math.inf
    for alarm in sorted(alarms, key=lambda one: one.begin):
        if not found or alarm.begin > reaches + MERGE_S:
            found.append([])
        found[-1].append(alarm)
        reaches = max(reaches, alarm.end)
    return found


def alarms_at(scores: Scores, threshold: float) -> list[Alarm]:
    """What a rival would have said with this threshold."""
    found: list[Alarm] = []
    began: float | None = None
    last = 0.0
    what = ""
    for at, score, name in zip(scores.at, scores.score, scores.what, strict=True):
        if score > threshold:
            if began is None:
                began, what = at, name
            last = at
        elif began is not None and at - last >= CLEARS_S:
            found.append(_alarm(began, at, what))
            began = None
    if began is not None:
        found.append(_alarm(began, math.inf, what))
    return found


def _alarm(begin: float, end: float, what: str) -> Alarm:
    return Alarm(begin, end, what, f"{what} is past its threshold", frozenset({what.partition(" ")[0]}))


def allowed(seconds: float, providers: int) -> int:
    """How many false episodes the budget leaves for so much clean time."""
    return math.floor(BUDGET * providers * seconds / WEEK_S)


def tuned(clean: Sequence[Scores], most: int) -> float:
    """The lowest threshold with which one rival's clean time holds no more than `most` episodes in all."""
    candidates = sorted({score for scores in clean for score in scores.score}, reverse=True)
    chosen = candidates[0] if candidates else math.inf
    for threshold in candidates:
        if sum(len(episodes(alarms_at(scores, threshold))) for scores in clean) > most:
            break
        chosen = threshold
    return chosen

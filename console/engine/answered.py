"""What each deployment has answered in the last hour, minute by minute, as counts: how many, refused, out of form."""

from collections import deque
from typing import NamedTuple

from console.domain.answers import ANSWERS_STEP_S, Answers, Finish

KEPT_S = 3600.0


class Answered(NamedTuple):
    """What a deployment's model calls came to, counted."""

    answers: float = 0.0
    """Answers whose reason to stop is known …"""
    refused: float = 0.0
    """… and those that a filter or the model itself declined."""
    structured: float = 0.0
    """Answers that had to be of a form …"""
    unparsed: float = 0.0
    """… and those that were not."""

    def plus(self, other: "Answered") -> "Answered":
        """Both together."""
        return Answered(*(one + another for one, another in zip(self, other, strict=True)))


class AnsweredLately:
    """The last hour's counts of every deployment that a trace store names; 32 bytes and a tuple a minute each."""

    def __init__(self) -> None:
        self._minutes: dict[str, deque[tuple[float, Answered]]] = {}
        """Deployment → (end of the minute, counts), oldest first."""

    def hear(self, rows: tuple[Answers, ...]) -> None:
        """Take in whole minutes, the oldest first; several groups of a deployment come to one sum a minute."""
        for row in rows:
            if row.group.deployment:
                self._add(row.group.deployment, row.at, _counts(row))
        if rows:
            self._forget(rows[-1].at - KEPT_S)

    def since(self, deployment: str, since: float) -> Answered | None:
        """What a deployment answered in the whole minutes since then (unix seconds); None: no store tells of it."""
        minutes = self._minutes.get(deployment)
        if minutes is None:
            return None
        found = Answered()
        for at, counts in reversed(minutes):
            if at - ANSWERS_STEP_S < since:
                break
            found = found.plus(counts)
        return found

    def _add(self, deployment: str, at: float, counts: Answered) -> None:
        minutes = self._minutes.setdefault(deployment, deque())
        if minutes and minutes[-1][0] == at:
            counts = minutes.pop()[1].plus(counts)
        minutes.append((at, counts))

    def _forget(self, before: float) -> None:
        for name, minutes in tuple(self._minutes.items()):
            while minutes and minutes[0][0] <= before:
                minutes.popleft()
            if not minutes:
                del self._minutes[name]


def _counts(row: Answers) -> Answered:
    return Answered(
        answers=sum(row.finish.values()),
        refused=row.finish.get(Finish.REFUSAL, 0),
        structured=row.structured,
        unparsed=row.unparsed,
    )

"""Rates out of the broker's cumulative counts.

RabbitMQ tells rates itself, but over its last five seconds only, and a server whose statistics are collected at
another interval than it keeps samples tells 0 every other time. The counts are right on every server.
"""

from collections import deque
from dataclasses import dataclass

from adapters.rabbitmq.api import Stats, rate_of

WINDOW_S = 30.0
_LEAST_S = 9.0
"""Counts move every five seconds: a rate over less time than two such steps would jump."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second."""

    arrived: float
    left: float
    """Acknowledged, or handed out to consumers that need not acknowledge."""
    redelivered: float


class Flow:
    """The counts of one queue over the last `WINDOW_S` seconds."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float, float, float]] = deque()

    def mark(self, at: float, stats: Stats | None) -> None:
        """Take in the counts at `at`, unix seconds. A queue without statistics has had nothing happen to it."""
        given = stats or _NOTHING
        left = given.ack + given.deliver_no_ack + given.get_no_ack
        mark = (at, given.publish or 0.0, left, given.redeliver)
        marks = self._marks
        if marks and any(now < before for now, before in zip(mark[1:], marks[-1][1:], strict=True)):
            marks.clear()  # it began to count anew
        if marks and at <= marks[-1][0]:
            marks.pop()
        marks.append(mark)
        while len(marks) > 2 and marks[1][0] <= at - WINDOW_S:
            marks.popleft()

    def rates(self, stats: Stats | None) -> Rates:
        """The rates over the window; those of the server, out of `stats`, while it is too short."""
        first, last = self._marks[0], self._marks[-1]
        span = last[0] - first[0]
        if span >= _LEAST_S:
            return Rates(*((now - before) / span for now, before in zip(last[1:], first[1:], strict=True)))
        given = stats or _NOTHING
        left = rate_of(given.ack_details) + rate_of(given.deliver_no_ack_details) + rate_of(given.get_no_ack_details)
        return Rates(rate_of(given.publish_details), left, rate_of(given.redeliver_details))


_NOTHING = Stats()

"""How old the oldest waiting message is: read where the broker knows it, estimated where it does not, else unknown.

RabbitMQ knows when the message at a queue's head was made only if its producer has set `timestamp`, and only in
classic queues. For all others: when had as many messages been published as now, without those that wait? The oldest
of n waiting messages is at least as old as the n-th newest, whatever order they leave in, so this is a lower bound.
It counts on the publish counter; messages that come in otherwise (as dead letters) are not in it, and where such are
seen nothing is estimated.
"""

from bisect import bisect_right

from console.domain.readings import AgeQuality

MOST_MARKS = 64
"""Marks a queue keeps; beyond that every second of the older half goes."""
_SKEW = 20.0
"""Messages by which the numbers may disagree without meaning anything."""
_SKEW_S = 15.0
"""After so long a message that was counted as published is in its queue's own number too: quorum queues tell theirs
every five seconds, and the server's counts move every five."""
_FUTURE_S = 60.0
_LONGEST_S = 10 * 365 * 86400.0


class Arrivals:
    """The publish counter of one queue over time. Times in unix seconds."""

    __slots__ = ("_at", "_counts", "_fed_otherwise", "_gone", "seeded")

    def __init__(self) -> None:
        self._at: list[float] = []
        self._counts: list[float] = []
        self._gone = float("-inf")
        """How many have certainly left: published a while ago, and not in the queue any more."""
        self._fed_otherwise = False
        self.seeded = False
        """Whether the server's own older counts are in."""

    def mark(self, at: float, published: float, depth: int) -> None:
        """At `at` this many had been published in all, and `depth` were in the queue (ready or not)."""
        if self._counts and published < self._counts[-1]:
            if published > self._counts[-1] / 2:
                return  # another node, a little behind
            self._forget()  # the server began to count anew
        self._watch_for_others(at, published, depth)
        if len(self._counts) > 1 and self._counts[-2] == self._counts[-1] == published:
            self._at[-1] = at
            return
        self._at.append(at)
        self._counts.append(published)
        if len(self._at) > MOST_MARKS:
            self._thin()

    def _watch_for_others(self, at: float, published: float, depth: int) -> None:
        """See whether more came in than were published. What was published and is not in the queue has left it, and
        that can only grow; but the two numbers are told at different moments."""
        if published - depth < self._gone - _SKEW:
            self._fed_otherwise = True
        settled = bisect_right(self._at, at - _SKEW_S)
        if settled:
            self._gone = max(self._gone, self._counts[settled - 1] - depth)

    def seed(self, samples: list[tuple[float, float]]) -> None:
        """Take in (when, count) from before the first mark, as the server remembers them."""
        self.seeded = True
        first_at = self._at[0] if self._at else float("inf")
        first = self._counts[0] if self._counts else float("inf")
        older = sorted((at, count) for at, count in samples if at < first_at and 0 <= count <= first)
        kept: list[tuple[float, float]] = []
        for at, count in older:
            if kept and count < kept[-1][1]:
                kept.clear()  # it began to count anew in between
            if len(kept) > 1 and kept[-1][1] == kept[-2][1] == count:
                kept[-1] = (at, count)
            else:
                kept.append((at, count))
        self._at[:0] = [at for at, _ in kept]
        self._counts[:0] = [count for _, count in kept]
        while len(self._at) > MOST_MARKS:
            self._thin()

    def oldest(self, ready: int) -> float | None:
        """When the oldest of `ready` waiting messages came in, at the latest; None when that is not known."""
        if self._fed_otherwise or not self._counts:
            return None
        wanted = self._counts[-1] - ready
        if wanted < 0 or wanted < self._counts[0]:
            return None
        # The last moment at which no more than `wanted` had been published: the next one is the oldest that waits.
        after = bisect_right(self._counts, wanted)
        if after == len(self._counts):
            return self._at[-1]
        low, high = self._counts[after - 1], self._counts[after]
        part = (wanted - low) / (high - low)
        return self._at[after - 1] + part * (self._at[after] - self._at[after - 1])

    def _forget(self) -> None:
        self._at, self._counts, self._gone, self._fed_otherwise = [], [], float("-inf"), False

    def _thin(self) -> None:
        half = len(self._at) // 2
        self._at[1:half] = self._at[1:half:2]
        self._counts[1:half] = self._counts[1:half:2]


def exact_age(timestamp: object, now: float) -> float | None:
    """The age that a head's `timestamp` (unix seconds, set by the producer) says; None where it says nothing sound."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        return None
    age = now - timestamp
    return max(0.0, age) if -_FUTURE_S < age < _LONGEST_S else None


def age_of(
    ready: int, timestamp: object, now: float, arrivals: Arrivals | None, *, head_is_oldest: bool
) -> tuple[float | None, AgeQuality]:
    """(seconds or None, how that is known) for the oldest of `ready` waiting messages.

    Args:
        ready: how many wait.
        timestamp: the server's `head_message_timestamp`, whatever it is.
        now: unix seconds.
        arrivals: what is known of the publish counter.
        head_is_oldest: whether the queue gives messages out in the order in which they came.
    """
    if ready <= 0:
        return None, AgeQuality.UNKNOWN
    if head_is_oldest and (age := exact_age(timestamp, now)) is not None:
        return age, AgeQuality.EXACT
    since = arrivals.oldest(ready) if arrivals is not None else None
    return (None, AgeQuality.UNKNOWN) if since is None else (max(0.0, now - since), AgeQuality.ESTIMATED)

"""How many requests looking may cost a backend, and when the next look fits."""

from collections import deque

MINUTE_S = 60.0
REMEMBERED = 12
"""The next look is expected to cost as much as the dearest of this many before it."""


class RequestBudget:
    """Keeps the requests of every minute below a limit by saying how early the next look may begin.

    Two rules at once: looks are spread (each request takes its part of the minute), and no 60 seconds ever hold
    more than the limit. A single look that costs more than a whole minute's budget waits proportionally longer.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._per_minute = per_minute
        self._costs: deque[int] = deque(maxlen=REMEMBERED)
        self._spent: deque[tuple[float, int]] = deque()

    @property
    def expected(self) -> int:
        """Requests that the next look will probably cost; 1 before anything is known."""
        return max(self._costs, default=1)

    @property
    def pace_s(self) -> float:
        """The shortest interval, in seconds, that the limit allows at the expected cost; 0 without a limit."""
        return 0.0 if self._per_minute is None else MINUTE_S * self.expected / self._per_minute

    def spend(self, at: float, requests: int | None) -> None:
        """Note a look that began at `at` (monotonic seconds); `requests` is None when its cost is not known."""
        if self._per_minute is None:
            return
        cost = self.expected if requests is None else max(0, requests)
        if requests is not None:
            self._costs.append(cost)
        self._spent.append((at, cost))

    def ready_at(self, now: float) -> float:
        """The earliest moment (monotonic seconds, `now` or later) at which the next look fits into the budget."""
        if self._per_minute is None or not self._spent:
            return now
        window = max(MINUTE_S, self.pace_s)
        while self._spent and self._spent[0][0] <= now - window:
            self._spent.popleft()
        if not self._spent:
            return now
        last_at, last_cost = self._spent[-1]
        ready = max(now, last_at + MINUTE_S * last_cost / self._per_minute)
        room = max(self._per_minute, self.expected) - self.expected
        held = sum(cost for at, cost in self._spent if at > ready - window)
        for at, cost in self._spent:
            if held <= room:
                break
            if at > ready - window:
                ready = at + window
                held -= cost
        return ready

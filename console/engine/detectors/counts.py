"""Requests and errors over the last three days, in a fixed number of buckets."""

import math
from array import array
from dataclasses import dataclass

_MINUTES = (60.0, 361)
_HALF_HOURS = (1800.0, 145)


@dataclass(frozen=True, slots=True)
class Total:
    """What is known of one window."""

    requests: float
    errors: float
    seen_part: float
    """How much of the window's time was seen, 0 to 1."""

    @property
    def requests_at_least(self) -> float:
        """The window's requests if the time that was not seen had the same traffic."""
        return self.requests / self.seen_part if self.seen_part > 0 else 0.0


class _Ring:
    """Buckets of one size, each with seconds seen, requests and errors; old ones are written over."""

    __slots__ = ("_errors", "_latest", "_requests", "_seen", "_size", "step_s")

    def __init__(self, step_s: float, size: int, now: float) -> None:
        self.step_s = step_s
        self._size = size
        self._latest = math.ceil(now / step_s) - 1
        zeros = array("d", bytes(8 * size))
        self._seen, self._requests, self._errors = zeros[:], zeros[:], zeros[:]

    def add(self, at: float, seconds: float, requests: float, errors: float) -> None:
        bucket = math.ceil(at / self.step_s) - 1
        self._move_to(bucket)
        if bucket <= self._latest - self._size:
            return
        index = bucket % self._size
        self._seen[index] += seconds
        self._requests[index] += requests
        self._errors[index] += errors

    def _move_to(self, bucket: int) -> None:
        for passed in range(max(self._latest + 1, bucket - self._size + 1), bucket + 1):
            index = passed % self._size
            self._seen[index] = self._requests[index] = self._errors[index] = 0.0
        self._latest = max(self._latest, bucket)

    def add_past(self, at: float, requests: float, errors: float) -> None:
        bucket = math.ceil(at / self.step_s) - 1
        if self._latest - self._size < bucket < self._latest and not self._seen[bucket % self._size]:
            self.add(at, self.step_s, requests, errors)

    def over(self, window_s: float, now: float) -> Total:
        self._move_to(math.ceil(now / self.step_s) - 1)
        end = self._latest % self._size + 1
        count = min(self._size, round(window_s / self.step_s) + 1)  # the open bucket on top of the whole ones
        first = end - count
        seen, requests, errors = (
            math.fsum(column[max(0, first) : end]) + (math.fsum(column[first:]) if first < 0 else 0.0)
            for column in (self._seen, self._requests, self._errors)
        )
        return Total(requests, errors, min(1.0, seen / window_s))


class Counts:
    """One object's requests and errors. Windows up to six hours are exact to a minute, longer ones to half an hour."""

    __slots__ = ("_half_hours", "_minutes")

    def __init__(self, now: float) -> None:
        self._minutes = _Ring(*_MINUTES, now)
        self._half_hours = _Ring(*_HALF_HOURS, now)

    def add(self, at: float, seconds: float, requests: float, errors: float) -> None:
        """Count what happened in the `seconds` before `at` (unix seconds)."""
        self._minutes.add(at, seconds, requests, errors)
        self._half_hours.add(at, seconds, requests, errors)

    def add_past(self, at: float, seconds: float, requests: float, errors: float) -> None:
        """Count a slot of a minute or of half an hour that ended at `at`, where nothing was seen here."""
        for ring in (self._minutes, self._half_hours):
            if ring.step_s == seconds:
                ring.add_past(at, requests, errors)

    def over(self, window_s: float, now: float) -> Total:
        """The sums of the last `window_s` seconds (three days at most), the open bucket included."""
        ring = self._minutes if window_s <= (_MINUTES[1] - 1) * _MINUTES[0] else self._half_hours
        return ring.over(window_s, now)

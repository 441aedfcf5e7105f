"""Moments as trace stores write them: ISO 8601 and nanoseconds. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST_S = 2e11
"""The year 8307: later moments no calendar has."""
_STRETCHES_H = (1, 6, 24, 7 * 24)
"""How far back a search goes, step by step."""


def iso(seconds: float) -> str:
    """A moment (unix seconds) in UTC, to the microsecond; one that no calendar has becomes the nearest that it has."""
    return (_EPOCH + timedelta(seconds=min(max(seconds, 0.0), _LATEST_S))).isoformat().replace("+00:00", "Z")


def nanoseconds(text: str | None) -> int:
    """Unix nanoseconds of an ISO 8601 moment, to the microsecond; 0 where it is none."""
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return 0
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    return max(0, (aware - _EPOCH) // _MICROSECOND) * 1000


def stretches(until_s: float) -> Iterator[tuple[float, float]]:
    """(since, until) in unix seconds, one before the other, ever longer, back to a week before `until_s`."""
    end = until_s
    for hours in _STRETCHES_H:
        begin = until_s - hours * 3600.0
        yield begin, end
        end = begin

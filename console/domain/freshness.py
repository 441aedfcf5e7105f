"""How old a number may be before it stops being the truth. Stale is never green."""

from enum import StrEnum


class Freshness(StrEnum):
    """Whether a reading may still be believed."""

    FRESH = "fresh"
    STALE = "stale"
    """The source has not answered for too long; the last values stand, dimmed and timed."""
    MISSING = "missing"
    """Never seen, or no longer reported by a source that does answer."""


STALE_AFTER_INTERVALS = 3.0
"""A source that has missed this many of its own intervals is stale."""


def stale_after_s(interval_s: float) -> float:
    """Seconds after which a reading of a source polled every `interval_s` seconds is stale (at least 5 s)."""
    return max(5.0, STALE_AFTER_INTERVALS * interval_s)


def freshness(observed_at: float | None, now: float, interval_s: float) -> Freshness:
    """Judge a reading by its age.

    Args:
        observed_at: unix seconds when the value was seen at the backend, or None when it never was.
        now: unix seconds.
        interval_s: the source's poll interval in seconds.
    """
    if observed_at is None:
        return Freshness.MISSING
    return Freshness.FRESH if now - observed_at <= stale_after_s(interval_s) else Freshness.STALE

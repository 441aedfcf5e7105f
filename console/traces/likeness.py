"""Which request another one is best compared with, when nobody names one: the last good one like it. Pure."""

from collections.abc import Iterable

from console.domain.readings import Request
from console.domain.text import clean


def last_good(looked_at: Request, candidates: Iterable[Request]) -> Request | None:
    """The newest request before `looked_at` that did not fail and did the same work; None where there is none.

    The same work is the same name and service; one of the same route is taken before a newer one of another.
    """
    like = [
        one
        for one in candidates
        if one.trace_id != looked_at.trace_id
        and one.started_at < looked_at.started_at
        and not one.failed
        and (one.name, one.service) == (looked_at.name, looked_at.service)
    ]
    return max(like, key=lambda one: (one.route == looked_at.route, one.started_at), default=None)


def why(chosen: Request, looked_at: Request) -> str:
    """Why it was taken, in words."""
    of = f" of {clean(chosen.service, 60)}" if chosen.service else ""
    return f"the last good {clean(chosen.name, 80) or 'request'}{of}, {_earlier(looked_at, chosen)} earlier"


def _earlier(looked_at: Request, chosen: Request) -> str:
    seconds = looked_at.started_at - chosen.started_at
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

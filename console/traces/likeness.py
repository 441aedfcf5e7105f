"""Which request another one is best compared with, when nobody names one: the last good one like it. Pure."""

from collections.abc import Iterable
from enum import IntEnum

import msgspec

from console.domain.readings import Request
from console.domain.spans import RequestQuery
from console.domain.text import clean


class Likeness(IntEnum):
    """How much one request is like another, the most first."""

    ROUTE = 0
    """The same name and service, and the same route."""
    WORK = 1
    """The same name and service."""
    NAME = 2
    """The same name, by another service."""
    SERVICE = 3
    """Another name, of the same service and by the same route."""


def likeness(one: Request, looked_at: Request) -> Likeness | None:
    """How much a request is like the one that is looked at; None where it did other work."""
    same_service, same_route = one.service == looked_at.service, one.route == looked_at.route
    if one.name == looked_at.name:
        if same_service:
            return Likeness.ROUTE if same_route else Likeness.WORK
        return Likeness.NAME if one.name else None
    return Likeness.SERVICE if same_service and same_route and one.service and one.route else None


def searches(looked_at: Request, source: str, limit: int) -> tuple[RequestQuery, ...]:
    """What to ask a trace store for, one after the other until one of them has a request that is like it."""
    good = RequestQuery(source=source, limit=limit, before=looked_at.started_at, good=True)
    found = [msgspec.structs.replace(good, name=looked_at.name, service=looked_at.service)]
    if looked_at.name and looked_at.service:
        found.append(msgspec.structs.replace(good, name=looked_at.name))
    if looked_at.service and looked_at.route:
        found.append(msgspec.structs.replace(good, service=looked_at.service))
    return tuple(found)


def last_good(looked_at: Request, candidates: Iterable[Request]) -> Request | None:
    """The newest of those that are most like it, that began before it and did not fail; None where none is."""
    best: tuple[int, float] | None = None
    chosen: Request | None = None
    for one in candidates:
        how = likeness(one, looked_at)
        if how is None or one.failed or one.trace_id == looked_at.trace_id or one.started_at >= looked_at.started_at:
            continue
        rank = (int(how), -one.started_at)
        if best is None or rank < best:
            best, chosen = rank, one
    return chosen


def why(chosen: Request, looked_at: Request) -> str:
    """Why it was taken, in words."""
    of = f" of {clean(chosen.service, 60)}" if chosen.service else ""
    words = f"the last good {clean(chosen.name, 80) or 'request'}{of}, {_earlier(looked_at, chosen)} earlier"
    match likeness(chosen, looked_at):
        case Likeness.NAME:
            return f"{words}: none of {clean(looked_at.service, 60) or 'its own service'} is kept"
        case Likeness.SERVICE:
            return f"{words}, by the same route: no good {clean(looked_at.name, 80) or 'one of its name'} is kept"
        case _:
            return words


def _earlier(looked_at: Request, chosen: Request) -> str:
    seconds = looked_at.started_at - chosen.started_at
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

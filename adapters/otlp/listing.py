"""Lists of requests: narrowed in every way that a query can, newest first, read in an index's own order.

Whatever is asked for, one index lists the newest of it and the rest is looked up: the index of what is rarest, which is
counted as far as it matters. SQLite's own guess would be made without statistics.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from adapters.otlp.sorting import LANES, WHOLE
from adapters.spans.row import COLUMNS, RequestRow
from console.domain.spans import LaneFilter, RequestQuery

PAGE = 1_000
"""The longest list of requests."""
RARE = 2_000
"""More of something are not counted: it is common."""

_ROW = ", ".join(f"r.{name}" for name in COLUMNS)
_LANES = "lanes l INDEXED BY lanes_newest"
_OTHERS = "lanes o INDEXED BY lanes_newest"
_GOOD = "r.failed = 0 AND r.rooted = 1 AND r.duration_us IS NOT NULL"


@dataclass(frozen=True, slots=True)
class _Way:
    """One index that lists requests by start."""

    tables: str
    """FROM what, in which order."""
    where: str
    args: tuple[Any, ...]
    start: str
    """The column that has the requests' start, in the index's order."""
    request: str = "r.id"
    """The column that has their numbers."""
    lane: LaneFilter | None = None
    """What needs no looking up, because the index is its own."""


def requests(connection: sqlite3.Connection, query: RequestQuery) -> list[RequestRow]:
    """A page of requests, newest first."""
    ways = _ways(query)
    way = ways[0] if len(ways) == 1 else min(ways, key=lambda one: _count(connection, one))
    where, args = _conditions(query, way)
    if query.before is not None:
        where.append(f"{way.start} < ?")
        args.append(_microseconds(query.before))
    clause = " AND ".join([way.where, *where]) if way.where else " AND ".join(where)
    rows = connection.execute(
        f"SELECT {_ROW} FROM {way.tables} {f'WHERE {clause}' if clause else ''} "  # noqa: S608 - own words
        f"ORDER BY {way.start} DESC LIMIT ?",
        (*way.args, *args, max(0, min(PAGE, query.limit))),
    )
    return [RequestRow(*row) for row in rows]


def _ways(query: RequestQuery) -> list[_Way]:
    """The indexes that list what is asked for, and more; without any wish the newest of all."""
    found: list[_Way] = []
    if query.conversation:
        where = "r.conversation = ? AND r.conversation <> ''"
        found.append(_of_requests("requests_conversation", where, query.conversation))
    if query.name:
        found.append(_of_requests("requests_name", "r.name = ?", query.name))
    if query.service and query.failed:
        found.append(_of_requests("requests_service_failed", "r.service = ? AND r.failed = 1", query.service))
    elif query.service:
        found.append(_of_requests("requests_service", "r.service = ?", query.service))
    elif query.failed:
        found.append(_of_requests("requests_failed", "r.failed = 1"))
    found += [_of_lane(one) for one in query.lanes]
    return found or [_of_requests("requests_newest", "")]


def _of_requests(index: str, where: str, *args: Any) -> _Way:
    return _Way(f"requests r INDEXED BY {index}", where, args, "r.start_us")


def _of_lane(one: LaneFilter) -> _Way:
    where, args = _in_lane("l", one)
    # CROSS JOIN: the lane is read first, and each of its requests looked up.
    return _Way(f"{_LANES} CROSS JOIN requests r ON r.id = l.request", where, args, "l.start_us", "l.request", one)


def _in_lane(table: str, one: LaneFilter) -> tuple[str, tuple[Any, ...]]:
    where, args = f"{table}.lane = ? AND {table}.value = ?", (LANES[one.lane], one.value or WHOLE)
    if one.at_least is None:
        return where, args
    return f"{where} AND {table}.measure >= ?", (*args, one.at_least)


def _count(connection: sqlite3.Connection, way: _Way) -> int:
    """How many there are, as far as it matters; of a lane those of its value, whatever their requests are."""
    table = _LANES if way.lane else way.tables
    counted = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {way.where} LIMIT {RARE})",  # noqa: S608 - own words
        way.args,
    )
    return int(counted.fetchone()[0])


def _conditions(query: RequestQuery, way: _Way) -> tuple[list[str], list[Any]]:
    """What has to hold of each request that the index lists."""
    where: list[str] = []
    args: list[Any] = []
    for column in ("conversation", "name", "service"):
        if wanted := getattr(query, column):
            where.append(f"r.{column} = ?")
            args.append(wanted)
    if query.failed:
        where.append("r.failed = 1")
    if query.good:
        where.append(_GOOD)
    if query.min_duration_s is not None:
        where.append("r.duration_us >= ?")
        args.append(_microseconds(query.min_duration_s))
    for one in query.lanes:
        if one is way.lane:
            continue
        there, values = _in_lane("o", one)
        # By start: what is looked up next lies beside what was looked up last.
        same = f"{there} AND o.start_us = {way.start} AND o.request = {way.request}"
        where.append(f"EXISTS (SELECT 1 FROM {_OTHERS} WHERE {same})")  # noqa: S608 - own words
        args += values
    return where, args


def _microseconds(seconds: float) -> int:
    """Exact for a moment that was made of microseconds; whatever number is asked for fits."""
    return round(min(max(seconds, 0.0), 4e9) * 1e6)

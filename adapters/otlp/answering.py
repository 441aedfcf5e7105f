"""A minute of answers from the store: of the requests that went on in it all, or as many as can be read, by chance."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from adapters.otel import Aliases, read
from adapters.otlp.bodies import unpack
from adapters.spans.answering.minutes import rows
from adapters.spans.answering.said import Said, said
from console.domain.answers import ANSWERS_STEP_S, Answers

LONGEST_S = 3600.0
"""How long ago a request may have begun that a call of the minute belongs to."""
CANDIDATES_MOST = 200_000
"""Requests of that time, the newest, among which those of the minute are found; an index has all that is needed."""
SPANS_MOST = 5_000
"""Spans of one minute that are read: a fifth of a second."""
BYTES_MOST = 16 * 2**20
"""Of these, unpacked."""
SPANS_OF_ONE = 1_000
"""Of a request with more, those are read that began in the minute or the one before."""

_SCATTER = 2_654_435_761
"""Knuth's: neighbours in number, which often tell of the same, end up far from each other."""


class Minute(NamedTuple):
    """What was counted."""

    rows: tuple[Answers, ...]
    part: float
    """Of the minute's requests, those that were read."""


def minute(connection: sqlite3.Connection, at: float, aliases: Aliases) -> Minute:
    """The whole minute that ended at `at` (unix seconds).

    Where more came than is read, requests are drawn by chance and counted whole; nothing is scaled up, and each row
    says which part of the requests it is of.
    """
    begin = at - ANSWERS_STEP_S
    candidates = _candidates(connection, begin, at)
    candidates.sort(key=lambda number: number * _SCATTER % 2**32)
    found: list[tuple[str, list[Said]]] = []
    spans_left, bytes_left = SPANS_MOST, BYTES_MOST
    for request in candidates:
        if spans_left <= 0 or bytes_left <= 0:
            break
        trace, some, size = _request(connection, request, begin, aliases)
        spans_left -= len(some)
        bytes_left -= size
        found.append((trace, some))
    part = len(found) / len(candidates) if candidates else 1.0
    return Minute(rows(found, begin, at, part=part), part)


def _candidates(connection: sqlite3.Connection, begin: float, end: float) -> list[int]:
    """The requests that went on in a while, as far as the index knows: one that is not over may."""
    rows = connection.execute(
        "SELECT id FROM (SELECT id, start_us, duration_us, rooted FROM requests INDEXED BY requests_newest "
        "WHERE start_us >= ? AND start_us <= ? ORDER BY start_us DESC LIMIT ?) "
        "WHERE start_us + coalesce(duration_us, CASE rooted WHEN 1 THEN ? ELSE 0 END) >= ?",
        (int((begin - LONGEST_S) * 1e6), int(end * 1e6), CANDIDATES_MOST, 2**60, int(begin * 1e6)),
    )
    return [number for (number,) in rows]


def _request(
    connection: sqlite3.Connection, request: int, begin: float, aliases: Aliases
) -> tuple[str, list[Said], int]:
    """A request's trace id, what its spans say, and how many bytes these are."""
    (trace, count) = connection.execute("SELECT trace, spans FROM requests WHERE id = ?", (request,)).fetchone()
    found: list[Said] = []
    size = 0
    for body in _bodies(connection, request, count, begin):
        try:
            span, length = unpack(body)
        except ValueError:  # broken in the file; whoever opens the request is told
            continue
        size += length
        one = said(read(span, aliases))
        if one is not None:
            found.append(one)
        if size > BYTES_MOST:
            break
    return trace.hex(), found, size


def _bodies(connection: sqlite3.Connection, request: int, count: int, begin: float) -> Iterator[bytes]:
    since_ns = int((begin - ANSWERS_STEP_S) * 1e9) if count > SPANS_OF_ONE else 0
    rows = connection.execute(
        "SELECT body FROM spans WHERE request = ? AND start_ns >= ? LIMIT ?", (request, since_ns, SPANS_MOST)
    )
    return (body for (body,) in rows)

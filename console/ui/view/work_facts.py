"""What a queue, an application and a request say of themselves, for the drill page."""

from collections.abc import Iterator
from itertools import islice

from console.domain.board import Board
from console.domain.health import Level
from console.domain.readings import AgeQuality, Queue, Request, Service
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import doing, parts, queues, requests
from console.ui.view.facts import fact, heading, labelled
from console.ui.view.hints import route_of
from console.ui.view.judged import Judgements

SHOWN = 8
"""Priorities, reasons, requests that a page lists."""

_QUALITY = {
    AgeQuality.EXACT: "as the message itself says",
    AgeQuality.ESTIMATED: "estimated from what came in",
    AgeQuality.UNKNOWN: "this queue does not tell ages",
}


def queue_facts(board: Board, item: Queue, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """A backlog, its way out, who works on it, what is set aside."""
    moving = doing.under_way(board).get(item.ref)
    if moving is not None:
        yield heading("Under way", width, glyphs, "d then stop ends it early")
        yield fact(
            doing.word(moving), Cell(f"by {fmt.name(moving.operator, 24)}: {fmt.name(moving.intent.reason, 160)}")
        )
        yield from doing.facts(moving, width, glyphs)
    kind = f"  {fmt.name(item.kind, 20)}" if item.kind else ""
    yield fact("waiting", Cell(f"{item.depth:,}", "strong"), Cell(f"  {_drain(item)}"), Cell(kind, "muted"))
    oldest = queues.age(item, glyphs)
    yield fact("oldest", oldest._replace(value=None), Cell(f"  {_QUALITY[item.age_quality]}", "muted"))
    again = fmt.per_min(item.redelivered_per_min)
    if item.redelivered_per_min is None and item.redelivered is not None:
        again = f"{item.redelivered:,} in flight"
    rates = f"in {fmt.per_min(item.in_per_min)}, out {fmt.per_min(item.out_per_min)}, delivered again {again}"
    yield fact("flow", Cell(rates))
    yield fact("workers", *_workers(item))
    if item.paused or item.parked:
        words = " and ".join(filter(None, ("paused" if item.paused else "", _parked(item))))
        yield fact("set aside", Cell(words, "notice"))


def queue_parts(board: Board, judged: Judgements, item: Queue, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What a backlog is made of and where it goes: priorities, dead letters and why, the routes that it feeds."""
    if len(item.priorities) > 1:
        yield from _priorities(item, width, glyphs)
    if item.dead_letters or item.dead_reasons:
        yield from _dead(item, width, glyphs)
    if item.feeds:
        yield heading("Its workers call", width, glyphs)
        yield from (_fed(board, judged, name, glyphs) for name in item.feeds)


def _drain(item: Queue) -> str:
    if item.depth == 0:
        return ""
    if item.drain_s is not None:
        return f"gone in {fmt.duration(item.drain_s)} at the present rates"
    growth = item.growth_per_min
    return "" if growth is None else f"grows by {fmt.per_min(growth)}" if growth > 0 else "neither grows nor shrinks"


def _workers(item: Queue) -> Iterator[Cell]:
    crew = queues.workers(item)
    yield crew._replace(value=None)
    busy = "" if item.consumers_busy_ratio is None else f", busy {fmt.ratio(item.consumers_busy_ratio)} of the time"
    yield Cell(f"{busy}; {fmt.count(item.in_flight)} messages in flight")


def _parked(item: Queue) -> str:
    return f"{item.parked:,} parked until somebody replays them" if item.parked else ""


def _priorities(item: Queue, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield heading("Priorities", width, glyphs, "the highest first")
    most = max(part.depth for part in item.priorities) or 1
    for part in sorted(item.priorities, key=lambda part: -part.priority)[:SHOWN]:
        bar = fmt.bar(part.depth / most, 20, full=glyphs.full, empty=" ")
        yield fact(f"priority {part.priority}", Cell(bar, "accent"), Cell(f" {part.depth:,}"), key=("p", part.priority))


def _dead(item: Queue, width: int, glyphs: Glyphs) -> Iterator[Line]:
    where = f"in {fmt.name(item.dead_letter_queue, 40)}" if item.dead_letter_queue else ""
    yield heading("Dead letters", width, glyphs, where)
    yield fact("dead", Cell(fmt.NONE if item.dead_letters is None else f"{item.dead_letters:,}", "warn"))
    most = max((part.count for part in item.dead_reasons), default=1) or 1
    for at, part in enumerate(sorted(item.dead_reasons, key=lambda part: -part.count)[:SHOWN]):
        bar = fmt.bar(part.count / most, 20, full=glyphs.full, empty=" ")
        yield fact(fmt.name(part.reason, 14), Cell(bar, "warn"), Cell(f" {part.count:,}"), key=("dead", at))


def _fed(board: Board, judged: Judgements, name: str, glyphs: Glyphs) -> Line:
    ref = route_of(name)
    if ref is None or ref not in board.readings:
        return Line((Cell(f" {fit(fmt.name(name), 32)} "), Cell("not reported", "stale")), key=("fed", name))
    health = judged.of(ref)
    cells = (
        Cell(f" {fit(fmt.name(ref.name), 20)} ", "strong"),
        *parts.padded(parts.state_text(health, glyphs), 15, LEVEL_STYLE[health.level]),
        Cell(f" {fmt.name(health.why, 100)}"),
    )
    return Line(cells, key=ref)


def service_facts(board: Board, item: Service, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """How many talk to an application, what it answers from, and its last requests that failed."""
    if item.conversations is not None:
        yield fact("conversations", Cell(f"{item.conversations:,}"))
    if item.snapshots:
        yield from labelled("answers from", ", ".join(fmt.name(name, 40) for name in item.snapshots[:SHOWN]), width)
    mine = (one for one in board.of(Request) if one.failed and one.service == item.ref.name)
    failed = list(islice(requests.newest_first([one for one in mine if one.ref.source == item.ref.source]), SHOWN))
    if failed:
        yield heading("Requests that failed last", width, glyphs, "Enter opens one")
        yield from (_failed(one, glyphs, width) for one in failed)


def _failed(item: Request, glyphs: Glyphs, width: int) -> Line:
    why = fmt.name(item.error, 200)
    cells = (
        Cell(f" {fmt.clock(item.started_at)} ", "muted"),
        Cell(f"{glyphs.level[Level.BAD]} ", "bad"),
        Cell(fit(requests.what(item, glyphs), 28), "strong"),
        Cell(fit(fmt.took(item.duration_s), 8, right=True)),
        Cell(fit(f"  {why}", max(0, width - 50))),
    )
    return Line(cells, key=item.ref)

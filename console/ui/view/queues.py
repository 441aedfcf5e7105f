"""The Queues screen as rows: each backlog, how old it is, whether it shrinks, and what is set aside."""

from collections.abc import Callable, Mapping

from console.domain.actions import Receipt
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health import WARN_AGE_S, WARN_REDELIVERED, Level
from console.domain.readings import AgeQuality, Queue
from console.domain.refs import Ref
from console.ui import format as fmt
from console.ui.cells import Cell, Column, Row
from console.ui.glyphs import Glyphs
from console.ui.lazy import Steps, whole
from console.ui.rows import Rows, Value
from console.ui.view import doing, parts
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept

COLUMNS = (
    Column("queue", "queue", 14, flex=True, keep=1),
    Column("depth", "depth", 6, right=True, keep=1),
    Column("age", "oldest", 8, right=True, keep=2),
    Column("flight", "in flight", 9, right=True, keep=7),
    Column("in", "in/min", 6, right=True, keep=4),
    Column("out", "out/min", 7, right=True, keep=3),
    Column("drain", "to drain", 8, right=True, keep=3),
    Column("workers", "workers", 7, right=True, keep=3),
    Column("redelivered", "redel.", 6, right=True, keep=8),
    Column("dead", "dead", 5, right=True, keep=5),
    Column("parked", "parked", 6, right=True, keep=6),
    Column("source", "source", 10, keep=9),
    Column("state", "state", 14, keep=1),
)
"""`to drain` is how long the backlog lasts at the present rates, or how fast it grows."""

AT_ONCE = 1000
"""Queues whose judgements are looked up without a break."""

EMPTY = "No source reports queues yet; the adapters `rabbitmq` and `nats` do."

_GROWS = 1e12
"""A queue that grows never ends: it sorts after each that does, the faster one later."""


def rows(board: Board, judged: Judgements, glyphs: Glyphs, kept: Kept[Row] | None = None) -> Rows:
    """One row a queue, the worst first, of equals the deepest; a row is made when it is looked at."""
    return whole(rows_in_steps(board, judged, glyphs, Kept() if kept is None else kept))


def rows_in_steps(board: Board, judged: Judgements, glyphs: Glyphs, made: Kept[Row]) -> Steps[Rows]:
    """The same in steps of a few milliseconds."""
    moving = doing.under_way(board)
    found = list(board.of(Queue))
    levels: list[int] = []
    for start in range(0, len(found), AT_ONCE):
        yield
        levels += (judged.of(queue.ref).level.value for queue in found[start : start + AT_ONCE])
    yield
    order = sorted(range(len(found)), key=[queue.depth for queue in found].__getitem__, reverse=True)
    yield
    order.sort(key=levels.__getitem__, reverse=True)
    yield
    queues = [found[place] for place in order]
    return Rows(
        [queue.ref for queue in queues],
        lambda at: _kept(made, board, judged, glyphs, queues[at], moving),
        lambda at, column: _value(queues[at], judged, column),
        lambda at: _words(queues[at], judged),
    )


_VALUES: Mapping[str, Callable[[Queue], Value]] = {
    "depth": lambda queue: queue.depth,
    "age": lambda queue: queue.oldest_age_s,
    "flight": lambda queue: queue.in_flight,
    "in": lambda queue: queue.in_per_min,
    "out": lambda queue: queue.out_per_min,
    "drain": lambda queue: _until_empty(queue),
    "workers": lambda queue: queue.consumers,
    "redelivered": lambda queue: queue.redelivered_per_min,
    "dead": lambda queue: queue.dead_letters,
    "parked": lambda queue: queue.parked,
    "source": lambda queue: queue.ref.source,
    "queue": lambda queue: queue.ref.name,
}
"""Column → what a row sorts by; None where the backend does not say."""


def _value(queue: Queue, judged: Judgements, column: str) -> Value:
    return float(judged.of(queue.ref).level) if column == "state" else _VALUES[column](queue)


def _words(queue: Queue, judged: Judgements) -> str:
    """What `/` looks for in a row: name, source, the routes that it feeds, what is wrong with it."""
    return " ".join((queue.ref.name, queue.ref.source, queue.kind, *queue.feeds, judged.of(queue.ref).word))


def _until_empty(queue: Queue) -> float | None:
    if queue.drain_s is not None:
        return queue.drain_s
    growth = queue.growth_per_min
    return None if growth is None else _GROWS + growth


def _kept(
    kept: Kept[Row], board: Board, judged: Judgements, glyphs: Glyphs, queue: Queue, moving: Mapping[Ref, Receipt]
) -> Row:
    receipt = moving.get(queue.ref)
    stamp = (queue, judged.of(queue.ref), board.freshness(queue.ref), receipt)
    return kept.get(queue.ref, stamp, lambda: _row(board, judged, glyphs, queue, receipt))


def _row(board: Board, judged: Judgements, glyphs: Glyphs, queue: Queue, receipt: Receipt | None) -> Row:
    cells = (
        Cell(fmt.name(queue.ref.name, 120), "strong"),
        Cell(fmt.count(queue.depth), value=float(queue.depth)),
        age(queue, glyphs),
        _count(queue.in_flight),
        _rate(queue.in_per_min),
        _rate(queue.out_per_min),
        drain(queue),
        workers(queue),
        _redelivered(queue),
        _count(queue.dead_letters, "warn"),
        _count(queue.parked, "notice"),
        Cell(fmt.name(queue.ref.source, 24), "muted"),
        state(judged, glyphs, queue, receipt),
    )
    return Row(queue.ref, cells, dim=board.freshness(queue.ref) is not Freshness.FRESH)


def state(judged: Judgements, glyphs: Glyphs, queue: Queue, receipt: Receipt | None) -> Cell:
    """What moves its messages now and how far that has come; otherwise the judgement."""
    health = judged.of(queue.ref)
    if receipt is not None and health.level is not Level.STALE:
        return Cell(doing.state(receipt, glyphs), "notice", float(health.level))
    return parts.state(health, glyphs)


def age_text(queue: Queue, glyphs: Glyphs) -> str:
    """How long the oldest message waits: `6 min` when that is exact, `≈6 min` when estimated, `?` when unknown."""
    if queue.oldest_age_s is None or queue.age_quality is AgeQuality.UNKNOWN:
        return fmt.NONE if queue.depth == 0 else "?"
    about = "" if queue.age_quality is AgeQuality.EXACT else glyphs.about
    return about + fmt.duration(queue.oldest_age_s)


def age(queue: Queue, glyphs: Glyphs) -> Cell:
    """The oldest age in the colour of how bad it is."""
    text = age_text(queue, glyphs)
    old = queue.oldest_age_s is not None and queue.oldest_age_s >= WARN_AGE_S and not queue.paused
    return Cell(text, "warn" if old else "muted" if text in (fmt.NONE, "?") else "", queue.oldest_age_s)


def drain_text(queue: Queue) -> str:
    """`8 min` until nothing waits at the present rates, `+120/min` when it grows, `stays` when it does neither."""
    if queue.depth == 0:
        return "empty"
    if queue.drain_s is not None:
        return fmt.duration(queue.drain_s)
    growth = queue.growth_per_min
    if growth is None:
        return fmt.NONE
    return f"+{fmt.per_min(growth)}" if growth > 0 else "stays"


def drain(queue: Queue) -> Cell:
    """`drain_text` in the colour of how bad it is."""
    grows = bool(queue.depth) and (queue.growth_per_min or 0.0) > 0
    text = drain_text(queue)
    return Cell(text, "warn" if grows else "muted" if text in (fmt.NONE, "empty") else "", _until_empty(queue))


def workers(queue: Queue) -> Cell:
    """How many workers there are: none at all is the worst that can be said of a backlog."""
    alone = queue.consumers == 0 and queue.depth and not queue.paused
    return Cell(
        fmt.count(queue.consumers),
        "bad" if alone else "muted" if queue.consumers is None else "",
        queue.consumers,
    )


def _redelivered(queue: Queue) -> Cell:
    again, out = queue.redelivered_per_min, queue.out_per_min
    many = again is not None and bool(out) and again / (out or 1.0) >= WARN_REDELIVERED
    return Cell(fmt.number(again), "warn" if many else "muted", again)


def _count(value: float | None, style: str = "") -> Cell:
    return Cell(fmt.count(value), style if value else "muted", value)


def _rate(value: float | None) -> Cell:
    return Cell(fmt.number(value), "" if value else "muted", value)

"""The Requests screen as rows: the stream of requests, newest first."""

from collections.abc import Callable, Mapping, Sequence

from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health import OK, Health, Level
from console.domain.readings import Request
from console.domain.refs import Kind
from console.ui import format as fmt
from console.ui.cells import Cell, Column, Line, Row
from console.ui.glyphs import Glyphs
from console.ui.rows import Rows, Value
from console.ui.view import parts
from console.ui.view.kept import Kept
from console.ui.view.wrapped import wrapped

COLUMNS = (
    Column("at", "time", 8, keep=1),
    Column("service", "service", 11, keep=3),
    Column("request", "request", 20, flex=True, keep=1),
    Column("model", "model", 12, keep=4),
    Column("state", "status", 10, keep=1),
    Column("took", "took", 7, right=True, keep=2),
    Column("ttft", "TTFT", 6, right=True, keep=6),
    Column("tokens", "tokens in/out", 13, right=True, keep=6),
    Column("attempts", "tries", 5, right=True, keep=5),
    Column("cost", "cost", 6, right=True, keep=7),
    Column("conversation", "conversation", 12, keep=8),
    Column("error", "error", 24, flex=True, keep=9),
)

EMPTY = "No requests yet: `switchgear collect` takes them in for `adapter: otlp`."
NONE_FAILED = "No request that is known here failed; f shows all."


def newest_first(requests: Sequence[Request]) -> list[Request]:
    """By start, the newest first; of one moment in a steady order."""
    return sorted(requests, key=lambda item: (-item.started_at, item.ref))


def rows(board: Board, requests: Sequence[Request], glyphs: Glyphs, kept: Kept[Row] | None = None) -> Rows:
    """One row a request in the order given; a row is made when it is looked at."""
    made = Kept() if kept is None else kept

    def row(at: int) -> Row:
        item = requests[at]
        fresh = board.source(item.ref.source)
        dim = fresh is not None and fresh.freshness is not Freshness.FRESH
        return made.get(item.ref, (item, dim), lambda: _row(item, glyphs, dim))

    return Rows(
        [item.ref for item in requests],
        row,
        lambda at, column: _VALUES[column](requests[at]),
        lambda at: _words(requests[at]),
    )


_VALUES: Mapping[str, Callable[[Request], Value]] = {
    "at": lambda item: item.started_at,
    "service": lambda item: item.service,
    "request": lambda item: item.name or item.route,
    "model": lambda item: item.model,
    "state": lambda item: float(item.failed),
    "took": lambda item: item.duration_s,
    "ttft": lambda item: item.ttft_s,
    "tokens": lambda item: _tokens(item),
    "attempts": lambda item: item.attempts,
    "cost": lambda item: item.usd,
    "conversation": lambda item: item.conversation,
    "error": lambda item: item.error,
}
"""Column → what a row sorts by; None where nobody recorded it."""


def _words(item: Request) -> str:
    return " ".join(
        (
            item.name,
            item.route,
            item.service,
            item.model,
            item.deployment,
            item.status,
            item.conversation,
            item.error,
            item.trace_id,
        )
    )


def _tokens(item: Request) -> float | None:
    if item.tokens_in is None and item.tokens_out is None:
        return None
    return (item.tokens_in or 0) + (item.tokens_out or 0)


def health(item: Request) -> Health:
    """What is to be said of one request in a word: the backend's own status, or `error` when it failed without one."""
    if item.failed:
        word = item.status if item.status and item.status != "ok" else "error"
        return Health(Level.BAD, word, item.error)
    return Health(Level.OK, item.status or OK.word)


def what(item: Request, glyphs: Glyphs) -> str:
    """What was asked for, and the route that it went through when its name does not say that."""
    name, route = fmt.name(item.name, 120), fmt.name(item.route, 60)
    if not name or not route or route in name:
        return name or route or fmt.NONE
    return f"{name} {glyphs.arrow} {route}"


def tokens(item: Request) -> str:
    """`1.2k/210`."""
    return f"{fmt.number(item.tokens_in)}/{fmt.number(item.tokens_out)}" if _tokens(item) is not None else fmt.NONE


def _row(item: Request, glyphs: Glyphs, dim: bool) -> Row:
    retried = item.attempts is not None and item.attempts > 1
    cells = (
        Cell(fmt.clock(item.started_at), "muted", item.started_at),
        Cell(fmt.name(item.service, 40)),
        Cell(what(item, glyphs), "strong"),
        Cell(fmt.name(item.model, 60), "muted"),
        parts.state(health(item), glyphs),
        Cell(fmt.took(item.duration_s), "muted" if item.duration_s is None else "", item.duration_s),
        Cell(fmt.took(item.ttft_s), "muted" if item.ttft_s is None else "", item.ttft_s),
        Cell(tokens(item), "muted", _tokens(item)),
        Cell(fmt.NONE if item.attempts is None else str(item.attempts), "warn" if retried else "muted", item.attempts),
        Cell(fmt.usd(item.usd), "muted", item.usd),
        Cell(fmt.name(item.conversation, 60), "muted"),
        Cell(fmt.name(item.error, 200), "bad" if item.failed else ""),
    )
    return Row(item.ref, cells, dim)


def narrowed(lanes: str, refused: str, width: int) -> list[Line]:
    """Says which lanes' values the requests are narrowed to, how to get all back, and which source cannot do that."""
    head = Line((Cell(" only requests with ", "muted"), Cell(lanes, "warn"), Cell("  Esc shows all", "muted")))
    return [head, *(Line((Cell(f" {part}", "bad"),)) for part in wrapped(refused, width - 1) if part)]


def sources(board: Board) -> list[str]:
    """Sources that show requests or services: those that can be asked for older ones."""
    kinds = (Kind.REQUEST, Kind.SERVICE)
    return sorted({ref.source for ref in board.readings if ref.kind in kinds})

"""The Spend screen as rows: money by scope, booked beside what the tokens cost at list price, and the budgets."""

from collections.abc import Sequence

from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health import PHANTOM_SPEND
from console.domain.readings import Spend, SpendScope
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Column, Row
from console.ui.glyphs import Glyphs
from console.ui.view import parts
from console.ui.view.judged import Judgements
from console.ui.view.money import ends, used

COLUMNS = (
    Column("scope", "scope", 8, keep=3),
    Column("subject", "who or what", 14, flex=True, keep=1),
    Column("state", "state", 13, keep=1),
    Column("rate", "$/h", 7, right=True, keep=2),
    Column("booked", "today", 7, right=True, keep=2),
    Column("priced", "priced", 7, right=True, keep=6),
    Column("disagreement", "booked/priced", 13, right=True, keep=6),
    Column("used", "budget used", 13, keep=2),
    Column("budget", "budget", 11, right=True, keep=7),
    Column("ends", "exhausted", 11, keep=4),
    Column("requests", "requests", 8, right=True, keep=9),
    Column("tokens", "tokens in/out", 13, right=True, keep=8),
)
"""`priced` is today's tokens at list price; `booked/priced` far from 1 is phantom spend."""

EMPTY = "No source reports money yet; LiteLLM does when it has its database."

_ORDER = tuple(SpendScope)
_BAR = 8


def rows(board: Board, judged: Judgements, glyphs: Glyphs) -> Sequence[Row]:
    """One row for each sum of money: the totals first, then by scope, the largest first."""
    found = sorted(
        board.of(Spend), key=lambda item: (_ORDER.index(item.scope), -(item.usd_today or 0.0), item.ref.name)
    )
    return [_row(board, judged, glyphs, item) for item in found]


def _row(board: Board, judged: Judgements, glyphs: Glyphs, item: Spend) -> Row:
    part = used(item)
    health = judged.of(item.ref)
    tokens = None if item.tokens_in_today is None else item.tokens_in_today + (item.tokens_out_today or 0.0)
    cells = (
        Cell(str(item.scope), "muted"),
        Cell(fmt.name(item.subject), "strong" if item.scope is SpendScope.TOTAL else ""),
        parts.state(health, glyphs),
        Cell(fmt.usd(item.usd_per_h), value=item.usd_per_h),
        Cell(fmt.usd(item.usd_today), value=item.usd_today),
        Cell(fmt.usd(item.priced_usd_today), "muted", item.priced_usd_today),
        _disagreement(item),
        _used(part, LEVEL_STYLE[health.level], glyphs),
        Cell(_budget(item), "muted", item.budget_usd),
        _ends(item, board.at),
        Cell(fmt.number(item.requests_today), "muted", item.requests_today),
        Cell(f"{fmt.number(item.tokens_in_today)}/{fmt.number(item.tokens_out_today)}", "muted", tokens),
    )
    return Row(item.ref, cells, dim=board.freshness(item.ref) is not Freshness.FRESH)


def _disagreement(item: Spend) -> Cell:
    off = item.disagreement
    if off is None:
        return Cell(fmt.NONE, "muted")
    return Cell(fmt.times(off), "" if 1 / PHANTOM_SPEND < off < PHANTOM_SPEND else "warn", off)


def _used(part: float | None, style: str, glyphs: Glyphs) -> Cell:
    if part is None:
        return Cell("", value=-1.0)
    text = f"{fmt.bar(part, _BAR, full=glyphs.full, empty=glyphs.empty)} {fmt.ratio(part)}"
    return Cell(text, style, part)


def _budget(item: Spend) -> str:
    if not item.budget_usd:
        return ""
    period = f"/{fmt.name(item.budget_period, 5)}" if item.budget_period else ""
    return f"{fmt.usd(item.budget_usd)}{period}"


def _ends(item: Spend, now: float) -> Cell:
    if used(item) is None:
        return Cell("", value=float("inf"))
    return Cell(
        ends(item, now), "warn" if item.exhausted_at is not None else "muted", item.exhausted_at or float("inf")
    )

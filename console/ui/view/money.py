"""Money and error budgets in three lines, for the side of the mimic panel."""

from console.domain.alerts import Alert, AlertState
from console.domain.board import Board
from console.domain.readings import Spend, SpendScope
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line
from console.ui.glyphs import Glyphs
from console.ui.view.judged import Judgements
from console.ui.view.mimic import Part, Spot

BAR = 8


def money(board: Board, judged: Judgements, glyphs: Glyphs, *, wide: bool) -> list[Line]:
    """The rate, the tightest budget, and which error budget burns: three lines, or two where lines are scarce."""
    rate, budget, burning = _rate(board, judged), _tightest(board, judged, glyphs), _burning(board, glyphs)
    if wide:
        return [rate, budget, burning]
    head = rate.cells if len(rate.cells) > 2 else ()
    return [Line((*head, Cell("  "), *burning.cells) if head else burning.cells, burning.key or rate.key), budget]


def _rate(board: Board, judged: Judgements) -> Line:
    totals = [spend for spend in board.of(Spend) if spend.scope is SpendScope.TOTAL]
    if not totals:
        return Line((Cell(" spend   ", "muted"), Cell("no source reports money", "muted")))
    rates = [spend.usd_per_h for spend in totals if spend.usd_per_h is not None]
    booked = [spend.usd_today for spend in totals if spend.usd_today is not None]
    style = max((judged.of(spend.ref) for spend in totals), key=lambda health: health.level)
    cells = (
        Cell(" spend   ", "muted"),
        Cell(fmt.usd_per_h(sum(rates) if rates else None), "strong"),
        Cell("  today ", "muted"),
        Cell(fmt.usd(sum(booked) if booked else None), LEVEL_STYLE[style.level] if style.level else ""),
    )
    return Line(cells, key=Spot(Part.MONEY, totals[0].ref))


def used(spend: Spend) -> float | None:
    """The part of its budget that is used, or None when it has none."""
    if not spend.budget_usd or spend.budget_used_usd is None:
        return None
    return spend.budget_used_usd / spend.budget_usd


def ends(spend: Spend, now: float) -> str:
    """When the budget is exhausted at the present rate: `ends 17:40`, or `lasts`."""
    if spend.blocked:
        return "blocked"
    return f"ends {fmt.moment(spend.exhausted_at, now)}" if spend.exhausted_at is not None else "lasts"


def _tightest(board: Board, judged: Judgements, glyphs: Glyphs) -> Line:
    budgets = [spend for spend in board.of(Spend) if used(spend) is not None]
    if not budgets:
        return Line((Cell(" budget  ", "muted"), Cell("none is set", "muted")))
    tight = max(budgets, key=lambda spend: (judged.of(spend.ref).level, used(spend) or 0.0))
    part, style = used(tight), LEVEL_STYLE[judged.of(tight.ref).level]
    cells = (
        Cell(" budget  ", "muted"),
        Cell(fmt.name(tight.subject, 14)),
        Cell(" "),
        Cell(fmt.bar(part, BAR, full=glyphs.full, empty=glyphs.empty), style),
        Cell(f" {fmt.ratio(part)}", style),
        Cell(f" {ends(tight, board.at)}", "muted" if tight.exhausted_at is None else style),
    )
    return Line(cells, key=Spot(Part.MONEY, tight.ref))


def _burning(board: Board, glyphs: Glyphs) -> Line:
    burns = [alert for alert in board.alerts.values() if _is_burning(alert)]
    if not burns:
        return Line((Cell(" errors  ", "muted"), Cell("no error budget burns", "muted")))
    worst = max(burns, key=lambda alert: alert.value or 0.0)
    more = f" and {len(burns) - 1} more" if len(burns) > 1 else ""
    name = fmt.name(worst.rule.partition("/")[2] or worst.ref.name, 16)
    rate = f" at {fmt.times(worst.value)}" if worst.value is not None else ""
    cells = (
        Cell(" errors  ", "muted"),
        Cell(f"{glyphs.severity[worst.severity]} {name} burns its budget{rate}{more}", "bad"),
    )
    return Line(cells, key=Spot(Part.MONEY, worst.ref))


def _is_burning(alert: Alert) -> bool:
    return alert.state is AlertState.FIRING and alert.rule.startswith("burn")

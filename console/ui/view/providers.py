"""The Providers screen as rows: each provider, and each of its deployments."""

from collections.abc import Iterable
from itertools import chain

from console.domain.actions import Override, OverrideState
from console.domain.board import Board
from console.domain.circuit import Circuit
from console.domain.freshness import Freshness
from console.domain.health import Level
from console.domain.readings import Deployment, Headroom, Latency, Provider, Traffic
from console.domain.refs import Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Column, Row
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy, Steps, whole
from console.ui.view import parts
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept

COLUMNS = (
    Column("name", "deployment", 14, flex=True, keep=1),
    Column("transport", "transport", 13, keep=1),
    Column("answers", "answers", 13, keep=1),
    Column("circuit", "circuit", 17, keep=2),
    Column("provider", "provider", 11, keep=9),
    Column("flow", "req/min", 7, right=True, keep=3),
    Column("errors", "errors", 6, right=True, keep=2),
    Column("p50", "p50", 6, right=True, keep=8),
    Column("p95", "p95", 6, right=True, keep=4),
    Column("ttft", "TTFT", 6, right=True, keep=6),
    Column("headroom", "room", 5, right=True, keep=5),
    Column("cost", "$/h", 7, right=True, keep=5),
    Column("override", "override", 16, keep=7),
)
"""`transport` is how requests travel, `answers` what comes back; `not seen` where no trace store tells."""

AT_ONCE = 300
"""Providers and deployments that are looked at without a break."""

_Place = tuple[str, str, bool, int, str]
"""Source; provider; whether it is a deployment; its level, negated; its name."""

EMPTY = "No deployment has been seen yet: the header says what each source answers."


def rows(board: Board, judged: Judgements, glyphs: Glyphs, kept: Kept[Row] | None = None) -> Lazy[Row]:
    """One row a provider and one a deployment: the worst provider first, its worst deployment first beneath it.

    A row is made when it is looked at; rows of objects that did not change are taken from `kept`.
    """
    return whole(rows_in_steps(board, judged, glyphs, Kept() if kept is None else kept))


def rows_in_steps(board: Board, judged: Judgements, glyphs: Glyphs, kept: Kept[Row]) -> Steps[Lazy[Row]]:
    """The same in steps of about a millisecond."""
    worst: dict[tuple[str, str], int] = {}
    placed: list[tuple[_Place, Provider | Deployment]] = []
    items: Iterable[Provider | Deployment] = chain(board.of(Provider), board.of(Deployment))
    for done, item in enumerate(items, 1):
        if not done % AT_ONCE:
            yield
        level = -judged.of(item.ref).level
        if isinstance(item, Provider):
            group, place = (item.ref.source, item.ref.name), (False, 0, "")
        else:
            group, place = (item.ref.source, item.provider), (True, level, item.ref.name)
        worst[group] = min(level, worst.get(group, level))
        placed.append(((*group, *place), item))
    yield
    placed.sort(key=lambda each: (worst[each[0][:2]], each[0]))
    yield
    found = [item for _, item in placed]
    return Lazy([item.ref for item in found], lambda at: _kept(kept, board, judged, glyphs, found[at]))


def _kept(kept: Kept[Row], board: Board, judged: Judgements, glyphs: Glyphs, item: Provider | Deployment) -> Row:
    overrides = tuple(board.overrides_of(item.ref)) if board.overrides else ()
    stamp = (item, judged.apart(item.ref), board.freshness(item.ref), overrides)
    if isinstance(item, Provider):
        return kept.get(item.ref, stamp, lambda: _provider(board, judged, glyphs, item))
    return kept.get(item.ref, stamp, lambda: _deployment(board, judged, glyphs, item))


def _provider(board: Board, judged: Judgements, glyphs: Glyphs, item: Provider) -> Row:
    count = len(item.deployments)
    cells = (
        Cell(f"{fmt.name(item.ref.name)} (all {count})" if count != 1 else fmt.name(item.ref.name), "strong"),
        *_health(board, judged, glyphs, item),
        Cell(""),
        Cell("", value=fmt.name(item.ref.name)),
        *_numbers(item.traffic, item.latency, item.headroom, item.usd_per_h, judged.apart(item.ref).cost.level),
        Cell(""),
    )
    return Row(item.ref, cells, dim=_faded(board, item.ref))


def _deployment(board: Board, judged: Judgements, glyphs: Glyphs, item: Deployment) -> Row:
    cells = (
        Cell("  " + fmt.name(item.ref.name), value=fmt.name(item.ref.name)),
        *_health(board, judged, glyphs, item),
        circuit(item.circuit, glyphs),
        Cell(fmt.name(item.provider), "muted"),
        *_numbers(item.traffic, item.latency, item.headroom, item.usd_per_h, judged.apart(item.ref).cost.level),
        override(board, item.ref),
    )
    return Row(item.ref, cells, dim=_faded(board, item.ref))


def _health(board: Board, judged: Judgements, glyphs: Glyphs, item: Provider | Deployment) -> tuple[Cell, Cell]:
    apart = judged.apart(item.ref)
    return parts.transport(board, item, apart.transport, glyphs), parts.answers_cell(apart.answers, glyphs)


def circuit(found: Circuit, glyphs: Glyphs) -> Cell:
    """Glyph, word, and how many replicas show it: `○ open 1/2`."""
    agree = parts.agreement(found)
    text = f"{glyphs.circuit[found.observed]} {parts.circuit_word(found)} {agree}".rstrip()
    return Cell(text, "warn" if parts.is_split(found) else parts.circuit_style(found))


def override(board: Board, ref: Ref) -> Cell:
    """Whose hand is on it, and until when."""
    items = board.overrides_of(ref)
    return Cell(override_words(items[-1], board.at), "notice") if items else Cell("")


def override_words(item: Override, now: float) -> str:
    """`ana until 03:40`, or that it is stuck."""
    owner = fmt.name(item.owner, 24)
    if item.state is OverrideState.STUCK:
        return f"STUCK ({owner})"
    if item.state is OverrideState.REVERTING:
        return f"ending ({owner})"
    return f"{owner} until {fmt.moment(item.expires_at, now)}" if item.expires_at is not None else owner


def _numbers(
    traffic: Traffic | None, latency: Latency | None, headroom: Headroom | None, usd_per_h: float | None, dear: Level
) -> tuple[Cell, ...]:
    flow = traffic.requests_per_min if traffic else None
    left = headroom.left_ratio if headroom else None
    return (
        Cell(fmt.number(flow), "muted" if flow is None else "", flow),
        parts.error_cell(traffic.error_ratio if traffic else None),
        *(seconds(latency, metric) for metric in ("p50_s", "p95_s", "ttft_p50_s")),
        Cell(fmt.ratio(left), _scarce(left), left),
        Cell(fmt.usd(usd_per_h), _dear(usd_per_h, dear), usd_per_h),
    )


def seconds(latency: Latency | None, metric: str) -> Cell:
    """One of a latency's numbers."""
    value: float | None = getattr(latency, metric) if latency else None
    return Cell(fmt.took(value), "muted" if value is None else "", value)


def _dear(usd_per_h: float | None, cost: Level) -> str:
    if usd_per_h is None:
        return "muted"
    return LEVEL_STYLE[cost] if cost >= Level.WARN else ""


def _scarce(left: float | None) -> str:
    if left is None:
        return "muted"
    return "bad" if left < 0.05 else "warn" if left < 0.2 else ""


def _faded(board: Board, ref: Ref) -> bool:
    return board.freshness(ref) is not Freshness.FRESH

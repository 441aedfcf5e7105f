"""Everything about one object as lines: its past, its failures, whose hand is on it, and which keys work on it."""

from collections.abc import Iterator, Mapping

from console.domain.actions import Override, OverrideState, Verb
from console.domain.alerts import Alert
from console.domain.board import Board
from console.domain.health import Columns, Health, Level
from console.domain.readings import AnyReading, Deployment, FailureClass, Provider, Queue, Route, Service
from console.domain.refs import Ref
from console.domain.wire import History
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view import forecast, parts, timeline
from console.ui.view.facts import fact, heading, labelled
from console.ui.view.judged import Judgements
from console.ui.view.own_facts import own_facts
from console.ui.view.providers import override_words
from console.ui.view.work_facts import queue_parts

METRICS = {
    "depth": ("depth", ""),
    "oldest_age_s": ("oldest age", "s"),
    "in_per_min": ("in/min", ""),
    "out_per_min": ("out/min", ""),
    "requests_per_min": ("requests/min", ""),
    "errors_per_min": ("errors/min", ""),
    "error_ratio": ("errors", "ratio"),
    "p95_s": ("p95", "s"),
    "p50_s": ("p50", "s"),
    "ttft_p50_s": ("first token", "s"),
    "attempts_per_request": ("attempts", "×"),
    "in_flight": ("in flight", ""),
    "usd_per_h": ("spend", "$/h"),
    "usd_today": ("spent today", "$"),
    "dead_letters": ("dead", ""),
    "parked": ("parked", ""),
}
"""Metric name of a history → what a person calls it, and its unit; in the order in which they are shown."""

LOG_LINES = 8


def drill(
    board: Board,
    judged: Judgements,
    glyphs: Glyphs,
    ref: Ref,
    history: History | None,
    width: int,
    keys: Mapping[Verb, str],
) -> list[Line]:
    """The whole page. Lines about other objects have that object's `Ref` as their key."""
    reading = board.readings.get(ref)
    if reading is None:
        return [*_gone(ref, width), *_past(history, width, glyphs), *_lately(board, ref, width, glyphs)]
    found = [_title(board, reading, judged.of(ref), glyphs, width)]
    if isinstance(reading, (Deployment, Route, Provider, Service)):
        found += _apart(judged.apart(ref), width, glyphs)
    found += own_facts(board, judged, reading, width, glyphs)
    found += _past(history, width, glyphs)
    if isinstance(reading, Queue):
        found += queue_parts(board, judged, reading, width, glyphs)
    if isinstance(reading, (Deployment, Route, Provider, Service)):
        found += _failures(reading.failures, width, glyphs)
    found += _overrides(board, ref, width, glyphs)
    found += _forecasts(board, ref, width, glyphs)
    found += _alerts(board, ref, width, glyphs)
    found += _abilities(reading, width, glyphs, keys)
    found += _lately(board, ref, width, glyphs)
    return found


def _gone(ref: Ref, width: int) -> Iterator[Line]:
    yield Line(
        (Cell(f" {fmt.name(ref.name)} ", "strong"), Cell("is no longer reported by its source", "stale")), key=ref
    )
    yield from labelled("", "Its past stands below. Esc goes back.", width, "muted")


def _title(board: Board, reading: AnyReading, health: Health, glyphs: Glyphs, width: int) -> Line:
    where = f"  {reading.ref.kind} of {reading.ref.source}"
    seen = f"  seen {fmt.clock(board.observed_at(reading.ref))}"
    name = parts.label(board, reading.ref, 48)
    mark = parts.state_text(health, glyphs)
    room = max(0, width - width_of(mark) - width_of(name) - width_of(where) - 6)
    why = f"  {fmt.name(health.why, 160)}" if health.why else seen
    return Line(
        (
            Cell(f" {mark} ", LEVEL_STYLE[health.level]),
            Cell(f" {name}", "strong"),
            Cell(where, "muted"),
            Cell(fit(why, room), LEVEL_STYLE[health.level] if health.level > Level.OK else "muted"),
        ),
        key=reading.ref,
    )


def _apart(apart: Columns, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Transport, answers and, where it is not as it should be, cost: each with its reason."""
    rows = [("transport", apart.transport), ("answers", apart.answers)]
    rows += [("cost", apart.cost)] if apart.cost.level else []
    for name, health in rows:
        cells = parts.answers(health, glyphs, 15) if name == "answers" else None
        found = cells or parts.padded(parts.state_text(health, glyphs), 15, LEVEL_STYLE[health.level])
        yield fact(name, *found, Cell(fit(fmt.name(health.why, 200), max(0, width - 33)).rstrip(), "muted"))


def _past(history: History | None, width: int, glyphs: Glyphs) -> Iterator[Line]:
    if history is None:
        return
    span = fmt.duration(history.step_s * max((len(points) for points in history.series.values()), default=0))
    rows = [name for name in METRICS if _known(history, name)]
    if not rows:
        return
    yield heading(f"Last {span}", width, glyphs, "now   least … most")
    for name in rows:
        yield _spark(name, history.series[name], width, glyphs)


def _known(history: History, name: str) -> bool:
    return any(value is not None for value in history.series.get(name, ()))


def _spark(metric: str, points: tuple[float | None, ...], width: int, glyphs: Glyphs) -> Line:
    title, unit = METRICS[metric]
    seen = [value for value in points if value is not None]
    room = max(8, min(len(points), width - 50))
    now, low, high = (fmt.quantity(value, unit) for value in (seen[-1], min(seen), max(seen)))
    return fact(
        title,
        Cell(fmt.sparkline(points, room, ramp=glyphs.spark, gap=glyphs.gap), "accent"),
        Cell(fit(now, 10, right=True), "strong"),
        Cell(f"   {low} {glyphs.ellipsis} {high}", "muted"),
        key=("past", metric),
    )


def _failures(failures: tuple[FailureClass, ...], width: int, glyphs: Glyphs) -> Iterator[Line]:
    if not failures:
        return
    yield heading("Failures", width, glyphs)
    most = max(item.per_min for item in failures)
    for item in sorted(failures, key=lambda item: -item.per_min)[:8]:
        part = item.per_min / most if most > 0 else 0.0
        yield fact(
            fmt.name(item.name, 14),
            Cell(fmt.bar(part, 20, full=glyphs.full, empty=" "), "warn" if item.per_min > 0 else "muted"),
            Cell(f" {fmt.per_min(item.per_min)}"),
            key=("failure", item.name),
        )


def _overrides(board: Board, ref: Ref, width: int, glyphs: Glyphs) -> Iterator[Line]:
    items = board.overrides_of(ref)
    if not items:
        return
    yield heading("Overrides", width, glyphs, "u puts the newest back")
    for item in items:
        yield from _override(item, board.at, width)


def _override(item: Override, now: float, width: int) -> Iterator[Line]:
    style = "bad" if item.state is OverrideState.STUCK else "notice"
    yield fact(str(item.action.verb), Cell(override_words(item, now), style), key=("override", item.id))
    yield from labelled("", f"because: {fmt.name(item.reason, 200)}", width)
    home = f"{item.state}; its expiry lives in the {item.expiry_home}"
    yield from labelled("", home + (f"; {fmt.name(item.words, 160)}" if item.words else ""), width, "muted")
    back = "; ".join(fmt.name(step.words, 120) for step in item.plan.undo)
    if back:
        yield from labelled("", f"way back: {back}", width, "muted")


def _forecasts(board: Board, ref: Ref, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Whether the last action on it came as forecast."""
    mine = (item for item in board.receipts.values() if item.intent.target == ref and item.outturn is not None)
    last = max(mine, key=lambda item: item.started_at, default=None)
    if last is not None:
        yield from forecast.outturn(last, width, glyphs)


def _alerts(board: Board, ref: Ref, width: int, glyphs: Glyphs) -> Iterator[Line]:
    alerts = [alert for alert in board.alerts.values() if alert.ref == ref]
    if not alerts:
        return
    yield heading("Alerts", width, glyphs, "a acknowledges")
    for alert in alerts:
        yield from _alert(alert, board.at, width, glyphs)


def _alert(alert: Alert, now: float, width: int, glyphs: Glyphs) -> Iterator[Line]:
    style = {"page": "bad", "ticket": "warn"}.get(str(alert.severity), "notice")
    calm = "muted" if str(alert.state) != "firing" else style
    acknowledged = f", acknowledged by {fmt.name(alert.acknowledged_by, 24)}" if alert.acknowledged_by else ""
    since = f"{alert.state} since {fmt.moment(alert.since, now)}{acknowledged}"
    sign = glyphs.severity[alert.severity]
    yield fact(
        f"{sign} {alert.severity}",
        Cell(fmt.name(alert.rule, 40), calm),
        Cell(f"  {since}", "muted"),
        key=("alert", alert.id),
    )
    yield from labelled("", fmt.name(alert.words, 300), width)


def _abilities(reading: AnyReading, width: int, glyphs: Glyphs, keys: Mapping[Verb, str]) -> Iterator[Line]:
    if not reading.can:
        return
    yield heading("What works here", width, glyphs)
    for ability in reading.can:
        label = f"{keys.get(ability.verb, ' ')}  {ability.verb}"
        if ability.able:
            yield fact(label, Cell(fmt.name(ability.reason, 200) or "yes", "ok"), key=("can", ability.verb))
        else:
            yield from labelled(label, f"no: {fmt.name(ability.reason, 300)}", width, "muted")


def _lately(board: Board, ref: Ref, width: int, glyphs: Glyphs) -> Iterator[Line]:
    entries = timeline.object_entries(board, ref, LOG_LINES)
    if not entries:
        return
    yield heading("Lately", width, glyphs)
    for entry in entries:
        who = f"{fmt.name(entry.operator, 20)}: " if entry.operator else ""
        yield fact(
            fmt.clock(entry.at),
            Cell(fit(f"{who}{fmt.name(entry.words, 200)}", max(10, width - 34)).rstrip()),
            Cell("  "),
            timeline.outcome(entry.outcome, glyphs),
            key=("log", entry.id),
        )

"""One incident as lines: who is to blame and why, what may be done and what not, what was seen, the analysis."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from console.domain.alerts import Alert, AlertState, Aspect
from console.domain.analysis import Analysis
from console.domain.board import Board
from console.domain.incidents import Advice, Blame, Incident
from console.domain.readings import Deployment, Provider, Request, Route, Service
from console.domain.refs import Kind, Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import analysis
from console.ui.view.facts import LABEL, fact, heading, labelled
from console.ui.view.incidents import LEVEL, about, alerts_of, command_of, is_new
from console.ui.view.runbooks import READY, best, offers_of
from console.ui.view.wrapped import wrapped


class Part(StrEnum):
    """What a line that the cursor stops at is."""

    TITLE = "title"
    BLAME = "blame"
    OFFER = "offer"
    ADVICE = "advice"
    ALERT = "alert"
    EXAMPLE = "example"


class Entry(NamedTuple):
    """The key of such a line."""

    part: Part
    name: str
    """Unique among those of its part: an alert's id, a place."""
    ref: Ref | None = None
    """What keys act on while the cursor is here."""


def page(
    board: Board, incident: Incident, found: Analysis | None, width: int, glyphs: Glyphs, keys: Mapping[str, str]
) -> list[Line]:
    """The whole page.

    Args:
        board: the latest of everything.
        incident: what it is about.
        found: the engine's analysis; None before it has come.
        width: columns.
        glyphs: the terminal's signs.
        keys: command name → its key as a person reads it.
    """
    lines = [*_title(board, incident, width, glyphs)]
    lines += _blame(incident, width, glyphs)
    lines += _offers(board, incident, width, glyphs, keys)
    lines += _advice(incident, width, glyphs, keys)
    lines += _alerts(board, incident, width, glyphs)
    lines += _others(incident, width, glyphs)
    if incident.notes:
        lines.append(heading("What else is known", width, glyphs))
        for note in incident.notes:
            lines += labelled(glyphs.bullet, fmt.name(note, 300), width)
    if found is not None:
        costly = Aspect.COST in incident.aspects
        lines += analysis.lines(found, touched(board, incident), width, glyphs, costly=costly)
    return [line if isinstance(line.key, Entry) else line._replace(key=("line", at)) for at, line in enumerate(lines)]


def begin_at(board: Board, incident: Incident) -> Entry | None:
    """Where the cursor stands first: on a runbook or on what may be done, otherwise on the talk that shows it."""
    offer = best(board, incident)
    if offer is not None:
        return Entry(Part.OFFER, offer.runbook)
    advice = [(str(place), item) for place, item in enumerate(incident.advice) if not item.trap and item.target]
    acts = (Entry(Part.ADVICE, place, item.target) for place, item in advice if item.verb is not None)
    talks = (alert for alert in alerts_of(board, incident) if alert.ref.kind is Kind.CONVERSATION)
    shown = (Entry(Part.ALERT, alert.id, alert.ref) for alert in talks)
    looks = (Entry(Part.ADVICE, place, item.target) for place, item in advice)
    return next(chain(acts, shown, looks), None)


def _title(board: Board, incident: Incident, width: int, glyphs: Glyphs) -> Iterator[Line]:
    level = LEVEL[incident.severity]
    over = incident.state is AlertState.RESOLVED
    mark = f" {glyphs.level[level]} {incident.severity} "
    style = "ok" if over else LEVEL_STYLE[level]
    first, *rest = wrapped(fmt.name(incident.title, 300), max(20, width - len(mark) - 2))
    yield Line((Cell(mark, style), Cell(first, "strong")), key=Entry(Part.TITLE, "", about(board, incident)))
    yield from (Line((Cell(" " * len(mark)), Cell(part, "strong"))) for part in rest)
    alerts = alerts_of(board, incident)
    known = "new" if is_new(board, incident) else "acknowledged"
    lasted = f"over since {fmt.moment(incident.until, board.at)}" if over else known
    took = fmt.duration((incident.until or board.at) - incident.since)
    said = f"since {fmt.clock(incident.since)} ({took}), {', '.join(incident.aspects) or 'transport'}"
    yield Line((Cell(f" {said}, {fmt.plural(len(alerts), 'alert')}, ", "muted"), Cell(lasted, "muted" if over else "")))


def _blame(incident: Incident, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield heading("Who is to blame", width, glyphs, "Enter opens it" if incident.blame and incident.blame.ref else "")
    if incident.blame is None:
        yield from labelled("", "Nothing points at one thing yet: the alerts below have too little in common.", width)
        return
    yield from _candidate(incident.blame, 0, width, strong=True)


def _others(incident: Incident, width: int, glyphs: Glyphs) -> Iterator[Line]:
    if incident.others:
        yield heading("Less likely", width, glyphs)
    for place, one in enumerate(incident.others, 1):
        yield from _candidate(one, place, width, strong=False)


def _candidate(one: Blame, place: int, width: int, *, strong: bool) -> Iterator[Line]:
    name = f"{one.dimension} {fmt.name(one.name, 40)}"
    key = Entry(Part.BLAME, str(place), one.ref)
    cells = (Cell(f" {name}", "bad" if strong else "strong"), Cell(f"  explains {fmt.ratio(one.score)}", "muted"))
    yield Line(cells, key=key)
    yield from labelled("because", fmt.name(one.because, 400), width)
    if one.against:
        yield from labelled("against", fmt.name(one.against, 400), width, "muted")


def _offers(board: Board, incident: Incident, width: int, glyphs: Glyphs, keys: Mapping[str, str]) -> Iterator[Line]:
    found = offers_of(board, incident)
    if not found or incident.state is AlertState.RESOLVED:
        return
    yield heading("A runbook fits", width, glyphs, "Enter asks what is missing, then begins it")
    for offer in found:
        ready = offer.ready is not False
        label = f"{keys.get('runbook', '')} runbook".strip()
        head = Cell(f" {fit(label, LABEL - 2)} ", "key" if ready else "muted")
        title = Cell(fmt.name(offer.title, 60), "strong" if ready else "muted")
        state = Cell(f"  {READY[offer.ready]}", "notice" if ready else "warn")
        yield Line((head, title, state), key=Entry(Part.OFFER, offer.runbook))
        if offer.words:
            yield from labelled("", fmt.name(offer.words, 300), width, "muted")


def _advice(incident: Incident, width: int, glyphs: Glyphs, keys: Mapping[str, str]) -> Iterator[Line]:
    if not incident.advice:
        return
    over = incident.state is AlertState.RESOLVED
    yield heading("What may be done", width, glyphs, "" if over else "Enter shows what it would do")
    for place, item in enumerate(incident.advice):
        if not item.trap:
            yield from _one_advice(item, place, width, keys)
    for item in incident.advice:
        if item.trap:
            yield from labelled("do not", fmt.name(item.words, 300), width, "warn")


def _one_advice(item: Advice, place: int, width: int, keys: Mapping[str, str]) -> Iterator[Line]:
    words = wrapped(fmt.name(item.words, 300), max(20, width - LABEL - 1))
    key, label = None, ""
    if item.target is not None and item.verb is not None:
        key = Entry(Part.ADVICE, str(place), item.target)
        label = f"{keys.get(command_of(item.verb), '')} {item.verb}".strip()
    elif item.target is not None:
        key, label = Entry(Part.ADVICE, str(place), item.target), "Enter look"
    for at, part in enumerate(words):
        head = Cell(f" {fit(label if at == 0 else '', LABEL - 2)} ", "key" if label else "muted")
        yield Line((head, Cell(part, "strong" if label else "")), key=key if at == 0 else None)


def _alerts(board: Board, incident: Incident, width: int, glyphs: Glyphs) -> Iterator[Line]:
    alerts = alerts_of(board, incident)
    yield heading("What was seen, the first one first", width, glyphs)
    if not alerts:
        yield from labelled("", "Its alerts are over and have left the board; the Log screen has them.", width, "muted")
    for alert in alerts:
        yield from _alert(board, alert, width, glyphs)


def _alert(board: Board, alert: Alert, width: int, glyphs: Glyphs) -> Iterator[Line]:
    firing = alert.state is AlertState.FIRING
    style = LEVEL_STYLE[LEVEL[alert.severity]] if firing else "muted"
    yield fact(
        fmt.clock(alert.since),
        Cell(f"{glyphs.severity[alert.severity]} {fmt.name(alert.rule, 30)}", style),
        Cell(f"  {alert.aspect}  {alert.ref.kind} {fmt.name(alert.ref.name, 40)}{_marks(alert, board.at)}", "muted"),
        key=Entry(Part.ALERT, alert.id, alert.ref),
    )
    yield from labelled("", fmt.name(alert.words, 400), width)
    source = trace_source(board, alert)
    for trace_id in alert.examples if source else ():
        ref = Ref(source, Kind.REQUEST, trace_id)
        shown = Cell(f"request {fmt.name(trace_id, 16)}", "accent")
        said = Cell(f"  {_said(board, ref)}".rstrip(), "muted")
        yield fact("example", shown, said, key=Entry(Part.EXAMPLE, f"{alert.id} {trace_id}", ref))


def _marks(alert: Alert, now: float) -> str:
    found = "" if alert.state is AlertState.FIRING else f", {alert.state}"
    if alert.acknowledged_by:
        found += f", acknowledged by {fmt.name(alert.acknowledged_by, 24)}"
    if alert.silenced_until is not None and alert.silenced_until > now:
        found += f", silent until {fmt.moment(alert.silenced_until, now)}"
    return found


def _said(board: Board, ref: Ref) -> str:
    reading = board.readings.get(ref)
    return f"{fmt.clock(reading.started_at)} {fmt.name(reading.service, 24)}" if isinstance(reading, Request) else ""


def trace_source(board: Board, alert: Alert) -> str:
    """The trace store that has an alert's examples; empty when none is on the board."""
    return trace_store(board, alert.ref.source)


def trace_store(board: Board, preferred: str) -> str:
    """A trace store that is on the board, the preferred one when it is one; empty when there is none."""
    stores = {item.ref.source for kind in (Service, Request) for item in board.of(kind)}
    return preferred if preferred in stores else min(stores, default="")


def touched(board: Board, incident: Incident) -> list[Ref]:
    """The routes and providers that an incident is about: those of its alerts, of their deployments, of the culprit."""
    refs = [alert.ref for alert in alerts_of(board, incident)]
    if incident.blame is not None and incident.blame.ref is not None:
        refs.append(incident.blame.ref)
    found: list[Ref] = []
    for ref in refs:
        reading = board.readings.get(ref)
        if isinstance(reading, Deployment):
            found += [Ref(ref.source, Kind.ROUTE, name) for name in reading.routes]
            found.append(Ref(ref.source, Kind.PROVIDER, reading.provider))
        elif isinstance(reading, Route | Provider):
            found.append(ref)
    return list(dict.fromkeys(found))

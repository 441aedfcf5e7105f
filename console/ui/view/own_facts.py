"""What an object says of itself, kind by kind, for the drill page."""

from collections.abc import Iterator

from console.domain.board import Board
from console.domain.errors import Failure
from console.domain.readings import (
    AnyReading,
    Deployment,
    Headroom,
    Latency,
    Provider,
    Queue,
    Request,
    Route,
    Service,
    Source,
    Spend,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import parts
from console.ui.view.facts import fact, heading, labelled
from console.ui.view.judged import Judgements
from console.ui.view.money import ends, used
from console.ui.view.queues import age_text
from console.ui.view.work_facts import queue_facts, service_facts

FED_BY = 8
"""Queues that the page of a route lists."""


def own_facts(board: Board, judged: Judgements, reading: AnyReading, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The lines of one reading; lines about another object have that object's `Ref` as their key."""
    match reading:
        case Deployment():
            yield from _deployment(board, judged, reading, width, glyphs)
        case Route():
            yield from _route(board, judged, reading, width, glyphs)
        case Provider():
            yield from _flow(reading.traffic, reading.latency, reading.usd_per_h)
            yield from _headroom(reading.headroom)
            yield heading("Deployments", width, glyphs)
            refs = (Ref(reading.ref.source, Kind.DEPLOYMENT, name) for name in reading.deployments)
            yield from (_other(board, judged, ref, glyphs) for ref in refs)
        case Source():
            yield from _source(reading, width, glyphs)
        case Spend():
            yield from _spend(board, reading, glyphs)
        case Queue():
            yield from queue_facts(board, reading, width, glyphs)
        case Service():
            yield from _flow(reading.traffic, reading.latency, None)
            yield from service_facts(board, reading, width, glyphs)
        case Request():
            yield fact("status", Cell(fmt.name(reading.status)))


def _deployment(board: Board, judged: Judgements, item: Deployment, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield fact("model", Cell(f"{fmt.name(item.model)} at {fmt.name(item.provider)}"))
    if item.endpoint:
        yield fact("endpoint", Cell(fmt.name(item.endpoint, 120), "muted"))
    weight = f"{item.weight:g}" if item.weight is not None else fmt.NONE
    order = f", order {item.order}" if item.order is not None else ""
    origin = f", defined in the {fmt.name(item.origin, 20)}" if item.origin else ""
    yield fact("weight", Cell(f"{weight}{order}{origin}"))
    yield from _flow(item.traffic, item.latency, item.usd_per_h)
    yield from _headroom(item.headroom)
    yield heading("Circuit", width, glyphs, f"mode {item.circuit.mode}")
    yield from _circuit(item, width, glyphs)
    if item.routes:
        yield heading("Serves", width, glyphs)
        refs = (Ref(item.ref.source, Kind.ROUTE, name) for name in item.routes)
        yield from (_other(board, judged, ref, glyphs) for ref in refs)


def _circuit(item: Deployment, width: int, glyphs: Glyphs) -> Iterator[Line]:
    for replica in item.circuit.replicas:
        until = f"until {fmt.clock(replica.until)}" if replica.until is not None else ""
        yield fact(
            fmt.name(replica.replica, 14),
            *parts.padded(
                f"{glyphs.circuit[replica.observed]} {replica.observed}", 13, parts.CIRCUIT_STYLE[replica.observed]
            ),
            Cell(fit(until, 16)),
            Cell(fmt.name(replica.cause, max(10, width - 50)), "muted"),
            key=("replica", replica.replica),
        )
    if not item.circuit.replicas:
        yield fact("observed", Cell("no replica says", "stale"))
    if item.circuit.releases:
        yield fact("releases by", Cell(fmt.name(item.circuit.releases, 80), "muted"))


def _route(board: Board, judged: Judgements, item: Route, width: int, glyphs: Glyphs) -> Iterator[Line]:
    if item.answered_by:
        yield fact("answered by", Cell(fmt.name(item.answered_by), "notice"))
    yield from _flow(item.traffic, item.latency, item.usd_per_h)
    if item.fallbacks:
        yield from labelled("falls back to", ", ".join(fmt.name(name) for name in item.fallbacks), width)
    yield heading("Deployments", width, glyphs)
    for target in item.targets:
        share = fmt.ratio(target.share) if target.share is not None else ""
        yield _other(board, judged, Ref(item.ref.source, Kind.DEPLOYMENT, target.deployment), glyphs, share)
    feeding = [queue.ref for queue in board.of(Queue) if str(item.ref) in queue.feeds]
    if feeding:
        yield heading("Work that waits for it", width, glyphs)
        yield from (_other(board, judged, ref, glyphs) for ref in feeding[:FED_BY])
    if item.switch_options:
        yield heading("Can be switched to", width, glyphs)
        for option in item.switch_options:
            yield from labelled(
                fmt.name(option.to, 14), f"{fmt.name(option.mechanism, 12)}: {fmt.name(option.words, 200)}", width
            )


def _other(board: Board, judged: Judgements, ref: Ref, glyphs: Glyphs, note: str = "") -> Line:
    """One line about an object next to this one; the cursor and the keys work on it."""
    reading = board.readings.get(ref)
    if reading is None:
        return Line((Cell(f" {fit(fmt.name(ref.name), 20)} "), Cell("not reported", "stale")), key=ref)
    apart = judged.apart(ref)
    cells = [Cell(f" {fit(fmt.name(ref.name), 15)} ", "strong")]
    cells += parts.padded(parts.state_text(apart.transport, glyphs), 12, LEVEL_STYLE[apart.transport.level])
    if isinstance(reading, (Deployment, Route)):
        cells += parts.answers(apart.answers, glyphs, 12)
    if isinstance(reading, Deployment):
        text = f"{glyphs.circuit[reading.circuit.observed]} {parts.circuit_word(reading.circuit)}"
        words = f"{text} {parts.agreement(reading.circuit)}"
        cells += parts.padded(words, 17, parts.circuit_style(reading.circuit))
    if isinstance(reading, (Deployment, Route)):
        cells.append(Cell(fit(fmt.per_min(parts.flows(reading)), 9, right=True)))
        cells.append(Cell(fit(note, 6, right=True), "muted"))
        errors = parts.error_cell(reading.traffic.error_ratio if reading.traffic else None)
        cells += parts.padded(errors.text, 7, errors.style, right=True)
    if isinstance(reading, Queue):
        cells.append(Cell(f"{fmt.count(reading.depth)} wait, {age_text(reading, glyphs)} old, "))
        cells.append(Cell(f"{fmt.count(reading.consumers)} workers"))
    return Line(tuple(cells), key=ref)


def _flow(traffic: Traffic | None, latency: Latency | None, usd: float | None) -> Iterator[Line]:
    if traffic is not None:
        errors = f"{fmt.ratio(traffic.error_ratio)} fail"
        more = [
            f"{fmt.times(traffic.attempts_per_request)} attempts" if traffic.attempts_per_request is not None else "",
            f"{fmt.number(traffic.fallbacks_per_min)} fallbacks/min" if traffic.fallbacks_per_min is not None else "",
            f"{fmt.number(traffic.in_flight)} in flight" if traffic.in_flight is not None else "",
        ]
        window = f"over {fmt.duration(traffic.window_s)}"
        words = ", ".join(filter(None, [fmt.per_min(traffic.requests_per_min), errors, *more]))
        yield fact("traffic", Cell(words), Cell(f"  {window}", "muted"))
        if traffic.tokens_in_per_min is not None or traffic.tokens_out_per_min is not None:
            tokens = (fmt.per_min(traffic.tokens_in_per_min), fmt.per_min(traffic.tokens_out_per_min))
            yield fact("tokens", Cell(f"{tokens[0]} in, {tokens[1]} out"))
    if latency is not None:
        times = (("p50", latency.p50_s), ("p95", latency.p95_s), ("first token", latency.ttft_p50_s))
        yield fact("latency", Cell(", ".join(f"{name} {fmt.took(value)}" for name, value in times)))
    if usd is not None:
        yield fact("spend", Cell(fmt.usd_per_h(usd)))


def _headroom(room: Headroom | None) -> Iterator[Line]:
    if room is None or room.left_ratio is None:
        return
    pairs = (("requests", room.requests_left, room.requests_limit), ("tokens", room.tokens_left, room.tokens_limit))
    said = [f"{fmt.number(left)} of {fmt.number(limit)} {name}" for name, left, limit in pairs if limit is not None]
    yield fact("headroom", Cell(f"{fmt.ratio(room.left_ratio)} left"), Cell(f"  {', '.join(said)}", "muted"))


def _source(item: Source, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield fact("adapter", Cell(f"{fmt.name(item.adapter)}, looks every {fmt.duration(item.interval_s)}"))
    last = fmt.clock(item.last_ok_at) if item.last_ok_at is not None else "never"
    yield fact("last answer", Cell(last), Cell(f"  {item.freshness} since {fmt.clock(item.since)}", "muted"))
    if item.failure is not None:
        yield from _failure("failure", item.failure, width)
    for problem in item.problems:
        yield from _failure("not read", problem, width)
    if item.replicas:
        yield heading("Replicas", width, glyphs)
    for replica in item.replicas:
        state = parts.padded("answers" if replica.up else "no answer", 11, "ok" if replica.up else "bad")
        where = Cell(f"{fmt.name(replica.url, 60)}  {fmt.name(replica.version, 20)}".rstrip(), "muted")
        yield fact(fmt.name(replica.name, 14), *state, where, key=("replica", replica.name))
        if replica.failure is not None:
            yield from _failure("", replica.failure, width)
    if item.notes:
        yield heading("What was found out", width, glyphs)
        for note in item.notes:
            yield from labelled(glyphs.bullet, fmt.name(note, 300), width)


def _failure(label: str, failure: Failure, width: int) -> Iterator[Line]:
    yield from labelled(label, f"{failure.kind}: {fmt.name(failure.message, 300)}", width, "bad")
    if failure.where:
        yield from labelled("asked", fmt.name(failure.where, 200), width, "muted")
    if failure.way_out:
        yield from labelled("way out", fmt.name(failure.way_out, 300), width, "strong")


def _spend(board: Board, item: Spend, glyphs: Glyphs) -> Iterator[Line]:
    yield fact("rate", Cell(fmt.usd_per_h(item.usd_per_h), "strong"))
    yield fact("booked today", Cell(fmt.usd(item.usd_today)))
    off = item.disagreement
    agree = f"  booked is {fmt.times(off)} of it" if off is not None else ""
    yield fact("at list price", Cell(fmt.usd(item.priced_usd_today)), Cell(agree, "muted"))
    tokens = f"{fmt.number(item.tokens_in_today)} in, {fmt.number(item.tokens_out_today)} out"
    yield fact("tokens today", Cell(tokens))
    requests = f"{fmt.number(item.requests_today)}, {fmt.number(item.failed_today)} failed"
    yield fact("requests", Cell(requests))
    part = used(item)
    if part is not None:
        period = f" a period of {fmt.name(item.budget_period, 8)}" if item.budget_period else ""
        yield fact(
            "budget",
            Cell(fmt.bar(part, 20, full=glyphs.full, empty=glyphs.empty)),
            Cell(f" {fmt.ratio(part)} of {fmt.usd(item.budget_usd)}{period}"),
        )
        resets = f", resets {fmt.moment(item.budget_resets_at, board.at)}" if item.budget_resets_at else ""
        yield fact("at this rate", Cell(ends(item, board.at)), Cell(resets, "muted"))

"""What was kept of a run's steps as lines: what was seen before and after, in words that outlive the readings."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.domain.board import Board
from console.domain.readings import AnyReading, Deployment, Provider, Queue, Route, Service, Source, Spend
from console.domain.refs import Kind, Ref
from console.domain.runbooks import Evidence, Run
from console.ui import format as fmt
from console.ui.cells import Cell, Line
from console.ui.glyphs import Glyphs
from console.ui.view import run_steps
from console.ui.view.facts import LABEL, fact, heading, labelled
from console.ui.view.incident import trace_store
from console.ui.view.parts import circuit_word
from console.ui.view.wrapped import wrapped

_WHEN = {"before": "before", "after": "after", "failed": "when it failed"}


class Shown(NamedTuple):
    """The key of a line that Enter opens: an object, or a request that shows it."""

    piece: int
    ref: Ref


def page(board: Board, run: Run | None, pieces: Sequence[Evidence], width: int, glyphs: Glyphs) -> list[Line]:
    """Every piece, the oldest first."""
    lines: list[Line] = []
    for at, piece in enumerate(pieces):
        lines += _piece(board, run, piece, at, width, glyphs)
    if not lines:
        lines.append(Line((Cell(" nothing was kept of it", "muted"),)))
    return [line if isinstance(line.key, Shown) else line._replace(key=("line", at)) for at, line in enumerate(lines)]


def _piece(board: Board, run: Run | None, piece: Evidence, at: int, width: int, glyphs: Glyphs) -> Iterator[Line]:
    step = run.step(piece.step) if run is not None else None
    title = fmt.name(step.title if step is not None else piece.step, 60)
    when = _WHEN.get(piece.when, fmt.name(piece.when, 20))
    yield heading(f"{when}, {fmt.clock(piece.at)}: {title}", width, glyphs)
    for words in piece.alerts:
        yield from labelled("fired", fmt.name(words, 300), width, "warn")
    for item in piece.conditions:
        yield from run_steps.condition(item, width, glyphs)
    for reading in piece.readings:
        yield from _reading(reading, at, width)
    store = trace_store(board, "")
    for trace in piece.traces:
        cells = (Cell(f"request {fmt.name(trace, 32)}", "accent"), Cell("  Enter opens it" if store else "", "muted"))
        key = Shown(at, Ref(store, Kind.REQUEST, trace)) if store else None
        yield fact("example", *cells, key=key)
    if piece.picture:
        yield from labelled("picture", f"the screen of who had control, {len(piece.picture) // 1024} KB SVG", width)


def _reading(reading: AnyReading, at: int, width: int) -> Iterator[Line]:
    name = fmt.name(reading.ref.name, 40)
    first, *rest = wrapped(words_of(reading), max(20, width - LABEL - len(name) - 3))
    key = Shown(at, reading.ref)
    yield fact(str(reading.ref.kind), Cell(f"{name}  ", "strong"), Cell(first), key=key)
    yield from (fact("", Cell(" " * (len(name) + 2)), Cell(part), key=("more", at, name, part)) for part in rest)


def words_of(reading: AnyReading) -> str:
    """A reading in a line: `126/min, 38% fail, p95 8.5 s, open`."""
    match reading:
        case Deployment():
            told = [*_flow(reading), circuit_word(reading.circuit), *_room(reading), *_money(reading.usd_per_h)]
            told += [f"weight {reading.weight:g}"] if reading.weight is not None else []
        case Route():
            shares = (f"{fmt.name(one.deployment, 24)} {fmt.ratio(one.share)}" for one in reading.targets)
            told = [*_flow(reading), *_money(reading.usd_per_h), "to " + ", ".join(shares)]
        case Provider() | Service():
            told = [*_flow(reading)]
        case Queue():
            told = [*_waiting(reading)]
        case Source():
            told = [str(reading.freshness), *([fmt.name(str(reading.failure), 200)] if reading.failure else [])]
        case Spend():
            told = [*_money(reading.usd_per_h), f"{fmt.usd(reading.usd_today)} today"]
        case _:
            told = []
    return ", ".join(told) or "nothing was known of it"


def _flow(reading: Deployment | Route | Provider | Service) -> Iterator[str]:
    traffic, latency = reading.traffic, reading.latency
    if traffic is not None:
        yield fmt.per_min(traffic.requests_per_min)
        if traffic.errors_per_min is not None and traffic.requests_per_min:
            yield f"{fmt.ratio(traffic.errors_per_min / traffic.requests_per_min)} fail"
    if latency is not None and latency.p95_s is not None:
        yield f"p95 {fmt.took(latency.p95_s)}"


def _room(reading: Deployment) -> Iterator[str]:
    if reading.headroom is not None and reading.headroom.left_ratio is not None:
        yield f"{fmt.ratio(reading.headroom.left_ratio)} headroom"


def _money(rate: float | None) -> Iterator[str]:
    if rate is not None:
        yield fmt.usd_per_h(rate)


def _waiting(reading: Queue) -> Iterator[str]:
    yield f"{fmt.count(reading.depth)} wait"
    if reading.oldest_age_s is not None:
        yield f"the oldest {fmt.duration(reading.oldest_age_s)}"
    if reading.in_per_min is not None and reading.out_per_min is not None:
        yield f"{fmt.per_min(reading.in_per_min)} in, {fmt.per_min(reading.out_per_min)} out"
    if reading.parked:
        yield f"{fmt.count(reading.parked)} parked"
    if reading.dead_letters:
        yield f"{fmt.count(reading.dead_letters)} dead"
    if reading.paused:
        yield "paused"

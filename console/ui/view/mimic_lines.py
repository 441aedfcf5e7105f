"""How each line of the mimic panel looks: busbars, breakers, feeders, and the numbers that flow on them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from console.domain.actions import Receipt
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.freshness import Freshness
from console.domain.health import Level
from console.domain.readings import Deployment, Queue, Route, RouteTarget, Service, Source
from console.domain.refs import Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view import doing, parts, queues
from console.ui.view.judged import Judgements
from console.ui.view.mimic import Layout, Part, Spot

STATE = 15
"""Columns of a line's transport health: `forced open` or `to 03:41:10`, with its glyph."""
ANSWERS = 13
"""Columns of its answers' health, at the line's end."""
WORD = 12
"""Columns of a breaker's word: `forced open`, or `open 1/2` where the replicas differ."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The numbers that a line of this width has room for: name → columns."""

    width: int
    name: int
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, width: int) -> "Columns":
        """The columns for a panel of `width`: a wider one shows more numbers, never other places for the same."""
        numbers = {name: size for name, size, least in _NUMBERS if width >= least}
        room = width - _LEFT - STATE - 1 - ANSWERS - sum(numbers.values())
        return cls(width, max(6, room), numbers)


_NUMBERS = (
    ("req/min", 8, 0),
    ("share", 6, 95),
    ("errors", 7, 0),
    ("p95", 7, 87),
    ("$/h", 9, 104),
    ("room", 6, 112),
    ("TTFT", 7, 117),
    ("provider", 12, 132),
)
"""Name, columns, and the panel's width from which on there is room for it."""

_RATES = 48
"""Columns of numbers from which on a queue's rates have room among them."""

_WORK = 24
"""Columns of numbers from which on a queue's workers and the age of its oldest message have room among them."""

_LEFT = 1 + 2 + 3 + 1 + WORD + 3
"""Cursor, branch, breaker, space, its word, the line's end."""


@dataclass(slots=True)
class Drawing:
    """Draws one spot of a layout."""

    board: Board
    judged: Judgements
    layout: Layout
    glyphs: Glyphs
    columns: Columns
    moving: Mapping[Ref, Receipt] = field(init=False)
    """The long action of each object that has one."""

    def __post_init__(self) -> None:
        self.moving = doing.under_way(self.board)

    def heading(self) -> Line:
        """The rule above the panel, with the numbers' titles over their columns."""
        left = _LEFT + self.columns.name
        rule = parts.rule("Routes and breakers", left, self.glyphs)
        titles = (Cell(fit(name, size, right=True), "muted") for name, size in self.columns.numbers.items())
        return Line((*rule, *titles, Cell(fit("  transport", STATE + 1), "muted"), Cell("answers", "muted")))

    def line(self, spot: Spot) -> Line:
        """One line of the body."""
        dim = spot.ref is not None and self.board.freshness(spot.ref) is not Freshness.FRESH
        key = spot if spot.selectable else None
        return Line(tuple(self._cells(spot)), key=key, dim=dim and spot.part is not Part.SOURCE)

    def _cells(self, spot: Spot) -> Iterator[Cell]:
        reading = self.board.readings.get(spot.ref) if spot.ref else None
        if spot.part is Part.EMPTY:
            return iter(())
        if spot.part is Part.TITLE:
            return iter(parts.rule(spot.text, self.columns.width, self.glyphs))
        if spot.part is Part.FOLDED:
            return self._folded(spot)
        match reading:
            case Route():
                return self._route(reading)
            case Deployment():
                return self._feeder(spot, reading)
            case Queue():
                return self._queue(spot, reading)
            case Service():
                return self._service(reading)
            case Source():
                return self._source(reading)
            case _:
                return self._missing(spot)

    def _route(self, route: Route) -> Iterator[Cell]:
        health = self.judged.of(route.ref)
        room = _LEFT + self.columns.name - 3
        yield Cell(" ")
        yield from parts.padded(self.glyphs.level[health.level], 2, LEVEL_STYLE[health.level])
        name = fmt.name(route.ref.name, room - 2)
        yield Cell(name, "strong")
        room -= width_of(name)
        if route.answered_by:
            words = fit(f" {self.glyphs.arrow} answered by {fmt.name(route.answered_by, 40)}", min(room, 60)).rstrip()
            yield Cell(words, "notice")
            room -= width_of(words)
        yield Cell(fit(" " + self.glyphs.line * (room - 1), room) if room > 0 else "", "flow")
        yield from self._numbers(route, _flow_of(route))
        yield from self._state(route)

    def _feeder(self, spot: Spot, item: Deployment) -> Iterator[Cell]:
        glyphs, circuit = self.glyphs, item.circuit
        target = self.layout.targets.get((spot.route, item.ref)) if spot.route else None
        end = spot.route is not None and (spot.route, item.ref) in self.layout.last
        shut = circuit.observed is Observed.OPEN or circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED)
        style = parts.circuit_style(circuit)
        flowing = parts.flows(item) > 0 and not (shut and not parts.is_split(circuit))
        yield Cell(" ")
        yield Cell((" " + (glyphs.last if end else glyphs.branch)) if spot.route else "  ", "flow")
        breaker = Observed.OPEN if shut else circuit.observed
        yield from parts.padded(glyphs.breaker[breaker].rstrip(), 4, "flow" if breaker is Observed.CLOSED else style)
        yield from self._line(item, style, flowing)
        yield Cell(fit(fmt.name(item.ref.name, 60), self.columns.name), "" if flowing else "muted")
        yield from self._numbers(item, self._flow_here(spot, item, target), target)
        yield from self._state(item)

    def _line(self, item: Deployment, style: str, flowing: bool) -> Iterator[Cell]:
        """The breaker's word, and the line on to the deployment while requests flow on it."""
        split = parts.is_split(item.circuit)
        word = parts.circuit_word(item.circuit)
        if split:
            word = f"{word.removesuffix(' open') if len(word) > 8 else word} {parts.agreement(item.circuit)}"
        room = WORD + 3 - width_of(word)
        rest = f" {self.glyphs.line * (room - 3)}{self.glyphs.arrow} " if flowing else " " * room
        yield Cell(word, "warn" if split else style)
        yield Cell(rest, "flow")

    def _flow_here(self, spot: Spot, item: Deployment, target: RouteTarget | None) -> float | None:
        """Requests a minute on this line: a deployment of several routes gets only a share of them from this one."""
        route = self.board.readings.get(spot.route) if spot.route else None
        if len(item.routes) > 1 and target is not None and target.share is not None and isinstance(route, Route):
            whole = _flow_of(route)
            return None if whole is None else whole * target.share
        return _flow_of(item)

    def _numbers(
        self, item: Deployment | Route | Service, flow: float | None, target: RouteTarget | None = None
    ) -> Iterator[Cell]:
        latency = item.latency
        for name, size in self.columns.numbers.items():
            if name == "errors":
                errors = parts.error_cell(item.traffic.error_ratio if item.traffic else None)
                yield from parts.padded(errors.text, size, errors.style, right=True)
                continue
            match name:
                case "req/min":
                    text = fmt.number(flow)
                case "share":
                    text = fmt.ratio(target.share) if target is not None and target.share is not None else ""
                case "p95":
                    text = fmt.took(latency.p95_s if latency else None)
                case "TTFT":
                    text = "" if isinstance(item, Route) else fmt.took(latency.ttft_p50_s if latency else None)
                case "room":
                    room = item.headroom if isinstance(item, Deployment) else None
                    text = fmt.ratio(room.left_ratio) if room else ""
                case "provider":
                    text = fmt.name(item.provider, size - 2) if isinstance(item, Deployment) else ""
                case _:
                    text = "" if isinstance(item, Service) else fmt.usd_per_h(item.usd_per_h).removesuffix("/h")
                    if (dear := self.judged.apart(item.ref).cost.level) >= Level.WARN:
                        yield Cell(fit(text, size, right=True), LEVEL_STYLE[dear])
                        continue
            yield Cell(fit(text, size, right=True), "muted" if text == fmt.NONE else "")

    def _state(self, item: Deployment | Route | Service) -> Iterator[Cell]:
        """Whose hand is on it and until when, otherwise how requests get through it; then how its answers are."""
        apart = self.judged.apart(item.ref)
        transport = parts.transport(self.board, item, apart.transport, self.glyphs)
        yield Cell("  ")
        yield from parts.padded(transport.text, STATE - 1, transport.style)
        yield from parts.answers(apart.answers, self.glyphs, ANSWERS)

    def _folded(self, spot: Spot) -> Iterator[Cell]:
        fold = self.layout.folds[spot.route] if spot.route and not spot.text else None
        yield Cell(f"  {self.glyphs.last}", "flow")
        if spot.text:
            yield Cell(fit(f" {spot.text}", max(0, self.columns.width - 3)), "muted")
        if fold:
            words = f" {fold.count} more, {fmt.per_min(fold.flow)} together; the Providers screen lists them"
            yield Cell(fit(words, max(0, self.columns.width - 3)), "muted")

    def _queue(self, spot: Spot, queue: Queue) -> Iterator[Cell]:
        """Its backlog, the way to the route that its workers call, and how they do."""
        glyphs = self.glyphs
        end = spot.route is not None and (spot.route, queue.ref) in self.layout.last
        yield Cell(" ")
        yield Cell((" " + (glyphs.last if end else glyphs.branch)) if spot.route else "  ", "flow")
        yield Cell(f"{glyphs.queue} ", "notice" if queue.paused else "flow")
        yield from self._backlog(spot, queue)
        yield Cell(fit(fmt.name(queue.ref.name, 60), self.columns.name))
        yield from self._work(queue)
        state = queues.state(self.judged, glyphs, queue, self.moving.get(queue.ref))
        yield Cell("  ")
        yield from parts.padded(state.text, STATE - 1, state.style)
        if sum(self.columns.numbers.values()) < _WORK:
            crew = queues.workers(queue)
            yield Cell(_crew(queue, crew.text), crew.style or "muted")

    def _backlog(self, spot: Spot, queue: Queue) -> Iterator[Cell]:
        """How much waits, and the line to the route while workers take from it."""
        said = fit(f"{fmt.count(queue.depth)} wait", 10)
        flows = bool(queue.out_per_min) and not queue.paused and spot.route is not None
        line = f" {self.glyphs.back}{self.glyphs.line * (WORD - 11)} " if flows else ""
        yield Cell(said, LEVEL_STYLE[self.judged.of(queue.ref).level] if queue.depth else "muted")
        yield Cell(fit(line, WORD + 3 - 10), "flow")

    def _work(self, queue: Queue) -> Iterator[Cell]:
        """In the place of a feeder's numbers, each with its own word: rates and workers where there is room, age."""
        room = sum(self.columns.numbers.values())
        crew = queues.workers(queue)
        aged = queues.age(queue, self.glyphs)
        told = [
            (_crew(queue, crew.text), 12, crew.style),
            (_aged(aged.text) if queue.depth else "", 12, aged.style),
        ]
        if room >= _RATES:
            told.insert(0, (f"in {fmt.per_min(queue.in_per_min)}", 13, "muted"))
            told.insert(1, (f"out {fmt.per_min(queue.out_per_min)}", 13, "muted"))
        if room < _WORK:
            told = told[1:]  # the workers stand at the line's end: a queue gives no answers
        width = sum(size for _, size, _ in told)
        for text, size, style in told:
            yield from parts.padded(text, size, style, right=True)
        yield Cell(" " * max(0, room - width))

    def _service(self, service: Service) -> Iterator[Cell]:
        """An application as its own traces show it, under the same numbers as the routes."""
        health = self.judged.of(service.ref)
        room = _LEFT + self.columns.name - 3
        yield Cell(" ")
        yield from parts.padded(self.glyphs.level[health.level], 2, LEVEL_STYLE[health.level])
        yield Cell(fit(fmt.name(service.ref.name, 60), room))
        yield from self._numbers(service, _flow_of(service))
        yield from self._state(service)

    def _source(self, source: Source) -> Iterator[Cell]:
        health = self.judged.of(source.ref)
        up = sum(replica.up for replica in source.replicas)
        seen = f"{up}/{len(source.replicas)} replicas, " if source.replicas else ""
        about = f"{source.adapter}, {seen}every {fmt.duration(source.interval_s)}"
        said = [health.why] if health.why else [about, *source.notes]
        room = max(0, self.columns.width - 28)
        yield Cell(" ")
        yield from parts.padded(parts.state_text(health, self.glyphs), 11, LEVEL_STYLE[health.level])
        yield Cell(fit(fmt.name(source.ref.name), 14), "strong")
        yield Cell(fit("  " + "; ".join(fmt.name(text, 160) for text in said), room), "" if health.why else "muted")

    def _missing(self, spot: Spot) -> Iterator[Cell]:
        """A feeder that its route names and that no reading describes."""
        name = fmt.name(spot.ref.name) if spot.ref else ""
        end = spot.route is not None and spot.ref is not None and (spot.route, spot.ref) in self.layout.last
        yield Cell("  " + (self.glyphs.last if end else self.glyphs.branch), "flow")
        yield Cell(f"{self.glyphs.breaker[Observed.UNKNOWN]} ", "stale")
        yield Cell(fit("not reported", WORD + 3), "stale")
        yield Cell(fit(name, self.columns.name), "muted")


def _crew(queue: Queue, count: str) -> str:
    return f"{count} workers" if queue.consumers != 1 else "1 worker"


def _aged(text: str) -> str:
    return "age ?" if text == "?" else f"{text} old"


def _flow_of(item: Deployment | Route | Service) -> float | None:
    return item.traffic.requests_per_min if item.traffic else None

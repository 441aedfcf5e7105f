"""How each line of the mimic panel looks: busbars, breakers, feeders, and the numbers that flow on them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.domain.actions import OverrideState
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.freshness import Freshness
from console.domain.health import Level
from console.domain.readings import Deployment, Headroom, Latency, Queue, Route, RouteTarget, Source, Traffic
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view import parts
from console.ui.view.judged import Judgements
from console.ui.view.mimic import Layout, Part, Spot

STATE = 15
"""Columns of the state at a line's end: `forced open` or `until 03:41`, with its glyph."""
WORD = 15
"""Columns of a breaker's word with its replicas: `forced open 1/2`."""


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
        room = width - _LEFT - STATE - 1 - sum(numbers.values())
        return cls(width, max(6, room), numbers)


_NUMBERS = (
    ("flow", 9, 0),
    ("share", 6, 0),
    ("errors", 7, 0),
    ("p95", 8, 0),
    ("$/h", 10, 92),
    ("headroom", 9, 101),
    ("ttft", 8, 109),
    ("provider", 12, 120),
)
"""Name, columns, and the panel's width from which on there is room for it."""

_LEFT = 1 + 2 + 3 + 1 + WORD + 3
"""Cursor, branch, breaker, space, its word, arrow."""


@dataclass(slots=True)
class Drawing:
    """Draws one spot of a layout."""

    board: Board
    judged: Judgements
    layout: Layout
    glyphs: Glyphs
    columns: Columns

    def heading(self) -> Line:
        """The rule above the panel, with the numbers' titles over their columns."""
        left = _LEFT + self.columns.name
        rule = parts.rule("Routes and breakers", left, self.glyphs)
        titles = (Cell(fit(name, size, right=True), "muted") for name, size in self.columns.numbers.items())
        return Line((*rule, *titles, Cell(fit("  state", STATE + 1), "muted")))

    def line(self, spot: Spot) -> Line:
        """One line of the body."""
        dim = spot.ref is not None and self.board.freshness(spot.ref) is not Freshness.FRESH
        key = spot if spot.selectable else None
        return Line(tuple(self._cells(spot)), key=key, dim=dim and spot.part is not Part.SOURCE)

    def _cells(self, spot: Spot) -> Iterator[Cell]:
        reading = self.board.readings.get(spot.ref) if spot.ref else None
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
                return self._queue(reading)
            case Source():
                return self._source(reading)
            case _:
                return self._missing(spot)

    def _route(self, route: Route) -> Iterator[Cell]:
        health = self.judged.of(route.ref)
        room = _LEFT + self.columns.name - 3
        yield Cell(" ")
        yield Cell(self.glyphs.level[health.level] + " ", LEVEL_STYLE[health.level])
        name = fmt.name(route.ref.name, room - 2)
        yield Cell(name, "strong")
        room -= width_of(name)
        if route.answered_by:
            words = fit(f" {self.glyphs.arrow} answered by {fmt.name(route.answered_by, 40)}", min(room, 60)).rstrip()
            yield Cell(words, "notice")
            room -= width_of(words)
        yield Cell(fit(" " + self.glyphs.line * (room - 1), room) if room > 0 else "", "flow")
        yield from self._numbers(route.traffic, route.latency, None, None, route.usd_per_h, "")
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
        yield Cell(glyphs.breaker[breaker] + " ", "flow" if breaker is Observed.CLOSED else style)
        yield from self._word(item, style)
        yield Cell(f"{glyphs.line}{glyphs.arrow} " if flowing else "   ", "flow")
        yield Cell(fit(fmt.name(item.ref.name, 60), self.columns.name), "" if flowing else "muted")
        share = _share(item, target)
        yield from self._numbers(item.traffic, item.latency, share, item.headroom, item.usd_per_h, item.provider)
        yield from self._state(item)

    def _word(self, item: Deployment, style: str) -> Iterator[Cell]:
        word, agree = parts.circuit_word(item.circuit), parts.agreement(item.circuit)
        split = parts.is_split(item.circuit)
        yield Cell(fit(word, WORD - 4), style)
        yield Cell(fit(agree, 4, right=True), "warn" if split else "muted")

    def _numbers(
        self,
        traffic: Traffic | None,
        latency: Latency | None,
        share: float | None,
        headroom: Headroom | None,
        usd_per_h: float | None,
        provider: str,
    ) -> Iterator[Cell]:
        for name, size in self.columns.numbers.items():
            match name:
                case "flow":
                    text = fmt.per_min(traffic.requests_per_min if traffic else None)
                case "share":
                    text = "" if share is None else fmt.ratio(share)
                case "errors":
                    yield parts.error_cell(traffic.error_ratio if traffic else None, size)
                    continue
                case "p95":
                    text = fmt.took(latency.p95_s if latency else None)
                case "ttft":
                    text = fmt.took(latency.ttft_p50_s if latency else None)
                case "headroom":
                    text = fmt.ratio(headroom.left_ratio) if headroom else ""
                case "provider":
                    text = fmt.name(provider, size - 2)
                case _:
                    text = fmt.usd_per_h(usd_per_h)
            yield Cell(fit(text, size, right=True), "muted" if text == fmt.NONE else "")

    def _state(self, item: Deployment | Route) -> Iterator[Cell]:
        """Whose hand is on it and until when; otherwise what is wrong with it."""
        health = self.judged.of(item.ref)
        until = self._until(item)
        yield Cell(" ")
        if until and health.level <= Level.NOTICE:
            yield Cell(fit(f" {self.glyphs.level[Level.NOTICE]} {until}", STATE), "notice")
        elif until and health.word == str(Observed.OPEN):
            yield Cell(fit(f" {self.glyphs.level[health.level]} {until}", STATE), LEVEL_STYLE[health.level])
        else:
            yield Cell(fit(f" {parts.state_text(health, self.glyphs)}", STATE), LEVEL_STYLE[health.level])

    def _until(self, item: Deployment | Route) -> str:
        for override in self.board.overrides_of(item.ref):
            if override.state is OverrideState.ACTIVE and override.expires_at is not None:
                return f"until {fmt.moment(override.expires_at, self.board.at)[-5:]}"
        if isinstance(item, Deployment) and item.circuit.until is not None:
            return f"until {fmt.clock(item.circuit.until)}"[:STATE]
        return ""

    def _folded(self, spot: Spot) -> Iterator[Cell]:
        fold = self.layout.folds[spot.route] if spot.route else None
        yield Cell(f"  {self.glyphs.last}", "flow")
        if fold:
            words = f" {fold.count} more, {fmt.per_min(fold.flow)} together; the Providers screen lists them"
            yield Cell(fit(words, max(0, self.columns.width - 3)), "muted")

    def _queue(self, queue: Queue) -> Iterator[Cell]:
        health = self.judged.of(queue.ref)
        yield Cell(" ")
        yield Cell(self.glyphs.level[health.level] + " ", LEVEL_STYLE[health.level])
        yield Cell(fit(fmt.name(queue.ref.name), 24), "strong")
        waits = f"{fmt.number(queue.depth)} wait"
        workers = f"{fmt.number(queue.consumers)} workers"
        rates = f"in {fmt.per_min(queue.in_per_min)}  out {fmt.per_min(queue.out_per_min)}"
        oldest = f"oldest {fmt.duration(queue.oldest_age_s)}"
        text = "  ".join(fit(part, size) for part, size in ((waits, 12), (workers, 14), (rates, 26)))
        yield Cell(fit(f"{text}{oldest}", max(0, self.columns.width - 27 - STATE)))
        yield Cell(fit(f" {parts.state_text(health, self.glyphs)}", STATE), LEVEL_STYLE[health.level])

    def _source(self, source: Source) -> Iterator[Cell]:
        health = self.judged.of(source.ref)
        up = sum(replica.up for replica in source.replicas)
        seen = f"{up}/{len(source.replicas)} replicas answer" if source.replicas else "no replica seen"
        words = f"{source.adapter}  {seen}, every {fmt.duration(source.interval_s)}"
        note = health.why or "; ".join(fmt.name(note, 80) for note in source.notes)
        yield Cell(" ")
        yield Cell(fit(parts.state_text(health, self.glyphs), 11), LEVEL_STYLE[health.level])
        yield Cell(fit(fmt.name(source.ref.name), 14), "strong")
        yield Cell(f" {fmt.name(words, 60)}")
        room = self.columns.width - 27 - width_of(fmt.name(words, 60)) - 2
        yield Cell(fit(f"  {fmt.name(note, 160)}", room) if note and room > 8 else "", "muted")

    def _missing(self, spot: Spot) -> Iterator[Cell]:
        """A feeder that its route names and that no reading describes."""
        name = fmt.name(spot.ref.name) if spot.ref else ""
        end = spot.route is not None and spot.ref is not None and (spot.route, spot.ref) in self.layout.last
        yield Cell("  " + (self.glyphs.last if end else self.glyphs.branch), "flow")
        yield Cell(f"{self.glyphs.breaker[Observed.UNKNOWN]} ", "stale")
        yield Cell(fit("not reported", WORD + 3), "stale")
        yield Cell(fit(name, self.columns.name), "muted")


def _share(item: Deployment, target: RouteTarget | None) -> float | None:
    if target is None:
        return None
    return target.share if item.traffic else None

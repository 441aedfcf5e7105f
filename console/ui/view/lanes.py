"""A request's eight lanes: what it has been through, value by value; each finds the requests that have the same."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from console.domain.health import Level
from console.domain.reconstruction import Lane, LaneEntry, Reconstruction
from console.domain.spans import LaneFilter, LaneKind
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy
from console.ui.view.folding import Folds, Page
from console.ui.view.stages import start_of

SHOWN = 5
"""Values of a lane that stand there when it is folded."""

_TITLE, _AT = 19, 8

TITLES = {
    LaneKind.PROMPTS: "prompt versions",
    LaneKind.RETRIEVAL: "retrieval sources",
    LaneKind.TOKENS: "token usage",
    LaneKind.PATH: "orchestration path",
    LaneKind.WORKERS: "worker timing",
    LaneKind.QUEUES: "queue state",
    LaneKind.DEPENDENCIES: "external calls",
    LaneKind.MEMORY: "memory",
}
"""What a lane is called."""


class LaneKey(NamedTuple):
    """The key of a lane's own line."""

    kind: LaneKind


class ValueKey(NamedTuple):
    """The key of the line of one value in a lane."""

    kind: LaneKind
    value: str

    @property
    def filter(self) -> LaneFilter:
        """Requests that have the same."""
        return LaneFilter(lane=self.kind, value=self.value)


class Value(NamedTuple):
    """All entries of a lane that have one value."""

    value: str
    first: LaneEntry
    """The earliest of them."""
    times: int
    measure: float | None
    """Of all together, in the lane's unit."""
    failed: int


def values(lane: Lane) -> list[Value]:
    """The lane's values, by their first moment."""
    found: dict[str, Value] = {}
    for entry in lane.entries:
        known = found.get(entry.value)
        if known is None:
            found[entry.value] = Value(entry.value, entry, 1, entry.measure, int(entry.failed))
        else:
            measure = known.measure if entry.measure is None else (known.measure or 0.0) + entry.measure
            failed = known.failed + int(entry.failed)
            found[entry.value] = known._replace(times=known.times + 1, measure=measure, failed=failed)
    return list(found.values())


def page(whole: Reconstruction, folds: Folds, width: int, glyphs: Glyphs) -> Lazy[Line]:
    """The eight lanes; of a long one its first values stand there, and the others when it is unfolded."""
    drawn = Page(folds, glyphs)
    rows = _Rows(start_of(whole), width, glyphs)
    for lane in whole.lanes:
        found = values(lane)
        key = LaneKey(lane.kind)
        title = TITLES[lane.kind]
        if not found:
            drawn.put(_missing(lane))
        for place, value in enumerate(found[:SHOWN]):
            drawn.add(ValueKey(lane.kind, value.value), partial(rows.row, lane.kind, value, "" if place else title))
        if len(found) > SHOWN and drawn.fold(key, partial(_more, len(found) - SHOWN, key)):
            for value in found[SHOWN:]:
                drawn.add(ValueKey(lane.kind, value.value), partial(rows.row, lane.kind, value, ""))
    return drawn.lines()


def _missing(lane: Lane) -> Line:
    why = fmt.name(lane.missing, 300) or "not recorded"
    return Line((Cell(" " + fit(TITLES[lane.kind], _TITLE), "title"), Cell(why, "stale")), LaneKey(lane.kind))


def _more(count: int, key: LaneKey, sign: str) -> Line:
    return Line((Cell(" " * (_TITLE + 1)), Cell(f"{sign} {count:,} more", "accent")), key)


class _Rows(NamedTuple):
    """Makes the lines of values, in steady columns."""

    start: float
    width: int
    glyphs: Glyphs

    def row(self, kind: LaneKind, value: Value, title: str) -> Line:
        """One value: what it is, who had it first and when, and how much of it there was."""
        first = value.first
        service = 8 if self.width < 100 else 14
        beside = 21 if self.width < 100 else 32
        room = max(12, self.width - 1 - _TITLE - 2 - service - 1 - _AT - 2 - beside)
        after = f"+{fmt.took(max(0.0, first.at - self.start))}"
        cells = (
            Cell(" " + fit(title, _TITLE), "title"),
            Cell(f"{self.glyphs.level[Level.BAD]} ", "bad") if value.failed else Cell("  "),
            Cell(fit(fmt.name(value.value, 200), room), "bad" if value.failed else "strong"),
            Cell(" " + fit(fmt.name(first.service, 40), service), "muted"),
            Cell(fit(after, _AT, right=True) + "  ", "muted"),
            Cell(fit("  ".join(_said(kind, value, self.glyphs)), beside).rstrip()),
        )
        return Line(cells, ValueKey(kind, value.value))


def _said(kind: LaneKind, value: Value, glyphs: Glyphs) -> Iterator[str]:
    if value.times > 1:
        yield f"{value.times}{glyphs.times}"
    if value.times == 1 and value.first.words:
        yield fmt.name(value.first.words, 60)
    if value.measure is not None and not (value.times == 1 and kind is LaneKind.TOKENS and value.first.words):
        yield f"{fmt.number(value.measure)} tokens" if kind is LaneKind.TOKENS else fmt.took(value.measure)
    if value.failed:
        yield f"{value.failed} failed"


def words_of(filters: Sequence[LaneFilter]) -> str:
    """What requests are narrowed to: `prompts=chat@3, tokens=gpt-5>=2000`."""
    return ", ".join(_filter(item) for item in filters)


def _filter(item: LaneFilter) -> str:
    value = f"={fmt.name(item.value, 60)}" if item.value else ""
    least = f">={item.at_least:g}" if item.at_least is not None else ""
    return f"{item.lane}{value}{least}"


def parse(words: str) -> LaneFilter:
    """Read `prompts=chat@3`, `tokens=gpt-5>=2000` or `queues>=5`.

    Raises:
        ValueError: it is not written so; the text says how.
    """
    text = words.strip()
    text, found, least = text.rpartition(">=") if ">=" in text else (text, "", "")
    lane, _, value = text.partition("=")
    try:
        kind = LaneKind(lane.strip())
    except ValueError:
        raise ValueError(
            f"no lane {fmt.name(lane, 24)!r}: write one of {', '.join(LaneKind)}, as in prompts=chat@3"
        ) from None
    if not found:
        return LaneFilter(lane=kind, value=value.strip())
    try:
        return LaneFilter(lane=kind, value=value.strip(), at_least=float(least))
    except ValueError:
        raise ValueError(f"{fmt.name(least, 24)!r} is no number: write tokens=gpt-5>=2000") from None

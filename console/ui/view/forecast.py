"""What the next quarter of an hour is expected to bring, as a small table; and, when it is over, whether it did."""

from collections.abc import Iterator, Sequence

from console.domain.actions import Receipt
from console.domain.forecasts import Course, Forecast, Foreseen, Outturn, Quantity
from console.domain.health import BAD_ERROR_RATIO, WARN_ERROR_RATIO
from console.domain.refs import Kind, Ref
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view.facts import heading, labelled
from console.ui.view.parts import padded
from console.ui.view.wrapped import wrapped

UNSAID = "cannot be said"
_UNIT = {
    Quantity.BACKLOG: "messages",
    Quantity.ERRORS: "ratio",
    Quantity.USD_PER_H: "$/h",
    Quantity.HEADROOM: "ratio",
}
_LABEL = {
    Quantity.BACKLOG: "backlog",
    Quantity.ERRORS: "errors",
    Quantity.USD_PER_H: "spend",
    Quantity.HEADROOM: "headroom",
}
_NAME = 20
_NOW = 8
_COURSE = 14
LOW_HEADROOM = 0.2
NO_HEADROOM = 0.05
GROWN, SOARED = 1.2, 2.0
"""A backlog that is so many times that of now is to be watched, or bad."""
DEARER, DEAR = 1.1, 1.5
"""A spend that is so many times that of doing nothing is to be watched, or bad."""
WORSE = 1.05
"""So many times what doing nothing brings is worse than doing nothing."""

Key = tuple[Quantity, Ref]


def table(forecast: Forecast, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Quantities down; now, the action, doing nothing and what else could be done across, as many as have room."""
    room = max(1, (width - _NAME - _NOW - 1) // (_COURSE + 1))
    courses = forecast.courses[:room]
    if not courses:
        return
    left = len(forecast.courses) - len(courses)
    more = f"and {fmt.plural(left, 'other way')}" if left else fmt.name(forecast.words, max(10, width - 40))
    yield heading(f"In {fmt.duration(forecast.horizon_s)}", width, glyphs, more)
    yield from _titles(courses)
    rows = [{(one.quantity, one.ref): one for one in course.foreseen} for course in courses]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    nothing = next((row for course, row in zip(courses, rows, strict=True) if course.verb is None), {})
    for key in keys:
        yield _row(key, rows, nothing.get(key))
    yield from _why(courses[0], width)
    if left and forecast.words:
        yield from labelled("", fmt.name(forecast.words, 200), width, "muted")


def _titles(courses: Sequence[Course]) -> Iterator[Line]:
    """What each column is about, in as many lines as the longest needs, at most two."""
    words = [list(wrapped(fmt.name(course.words, 60), _COURSE))[:2] for course in courses]
    height = max(len(parts) for parts in words)
    for at in range(height):
        now = "now" if at == height - 1 else ""
        cells = [Cell(" " + " " * _NAME), Cell(fit(now, _NOW, right=True), "title")]
        for parts in words:
            place = at - (height - len(parts))
            cells.append(Cell(" " + fit(parts[place] if place >= 0 else "", _COURSE, right=True), "title"))
        yield Line(tuple(cells), key=("forecast", "titles", at))


def _row(key: Key, rows: list[dict[Key, Foreseen]], nothing: Foreseen | None) -> Line:
    quantity, ref = key
    label = _label(quantity, ref)
    now = next((row[key].now for row in rows if key in row and row[key].now is not None), None)
    cells = [
        Cell(f" {fit(label, _NAME)}"),
        Cell(fit(fmt.quantity(now, _UNIT[quantity]), _NOW, right=True), "muted"),
    ]
    for row in rows:
        cells.append(Cell(" "))
        cells += _cells(row.get(key), now, nothing)
    return Line(tuple(cells), key=("forecast", str(quantity), str(ref)))


def _cells(one: Foreseen | None, now: float | None, nothing: Foreseen | None) -> tuple[Cell, ...]:
    if one is None or one.then is None:
        return padded(fmt.NONE if one is None else UNSAID, _COURSE, "muted", right=True)
    style = style_of(one, now, None if nothing is None else nothing.then)
    return padded(_span(one), _COURSE, style, right=True)


def _span(one: Foreseen) -> str:
    """The value; where it is known between which two it will be, these."""
    unit = _UNIT[one.quantity]
    low, high = (fmt.quantity(value, unit) for value in (one.low, one.high))
    if one.low is None or one.high is None or low == high:
        return fmt.quantity(one.then, unit)
    return f"{low.removesuffix('/h').removesuffix('%')}–{high.removesuffix('/h').removeprefix('$')}"


def style_of(one: Foreseen, now: float | None, nothing: float | None) -> str:
    """How bad a value is by itself, against now, and against doing nothing."""
    then = one.then
    if then is None:
        return "muted"
    if one.quantity is Quantity.ERRORS:
        worse = nothing is not None and then > nothing * WORSE and then >= WARN_ERROR_RATIO
        return "bad" if then >= BAD_ERROR_RATIO or worse else "warn" if then >= WARN_ERROR_RATIO else "ok"
    if one.quantity is Quantity.HEADROOM:
        return "bad" if then <= NO_HEADROOM else "warn" if then <= LOW_HEADROOM else "ok"
    if one.quantity is Quantity.USD_PER_H:
        than = nothing if nothing is not None else now
        return "strong" if not than or then <= than * DEARER else "bad" if then > than * DEAR else "warn"
    worse = nothing is not None and then > nothing * WORSE
    grown = then / now if now else 1.0
    return "bad" if worse or grown > SOARED else "warn" if grown > GROWN else "strong"


def _why(course: Course, width: int) -> Iterator[Line]:
    """Why something of the action cannot be said."""
    for one in course.foreseen:
        if one.then is None and one.words:
            said = f"{_LABEL[one.quantity]} {fmt.name(one.ref.name, 40)}: {fmt.name(one.words, 200)}"
            yield from labelled("not said", said, width, "muted")


def outturn(receipt: Receipt, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What was expected of an action beside what came; nothing where nothing was forecast."""
    found = receipt.outturn
    if found is None:
        if receipt.forecast is not None and receipt.forecast.foreseen:
            expected = ", ".join(filter(None, map(_expected, receipt.forecast.foreseen)))
            yield from labelled("expected", expected or "nothing of it can be said", width, "muted")
        return
    yield heading("Did it come as forecast?", width, glyphs, "" if found.counts else "does not count")
    if found.rows:
        titles = [fit(title, size, right=True) for title, size in (("forecast", 12), ("came", 12), ("off by", 12))]
        yield Line((Cell(f" {' ' * _NAME}{''.join(titles)}", "title"),), key=("outturn", "titles"))
    for row in found.rows:
        yield _outturn(row)
    if found.words:
        yield from labelled("", fmt.name(found.words, 300), width, "muted")


def _expected(one: Foreseen) -> str:
    if one.then is None:
        return ""
    return f"{_LABEL[one.quantity]} {fmt.name(one.ref.name, 24)} {fmt.quantity(one.then, _UNIT[one.quantity])}"


def _outturn(row: Outturn) -> Line:
    unit = _UNIT[row.quantity]
    label = _label(row.quantity, row.ref)
    came = "not seen" if row.actual is None else fmt.quantity(row.actual, unit)
    off = fmt.NONE if row.error is None else fmt.ratio(row.error)
    style = "muted" if row.error is None else "ok" if row.error <= 0.25 else "warn"
    cells = (
        Cell(f" {fit(label, _NAME)}"),
        Cell(fit(fmt.quantity(row.expected, unit), 12, right=True), "muted"),
        Cell(fit(came, 12, right=True), "strong"),
        Cell(fit(off, 12, right=True), style),
    )
    return Line(cells, key=("outturn", str(row.quantity), str(row.ref)))


def _label(quantity: Quantity, ref: Ref) -> str:
    """`backlog documents`, `spend all`: of a spend's `total/all` only what it is of."""
    name = ref.name.partition("/")[2] if ref.kind is Kind.SPEND else ""
    return f"{_LABEL[quantity]} {fmt.name(name or ref.name, 40)}"

"""Forecasts as text: a quantity a line, with the action, without it and with what else could be done."""

from typing import Final

from console.cli.output import say, table
from console.domain.durations import words_of
from console.domain.forecasts import Forecast, Foreseen, Quantity
from console.domain.refs import Ref
from console.domain.text import clean

UNSAID: Final = "cannot be said"
NAMES: Final = {
    Quantity.BACKLOG: "backlog", Quantity.ERRORS: "errors", Quantity.USD_PER_H: "$/h", Quantity.HEADROOM: "headroom",
}  # fmt: skip
"""What a quantity is called in a line."""


def print_forecast(forecast: Forecast) -> None:
    """Print a table of it, what it rests on, and how good such forecasts were."""
    courses = forecast.courses
    found = [{(item.quantity, item.ref): item for item in course.foreseen} for course in courses]
    keys = list(dict.fromkeys(key for row in found for key in row))
    if not keys:
        return
    say()
    heads = (f"IN {words_of(forecast.horizon_s)}", "NOW", *(clean(course.words, 60).upper() for course in courses))
    table(heads, [_row(key, found) for key in keys])
    for item in courses[0].foreseen:
        if item.words:
            say(f"  {_label(item.quantity, item.ref)}: {clean(item.words, 200)}")
    if forecast.words:
        say(f"  {clean(forecast.words, 300)}")


def in_words(quantity: Quantity, value: float | None) -> str:
    """A value in its unit; `?` where nobody sees it."""
    if value is None:
        return "?"
    if quantity in (Quantity.ERRORS, Quantity.HEADROOM):
        return f"{100.0 * value:.1f} %"
    return f"{value:,.0f}" if quantity is Quantity.BACKLOG else f"{value:,.2f}"


def _row(key: tuple[Quantity, Ref], found: list[dict[tuple[Quantity, Ref], Foreseen]]) -> list[str]:
    seen = next((row[key].now for row in found if key in row), None)
    return [_label(*key), in_words(key[0], seen), *(_then(row.get(key)) for row in found)]


def _then(item: Foreseen | None) -> str:
    if item is None or item.then is None:
        return UNSAID
    said = in_words(item.quantity, item.then)
    if item.low is None or item.high is None:
        return said
    return f"{said} ({in_words(item.quantity, item.low)} to {in_words(item.quantity, item.high)})"


def _label(quantity: Quantity, ref: Ref) -> str:
    if quantity is Quantity.USD_PER_H:
        return f"{NAMES[quantity]} of {clean(ref.source, 40)}"
    return f"{NAMES[quantity]} of {clean(ref.name, 40)}"

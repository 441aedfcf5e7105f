"""Numbers and times as short texts of steady width, rounded so that noise does not repaint the screen.

`None` becomes `–`: this backend does not say. Nothing here ticks: ages are shown as the clock time of a sample.
"""

from collections.abc import Sequence
from datetime import datetime

from console.domain.durations import words_of
from console.domain.text import clean

NONE = "–"
"""What stands where a backend says nothing."""

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float | None) -> str:
    """A count or a rate in at most five columns: `0`, `0.42`, `7.3`, `252`, `12.3k`, `1.2M`."""
    if value is None:
        return NONE
    size = abs(value)
    if size >= 999.5e12:
        return ">999T" if value > 0 else "<-999T"
    for scale, letter in _SCALES:
        if size >= scale * 0.9995:
            scaled = value / scale
            return f"{scaled:.0f}{letter}" if abs(scaled) >= 99.95 else f"{scaled:.1f}{letter}"
    if size >= 9.95:
        return f"{value:.0f}"
    if size >= 0.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.005 else "0"


def count(value: float | None) -> str:
    """How many there are, in at most five columns: `8`, `2050`, `12.4k`."""
    if value is None:
        return NONE
    return f"{value:.0f}" if abs(value) < 9999.5 else number(value)


def per_min(value: float | None) -> str:
    """A rate: `252/min`."""
    return NONE if value is None else f"{number(value)}/min"


def ratio(value: float | None) -> str:
    """A part of one as a percentage in at most five columns: `0%`, `0.4%`, `38%`."""
    if value is None:
        return NONE
    percent = value * 100
    if 0 < percent < 0.05:
        return "<0.1%"
    if abs(percent) >= 9995:
        return f"{number(percent)}%"
    return f"{percent:.1f}%" if 0 < percent < 9.95 else f"{percent:.0f}%"


def took(seconds: float | None) -> str:
    """A response time in at most six columns: `8 ms`, `340 ms`, `1.2 s`, `75 s`; milliseconds to two digits."""
    if seconds is None:
        return NONE
    if abs(seconds) >= 9999.5:
        return f"{number(seconds)} s"
    ms = seconds * 1000
    if ms < 99.5:
        return f"{ms:.0f} ms"
    if ms < 995:
        return f"{round(ms, -1):.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def usd(value: float | None) -> str:
    """Dollars in at most six columns: `$0.42`, `$12.40`, `$143`, `$12.3k`."""
    if value is None:
        return NONE
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size >= 999.5:
        return f"{sign}${number(size)}"
    if 0 < size < 0.005:
        return f"{sign}<1¢"
    return f"{sign}${size:.2f}" if size < 99.995 else f"{sign}${size:.0f}"


def usd_per_h(value: float | None) -> str:
    """A spend rate: `$12.40/h`."""
    return NONE if value is None else f"{usd(value)}/h"


def times(value: float | None) -> str:
    """A factor: `1.0×`, `17×`."""
    if value is None:
        return NONE
    return f"{value:.1f}×" if abs(value) < 9.95 else f"{number(value)}×"


def quantity(value: float | None, unit: str) -> str:
    """A number with any unit of the domain, in that unit's own form."""
    match unit:
        case "$/h" | "usd_per_h":
            return usd_per_h(value)
        case "$":
            return usd(value)
        case "s":
            return took(value)
        case "ratio" | "%":
            return ratio(value if value is None or unit == "ratio" else value / 100)
        case "req/min" | "/min":
            return per_min(value)
        case "messages":
            return count(value)
        case "×" | "× demand":
            return times(value) + unit.removeprefix("×")
        case _:
            return f"{number(value)} {clean(unit, 20)}".rstrip()


def clock(at: float | None) -> str:
    """A moment as local `HH:MM:SS`."""
    return NONE if at is None else _local(at, "%H:%M:%S")


def moment(at: float | None, now: float) -> str:
    """A moment as `HH:MM`, with the date before it when it is not within twelve hours of `now`."""
    if at is None:
        return NONE
    form = "%H:%M" if abs(at - now) < 43_200 else "%d %b %H:%M"
    return _local(at, form)


def _local(at: float, form: str) -> str:
    """A backend may name a moment that no calendar has: that is no moment."""
    try:
        return datetime.fromtimestamp(at).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):
        return "never"


def duration(seconds: float | None) -> str:
    """A length of time: `45 s`, `30 min`, `2 h 05`, `3 d 4 h`."""
    if seconds is None:
        return NONE
    if abs(seconds) >= 9999.5 * 86400:
        return f"{number(seconds / 86400)} d"
    return words_of(seconds)


def plural(count: int, noun: str) -> str:
    """`1 route`, `3 routes`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def name(text: str, limit: int = 60) -> str:
    """A backend's name for something, safe to show."""
    return clean(text, limit)


def sparkline(
    values: Sequence[float | None], width: int, *, ramp: str, gap: str = " ", top: float | None = None
) -> str:
    """The values as `width` columns of bars that stand on zero; `gap` where nothing was seen.

    More values than columns are averaged; fewer stand at the right. `top` is the value of a full bar
    (default: the largest one). `ramp` holds the heights, the lowest first (`Glyphs.spark`).
    """
    slots = _slots(values, width)
    seen = [value for value in slots if value is not None]
    high = max(seen, default=0.0) if top is None else top
    if high <= 0:
        return "".join(gap if value is None else ramp[0] for value in slots)
    steps = len(ramp) - 1
    return "".join(gap if value is None else ramp[round(max(0.0, min(1.0, value / high)) * steps)] for value in slots)


def _slots(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return [None] * (width - len(values)) + list(values)
    slots: list[float | None] = []
    for column in range(width):
        part = values[column * len(values) // width : (column + 1) * len(values) // width]
        seen = [value for value in part if value is not None]
        slots.append(sum(value / len(seen) for value in seen) if seen else None)
    return slots


def bar(part: float | None, width: int, *, full: str, empty: str) -> str:
    """A part of one as a bar of `width` columns; more than one is a full bar."""
    if part is None:
        return empty * width
    filled = round(max(0.0, min(1.0, part)) * width)
    if part > 0 and filled == 0:
        filled = 1
    return full * filled + empty * (width - filled)

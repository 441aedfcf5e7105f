"""Durations as people write them."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


def parse_duration(text: str) -> float:
    """`30s`, `5m`, `1h30m` or a plain number of seconds, as seconds.

    Raises:
        ValueError: the text is none of these.
    """
    squeezed = text.replace(" ", "")
    try:
        number = float(squeezed)
    except ValueError:
        parts = _PART.findall(squeezed)
        if not parts or "".join(size + unit for size, unit in parts) != squeezed:
            raise ValueError(f"{text!r} is no duration; write 30s, 5m, 1h30m or 7d") from None
        return sum(float(size) * _UNITS[unit] for size, unit in parts)
    if not 0 <= number < 1e12:
        raise ValueError(f"{text!r} is no duration; write 30s, 5m, 1h30m or 7d")
    return number


def words_of(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `30 min`, `2 h 05`, `3 d 4 h`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest:02d}" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"

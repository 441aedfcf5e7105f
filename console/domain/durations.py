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

"""Plain values: durations in words, and the lesser and greater of numbers."""

from console.domain.durations import parse_duration
from runbooks.functions.catalogue import Value, function
from runbooks.looking import Look, Unsaid

GROUP = "values"


@function("seconds(text)", "s", "A duration as people write it: `5m`, `1h30m`. `duration(…)` is the same.", GROUP)
def seconds(look: Look, text: object) -> Value:
    """A duration."""
    return span(text)


@function("count(x)", "", "How many names a list, or characters a text has. `size(…)` is the same.", GROUP)
def count(look: Look, x: object) -> Value:
    """The length of a list or a text."""
    if not isinstance(x, str | list):
        raise Unsaid("a list or a text has a size")
    return float(len(x))


@function("least(a, b)", "", "The lesser of two numbers.", GROUP)
def least(look: Look, a: object, b: object) -> Value:
    """The lesser one."""
    return min(_number(a), _number(b))


@function("greatest(a, b)", "", "The greater of two numbers.", GROUP)
def greatest(look: Look, a: object, b: object) -> Value:
    """The greater one."""
    return max(_number(a), _number(b))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unsaid("that is no number")
    return float(value)


def span(value: object) -> float:
    """Seconds, from a number of them or from words.

    Raises:
        Unsaid: it is neither.
    """
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except (ValueError, OverflowError):
            raise Unsaid("that is no duration; write 30s, 5m or 1h30m") from None
    return _number(value)

"""Counters that start again at midnight, as what they grew by."""


class DayCounter:
    """The growth of `…_today` numbers from look to look."""

    __slots__ = ("_last",)

    def __init__(self, width: int) -> None:
        self._last: list[float | None] = [None] * width

    def grown(self, *values: float | None) -> list[float] | None:
        """What each grew by since the call before; None at the first one, and where a value is missing.

        A counter that has become less was set back: what it shows now has grown since.
        """
        grown: list[float] | None = []
        for place, value in enumerate(values):
            last, self._last[place] = self._last[place], value
            if value is None or last is None:
                grown = None
            elif grown is not None:
                grown.append(value - last if value >= last else value)
        return grown

"""Time that is where it was put: nobody sleeps in an evaluation."""


class SteppedClock:
    """A clock that whoever drives moves on; all others only read it."""

    def __init__(self, start: float) -> None:
        self._start = self._now = start

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self._now - self._start

    def move_to(self, moment: float) -> None:
        """Go on to `moment` (unix seconds)."""
        self._now = max(self._now, moment)

    async def sleep(self, seconds: float) -> None:
        """Nothing that is looked at directly may wait for its own clock.

        Raises:
            RuntimeError: somebody wanted to.
        """
        if seconds > 0:
            raise RuntimeError(f"something wants to sleep for {seconds:g} s on a clock that does not run by itself")

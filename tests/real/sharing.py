"""Servers that many tests share: started for the first one that asks, stopped after the last one that needs them.

Two idle gateways with their database take a tenth of a core, a broker two hundredths. Kept until the whole run ends,
those of all groups together would take from the tests beside them.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from tests.real.stack.missing import Missing
from tests.real.stack.processes import StartError

T = TypeVar("T")


class Shared(Generic[T]):
    """One set of servers, or why there is none: found out once, told to every test that asks."""

    def __init__(self, start: Callable[[], T], stop: Callable[[T], None]) -> None:
        self._start, self._stop = start, stop
        self._running: T | None = None
        self._failed: Exception | None = None

    def get(self) -> T | Missing:
        """The servers, started if they do not run.

        Raises:
            StartError, OSError: what ended their start the first time; it is not tried again.
        """
        if isinstance(self._failed, Missing):
            return self._failed
        if self._failed is not None:
            raise self._failed
        if self._running is None:
            try:
                self._running = self._start()
            except (Missing, StartError, OSError) as error:
                self._failed = error
                return self.get()
        return self._running

    def end(self) -> None:
        """Stop them, if they run; who asks afterwards gets new ones."""
        running, self._running = self._running, None
        if running is not None:
            self._stop(running)

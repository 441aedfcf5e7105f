"""A source that has not been seen well for too long: everything that it said may be untrue by now."""

from collections.abc import Iterator

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.freshness import Freshness, stale_after_s
from console.domain.readings import Source
from console.domain.refs import Ref
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience


class StaleSource:
    """A ticket for every source that is stale, or that never answered for as long as would have made it stale."""

    name = "stale-source"
    patience = Patience(resolve_after_s=10.0)

    def __init__(self) -> None:
        self._sources: dict[Ref, Source] = {}
        self._asked_since: dict[Ref, float] = {}

    def feed(self, change: Change) -> None:
        """Keep the newest word of every source."""
        for reading in change.readings:
            if isinstance(reading, Source):
                self._sources[reading.ref] = reading
                self._asked_since.setdefault(reading.ref, reading.since or change.at)
        for ref in change.removed:
            self._sources.pop(ref, None)
            self._asked_since.pop(ref, None)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a stale source; its value is the age of the last good look in seconds."""
        for ref, source in self._sources.items():
            if source.freshness is Freshness.FRESH:
                continue
            last = board.observed.get(ref.name, source.last_ok_at)
            age = now - (self._asked_since[ref] if last is None else last)
            if last is None and age <= stale_after_s(source.interval_s):
                continue
            why = f": {source.failure}" if source.failure else ""
            words = (
                f"{ref.name} has not been seen" if last is None else f"{ref.name} was last seen well {age:.0f} s ago"
            )
            yield Condition(self.name, ref, Severity.TICKET, words + why, age)

    def state(self, now: float) -> DetectorState:
        """Which sources it watches; it needs nothing but their word."""
        return DetectorState(name=self.name, summary="sources that no longer answer", watching=len(self._sources))

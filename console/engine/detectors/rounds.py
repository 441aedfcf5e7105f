"""Going round the objects of some kinds: a slice a tick, so that each is looked at every few seconds and none waits.

What a detector knows of an object is its case. A case is begun when the object comes to the board (from what was
remembered, where it is known), and is forgotten when the object has gone; a few that went last are kept for a while,
because a gateway that reloads its config shows nothing for a moment.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import AnyReading
from console.domain.refs import Ref
from console.domain.wire import Change
from console.engine.detectors.base import Condition

EVERY_S = 15.0
GAP_S = 180.0
"""An object that was not looked at for longer has not been seen in between."""
GONE_KEPT = 200
CLAIM_S = 3600.0
"""An object that has not come to the board this long after a start is not waited for."""
MEMORY_GOOD_S = 14 * 86400.0
"""What was remembered longer ago than this is not what is usual now."""
VERSION = 1


class Case(Protocol):
    """What is known of one object."""

    def remember(self) -> Any:
        """What is worth keeping over a restart, of the type that the rounds were told; None for nothing."""
        ...


R = TypeVar("R", bound=AnyReading)
C = TypeVar("C", bound=Case)


class _Kept(msgspec.Struct):
    """A detector's memory."""

    version: int
    at: float
    cases: dict[str, msgspec.Raw]


class Rounds(Generic[R, C]):
    """The objects that one detector judges, each with its case and with what was found at the last look."""

    def __init__(
        self,
        kinds: type[R] | tuple[type[R], ...],
        make: Callable[[R, Any], C],
        memory: type[Any] | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        """Begin without objects.

        Args:
            kinds: types of readings to judge.
            make: begins a case from a reading and, when there is one, what was remembered of it; a `ValueError`
                says that this cannot be read.
            memory: the type that `Case.remember` gives.
            every_s: how often each object is looked at, in seconds.
        """
        self.cases: dict[Ref, C] = {}
        self._kinds = kinds
        self._make = make
        self._memory = memory
        self._every_s = every_s
        self._gone: dict[Ref, C] = {}
        self._seen: dict[Ref, float] = {}
        self._found: dict[Ref, list[Condition]] = {}
        self._order: list[Ref] = []
        self._place = 0
        self._at: float | None = None
        self._remembered: dict[str, msgspec.Raw] = {}
        self._remembered_until = math.inf

    def feed(self, change: Change) -> None:
        """Begin and forget cases."""
        for ref in change.removed:
            if (case := self.cases.pop(ref, None)) is not None:
                self._gone[ref] = case
                self._found.pop(ref, None)
                self._seen.pop(ref, None)
                self._order = []
                while len(self._gone) > GONE_KEPT:
                    del self._gone[next(iter(self._gone))]
        for reading in change.readings:
            if isinstance(reading, self._kinds) and reading.ref not in self.cases:
                self._begin(reading)

    def _begin(self, reading: R) -> None:
        ref, remembered = reading.ref, self._recalled(reading.ref)
        case = self._gone.pop(ref, None)
        if case is None:
            try:
                case = self._make(reading, remembered)
            except ValueError:
                case = self._make(reading, None)
        self.cases[ref] = case
        self._order = []

    def _recalled(self, ref: Ref) -> Any:
        raw = self._remembered.pop(str(ref), None)
        if raw is None or self._memory is None:
            return None
        try:
            return msgspec.json.decode(raw, type=self._memory)
        except msgspec.MsgspecError:
            return None

    def go(
        self, now: float, board: Board, judge: Callable[[R, C, float, float], Iterable[Condition]]
    ) -> Iterator[Condition]:
        """Judge those whose turn it is; what was found of all, while a source is stale as it was.

        Args:
            now: unix seconds.
            board: what is seen.
            judge: gets the reading, its case, `now`, and the seconds since it was looked at last (0 when it was not,
                or not for long).
        """
        fresh: dict[str, bool] = {}
        for ref in self._due(now):
            reading = board.readings.get(ref)
            if reading is None:
                continue
            if ref.source not in fresh:
                source = board.source(ref.source)
                fresh[ref.source] = source is None or source.freshness is Freshness.FRESH
            if not fresh[ref.source]:
                continue
            case, last = self.cases[ref], self._seen.get(ref, 0.0)
            self._seen[ref] = now
            passed = now - last if 0.0 < now - last <= GAP_S else 0.0
            if found := list(judge(reading, case, now, passed)):  # type: ignore[arg-type] # of the kind it was begun for
                self._found[ref] = found
            else:
                self._found.pop(ref, None)
        for conditions in self._found.values():
            yield from conditions

    def _due(self, now: float) -> list[Ref]:
        passed = self._every_s if self._at is None else now - self._at
        self._at = now
        if now > self._remembered_until:
            self._remembered = {}
        if passed <= 0 or not self.cases:
            return []
        if not self._order:
            self._order = list(self.cases)
        order, place = self._order, self._place % len(self._order)
        many = min(len(order), math.ceil(len(order) * passed / self._every_s))
        self._place = place + many
        return [*order[place : place + many], *order[: max(0, place + many - len(order))]]

    def remember(self) -> bytes:
        """Every case's memory, as JSON."""
        cases = {str(ref): kept for ref, case in self.cases.items() if (kept := case.remember())}
        known = {"version": VERSION, "at": self._at or 0.0, "cases": {**self._remembered, **cases}}
        return msgspec.json.encode(known)

    def recall(self, state: bytes, now: float) -> None:
        """Begin the cases that come from what was remembered; what cannot be read, or is old, is as none."""
        try:
            kept = msgspec.json.decode(state, type=_Kept)
        except msgspec.MsgspecError:
            return
        if kept.version == VERSION and -60.0 <= now - kept.at <= MEMORY_GOOD_S:
            self._remembered, self._remembered_until = kept.cases, now + CLAIM_S

"""One evaluation of an expression: what it may look at, what it saw, and why something could not be said."""

import math
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from console.domain.alerts import Alert
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.freshness import Freshness
from console.domain.incidents import Incident
from console.domain.readings import READING_KINDS, AnyReading
from console.domain.refs import Kind, Ref
from console.domain.text import clean

R = TypeVar("R", bound=AnyReading)

Past = Callable[[Ref, str, float], Sequence[float | None]]
"""(object, metric, seconds) → the metric's means over the last so many seconds, the oldest first; None: not seen."""
MOST_LISTED = 100
"""Names in a list that a function gives; of more nothing can be said."""
WORK = 2000
"""What one evaluation may cost: 1 for a look at the board, 40 for one at the past."""
OF_THE_PAST = 40


class Unsaid(Exception):
    """Something cannot be said now; the text says why, clean."""


def no_past(ref: Ref, metric: str, window_s: float) -> Sequence[float | None]:
    """A past of which nothing is known."""
    return ()


@dataclass(slots=True)
class Scope:
    """What an expression is judged by."""

    board: Board
    now: float
    """Unix seconds."""
    past: Past = no_past
    parameters: Mapping[str, str | float] = field(default_factory=dict)
    """Variables: numbers and durations (in seconds) as numbers, everything else as text."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Parameter → its type, which says what kind of object its text names."""
    alert: Alert | None = None
    incident: Incident | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further variables: `run_s`, `step_s`."""
    after: Mapping[str, float] = field(default_factory=dict)
    """Source → unix seconds at which something was done there: what was seen by then tells of a time before."""


class Look:
    """One evaluation: finds objects, counts the work, keeps what was seen."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.board = scope.board
        self.seen: dict[str, str] = {}
        """`p95(chat-azure)` → `4.2 s`."""
        self.faults: list[str] = []
        """Why something could not be said, in the order in which it was found."""
        self.kinds: dict[str, Kind] = _kinds(scope)
        """What a name means where several objects have it."""
        self.known: dict[tuple[object, ...], object] = {}
        """What functions gave, or the `Unsaid` that they raised, by name and arguments: asked again, it is the same."""
        self._of: dict[type[AnyReading], list[AnyReading]] = {}
        self._left = WORK

    def work(self, cost: int = 1) -> None:
        """Count what is done.

        Raises:
            Unsaid: it was too much.
        """
        self._left -= cost
        if self._left < 0:
            raise Unsaid("too much is asked in one expression")

    def ref(self, name: object, kinds: Iterable[Kind]) -> Ref:
        """The object that a text names: `NAME`, `KIND/NAME` or `SOURCE:KIND/NAME`.

        Raises:
            Unsaid: nothing of that name and kind is on the board, or several are.
        """
        fit = tuple(kinds)
        found = refs_named(self.board, name, fit)
        if len(found) > 1 and isinstance(name, str):
            meant = [ref for ref in found if ref.kind is self.kinds.get(name)] or found
            found = [ref for ref in meant if ref.source == self._source] or meant
        if len(found) == 1:
            return found[0]
        said = repr(clean(str(name), 80)) if name not in (None, "") else "no name"
        if not found:
            raise Unsaid(f"{said} is no {' or '.join(fit)} on the board" if said != "no name" else "no name is given")
        raise Unsaid(f"several are called {said}: {', '.join(clean(str(ref), 80) for ref in found[:4])}")

    @property
    def _source(self) -> str:
        """Where the alert comes from: of objects with one name its own are meant."""
        if self.scope.alert is not None:
            return self.scope.alert.ref.source
        blame = self.scope.incident.blame if self.scope.incident is not None else None
        return blame.ref.source if blame is not None and blame.ref is not None else ""

    def reading(self, name: object, kinds: Iterable[Kind]) -> AnyReading:
        """The object's reading, which may be believed.

        Raises:
            Unsaid: it is not on the board, or stale.
        """
        ref = self.ref(name, kinds)
        self.fresh(ref)
        return self.board.readings[ref]

    def of(self, kind: type[R]) -> list[R]:
        """All readings of one type; the board is gone through once."""
        meant = cast("type[AnyReading]", kind)
        if meant not in self._of:
            self.work(len(self.board.readings) // 100)
            self._of[meant] = list(self.board.of(meant))
        return cast("list[R]", self._of[meant])

    def one(self, name: object, kind: type[R]) -> R:
        """The object's reading, which may be believed, as the one type that is meant.

        Raises:
            Unsaid: it is not on the board, or stale.
        """
        found = self.reading(name, [told for told, reading in READING_KINDS.items() if reading is kind])
        if not isinstance(found, kind):
            raise Unsaid(f"it is no {kind.__name__.lower()}")
        return found

    def fresh(self, ref: Ref) -> None:
        """Let only what may be believed pass.

        Raises:
            Unsaid: it is stale or missing.
        """
        state, seen = self.board.freshness(ref), self.board.observed_at(ref)
        if state is Freshness.FRESH:
            if seen is not None and seen <= self.scope.after.get(ref.source, -math.inf):
                raise Unsaid(f"{clean(ref.source)} has not been looked at since it was acted on")
            return
        since = "" if seen is None else f": last seen {words_of(max(0.0, self.scope.now - seen))} ago"
        raise Unsaid(f"{clean(ref.source)} is {state}{since}")

    def name(self, ref: Ref) -> str:
        """The text by which an expression goes on with an object: its name, or all of it where others have it too."""
        if len(refs_named(self.board, ref.name, (ref.kind,))) != 1:
            return str(ref)
        self.kinds.setdefault(ref.name, ref.kind)
        return ref.name

    def names(self, refs: Iterable[Ref]) -> list[str]:
        """`name` of several.

        Raises:
            Unsaid: they are more than `MOST_LISTED`.
        """
        found = [self.name(ref) for ref in refs]
        if len(found) > MOST_LISTED:
            raise Unsaid(f"there are {len(found):,} of them, and at most {MOST_LISTED} can be gone through")
        return found


def _kinds(scope: Scope) -> dict[str, Kind]:
    """What the parameters' names mean; a name that two parameters have with different types means neither."""
    found: dict[str, Kind] = {}
    for name, value in scope.parameters.items():
        kind = scope.types.get(name, "")
        if isinstance(value, str) and kind in NAMED:
            found[value] = NAMED[kind]
    if scope.alert is not None:
        found.setdefault(scope.alert.ref.name, scope.alert.ref.kind)
    return found


NAMED: Mapping[str, Kind] = {
    "provider": Kind.PROVIDER,
    "deployment": Kind.DEPLOYMENT,
    "route": Kind.ROUTE,
    "queue": Kind.QUEUE,
    "source": Kind.SOURCE,
    "service": Kind.SERVICE,
}
"""The types of parameters that name an object, and its kind."""

FEW_SOURCES = 40
_Index = Mapping[str, Sequence[Ref]]
_indexes: "weakref.WeakKeyDictionary[Board, tuple[int, int, _Index]]" = weakref.WeakKeyDictionary()


def refs_named(board: Board, name: object, kinds: Sequence[Kind]) -> list[Ref]:
    """The objects of these kinds that a text names: `NAME`, `KIND/NAME` or `SOURCE:KIND/NAME`."""
    if not isinstance(name, str) or not name:
        return []
    found = _named(board, name, kinds)
    if found or "/" not in name:
        return found
    before, _, rest = name.partition("/")
    source, colon, kind = before.rpartition(":")
    named = _named(board, rest, [one for one in kinds if one == kind])
    return [ref for ref in named if not colon or ref.source == source]


def _named(board: Board, name: str, kinds: Sequence[Kind]) -> list[Ref]:
    """By trying each source where there are few, which leaves no index to make anew whenever something changes."""
    if 0 < len(board.observed) <= FEW_SOURCES:
        tried = (Ref(source, kind, name) for source in board.observed for kind in kinds)
        return [ref for ref in tried if ref in board.readings]
    return [ref for ref in _index(board).get(name, ()) if ref.kind in kinds]


def _index(board: Board) -> _Index:
    """The objects of a board by name; made anew when something was applied to it."""
    kept = _indexes.get(board)
    if kept is not None and kept[:2] == (board.seq, len(board.readings)):
        return kept[2]
    found: dict[str, list[Ref]] = {}
    for ref in board.readings:
        if ref.kind is not Kind.REQUEST:
            found.setdefault(ref.name, []).append(ref)
    _indexes[board] = (board.seq, len(board.readings), found)
    return found

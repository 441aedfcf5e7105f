"""The last hour of every number, in memory: per object and metric 240 slots of 15 seconds.

A value stands from the look that brought it until a later look brings another one, so looks that find nothing new
cost nothing here: what is kept of them is, per source, when it was last looked at. When a slot closes, the mean over
time of each value becomes that slot's entry; a slot in which the source was not looked at stays empty, unless its
own interval is longer than a slot.
"""

import math
from array import array
from collections.abc import Callable, Collection, Iterator

from console.domain.readings import AnyReading, Source, series
from console.domain.refs import Ref
from console.domain.wire import Change, History, HistoryQuery
from console.engine.slots import Slots

SLOT_S = 15.0
SLOTS = 240
HANDED_ON = 2
"""So many slots make one mean for the journal: half a minute."""

MeansListener = Callable[[float, Collection[tuple[Ref, str, float]]], None]
"""Hears of every half minute: its start (unix seconds) and (object, metric, mean) for all that was seen in it."""


class Means(Collection[tuple[Ref, str, float]]):
    """(object, metric, mean) for all that was seen in half a minute, kept as columns: a row for each of 40,000 numbers
    would take 4 MB, and what waits for a slow disk is twenty of these."""

    def __init__(self) -> None:
        self._refs: list[Ref] = []
        self._metrics: list[str] = []
        self._means = array("d")

    def add(self, ref: Ref, metric: str, mean: float) -> None:
        """Put one more."""
        self._refs.append(ref)
        self._metrics.append(metric)
        self._means.append(mean)

    def __len__(self) -> int:
        return len(self._refs)

    def __iter__(self) -> Iterator[tuple[Ref, str, float]]:
        return zip(self._refs, self._metrics, self._means, strict=True)

    def __contains__(self, row: object) -> bool:
        return any(one == row for one in self)


_EMPTY = array("f", [math.nan]) * SLOTS


class _Track:
    """One metric of one object: the ring of closed slots and the open slot's sums.

    Most numbers of a large platform never change (thousands of queues stand at 0), and a ring takes a kilobyte: it is
    made when the first slot differs from the one before. Until then a value and since when it stands say the same.
    """

    __slots__ = ("_ring", "_since", "_steady", "last", "seconds", "weighted")

    def __init__(self, slot: int) -> None:
        """`slot` is the first one that this track can have a value in."""
        self._ring: array[float] | None = None
        self._since = slot
        self._steady = math.nan
        self.last = math.nan
        self.weighted = 0.0
        self.seconds = 0.0

    def close(self, slot: int, *, seen: bool) -> None:
        """End the open slot, with its mean or, when nobody looked, without a value."""
        value = self.mean() if seen else math.nan
        self.weighted = self.seconds = 0.0
        if self._ring is None:
            if slot == self._since:
                self._steady = value
            if _alike(value, self._steady):
                return
            self._ring = _EMPTY[:]
            for before in range(max(self._since, slot - SLOTS + 1), slot):
                self._ring[before % SLOTS] = self._steady
        self._ring[slot % SLOTS] = value

    def at(self, slot: int) -> float:
        """A closed slot's mean, of the latest `SLOTS`; NaN when there is none."""
        if self._ring is None:
            return self._steady if slot >= self._since else math.nan
        return self._ring[slot % SLOTS]

    def stand(self, seconds: float) -> None:
        """The last value stood for this long."""
        if self.last == self.last:  # not NaN
            self.weighted += self.last * seconds
            self.seconds += seconds

    def mean(self) -> float:
        """The open slot's mean so far; the last value when no time has passed, NaN when nothing was seen."""
        return (self.weighted / self.seconds or 0.0) if self.seconds > 0 else self.last  # noughts share one object


def _alike(one: float, other: float) -> bool:
    """Equal as far as a ring could tell; nothing is like nothing."""
    return math.isclose(one, other, rel_tol=1e-7) or (one != one and other != other)


class _Past:
    """One object's tracks, and up to when the open slot's sums go."""

    __slots__ = ("at", "tracks")

    def __init__(self, at: float) -> None:
        self.at = at
        self.tracks: dict[str, _Track] = {}

    def take(self, at: float, reading: AnyReading, slot: int) -> None:
        """Let other values stand from `at` on, in the open `slot`; a metric that is no longer reported ends."""
        self.stand_until(at)
        missing = self.tracks.keys() - self._set(reading, slot)
        for metric in missing:
            self.tracks[metric].last = math.nan

    def _set(self, reading: AnyReading, slot: int) -> set[str]:
        seen = set()
        for metric, value in series(reading):
            track = self.tracks.get(metric)
            if track is None:
                track = self.tracks[metric] = _Track(slot)
            track.last = value
            seen.add(metric)
        return seen

    def stand_until(self, at: float) -> None:
        """Count the present values up to `at`."""
        seconds = at - self.at
        if seconds > 0:
            for track in self.tracks.values():
                track.stand(seconds)
            self.at = at


class Memory:
    """The bounded past of everything on the board. Feed it every `Change`, and `roll` it now and then."""

    def __init__(self, now: float, on_means: MeansListener | None = None) -> None:
        self.began_at = now
        """Unix seconds: nothing before this moment is remembered."""
        self._slot = math.floor(now / SLOT_S)
        self._on_means = on_means
        self._pasts: dict[str, dict[Ref, _Past]] = {}
        self._looked: dict[str, float] = {}
        self._interval_s: dict[str, float] = {}
        self._stale_after_s: dict[str, float] = {}

    @property
    def reaches_back_to(self) -> float:
        """Unix seconds of the oldest slot that can hold anything."""
        return max(self.began_at, (self._slot - SLOTS + 1) * SLOT_S)

    def feed(self, change: Change) -> None:
        """Take in what is new, what left, and which sources were looked at."""
        self.roll(change.at)
        for source in change.observed:
            self._look(source, change.at)
        for ref in change.removed:
            self._pasts.get(ref.source, {}).pop(ref, None)
        for reading in change.readings:
            if isinstance(reading, Source):
                self._interval_s[reading.ref.name] = reading.interval_s
                self._stale_after_s[reading.ref.name] = reading.stale_after_s
                continue
            at = min(max(reading.observed_at, self._slot * SLOT_S), change.at)
            pasts = self._pasts.setdefault(reading.ref.source, {})
            past = pasts.get(reading.ref)
            if past is None:
                past = pasts[reading.ref] = _Past(at)
            past.take(at, reading, self._slot)

    def _look(self, source: str, at: float) -> None:
        """Note a look. After a time in which the source was not seen its values are not taken to have stood."""
        before = self._looked.get(source, at)
        self._looked[source] = at
        if at - before > self._stale_after_s.get(source, SLOT_S):
            for past in self._pasts.get(source, {}).values():
                past.stand_until(before)
                past.at = at

    def roll(self, now: float) -> None:
        """Close every slot that has ended by `now`; call it at least once a slot, so that closing is little work."""
        slot = math.floor(now / SLOT_S)
        if slot <= self._slot:
            return
        self._slot = max(self._slot, slot - SLOTS)  # what is older than the ring need not be closed
        while self._slot < slot:
            self._close(self._slot * SLOT_S)
            self._slot += 1

    def _close(self, start: float) -> None:
        end = start + SLOT_S
        for source, pasts in self._pasts.items():
            looked = self._looked.get(source, 0.0)
            seen = looked >= start or looked + self._interval_s.get(source, 0.0) >= end
            for past in pasts.values():
                past.stand_until(end)
                for track in past.tracks.values():
                    track.close(self._slot, seen=seen)
        if self._on_means is not None and (self._slot + 1) % HANDED_ON == 0:
            self._hand_on(self._on_means)

    def _hand_on(self, on_means: MeansListener) -> None:
        first = self._slot + 1 - HANDED_ON
        recent = range(first, self._slot + 1)
        means = Means()
        for pasts in self._pasts.values():
            for ref, past in pasts.items():
                for metric, track in past.tracks.items():
                    values = [value for slot in recent if (value := track.at(slot)) == value]
                    if values:
                        means.add(ref, metric, sum(values) / len(values))
        if means:
            on_means(first * SLOT_S, means)

    def answer(self, query: HistoryQuery, now: float) -> History:
        """What is remembered of one object, in the query's slots; an object that is not known has no series."""
        self.roll(now)
        slots = Slots.of(query, now)
        past = self._pasts.get(query.ref.source, {}).get(query.ref)
        if past is not None:
            past.stand_until(min(now, self._looked.get(query.ref.source, 0.0)))
            for metric, track in past.tracks.items():
                slots.add(metric, self._rows(track), SLOT_S)
        return slots.history(query.ref)

    def lately(self, ref: Ref, metric: str, seconds: float, now: float) -> tuple[float | None, ...]:
        """One metric over the last so many seconds: the mean of every slot of `SLOT_S`, the oldest first, the open one
        last; None where nothing was seen, and nothing at all of what is not known."""
        self.roll(now)
        past = self._pasts.get(ref.source, {}).get(ref)
        track = None if past is None else past.tracks.get(metric)
        if past is None or track is None:
            return ()
        past.stand_until(min(now, self._looked.get(ref.source, 0.0)))
        first = max(self._slot - SLOTS + 1, self._slot - round(seconds / SLOT_S) + 1)
        means = [track.at(slot) for slot in range(first, self._slot)] + [track.mean()]
        return tuple(mean if mean == mean else None for mean in means)  # NaN is none

    def _rows(self, track: _Track) -> list[tuple[float, float]]:
        """(start, mean) of every slot with a value, the oldest first, the open one last."""
        closed = range(self._slot - SLOTS + 1, self._slot)
        rows = [(slot * SLOT_S, track.at(slot)) for slot in closed]
        rows.append((self._slot * SLOT_S, track.mean()))
        return [(start, value) for start, value in rows if value == value]

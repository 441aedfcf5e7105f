"""The board: the latest of everything, rebuilt from a snapshot and kept by changes. Screens and `status` read it."""

from collections.abc import Iterator
from copy import copy as shallow
from functools import cached_property
from typing import TypeVar, cast

from console.domain.actions import Override, OverrideState, Receipt
from console.domain.alerts import Alert, AlertState
from console.domain.freshness import Freshness
from console.domain.incidents import Incident
from console.domain.readings import AnyReading, Source
from console.domain.refs import Kind, Ref
from console.domain.runbooks import RUNS_SHOWN_S, Offer, Run
from console.domain.wire import LOG_KEPT, Access, Change, Event, LogEntry, Snapshot

R = TypeVar("R", bound=AnyReading)

RESOLVED_KEPT_S = 900.0
"""Seconds for which an alert that was resolved stays on a board."""
RECEIPTS_KEPT = 100
"""Receipts on a board; older ones are in the audit log."""


class Board:
    """A mirror of the engine's board. Apply events in the order in which they came."""

    def __init__(self) -> None:
        self.seq = 0
        self.at = 0.0
        """The engine's clock at the last event, unix seconds."""
        self.environment = ""
        self.readings: dict[Ref, AnyReading] = {}
        self.observed: dict[str, float] = {}
        """Source name → unix seconds of its last good look."""
        self.alerts: dict[str, Alert] = {}
        self.incidents: dict[str, Incident] = {}
        self.overrides: dict[str, Override] = {}
        self.receipts: dict[str, Receipt] = {}
        self.log: list[LogEntry] = []
        self.access: tuple[Access, ...] = ()
        self.runs: dict[str, Run] = {}
        self.offers: tuple[Offer, ...] = ()

    def apply(self, event: Event) -> None:
        """Take in one event; a snapshot replaces everything."""
        if isinstance(event, Snapshot):
            self._replace(event)
        else:
            self.observed.update(event.observed)
            if isinstance(event, Change):
                self._change(event)
        self.seq, self.at = event.seq, event.at

    def _replace(self, snapshot: Snapshot) -> None:
        self.environment = snapshot.environment
        self.readings = {reading.ref: reading for reading in snapshot.readings}
        self.observed = {r.ref.name: r.last_ok_at for r in self.of(Source) if r.last_ok_at is not None}
        self.alerts = {alert.id: alert for alert in snapshot.alerts}
        self.incidents = {one.id: one for one in snapshot.incidents}
        self.overrides = {item.id: item for item in snapshot.overrides}
        self.receipts = {item.id: item for item in snapshot.receipts}
        self.log = list(snapshot.log)
        self.access = snapshot.access
        self.runs = {run.id: run for run in snapshot.runs}
        self.offers = snapshot.offers

    def _change(self, change: Change) -> None:
        for ref in change.removed:
            self.readings.pop(ref, None)
        for reading in change.readings:
            self.readings[reading.ref] = reading
        self.alerts.update({alert.id: alert for alert in change.alerts})
        self.incidents.update({one.id: one for one in change.incidents})
        self._forget_resolved(change.at)
        for item in change.overrides:
            if item.state is OverrideState.ENDED:
                self.overrides.pop(item.id, None)
            else:
                self.overrides[item.id] = item
        for receipt in change.receipts:
            self.receipts.pop(receipt.id, None)  # the one that changed last is the last to be forgotten
            self.receipts[receipt.id] = receipt
        while len(self.receipts) > RECEIPTS_KEPT:
            self.receipts.pop(next(iter(self.receipts)))
        if change.log:
            self.log = (self.log + list(change.log))[-LOG_KEPT:]
        if change.access is not None:
            self.access = change.access
        self.runs.update({run.id: run for run in change.runs})
        for over in [run for run in self.runs.values() if change.at - (run.ended_at or change.at) > RUNS_SHOWN_S]:
            del self.runs[over.id]
        if change.offers is not None:
            self.offers = change.offers

    def _forget_resolved(self, now: float) -> None:
        resolved = [a for a in self.alerts.values() if a.state is AlertState.RESOLVED]
        for alert in resolved:
            if now - alert.since > RESOLVED_KEPT_S:
                del self.alerts[alert.id]
        over = [one for one in self.incidents.values() if one.until is not None]
        for incident in over:
            if now - (incident.until or now) > RESOLVED_KEPT_S:
                del self.incidents[incident.id]

    def copy(self) -> "StillBoard":
        """The board as it is now; what is applied to this one later does not reach the copy."""
        found = StillBoard()
        vars(found).update((name, shallow(value)) for name, value in vars(self).items())
        return found

    def of(self, kind: type[R]) -> Iterator[R]:
        """All readings of one type, in the order in which they came to the board."""
        return (reading for reading in self.readings.values() if isinstance(reading, kind))

    def source(self, name: str) -> Source | None:
        """A source's own reading."""
        found = self.readings.get(Ref(name, Kind.SOURCE, name))
        return found if isinstance(found, Source) else None

    def freshness(self, ref: Ref) -> Freshness:
        """Whether the reading of `ref` may be believed: its source's word, or MISSING when it is not on the board."""
        if ref not in self.readings:
            return Freshness.MISSING
        source = self.source(ref.source)
        return Freshness.FRESH if source is None else source.freshness

    def observed_at(self, ref: Ref) -> float | None:
        """Unix seconds when the reading of `ref` was last confirmed by its source."""
        reading = self.readings.get(ref)
        return None if reading is None else max(reading.observed_at, self.observed.get(ref.source, 0.0))

    def alerts_of(self, ref: Ref) -> list[Alert]:
        """The alerts of one object that are firing."""
        return [a for a in self.alerts.values() if a.ref == ref and a.state is AlertState.FIRING]

    def firing(self) -> dict[Ref, list[Alert]]:
        """`alerts_of` of every object that has any: one walk for those who ask for many objects."""
        found: dict[Ref, list[Alert]] = {}
        for alert in self.alerts.values():
            if alert.state is AlertState.FIRING:
                found.setdefault(alert.ref, []).append(alert)
        return found

    def overrides_of(self, ref: Ref) -> list[Override]:
        """The overrides of one object that have not ended, the newest last."""
        return [item for item in self.overrides.values() if item.target == ref]


class StillBoard(Board):
    """A board that nobody writes to any more, so that what is asked often is looked up once."""

    def apply(self, event: Event) -> None:
        """Nothing can be applied.

        Raises:
            TypeError: always.
        """
        raise TypeError("this board stands still; apply events to the one that it was copied from")

    def of(self, kind: type[R]) -> Iterator[R]:
        """All readings of one type, in the order in which they came to the board."""
        return iter(cast("list[R]", self._kinds.get(cast("type[AnyReading]", kind), [])))

    def firing(self) -> dict[Ref, list[Alert]]:
        """The alerts that are firing, by object; not to be written to."""
        return self._firing

    def alerts_of(self, ref: Ref) -> list[Alert]:
        """The alerts of one object that are firing; not to be written to."""
        return self._firing.get(ref, [])

    @cached_property
    def _kinds(self) -> dict[type[AnyReading], list[AnyReading]]:
        found: dict[type[AnyReading], list[AnyReading]] = {}
        for reading in self.readings.values():
            found.setdefault(type(reading), []).append(reading)
        return found

    @cached_property
    def _firing(self) -> dict[Ref, list[Alert]]:
        return super().firing()

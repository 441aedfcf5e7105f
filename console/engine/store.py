"""The engine's board: one place where everything new is put, and from where everybody hears of it.

Pollers put observations, detectors alerts, control overrides and receipts. Each put becomes one `Change` that
holds only what is different; whoever listens (the journal, the detectors, the door) gets it at once, in order.
Everything here happens on the event loop's thread and none of it waits.
"""

import logging
from collections.abc import Callable, Sequence

import msgspec

from console.domain.actions import Override, OverrideState, Receipt
from console.domain.alerts import Alert
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.incidents import Incident
from console.domain.ports import Clock
from console.domain.readings import AnyReading, Observation, Source, same_values
from console.domain.refs import Ref
from console.domain.runbooks import Offer, Run
from console.domain.wire import LOG_KEPT, Access, Change, LogEntry, LogKind, Snapshot

_logger = logging.getLogger(__name__)

Listener = Callable[[Change], None]


class Store:
    """The latest of everything, as a `Board`, with its change sets."""

    def __init__(self, environment: str, clock: Clock, *, first_log_id: int = 1) -> None:
        self.board = Board()
        self.board.environment = environment
        self._clock = clock
        self._listeners: list[Listener] = []
        self._of_source: dict[str, set[Ref]] = {}
        self._next_log_id = first_log_id

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every later change; the returned function ends that.

        A listener must be quick and not raise; one that does is logged, and the others hear the change all the same.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def observe(self, source: Source, observation: Observation | None = None) -> Change:
        """Put the end of one poll: the source's own reading and, after a good one, all that it saw.

        Objects that an observation no longer holds leave the board. After a failed poll (`observation` is None)
        the last values stand.
        """
        fresh: list[AnyReading] = []
        removed: tuple[Ref, ...] = ()
        observed: dict[str, float] = {}
        self._take(source, fresh)
        if observation is not None:
            seen: set[Ref] = set()
            for reading in observation.readings:
                if reading.ref not in seen:
                    seen.add(reading.ref)
                    self._take(reading, fresh)
            removed = tuple(sorted(self._of_source.get(source.ref.name, set()) - seen))
            self._of_source[source.ref.name] = seen
            observed[source.ref.name] = observation.observed_at
        return self._put(readings=tuple(fresh), removed=removed, observed=observed)

    def _take(self, reading: AnyReading, fresh: list[AnyReading]) -> None:
        known = self.board.readings.get(reading.ref)
        if known is None or not same_values(known, reading):
            fresh.append(reading)

    def publish(
        self,
        *,
        alerts: Sequence[Alert] = (),
        incidents: Sequence[Incident] = (),
        overrides: Sequence[Override] = (),
        receipts: Sequence[Receipt] = (),
        access: tuple[Access, ...] | None = None,
        runs: Sequence[Run] = (),
        offers: tuple[Offer, ...] | None = None,
    ) -> Change:
        """Put what the engine itself has to say."""
        return self._put(
            alerts=tuple(alerts),
            incidents=tuple(incidents),
            overrides=tuple(overrides),
            receipts=tuple(receipts),
            access=access,
            runs=tuple(runs),
            offers=offers,
        )

    def say(self, kind: LogKind, words: str, *, ref: Ref | None = None, operator: str = "", outcome: str = "") -> None:
        """Put one line on the timeline; `words` must be clean (`domain.text.clean`) where they hold backend text."""
        entry = LogEntry(
            id=self._next_log_id,
            at=self._clock.now(),
            kind=kind,
            words=words,
            ref=ref,
            operator=operator,
            outcome=outcome,
        )
        self._next_log_id += 1
        self._put(log=(entry,))

    def recall(self, entries: Sequence[LogEntry]) -> None:
        """Put lines of the engine before in front of the timeline, oldest first, so that a new screen begins with them.

        No change is sent: they are no news.
        """
        first = self.board.log[0].id if self.board.log else self._next_log_id
        older = [entry for entry in entries if entry.id < first]
        self.board.log = (older + self.board.log)[-LOG_KEPT:]

    def snapshot(self) -> Snapshot:
        """Everything, as a new screen needs it."""
        board = self.board
        return Snapshot(
            seq=board.seq,
            at=self._clock.now(),
            environment=board.environment,
            readings=tuple(self._stamped(reading) for reading in board.readings.values()),
            alerts=tuple(board.alerts.values()),
            incidents=tuple(board.incidents.values()),
            overrides=tuple(item for item in board.overrides.values() if item.state is not OverrideState.ENDED),
            receipts=tuple(board.receipts.values()),
            log=tuple(board.log),
            access=board.access,
            runs=tuple(board.runs.values()),
            offers=board.offers,
        )

    def _stamped(self, reading: AnyReading) -> AnyReading:
        """A source with the moment of its last good look, which alone is no change and so is not on the board."""
        if not isinstance(reading, Source):
            return reading
        return msgspec.structs.replace(reading, last_ok_at=self.board.observed.get(reading.ref.name))

    def last_ok(self, source: str) -> float | None:
        """Unix seconds of a source's last good look."""
        return self.board.observed.get(source)

    def is_fresh(self, ref: Ref) -> bool:
        """Whether the reading of `ref` may be believed now."""
        return self.board.freshness(ref) is Freshness.FRESH

    def _put(
        self,
        *,
        readings: tuple[AnyReading, ...] = (),
        removed: tuple[Ref, ...] = (),
        observed: dict[str, float] | None = None,
        alerts: tuple[Alert, ...] = (),
        incidents: tuple[Incident, ...] = (),
        overrides: tuple[Override, ...] = (),
        receipts: tuple[Receipt, ...] = (),
        log: tuple[LogEntry, ...] = (),
        access: tuple[Access, ...] | None = None,
        runs: tuple[Run, ...] = (),
        offers: tuple[Offer, ...] | None = None,
    ) -> Change:
        change = Change(
            seq=self.board.seq + 1,
            at=self._clock.now(),
            readings=readings,
            removed=removed,
            observed=observed or {},
            alerts=alerts,
            incidents=incidents,
            overrides=overrides,
            receipts=receipts,
            log=log,
            access=access,
            runs=runs,
            offers=offers,
        )
        self.board.apply(change)
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                _logger.exception("a listener failed at change %d", change.seq)
        return change

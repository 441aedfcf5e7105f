"""What was really seen of a stack for a while, heard again by detectors as if it had been longer.

A detector wants hours of a past before it says what is usual, and a test has no hours. So what the product's own
adapters saw is kept, and told again and again at a spacing that is said, on a clock that does not wait.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec import structs

from console.config import Environment
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.answers import ANSWERS_STEP_S, Answers, AnswersQuery
from console.domain.errors import BackendError
from console.domain.freshness import Freshness, stale_after_s
from console.domain.ports import Adapter, Answering
from console.domain.readings import Observation, Source
from console.domain.refs import Kind, Ref
from console.engine.clock import SteppedClock
from console.engine.detectors.catalogue import detectors
from console.engine.diagnosis import Diagnosis
from console.engine.store import Store
from console.engine.watch import Watch

LOOK_S = 15.0
"""A look is told to be so long after the one before."""
LOUD = (Severity.TICKET, Severity.PAGE)


@dataclass(slots=True)
class Seen:
    """What was seen of a gateway and of what it answered, oldest first."""

    looks: list[Observation] = field(default_factory=list)
    minutes: list[tuple[Answers, ...]] = field(default_factory=list)
    """Each is told as a whole minute."""


async def look_while(working: "asyncio.Task[None]", gateway: Adapter, every_s: float) -> list[Observation]:
    """Look at a gateway again and again while something goes on.

    The first look, which has nothing to compare with, is left out, and so are those that a busy gateway did not answer.
    """
    looks = []
    while not working.done():
        with suppress(BackendError):
            looks.append(await gateway.observe())
        await asyncio.sleep(every_s)
    await working
    return looks[1:]


async def answered(traces: Answering, source: str, since: float, until: float) -> list[tuple[Answers, ...]]:
    """The minutes of answers that ended after `since` and not after `until` (unix seconds), oldest first."""
    rows = await traces.answers(AnswersQuery(source=source, since=since, until=until))
    return [tuple(row for row in rows if row.at == at) for at in sorted({row.at for row in rows})]


class Hearing:
    """The engine's own detectors and diagnosis, on a clock that does not wait."""

    def __init__(self, gateway: str, traces: str, begin: float) -> None:
        """`gateway` and `traces` are the sources' names; time begins at `begin` (unix seconds)."""
        self.clock = SteppedClock(begin)
        self.store = Store("past", self.clock)
        self.watch = Watch(detectors(Environment(sources={})), self.store, self.clock)
        self._diagnosis = Diagnosis(self.store, self.clock)
        self._sources = gateway, traces
        self.store.listen(self.watch.feed)

    def tell(self, seen: Seen, until: float) -> Iterator[float]:
        """Tell what was seen, over and over, until a moment (unix seconds); yields each moment, judged."""
        gateway, traces = self._sources
        looked = minute = 0
        while self.clock.now() + LOOK_S <= until:
            self.clock.move_to(now := self.clock.now() + LOOK_S)
            look = seen.looks[looked % len(seen.looks)]
            looked += 1
            self.store.observe(_source(gateway, now), _again(look, now))
            if now % ANSWERS_STEP_S < LOOK_S and seen.minutes:
                at = now // ANSWERS_STEP_S * ANSWERS_STEP_S
                rows = seen.minutes[minute % len(seen.minutes)]
                minute += 1
                self.watch.hear(traces, tuple(structs.replace(row, at=at) for row in rows))
            self.watch.tick()
            self._diagnosis.tick()
            yield now

    def loud(self, wanted: Callable[[Alert], bool] = lambda _: True) -> list[Alert]:
        """The tickets and pages that fire."""
        return [
            alert
            for alert in self.store.board.alerts.values()
            if alert.state is AlertState.FIRING and alert.severity in LOUD and wanted(alert)
        ]


def _again(look: Observation, now: float) -> Observation:
    readings = tuple(structs.replace(reading, observed_at=now) for reading in look.readings)
    return structs.replace(look, observed_at=now, readings=readings)


def _source(name: str, now: float) -> Source:
    return Source(
        ref=Ref(name, Kind.SOURCE, name),
        observed_at=now,
        adapter="litellm",
        freshness=Freshness.FRESH,
        interval_s=LOOK_S,
        last_ok_at=now,
        since=now,
        stale_after_s=stale_after_s(LOOK_S),
    )

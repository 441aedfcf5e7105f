"""The observing half of one environment: pollers, memory, detectors and journal, under one supervisor."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any

from console.config import Environment
from console.domain.analysis import Analysis, DetectorState
from console.domain.answers import Answers
from console.domain.ports import Answering, Clock, Traces
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import LOG_KEPT, AlertMark, Change, History, HistoryQuery, LogEntry, LogKind, LogQuery
from console.engine.analysis import Analyst
from console.engine.answered import AnsweredLately
from console.engine.answers import AnswersWatch
from console.engine.detectors.burn import BurnRate
from console.engine.detectors.catalogue import detectors, one_of
from console.engine.detectors.divergence import Divergent
from console.engine.diagnosis import Diagnosis
from console.engine.divergence import MarksWatch
from console.engine.history import Memory
from console.engine.journal import Journal
from console.engine.knowledge import NO_KNOWLEDGE, Knowledge
from console.engine.learning import Learning
from console.engine.poller import Poller
from console.engine.slots import Slots
from console.engine.store import Store
from console.engine.watch import Watch

log = logging.getLogger(__name__)

TICK_S = 1.0
RESTART_S = 1.0
"""A task of the engine's own that fails is started again after this long."""
SPREAD_S = 0.04
"""First looks are spread so that this long passes between two of them: each reads everything there is, once."""
LONGEST_SPREAD_S = 20.0
"""… but all have begun after this long."""
RECALL = ((6 * 3600.0, 60.0), (72 * 3600.0, 1800.0))
"""(window, slot) in seconds that a burn window is given back from the journal when its object is first seen."""
SETTLED_S = 60.0
"""What objectives cannot judge yet is said this long after the start, when their objects are known."""


class Engine:
    """Observes one environment until its `run` is cancelled. A fault inside is contained, logged and said."""

    def __init__(
        self,
        config: Environment,
        store: Store,
        pollers: Mapping[str, Poller],
        journal: Journal,
        clock: Clock,
        traces: Mapping[str, Traces] | None = None,
    ) -> None:
        """`traces`: the trace stores among the sources: their marks are watched for disagreements, and, where they
        count what models answer, their answers for what is wrong with them."""
        self._store = store
        self._pollers = dict(pollers)
        self._journal = journal
        self._clock = clock
        self._memory = Memory(clock.now(), journal.keep)
        judges = detectors(config)
        self._burn = one_of(judges, BurnRate)
        self._watch = Watch(judges, store, clock)
        self._diagnosis = Diagnosis(store, clock, self._known)
        self._analyst = Analyst(store.board, self.history, clock)
        self._learning = Learning(self._watch, journal, clock)
        self.answered = AnsweredLately()
        """What deployments answered lately, counted."""
        self._marks = {
            source: MarksWatch(
                source,
                traced,
                clock,
                one_of(judges, Divergent).found,
                partial(store.say, LogKind.SOURCE),
                window_s=config.divergence.window,
                every_s=config.divergence.every,
            )
            for source, traced in (traces or {}).items()
        }
        self._answers = {
            source: AnswersWatch(
                source, traced, clock, self._answered, self._watch.heard_to, partial(store.say, LogKind.SOURCE)
            )
            for source, traced in (traces or {}).items()
            if isinstance(traced, Answering)
        }
        self._objectives_said = not config.objectives
        self._began_at = clock.now()
        journal.listen(store)
        store.listen(self._hear)

    async def run(self) -> None:
        """Poll, remember, detect and journal until cancelled.

        Raises:
            asyncio.CancelledError: and nothing else.
        """
        self._store.recall((await self._journal.log(LogQuery(limit=LOG_KEPT)))[::-1])
        self._watch.restore(await self._journal.alerts())
        self._diagnosis.restore(*await self._journal.incidents())
        await self._learning.recall()
        try:
            async with asyncio.TaskGroup() as tasks:
                spread = min(LONGEST_SPREAD_S, SPREAD_S * (len(self._pollers) - 1))
                for name, poller in self._pollers.items():
                    tasks.create_task(self._supervised(f"source {name}", partial(poller.run, spread)))
                for name, marks in self._marks.items():
                    tasks.create_task(self._supervised(f"marks of {name}", marks.run))
                for name, answers in self._answers.items():
                    tasks.create_task(self._supervised(f"answers of {name}", answers.run))
                tasks.create_task(self._supervised("watch", self._tick))
                tasks.create_task(self._supervised("recall", self._recall))
        finally:
            self._learning.keep()

    def mark(self, mark: AlertMark, operator: str) -> None:
        """Acknowledge or silence an alert, or all those of an incident.

        Raises:
            Refusal: no such alert is pending or firing, or the time makes no sense.
        """
        try:
            alerts = self._diagnosis.alerts_of(mark.alert_id)
        except KeyError:
            self._watch.mark(mark, operator)
        else:
            self._watch.mark_all(alerts, mark, operator)

    async def analysis(self) -> Analysis:
        """What there is to say of the whole platform now."""
        return await self._analyst.analysis()

    def detectors(self) -> tuple[DetectorState, ...]:
        """What each detector watches, and what it cannot judge yet."""
        return self._watch.states()

    async def history(self, query: HistoryQuery) -> History:
        """The past of one object: from memory, and from the journal where memory does not reach back."""
        now = self._clock.now()
        remembered = self._memory.answer(query, now)
        if remembered.series and remembered.start >= self._memory.reaches_back_to:
            return remembered
        slots = Slots.of(query, now)
        slots.fill(remembered)
        slots.fill(await self._journal.history(query))
        return slots.history(query.ref)

    def lately(self, ref: Ref, metric: str, seconds: float) -> tuple[float | None, ...]:
        """One metric over the last so many seconds, an hour at the most: a mean for every 15 s, the oldest first."""
        return self._memory.lately(ref, metric, seconds, self._clock.now())

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        """A page of the timeline, newest first."""
        return await self._journal.log(query)

    def poll_soon(self, source: str) -> None:
        """Look at a source as soon as its budget allows; a name that is not known is ignored."""
        if poller := self._pollers.get(source):
            poller.poll_soon()

    def _known(self, source: str) -> Knowledge:
        """What the services of a trace store answer from."""
        marks = self._marks.get(source)
        return NO_KNOWLEDGE if marks is None else marks.knowledge

    def _answered(self, source: str, rows: tuple[Answers, ...]) -> Iterator[None]:
        self.answered.hear(rows)
        return self._watch.hearing(source, rows)

    def _hear(self, change: Change) -> None:
        self._memory.feed(change)
        self._watch.feed(change)

    async def _tick(self) -> None:
        while True:
            self._memory.roll(self._clock.now())
            self._watch.tick()
            self._diagnosis.tick()
            self._learning.tick()
            self._journal.tick()
            self._say_objectives()
            await self._clock.sleep(TICK_S)

    async def _recall(self) -> None:
        """Give objectives back what the journal knows from before this engine."""
        while True:
            for ref in self._burn.newly_watched():
                for window_s, slot_s in RECALL:
                    query = HistoryQuery(ref=ref, window_s=window_s, points=round(window_s / slot_s))
                    self._burn.recall(await self._journal.history(query))
            await self._clock.sleep(TICK_S)

    def _say_objectives(self) -> None:
        if not self._objectives_said and self._clock.now() - self._began_at >= SETTLED_S:
            self._objectives_said = True
            for words in self._burn.unknown(self._clock.now()):
                self._store.say(LogKind.ENGINE, clean(words, 300))

    async def _supervised(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task of the engine's own; one that fails is said and started again."""
        while True:
            try:
                await work()
            except Exception as error:
                log.exception("%s failed", what)
                words = f"{what}: a fault in the engine ({type(error).__name__}: {error}); it is started again"
                self._store.say(LogKind.ENGINE, clean(words, 300))
            await self._clock.sleep(RESTART_S)

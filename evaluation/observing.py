"""The observing half of an engine, without its tasks and its journal: the same parts, asked in turn."""

from collections.abc import Mapping
from functools import partial

from console.config import Environment
from console.domain.answers import Answers
from console.domain.ports import Adapter, Answering, Clock, Traces
from console.domain.wire import Change, LogKind
from console.engine.answers import AnswersWatch
from console.engine.detectors.catalogue import detectors, one_of
from console.engine.detectors.divergence import Divergent
from console.engine.diagnosis import Diagnosis
from console.engine.divergence import MarksWatch
from console.engine.knowledge import NO_KNOWLEDGE, Knowledge
from console.engine.store import Store
from console.engine.watch import Watch


class Observing:
    """Every detector of the catalogue at its defaults, and the diagnosis, fed as the engine feeds them."""

    def __init__(
        self, config: Environment, store: Store, adapters: Mapping[str, Adapter], clock: Clock, *, judging: bool = True
    ) -> None:
        """Wire them; without `judging` only the answers are read."""
        self._judging = judging
        judges = detectors(config)
        self._watch = Watch(judges, store, clock)
        self._diagnosis = Diagnosis(store, clock, self._known)
        self.heard: list[Answers] = []
        """The minutes of answers that were read last; whoever else wants them takes them from here."""
        self._marks = {
            source: MarksWatch(
                source,
                adapter,
                clock,
                one_of(judges, Divergent).found,
                partial(store.say, LogKind.SOURCE),
                window_s=config.divergence.window,
                every_s=config.divergence.every,
            )
            for source, adapter in adapters.items()
            if isinstance(adapter, Traces)
        }
        self._answers = [
            AnswersWatch(source, adapter, clock, self._hear, self._watch.heard_to, partial(store.say, LogKind.SOURCE))
            for source, adapter in adapters.items()
            if isinstance(adapter, Answering)
        ]
        store.listen(self._feed)

    async def read(self, *, marks: bool = True) -> None:
        """Ask the trace stores for what no look shows: answers of the minutes that are over and, if wanted, marks."""
        self.heard = []
        for answers in self._answers:
            await answers.look()
        for watch in self._marks.values() if self._judging and marks else ():
            await watch.look()

    def judge(self) -> None:
        """Ask every detector what is wrong now, and the diagnosis who is to blame."""
        if self._judging:
            self._watch.tick()
            self._diagnosis.tick()

    def _known(self, source: str) -> Knowledge:
        """What the services of a trace store answer from."""
        watch = self._marks.get(source)
        return NO_KNOWLEDGE if watch is None else watch.knowledge

    def _feed(self, change: Change) -> None:
        if self._judging:
            self._watch.feed(change)

    def _hear(self, source: str, rows: tuple[Answers, ...]) -> None:
        self.heard += rows
        if self._judging:
            self._watch.hear(source, rows)

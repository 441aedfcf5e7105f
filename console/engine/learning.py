"""What detectors have learnt, kept in the journal now and then, and given back to those of the next engine."""

from console.domain.ports import Clock
from console.engine.journal import Journal
from console.engine.watch import Watch

KEEP_EVERY_S = 300.0
"""What a detector has learnt is kept this often; an engine that is killed forgets so much at the most."""


class Learning:
    """Keeps one detector at a time, so that no tick is long."""

    def __init__(self, watch: Watch, journal: Journal, clock: Clock) -> None:
        self._watch = watch
        self._journal = journal
        self._clock = clock
        self._due_at = clock.now() + KEEP_EVERY_S
        self._waiting: list[str] = []

    async def recall(self) -> None:
        """Give every detector back what it had learnt; before the first tick."""
        self._watch.recall(await self._journal.learnt())

    def tick(self) -> None:
        """Keep the next one, when it is time; to be called about once a second."""
        now = self._clock.now()
        if now >= self._due_at:
            self._due_at = now + KEEP_EVERY_S
            self._waiting = list(self._watch.learners)
        if self._waiting:
            self._keep(self._waiting.pop())

    def keep(self) -> None:
        """Keep all of them now: the engine ends."""
        for name in self._watch.learners:
            self._keep(name)

    def _keep(self, name: str) -> None:
        state = self._watch.remember(name)
        if state is not None:
            self._journal.keep_learnt(name, state)

"""Looks at one trace store's marks every few seconds, and tells a detector where services disagree."""

import asyncio
import logging
from collections.abc import Callable

from console.domain.conversations import Divergence, Mark, MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Clock, Traces
from console.domain.text import clean
from console.engine.knowledge import Knowledge, knowledge_of

log = logging.getLogger(__name__)

TIMEOUT_S = 20.0
"""How long one answer may take: the first reaches two windows back, page by page in some stores."""
OVERLAP_S = 180.0
"""What began so long ago is asked for again: spans come late, and a request says its conversation at its end."""
MARKS_MOST = 50_000
"""Marks that are held and judged, the newest of them."""
REST = 20.0
"""After judging it rests for at least this many times as long as that took."""
UNSUPPORTED_S = 600.0
"""A store that keeps nothing of it is asked again after this long."""

Tell = Callable[[str, tuple[Divergence, ...]], None]
"""(trace source, all that disagreed within the window)."""
Say = Callable[[str], None]
"""Puts a sentence on the timeline."""


class MarksWatch:
    """One trace store's marks of the last two windows, and what follows from them.

    Two windows, because what is judged lies in the last one, and what it is held against up to one window before.
    """

    def __init__(
        self, source: str, store: Traces, clock: Clock, tell: Tell, say: Say, *, window_s: float, every_s: float
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._tell = tell
        self._say = say
        self._window_s = window_s
        self._every_s = every_s
        self._marks: dict[tuple[str, str, MarkKind, str, str], Mark] = {}
        self._read_to: float | None = None
        self._failing = False
        self._crowded = False
        self._judged_s = 0.0
        """How long the last judging took."""
        self._found: tuple[Divergence, ...] = ()
        self._knowledge: Knowledge | None = None

    @property
    def knowledge(self) -> Knowledge:
        """Which indexes and memories the services use, as the marks of the last two windows say."""
        if self._knowledge is None:
            self._knowledge = knowledge_of(self._marks.values())
        return self._knowledge

    async def run(self) -> None:
        """Look until cancelled; nothing that a store does ends it."""
        while True:
            wait_s = self._every_s
            try:
                await self.look()
                wait_s = max(wait_s, REST * self._judged_s)
            except BackendError as error:
                if error.kind is ErrorKind.UNSUPPORTED:
                    wait_s = max(UNSUPPORTED_S, self._every_s)
                else:
                    self._fails(str(error.failure))
            except TimeoutError:
                self._fails(f"no answer within {TIMEOUT_S:.0f} s")
            except Exception as error:
                log.exception("marks of %s", self._source)
                self._fails(f"{type(error).__name__}: {error}")
            await self._clock.sleep(wait_s)

    async def look(self) -> None:
        """Ask once, judge, and tell.

        Raises:
            BackendError: as `Traces.marks`.
            TimeoutError: it took too long.
        """
        now = self._clock.now()
        oldest = now - 2 * self._window_s
        since = oldest if self._read_to is None else max(oldest, self._read_to - OVERLAP_S)
        kinds = (MarkKind.RETRIEVAL, MarkKind.MEMORY)
        async with asyncio.timeout(TIMEOUT_S):
            marks = await self._store.marks(MarkQuery(source=self._source, since=since, kinds=kinds, limit=MARKS_MOST))
        self._read_to = now
        if self._failing:
            self._failing = False
            self._say(f"{self._source}: which knowledge services answer from is seen again")
        if self._take(marks, oldest):
            self._knowledge = None
            begin = self._clock.monotonic()
            self._found = await asyncio.to_thread(_judge, tuple(self._marks.values()), self._window_s)
            self._judged_s = self._clock.monotonic() - begin
        self._tell(self._source, tuple(one for one in self._found if one.last_at >= now - self._window_s))

    def _take(self, marks: tuple[Mark, ...], oldest: float) -> bool:
        """Hold what is new and let go of what is old; whether that may make a difference."""
        different = False
        for mark in marks:
            key = (mark.trace_id, mark.span_id, mark.kind, mark.source, mark.key)
            if self._marks.get(key) != mark:
                self._marks[key] = mark
                different = True
        gone = [key for key, mark in self._marks.items() if mark.at < oldest]
        for key in gone:
            del self._marks[key]
        if len(self._marks) > MARKS_MOST:
            newest = sorted(self._marks.items(), key=lambda item: item[1].at)[-MARKS_MOST:]
            self._marks = dict(newest)
        if len(marks) >= MARKS_MOST or len(self._marks) >= MARKS_MOST:
            self._say_crowded()
        return different or bool(gone and self._found)

    def _say_crowded(self) -> None:
        if not self._crowded:
            self._crowded = True
            self._say(
                f"{self._source}: more than {MARKS_MOST:,} reads of snapshots and memory in "
                f"{self._window_s / 30.0:.0f} min; disagreements are looked for among the newest"
            )

    def _fails(self, why: str) -> None:
        """Said when it begins; what was found before stands until it is known better."""
        if not self._failing:
            self._failing = True
            self._say(
                f"{self._source}: which knowledge services answer from cannot be asked ({clean(why, 160)}); "
                "new disagreements are not seen until it answers"
            )


def _judge(marks: tuple[Mark, ...], window_s: float) -> tuple[Divergence, ...]:
    from console.traces.split import divergences

    return divergences(marks, window_s)

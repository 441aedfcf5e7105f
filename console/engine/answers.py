"""Asks one trace store for each minute of counted answers once it is over, and tells it to the detectors, once."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from itertools import groupby

from console.domain.answers import ANSWERS_STEP_S, LATE_S, Answers, AnswersQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Answering, Clock
from console.domain.text import clean

log = logging.getLogger(__name__)

EVERY_S = 15.0
"""How often a store is asked whether a minute is over."""
TIMEOUT_S = 20.0
"""How long one answer may take."""
BACK_S = 3600.0
"""At a start, and after a store was away, it is asked for so much of the past at the most."""
AT_ONCE_S = 900.0
"""Longer pasts are asked for in pieces of this length."""
UNSUPPORTED_S = 600.0
"""A store that keeps nothing of it is asked again after this long."""

Tell = Callable[[str, tuple[Answers, ...]], Iterator[None] | None]
"""(trace source, one whole minute). What it gives back, if anything, are steps: others have their turn after each."""
Heard = Callable[[str], float | None]
"""Up to which minute (unix seconds) a trace source was told by the engine before; None: never."""
Say = Callable[[str], None]
"""Puts a sentence on the timeline."""


class AnswersWatch:
    """One trace store's minutes, in their order. What is told twice would count twice, so nothing is."""

    def __init__(self, source: str, store: Answering, clock: Clock, tell: Tell, heard: Heard, say: Say) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._tell = tell
        self._heard = heard
        self._say = say
        self._told_to: float | None = None
        self._failing = False

    async def run(self) -> None:
        """Look until cancelled; nothing that a store does ends it."""
        while True:
            wait_s = EVERY_S
            try:
                await self.look()
            except BackendError as error:
                if error.kind is ErrorKind.UNSUPPORTED:
                    wait_s = UNSUPPORTED_S
                else:
                    self._fails(str(error.failure))
            except TimeoutError:
                self._fails(f"no answer within {TIMEOUT_S:.0f} s")
            except Exception as error:
                log.exception("answers of %s", self._source)
                self._fails(f"{type(error).__name__}: {error}")
            await self._clock.sleep(wait_s)

    async def look(self) -> None:
        """Ask for the minutes that are over and were not told, and tell them.

        Raises:
            BackendError: as `Answering.answers`.
            TimeoutError: it took too long.
        """
        until = math.floor((self._clock.now() - LATE_S) / ANSWERS_STEP_S) * ANSWERS_STEP_S
        told_to = self._heard(self._source) if self._told_to is None else self._told_to
        since = max(until - BACK_S, told_to or 0.0)
        while since < until:
            end = min(until, since + AT_ONCE_S)
            async with asyncio.timeout(TIMEOUT_S):
                rows = await self._store.answers(AnswersQuery(source=self._source, since=since, until=end))
            if self._failing:
                self._failing = False
                self._say(f"{self._source}: what models answer is seen again")
            new = sorted((row for row in rows if since < row.at <= end), key=lambda row: row.at)
            self._told_to = since = end  # before it is told: what fails in there must not count twice
            for _, minute in groupby(new, key=lambda row: row.at):
                for _ in self._tell(self._source, tuple(minute)) or ():
                    await self._clock.sleep(0.0)  # a minute of a large platform is a quarter of a second of work …
                await self._clock.sleep(0.0)  # … and an hour seconds: others get their turn

    def _fails(self, why: str) -> None:
        """Said when it begins."""
        if not self._failing:
            self._failing = True
            self._say(
                f"{self._source}: what models answer cannot be asked ({clean(why, 160)}); "
                "whether answers are right is not judged until it answers"
            )

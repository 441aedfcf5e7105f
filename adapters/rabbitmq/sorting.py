"""Setting some of a queue's messages aside and leaving the others: only possible by reading them.

Those that are wanted are published to the target and acknowledged once the broker has confirmed them. The others are
held unacknowledged until the end and then given back, each to the place that it had. Only classic queues: a quorum
queue counts what is given back as a failed delivery.

An alarm of the broker blocks a connection that publishes, for whatever it asks: it halts, says why, and goes on when
the alarm is over. What waits is therefore counted on a connection of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from adapters.pace import Pace
from adapters.rabbitmq.alarms import Alarms
from adapters.rabbitmq.amqp import Amqp, in_taxonomy
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import Counter
from adapters.rabbitmq.holding import existing
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.shovels import PRIORITY
from console.domain.actions import Progress

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel, DeliveredMessage

T = TypeVar("T")

TELL_S = 1.0
NOTHING_S = 1.0
"""After so long without a message it is asked whether any waits."""
ON_THE_WAY = 500
"""Messages that are published and not confirmed at a time: the most that can come twice after a crash."""
RETRY_HEADERS = ("retries", "x-retries", "x-retry", "x-retry-count", "retry-count", "x-attempt", "attempts")
"""Headers in which frameworks count tries; Celery's is `retries`. A number above 0 (attempts: above 1) is a retry."""
_FIRST_IS_ONE = ("x-attempt", "attempts")


class Which(StrEnum):
    """Which messages are wanted."""

    RETRIES = "retries"
    """Those that were tried before, as their headers say."""
    DEATHS = "deaths"
    """Those that died in one queue first."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What a sorting step says."""

    place: Place
    target: str
    which: Which
    of: str
    """The queue in which they died (DEATHS)."""
    total: int
    """Messages to look at: those that waited when it was planned."""
    base: int
    """Messages in the target before."""
    per_s: float | None = None
    """Messages a second that are put into the target, at the most."""


def wanted(sort: Sort, headers: dict[str, Any] | None) -> bool:
    """Whether a message with these headers is one of those to be moved."""
    headers = headers or {}
    if sort.which is Which.DEATHS:
        return _died_first_in(headers) == sort.of
    return bool(headers.get("x-death")) or any(_counts_tries(headers, name) for name in RETRY_HEADERS)


class Sorter:
    """Carries one sorting."""

    def __init__(self, broker: Broker, sort: Sort, tell: Callable[[Progress], None]) -> None:
        self._broker = broker
        self._clock = broker.clock
        self._sort = sort
        self._tell = tell
        self._amqp = Amqp(broker, sort.place.vhost)
        self._counter = Counter(broker, sort.place.vhost)
        self._alarms = Alarms(broker)
        self._pace = Pace(broker.clock)
        self._seen = self._moved = 0
        self._news = asyncio.Event()
        self._room = asyncio.Semaphore(ON_THE_WAY)
        self._next_at = broker.clock.monotonic()
        self._failure: BaseException | None = None

    async def carry(self) -> None:
        """Look at everything that waited, and move what is wanted.

        Raises:
            BackendError: the target takes no more, or what the broker answers; what is held is given back.
        """
        await existing(self._broker, self._sort.place)
        try:
            channel = await self._amqp.channel()
            async with in_taxonomy(self._amqp.where):
                await self._look_at_all(channel)
        finally:
            await asyncio.shield(self._amqp.close())
            await self._counter.close()

    async def _look_at_all(self, channel: "AbstractChannel") -> None:
        limit, tasks = self._sort.total, set[asyncio.Task[None]]()

        async def take(message: "DeliveredMessage") -> None:
            if self._seen >= limit:
                return  # later than what was asked for: given back with the others
            self._seen += 1
            self._news.set()
            if wanted(self._sort, message.header.properties.headers):
                task = asyncio.ensure_future(self._pass_on(channel, message))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        await channel.basic_qos(prefetch_count=0)
        answer = await channel.basic_consume(self._sort.place.queue, take, arguments={"x-priority": PRIORITY})
        try:
            while self._seen < limit and await self._more():
                await self._say()
            await self._meanwhile(channel.basic_cancel(str(answer.consumer_tag)))
            while tasks:
                await asyncio.wait(tasks, timeout=TELL_S)
                await self._say()
            await self._say()
            await self._meanwhile(channel.close())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _meanwhile(self, asked: Awaitable[T]) -> T:
        """What the broker answers, however long that takes, with the progress told until then."""
        answer = asyncio.ensure_future(asked)
        try:
            while not answer.done():
                await asyncio.wait({answer}, timeout=TELL_S)
                await self._say()
            return answer.result()
        finally:
            answer.cancel()

    async def _more(self) -> bool:
        """Whether more is coming."""
        self._news.clear()
        try:
            async with asyncio.timeout(NOTHING_S):
                await self._news.wait()
        except TimeoutError:
            return bool((await self._counter.ready(self._sort.place.queue))[0])
        await asyncio.sleep(0.05)
        return True

    async def _pass_on(self, channel: "AbstractChannel", message: "DeliveredMessage") -> None:
        async with self._room:
            await self._turn()
            if self._failure is not None:
                return
            try:
                properties = message.header.properties
                if properties.user_id not in (None, self._broker.options.user):
                    properties.user_id = None  # the broker takes it from nobody but that user
                await channel.basic_publish(
                    message.body, routing_key=self._sort.target, properties=properties, mandatory=True
                )
                await channel.basic_ack(message.delivery_tag or 0)
            except Exception as error:  # noqa: BLE001  told by `_say`, in the task that carries
                self._failure = error
                return
            self._moved += 1

    async def _turn(self) -> None:
        """Wait for this message's turn, where a rate is asked for."""
        if self._sort.per_s:
            now = self._clock.monotonic()
            at = self._next_at = max(self._next_at + 1 / self._sort.per_s, now)
            await self._clock.sleep(at - now)

    async def _say(self) -> None:
        if self._failure is not None:
            raise self._failure
        words = f"{self._seen:,} of {self._sort.total:,} looked at"
        if alarms := await self._alarms.look():
            words = f"{alarms}; it goes on by itself then; {words}"
        rate = self._pace.progress(self._moved, self._moved).per_s
        self._tell(Progress(done=self._moved, per_s=rate, words=words))


def _died_first_in(headers: dict[str, Any]) -> str:
    first = headers.get("x-first-death-queue")
    if isinstance(first, str):
        return first
    deaths = headers.get("x-death")
    last = deaths[-1] if isinstance(deaths, list) and deaths else None
    return str(last.get("queue", "")) if isinstance(last, dict) else ""


def _counts_tries(headers: dict[str, Any], name: str) -> bool:
    value = headers.get(name)
    least = 1 if name in _FIRST_IS_ONE else 0
    return isinstance(value, int) and not isinstance(value, bool) and value > least

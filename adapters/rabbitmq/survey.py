"""Reading all queues of the broker at a price that it can bear, however many there are.

Up to 500 queues one sorted page holds all of them. Up to 2,000 one listing does: it costs RabbitMQ hardly more than
a page, because for a page it has to look at every queue too. Beyond that the coarse numbers come from the metrics, and
only the queues that somebody looks at, and the worst, are asked for one by one.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from adapters.http import Server
from adapters.rabbitmq.ages import Arrivals
from adapters.rabbitmq.api import (
    BASE_COLUMNS,
    COARSE_COLUMNS,
    DETAIL_COLUMNS,
    PAGE_SIZE,
    SHAPE_COLUMNS,
    Page,
    Row,
)
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.coarse import MAX_PAGE_BYTES, CoarsePages
from adapters.rabbitmq.flow import Flow
from adapters.rabbitmq.names import Place, escaped
from adapters.rabbitmq.seen import Seen
from adapters.rabbitmq.shape import Shape, shape_of
from console.domain.errors import BackendError, ErrorKind, Failure

MOST_LISTED = 2000
"""Beyond so many queues a listing costs the broker too much."""
MOST_DETAILS = 20
"""Queues asked for one by one at each look because they are the worst; those looked at come on top."""
COUNT = {"page": "1", "page_size": "1", "columns": "name", "disable_stats": "true"}
"""Asks how many queues there are."""
SEED = {"msg_rates_age": "3600", "msg_rates_incr": "60", "columns": "name,message_stats"}
"""Asks for the counts of the last hour, one a minute: as much as the server keeps."""
_AT_ONCE = 4
_DETAILS = ",".join(DETAIL_COLUMNS)


class Way(StrEnum):
    """How the queues are read."""

    PAGE = "page"
    LISTING = "listing"
    METRICS = "metrics"
    TOTALS = "totals"
    """Like METRICS, where no metrics are configured: the management API's own totals, without its statistics."""


@dataclass(slots=True)
class Survey:
    """What one look at the queues brought."""

    queues: dict[Place, Seen] = field(default_factory=dict)
    problems: list[Failure] = field(default_factory=list)
    way: Way = Way.PAGE
    states: dict[Place, str] = field(default_factory=dict)
    """As a listing beside the metrics has them; they do not say it themselves."""


class Surveyor:
    """Looks at all queues, again and again, and remembers what does not change and what was counted."""

    def __init__(self, broker: Broker, metrics: list[Server]) -> None:
        """`metrics`: every node's; empty where none are configured."""
        self._broker = broker
        vhosts = tuple(broker.options.vhosts)
        self._pages = [CoarsePages(server, vhosts, lambda place: place in self.shapes) for server in metrics]
        self._count = -1
        """Queues in all virtual hosts at the last look; below zero when that is not known."""
        self._has_broken_names = False
        """Whether a queue's name breaks a line: on a page of metrics that does not escape it, the rest of such a name
        can pass for the numbers of another queue."""
        self._before: dict[Place, Seen] = {}
        self._worst: list[Place] = []
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self.shapes: dict[Place, Shape] = {}
        self.arrivals: dict[Place, Arrivals] = {}
        self.flows: dict[Place, Flow] = {}
        self.focus: frozenset[Place] = frozenset()
        """The queues that somebody looks at."""

    async def look(self, *, shapes: bool) -> Survey:
        """Read every queue; with `shapes` also what they were made to be.

        Raises:
            BackendError: no virtual host could be read.
        """
        if self._count < 0:
            await self._count_queues()
        way = self._way()
        survey = await self._read_with_details(way, shapes=shapes)
        if way is not (better := self._way()):  # more than was thought, or far fewer
            survey = await self._read_with_details(better, shapes=shapes)
        now = self._broker.clock.now()
        for place, seen in survey.queues.items():
            if seen.row is not None:
                self._count_arrivals(place, seen.row, now)
        await self._look_closer(survey, now)
        self._forget(survey.queues)
        self._before = survey.queues
        return survey

    async def _read_with_details(self, way: Way, *, shapes: bool) -> Survey:
        """Read every queue, and where that brings only coarse numbers, at the same time those queues one by one that
        somebody looks at or that were the worst the last time.

        Raises:
            BackendError: no virtual host could be read.
        """
        survey = Survey(way=way)
        rows: dict[Place, Row] = {}
        failures: list[BackendError] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(self._or_fails(self._read(survey, shapes=shapes), failures))
            if way in (Way.METRICS, Way.TOTALS):
                known = [place for place in dict.fromkeys((*self.focus, *self._worst)) if place in self._before]
                group.create_task(self._ask_for(known, survey, rows))
        if failures:
            raise failures[0]
        for place, row in rows.items():
            self._put(survey, place, row)
        return survey

    async def _or_fails(self, reading: Awaitable[None], failures: list[BackendError]) -> None:
        """An error out of a task group would come as a group of errors, and cancel the others."""
        try:
            await reading
        except BackendError as error:
            failures.append(error)

    async def _count_queues(self) -> None:
        """How many there are, before anything is asked that costs as much as there are queues."""
        count = 0
        for vhost in self._broker.options.vhosts:
            with contextlib.suppress(BackendError):  # the look itself will say what is wrong
                page = await self._broker.read(f"/api/queues/{escaped(vhost)}", Page, COUNT)
                count += page.total_count
        self._count = count

    def _way(self) -> Way:
        if self._count <= PAGE_SIZE:
            return Way.PAGE
        if self._count <= MOST_LISTED:
            return Way.LISTING
        return Way.METRICS if self._pages and not self._has_broken_names else Way.TOTALS

    async def _read(self, survey: Survey, *, shapes: bool) -> None:
        vhosts = self._broker.options.vhosts
        self._count = 0
        if survey.way is Way.METRICS:
            if shapes or not self.shapes:  # before the metrics: what is listed says how names are to be read there
                await self._each(survey, vhosts, lambda vhost: self._list(survey, vhost, shapes=shapes))
            if await self._read_metrics(survey):
                self._count = len(survey.queues)
                return
            survey.way, self._count = Way.TOTALS, 0
        await self._each(survey, vhosts, lambda vhost: self._list(survey, vhost, shapes=shapes))

    async def _each(self, survey: Survey, vhosts: Iterable[str], read: Callable[[str], Any]) -> None:
        """Do something for every virtual host; one that cannot be read is a problem, all of them an error."""
        failures: list[BackendError] = []
        names = list(vhosts)
        for vhost in names:
            try:
                await read(vhost)
            except BackendError as error:
                failures.append(error)
                survey.problems.append(error.failure)
        if len(failures) == len(names) and survey.way is not Way.METRICS:
            self._count = -1
            raise failures[0]

    async def _list(self, survey: Survey, vhost: str, *, shapes: bool) -> None:
        path = f"/api/queues/{escaped(vhost)}"
        columns = (*BASE_COLUMNS, *SHAPE_COLUMNS) if shapes else BASE_COLUMNS
        match survey.way:
            case Way.PAGE:
                order = {"sort": "messages_ready", "sort_reverse": "true", "page": "1", "page_size": str(PAGE_SIZE)}
                page = await self._broker.read(path, Page, {**order, "columns": ",".join(columns)})
                rows = page.items
                self._count += max(page.total_count, len(rows))
            case Way.LISTING:
                rows = await self._broker.read(path, list[Row], {"columns": ",".join(columns)})
                self._count += len(rows)
            case _:
                totals = {"disable_stats": "true", "enable_queue_totals": "true", "columns": ",".join(COARSE_COLUMNS)}
                rows = await self._broker.read(path, list[Row], totals, max_body=MAX_PAGE_BYTES)
                self._count += len(rows)
        self._take(survey, vhost, rows)

    def _take(self, survey: Survey, vhost: str, rows: list[Row]) -> None:
        full = survey.way in (Way.PAGE, Way.LISTING)
        self._has_broken_names = any("\n" in row.name for row in rows)
        for row in rows:
            place = Place(vhost, row.name)
            shape = self.shapes.get(place)
            if row.arguments is not None or shape is None:
                shape = self.shapes[place] = shape_of(row, shape)
            if survey.way is Way.METRICS:  # this listing is about shapes; the numbers come from elsewhere
                survey.states[place] = row.state or "running"
                continue
            if seen := self._seen(place, row, shape):
                survey.queues[place] = seen
                seen.row = row if full else None

    def _seen(self, place: Place, row: Row, shape: Shape) -> Seen | None:
        """What a row says. One without a word about its messages (declared a moment ago, or down) has those that it
        had; None where that is not known either and nothing is wrong with it."""
        state = row.state or "running"
        if row.messages_ready is not None:
            return Seen(row.ready, row.unacked, row.consumers, state, shape, row)
        before = self._before.get(place)
        if before is None:
            return None if state == "running" else Seen(0, 0, row.consumers, state, shape, row)
        return Seen(before.ready, before.unacked, row.consumers, state, shape, row)

    async def _read_metrics(self, survey: Survey) -> bool:
        """Read every node's metrics; False when not one of them can be read."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._metrics_of(pages, survey)) for pages in self._pages]
        for queues in (task.result() for task in tasks):
            survey.queues.update(queues or {})
        for place, state in survey.states.items():
            if seen := survey.queues.get(place):
                seen.shape, seen.state = self.shapes[place], state
        return any(task.result() is not None for task in tasks)

    async def _metrics_of(self, pages: CoarsePages, survey: Survey) -> dict[Place, Seen] | None:
        try:
            return await pages.read()
        except BackendError as error:
            survey.problems.append(error.failure)
            return None

    async def _look_closer(self, survey: Survey, now: float) -> None:
        """Ask for the single queues of which more can be said and that have not been asked for yet."""
        self._worst = [place for _, _, place in heapq.nlargest(MOST_DETAILS, self._waiting(survey))]
        if survey.way in (Way.METRICS, Way.TOTALS):
            of_interest = [place for place in dict.fromkeys((*self.focus, *self._worst)) if place in survey.queues]
            wanted = [place for place in of_interest if survey.queues[place].row is None]
        else:
            of_interest = self._worst
            wanted = [place for place in of_interest if survey.queues[place].shape.priorities]
        rows: dict[Place, Row] = {}
        await self._ask_for(wanted, survey, rows)
        for place, row in rows.items():
            self._put(survey, place, row)
            self._count_arrivals(place, row, now)
        unseeded = [place for place in of_interest if place in self.arrivals and not self.arrivals[place].seeded]
        async with asyncio.TaskGroup() as group:
            for place in unseeded:
                group.create_task(self._seed(place, self.arrivals[place]))

    def _waiting(self, survey: Survey) -> list[tuple[int, int, Place]]:
        """(ready, in flight, queue) of every queue of others that is not empty."""
        held = self._broker.names.held
        return [
            (seen.ready, seen.unacked, place)
            for place, seen in survey.queues.items()
            if (seen.ready or seen.unacked) and not held(place.queue)
        ]

    async def _ask_for(self, places: list[Place], survey: Survey, rows: dict[Place, Row]) -> None:
        """Ask for single queues, a few at once."""
        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(self._ask(place, survey, rows))

    async def _ask(self, place: Place, survey: Survey, rows: dict[Place, Row]) -> None:
        async with self._limit:
            try:
                rows[place] = await self._broker.read(place.path, Row, {"columns": _DETAILS})
            except BackendError as error:
                if error.kind is not ErrorKind.UNSUPPORTED:  # deleted meanwhile
                    survey.problems.append(error.failure)

    def _put(self, survey: Survey, place: Place, row: Row) -> None:
        """Put what was found of one queue into the place of what was known."""
        coarse = survey.queues.get(place)
        shape = self.shapes[place] = shape_of(row, self.shapes.get(place))
        seen = self._seen(place, row, shape)
        if seen is not None and coarse is not None:
            if seen.consumers is None:
                seen.consumers = coarse.consumers
            survey.queues[place] = seen

    async def _seed(self, place: Place, arrivals: Arrivals) -> None:
        """Take the publish counts of the last hour from the server. Nothing else of that answer is of use: all its
        counts are as of the last full minute."""
        async with self._limit:
            try:
                row = await self._broker.read(place.path, Row, SEED)
            except BackendError:
                return  # the next look asks again
        details = row.message_stats.publish_details if row.message_stats is not None else None
        samples = details.samples if details is not None else ()
        arrivals.seed([(one.timestamp / 1000, one.sample) for one in samples])

    def _count_arrivals(self, place: Place, row: Row, now: float) -> None:
        arrivals = self.arrivals.get(place)
        if arrivals is None:
            arrivals = self.arrivals[place] = Arrivals()
        stats = row.message_stats
        flow = self.flows.get(place)
        if flow is None:
            flow = self.flows[place] = Flow()
        flow.mark(now, stats)
        if row.messages_ready is None:
            return
        published = 0.0 if stats is None or stats.publish is None else stats.publish
        arrivals.mark(now, published, row.ready + row.unacked)

    def _forget(self, queues: dict[Place, Seen]) -> None:
        """Queues that are gone take nothing with them."""
        memories: tuple[dict[Place, Any], ...] = (self.shapes, self.arrivals, self.flows)
        for memory in memories:
            if len(memory) > len(queues) + 64:
                for place in [place for place in memory if place not in queues]:
                    del memory[place]

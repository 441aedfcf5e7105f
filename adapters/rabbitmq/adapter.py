"""The RabbitMQ adapter: looks at every queue and says what it saw; acting is in the modules about moving messages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from adapters.http import Server
from adapters.rabbitmq import acting, proofs
from adapters.rabbitmq.abilities import Powers, powers_of
from adapters.rabbitmq.api import Parameter, Shovel
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.checks import check_rows
from adapters.rabbitmq.dead_letters import DeadLetters
from adapters.rabbitmq.names import Place, escaped
from adapters.rabbitmq.notes import notes_of
from adapters.rabbitmq.readings import Moment, Readings, paused_places
from adapters.rabbitmq.standing import Standing, find_standing, read_shovels
from adapters.rabbitmq.survey import Survey, Surveyor
from console.domain.actions import Plan, Progress, Proof, QueueAction, Step
from console.domain.errors import BackendError, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import Observation
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

STANDING_EVERY_S = 60.0
"""How often it is found out anew what the user may do and how the nodes are."""
_EARLY_S = 0.5
"""A poll that comes a moment early is still that poll."""
_NEVER = float("-inf")


class RabbitMQAdapter:
    """One broker (or cluster): its queues, and what was found out about it."""

    def __init__(self, context: AdapterContext, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        """`transport` replaces the network for every node; tests play recordings through it."""
        self.broker = Broker(context, transport)
        timeout_s = 0.8 * context.timeout_s
        urls = self.broker.options.prometheus
        self._metrics = [Server(url, timeout_s=timeout_s, transport=transport) for url in urls]
        self._surveyor = Surveyor(self.broker, self._metrics)
        self._readings = Readings(self.broker, context.feeds)
        self._dead = DeadLetters(self.broker)
        self._clock = context.clock
        self._standing: Standing | None = None
        self._shovels: list[Shovel] = []
        self._why_no_shovels = ""
        self._asked_for: list[Parameter] = []
        self._powers = self._find_powers()
        self._standing_due = self._shapes_due = _NEVER
        self._counted = 0

    async def observe(self) -> Observation:
        """Look at every queue; see `ports.Adapter`."""
        now = self._clock.now()
        problems: list[Failure] = []
        shapes = now >= self._shapes_due
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._survey(shapes=shapes))
            group.create_task(self._or_problem(self._look_at_standing(now), problems))
            group.create_task(self._or_problem(self._look_at_shovels(asked_for=shapes), problems))
            group.create_task(self.broker.look_after_others())
        survey = looking.result()
        if isinstance(survey, BackendError):
            raise survey
        if shapes:
            self._shapes_due = now + self.broker.options.shape_every - _EARLY_S
            await self._or_problem(self._dead.find_ways(self._surveyor.shapes), problems)
        if self.broker.options.peek:
            problems += await self._dead.peek(self._surveyor.focus, survey.queues, now)
        if (powers := self._find_powers()) != self._powers:
            self._powers = powers
        moment = self._moment(now, survey)
        readings = self._readings.of(moment)
        notes = notes_of(moment, survey, self._standing, self._stray_shovels(), self.broker)
        return Observation(
            observed_at=now,
            readings=readings,
            replicas=tuple(node.status() for node in self.broker.nodes),
            problems=(*survey.problems, *problems),
            notes=notes,
            requests=self._requests_since(),
        )

    def focus(self, refs: tuple[Ref, ...]) -> None:
        """See `ports.Focused`."""
        places = (self.broker.refs.place(ref.name) for ref in refs if ref.kind is Kind.QUEUE)
        self._surveyor.focus = frozenset(place for place in places if place is not None)

    async def plan_queue(self, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
        """See `ports.Queues`."""
        await self._know_enough()
        return await acting.plan_queue(self.broker, self._powers, self._dead, target, action)

    async def generation(self, plan: Plan) -> str:
        """See `ports.Actuator`."""
        return await acting.generation(self.broker, plan)

    async def execute(self, step: Step) -> None:
        """See `ports.Actuator`."""
        await acting.execute(self.broker, step)

    async def carry(self, step: Step, tell: Callable[[Progress], None]) -> None:
        """See `ports.Mover`."""
        await acting.carry(self.broker, step, tell)

    async def count(self, step: Step) -> Progress:
        """See `ports.Mover`."""
        return await acting.count(self.broker, step)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        """See `ports.Actuator`."""
        return await proofs.prove(self.broker, plan, undone=undone)

    async def _know_enough(self) -> None:
        """Know what the user may do and where dead letters go, also when nobody has looked yet."""
        if self._standing is None:
            await self._look_at_standing(self._clock.now())
            await self._look_at_shovels(asked_for=False)
            await self._surveyor.look(shapes=True)
            await self._dead.find_ways(self._surveyor.shapes)
            self._powers = self._find_powers()

    async def check(self) -> tuple[CheckRow, ...]:
        """Try what can be tried without any side effect; see `ports.Adapter`."""
        return await check_rows(self.broker, self._metrics)

    async def close(self) -> None:
        """Give every connection back."""
        await self.broker.close()
        for server in self._metrics:
            await server.close()

    async def _survey(self, *, shapes: bool) -> Survey | BackendError:
        try:
            return await self._surveyor.look(shapes=shapes)
        except BackendError as error:
            return error

    async def _or_problem(self, question: Awaitable[None], problems: list[Failure]) -> None:
        try:
            await question
        except BackendError as error:
            problems.append(error.failure)

    async def _look_at_standing(self, now: float) -> None:
        if now < self._standing_due:
            return
        self._standing = await find_standing(self.broker)
        self._standing_due = now + STANDING_EVERY_S - _EARLY_S
        for node in self.broker.nodes:
            node.version = self._standing.version

    async def _look_at_shovels(self, *, asked_for: bool) -> None:
        found = await read_shovels(self.broker)
        self._why_no_shovels = found if isinstance(found, str) else ""
        self._shovels = [] if isinstance(found, str) else found
        if asked_for and self._standing is not None and not self._powers.why_no_shovel:
            vhosts = self.broker.options.vhosts
            lists = [
                await self.broker.read(f"/api/parameters/shovel/{escaped(vhost)}", list[Parameter]) for vhost in vhosts
            ]
            self._asked_for = [one for found in lists for one in found]

    def _find_powers(self) -> Powers:
        options, context = self.broker.options, self.broker.context
        return powers_of(
            self._standing, self._why_no_shovels, amqp=options.amqp is not None, exports=context.exports is not None
        )

    def _moment(self, now: float, survey: Survey) -> Moment:
        running = [(one.vhost, one.name) for one in self._shovels if one.state == "running"]
        return Moment(
            now=now,
            queues=survey.queues,
            arrivals=self._surveyor.arrivals,
            flows=self._surveyor.flows,
            dead=self._dead,
            powers=self._powers,
            paused=paused_places(running, self.broker),
            rates=self._standing is None or self._standing.rates,
        )

    def _stray_shovels(self) -> list[Place]:
        """Shovels of ours that were asked for and do not run, by (virtual host, name)."""
        running = {(one.vhost, one.name) for one in self._shovels if one.state in ("running", "starting")}
        ours = (one for one in self._asked_for if self.broker.names.errand(one.name))
        return [Place(one.vhost, one.name) for one in ours if (one.vhost, one.name) not in running]

    def _requests_since(self) -> int:
        total = self.broker.requests + sum(server.requests for server in self._metrics)
        since, self._counted = total - self._counted, total
        return since

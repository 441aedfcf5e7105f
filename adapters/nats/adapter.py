"""The NATS adapter: looks at every durable consumer and says what it saw, and moves what waits for it."""

from collections.abc import Callable

from adapters.nats import acting, plans, proofs
from adapters.nats.checks import check_rows
from adapters.nats.names import Place
from adapters.nats.readings import Readings, notes_of
from adapters.nats.servers import Servers
from adapters.nats.survey import look
from console.domain.actions import Plan, Progress, Proof, QueueAction, Step
from console.domain.ports import AdapterContext
from console.domain.readings import Observation
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow


class NatsAdapter:
    """One JetStream account: its consumers, and what was found out about it."""

    def __init__(self, context: AdapterContext) -> None:
        self.servers = Servers(context)
        self._readings = Readings(self.servers, context.feeds)
        self._focus: frozenset[Place] = frozenset()
        self._counted = 0

    async def observe(self) -> Observation:
        """Look at every consumer; see `ports.Adapter`."""
        now = self.servers.clock.now()
        survey = await look(self.servers, self._focus)
        await self.servers.look_after_others()
        total = self.servers.requests
        since, self._counted = total - self._counted, total
        return Observation(
            observed_at=now,
            readings=self._readings.of(now, survey),
            replicas=tuple(node.status() for node in self.servers.nodes),
            problems=tuple(survey.problems),
            notes=notes_of(survey, self.servers.level),
            requests=since,
        )

    def focus(self, refs: tuple[Ref, ...]) -> None:
        """See `ports.Focused`."""
        places = (Place.parse(ref.name) for ref in refs if ref.kind is Kind.QUEUE)
        self._focus = frozenset(place for place in places if place is not None)

    async def plan_queue(self, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
        """See `ports.Queues`."""
        return await plans.plan_queue(self.servers, target, action, ttl_s)

    async def generation(self, plan: Plan) -> str:
        """See `ports.Actuator`."""
        now = await plans.fields_now(self.servers, plan.target)
        return plans.fingerprint({key: now.get(key) for key in plan.before})

    async def execute(self, step: Step) -> None:
        """See `ports.Actuator`."""
        await acting.execute(self.servers, step)

    async def carry(self, step: Step, tell: Callable[[Progress], None]) -> None:
        """See `ports.Mover`."""
        await acting.carry(self.servers, step, tell)

    async def count(self, step: Step) -> Progress:
        """See `ports.Mover`."""
        return await acting.count(self.servers, step)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        """See `ports.Actuator`."""
        return await proofs.prove(self.servers, plan, undone=undone)

    async def check(self) -> tuple[CheckRow, ...]:
        """Try what can be tried without any side effect; see `ports.Adapter`."""
        return await check_rows(self.servers)

    async def close(self) -> None:
        """Give every connection back."""
        await self.servers.close()

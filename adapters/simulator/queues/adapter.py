"""The simulated broker as a source: it looks at the queues, plans, and moves messages."""

from collections.abc import Callable

from adapters.simulator.platform import Platform
from adapters.simulator.queues.broker import NODE, Broker
from adapters.simulator.queues.carry import Carrier
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.queues.meter import Meter
from adapters.simulator.queues.orders import obey
from adapters.simulator.queues.plans import QueuePlanner
from adapters.simulator.queues.proofs import proofs
from adapters.simulator.stage import stage_of
from console.domain.actions import Plan, Progress, Proof, QueueAction, Step
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, ReplicaStatus
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow

URL = f"sim://{NODE}"


class SimulatedQueues:
    """The queues of one simulated platform, with every verb that a queue can have."""

    def __init__(self, context: AdapterContext, platform: Platform | None = None) -> None:
        self._source = context.source
        self._told_feeds = context.feeds
        self._exports = context.exports
        self._stage = stage_of(context, platform)
        self._broker = self._stage.broker()
        self._planner = QueuePlanner(self._broker, self._source, self._exports)
        self._carrier = Carrier(self._stage, self._exports)

    @property
    def broker(self) -> Broker:
        """The broker inside, for tests and evaluations."""
        return self._broker

    async def observe(self) -> Observation:
        """Move the world up to the clock and read every queue."""
        now = await self._stage.reach(self._source)
        replica = self._replica()
        if replica.failure is not None:
            raise BackendError(replica.failure.kind, replica.failure.message, where=URL)
        meter = Meter(self._broker, self._source, now, self._feeds, exports=self._exports is not None)
        return Observation(
            observed_at=now,
            readings=meter.readings(),
            replicas=(replica,),
            notes=(self._stage.note,),
        )

    def _replica(self) -> ReplicaStatus:
        failure = Failure(kind=ErrorKind.UNREACHABLE, message="no answer", where=URL) if self._broker.lost else None
        return ReplicaStatus(name=NODE, url=URL, up=failure is None, failure=failure)

    def _feeds(self, queue: JobQueue) -> tuple[str, ...]:
        """What the config says; without it the route of the same world, when a source shows it."""
        told = self._told_feeds(queue.spec.name)
        if told or not self._stage.gateway:
            return told
        return (str(Ref(self._stage.gateway, Kind.ROUTE, queue.spec.route)),)

    async def check(self) -> tuple[CheckRow, ...]:
        """Whether the broker is there; in a world inside the process everything is allowed."""
        up = self._replica().up
        words = "it is simulated" if up else "no answer"
        reachable = CheckRow(source=self._source, replica=NODE, what="reachable", ok=up, words=words)
        purge = self._exports is not None
        return (
            reachable,
            CheckRow(source=self._source, replica="", what="move messages", ok=True, words="allowed"),
            CheckRow(
                source=self._source,
                replica="",
                what="purge",
                ok=purge,
                words="allowed" if purge else "there is no folder to write messages to first",
            ),
        )

    async def close(self) -> None:
        """Nothing is held."""

    async def plan_queue(self, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
        """See `Queues.plan_queue`."""
        await self._stage.reach(self._source)
        return self._planner.plan(target, action, ttl_s)

    async def execute(self, step: Step) -> None:
        """Do a step that is done at once."""
        now = await self._stage.reach(self._source)
        obey(self._broker, step, now)

    async def carry(self, step: Step, tell: Callable[[Progress], None]) -> None:
        """See `Mover.carry`."""
        await self._carrier.carry(step, tell)

    async def count(self, step: Step) -> Progress:
        """See `Mover.count`."""
        return await self._carrier.count(step)

    async def generation(self, plan: Plan) -> str:
        """See `Actuator.generation`."""
        await self._stage.reach(self._source)
        return self._planner.generation(plan)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        """See `Actuator.prove`."""
        now = await self._stage.reach(self._source)
        return proofs(self._broker, plan.undo_expects if undone else plan.expects, now)

"""Acting: plans for every queue verb, their steps, and their lasting steps carried."""

from collections.abc import Callable

from adapters.rabbitmq import finishing, orders, shovels
from adapters.rabbitmq.abilities import Powers
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import Counter
from adapters.rabbitmq.dead_letters import DeadLetters
from adapters.rabbitmq.exporting import Exporter, on_file
from adapters.rabbitmq.finishing import Waiter
from adapters.rabbitmq.holding import declare, existing
from adapters.rabbitmq.moving import Mover
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.plan_holding import plan_finish, plan_pause, plan_resume
from adapters.rabbitmq.plan_moving import plan_isolate, plan_park, plan_purge, plan_replay, plan_requeue
from adapters.rabbitmq.plans import fields_now, fingerprint, look
from adapters.rabbitmq.shovels import Shovels
from adapters.rabbitmq.sorting import Sorter
from console.domain.actions import Plan, Progress, QueueAction, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Ref
from console.domain.verbs import Finish, Isolate, Park, Pause, Purge, Replay, Requeue, Resume

Tell = Callable[[Progress], None]


async def plan_queue(broker: Broker, powers: Powers, dead: DeadLetters, target: Ref, action: QueueAction) -> Plan:
    """See `ports.Queues`.

    Raises:
        BackendError: UNSUPPORTED with the reason, or what the reads met.
    """
    if isinstance(action, Replay | Requeue) and action.fault:
        raise BackendError(ErrorKind.UNSUPPORTED, action.fault, where=str(target))
    scene = await look(broker, powers, dead, target, action.verb)
    match action:
        case Pause():
            return plan_pause(broker, scene)
        case Resume():
            return plan_resume(broker, scene)
        case Finish():
            return plan_finish(broker, scene)
        case Park():
            return plan_park(broker, scene)
        case Isolate():
            return plan_isolate(broker, scene)
        case Replay(per_s=per_s):
            return plan_replay(broker, scene, per_s)
        case Requeue(per_s=per_s):
            return await plan_requeue(broker, scene, dead, per_s)
        case Purge():
            return plan_purge(broker, scene)


async def generation(broker: Broker, plan: Plan) -> str:
    """See `ports.Actuator`.

    Raises:
        BackendError: what the reads met.
    """
    now = await fields_now(broker, plan.target)
    return fingerprint({key: now.get(key) for key in plan.before})


async def execute(broker: Broker, step: Step) -> None:
    """Do one short step.

    Raises:
        BackendError: see `ports.Actuator.execute`.
    """
    args = step.args
    match step.op:
        case orders.DECLARE:
            await declare(broker, Place(args["vhost"], args["queue"]), args["type"])
        case orders.DIVERT:
            source = Place(args["vhost"], args["source"])
            await existing(broker, source)
            await existing(broker, Place(args["vhost"], args["target"]))
            await Shovels(broker, args["vhost"]).put(args["shovel"], shovels.divert(source, args["target"]))
        case orders.UNSHOVEL:
            await Shovels(broker, args["vhost"]).end(args["shovel"])
        case orders.BIND:
            await finishing.bind(broker, args)
        case orders.UNBIND:
            await finishing.unbind(broker, args)
        case _:
            raise _unknown(step)


async def carry(broker: Broker, step: Step, tell: Tell) -> None:
    """Do one lasting step; see `ports.Mover`.

    Raises:
        BackendError: as there.
    """
    args = step.args
    match step.op:
        case orders.MOVE:
            await Mover(broker, orders.move_of(args), tell).carry()
        case orders.SORT:
            await Sorter(broker, orders.sort_of(args), tell).carry()
        case orders.EXPORT:
            await Exporter(broker, orders.export_of(args), tell).carry()
        case orders.WAIT:
            await Waiter(broker, orders.wait_of(args), tell).carry()
        case _:
            raise _unknown(step)


async def count(broker: Broker, step: Step) -> Progress:
    """How far a lasting step has come; see `ports.Mover`.

    Raises:
        BackendError: it cannot be counted.
    """
    args = step.args
    match step.op:
        case orders.MOVE:
            return await Mover(broker, orders.move_of(args), _nobody).count()
        case orders.SORT:
            sort = orders.sort_of(args)
            return Progress(done=max(0, await _ready(broker, Place(sort.place.vhost, sort.target)) - sort.base))
        case orders.EXPORT:
            export = orders.export_of(args)
            return Progress(done=await on_file(export), total=export.total)
        case orders.WAIT:
            return await Waiter(broker, orders.wait_of(args), _nobody).count()
        case _:
            raise _unknown(step)


async def _ready(broker: Broker, place: Place) -> int:
    counter = Counter(broker, place.vhost)
    try:
        return (await counter.ready(place.queue))[0]
    finally:
        await counter.close()


def _nobody(_: Progress) -> None:
    """Nobody listens."""


def _unknown(step: Step) -> BackendError:
    return BackendError(ErrorKind.UNSUPPORTED, f"{step.op} is no step of this adapter")

"""Acting: the steps of the plans, done and carried."""

from collections.abc import Callable

from adapters.nats import orders, pausing
from adapters.nats.finishing import Waiter
from adapters.nats.giving_back import Replayer
from adapters.nats.holding import declare
from adapters.nats.parking import Parker, settle
from adapters.nats.plans import steps_are_ours
from adapters.nats.servers import Servers
from console.domain.actions import Progress, Step

Tell = Callable[[Progress], None]


async def execute(servers: Servers, step: Step) -> None:
    """Do one short step.

    Raises:
        BackendError: see `ports.Actuator.execute`.
    """
    args = step.args
    match step.op:
        case orders.PAUSE:
            await pausing.pause(servers, orders.place_of(args), args["seconds"])
        case orders.RESUME:
            await pausing.resume(servers, orders.place_of(args))
        case orders.DECLARE:
            await declare(servers, orders.place_of(args))
        case orders.SETTLE:
            await settle(servers, orders.place_of(args), args["until"])
        case _:
            raise steps_are_ours(step)


async def carry(servers: Servers, step: Step, tell: Tell) -> None:
    """Do one lasting step; see `ports.Mover`."""
    await _mover(servers, step, tell).carry()


async def count(servers: Servers, step: Step) -> Progress:
    """How far a lasting step has come; see `ports.Mover`."""
    return await _mover(servers, step, _nobody).count()


def _mover(servers: Servers, step: Step, tell: Tell) -> Parker | Replayer | Waiter:
    match step.op:
        case orders.PARK:
            return Parker(servers, orders.park_of(step.args), tell)
        case orders.REPLAY:
            return Replayer(servers, orders.replay_of(step.args), tell)
        case orders.WAIT:
            return Waiter(servers, orders.wait_of(step.args), tell)
        case _:
            raise steps_are_ours(step)


def _nobody(_: Progress) -> None:
    """Nobody listens."""

"""The calls that the simulated broker knows, as steps of a plan, and what they do to a queue."""

from typing import Any, Final

from adapters.simulator.queues.broker import Broker
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.queues.movers import Errand, Mover
from console.domain.actions import Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

HOLD: Final = "queue.hold"
RELEASE: Final = "queue.release"
INTAKE: Final = "queue.intake"
STOP: Final = "queue.stop"
MOVE: Final = "queue.move"
"""Lasting: set a mover going and watch it; what a purge moves away, whoever carries it exports and deletes itself."""
WAIT: Final = "queue.wait"
"""Lasting: wait until the workers have nothing left."""


def hold(name: str, when: dict[str, Any], words: str) -> Step:
    """Give workers nothing, for `ttl_s` seconds or `until` a moment."""
    return Step(op=HOLD, args={"queue": name, **when}, words=words)


def release(name: str, words: str) -> Step:
    """Give workers messages again."""
    return Step(op=RELEASE, args={"queue": name}, words=words)


def intake(name: str, *, diverted: bool, words: str) -> Step:
    """Hold back what comes in, or let it in again."""
    return Step(op=INTAKE, args={"queue": name, "diverted": diverted}, words=words)


def stop(name: str) -> Step:
    """Take a mover away; what it has moved stays where it is."""
    return Step(op=STOP, args={"queue": name}, words=f"end what moves messages of {clean(name)}")


def arguments(name: str, mover: Mover, total: int) -> dict[str, Any]:
    """A mover as a step's arguments."""
    return {
        "queue": name,
        "errand": str(mover.errand),
        "per_s": mover.per_s,
        "mark": mover.mark,
        "keep": mover.keep,
        "stamp": mover.stamp,
        "total": total,
    }


def mover_of(step: Step) -> Mover:
    """The mover that a step sets going."""
    args = step.args
    return Mover(Errand(args["errand"]), args["per_s"], mark=args["mark"], keep=args["keep"], stamp=args["stamp"])


def queue_of(broker: Broker, step: Step) -> JobQueue:
    """The queue that a step is about.

    Raises:
        BackendError: UNSUPPORTED, the broker has no such call; CONFLICT, the queue is gone; UNREACHABLE.
    """
    if step.op not in (HOLD, RELEASE, INTAKE, STOP, MOVE, WAIT):
        raise BackendError(ErrorKind.UNSUPPORTED, f"the simulated broker has no call {clean(step.op)}")
    if broker.lost:
        raise BackendError(ErrorKind.UNREACHABLE, "no answer", where="sim://broker-1")
    queue = broker.queues.get(step.args["queue"])
    if queue is None:
        raise BackendError(ErrorKind.CONFLICT, f"{clean(step.args['queue'])} is no longer there")
    return queue


def obey(broker: Broker, step: Step, now: float) -> None:
    """Do a step that is done at once.

    Raises:
        BackendError: as `queue_of`, and UNSUPPORTED when it is a lasting one.
    """
    queue = queue_of(broker, step)
    match step.op:
        case "queue.hold":
            queue.paused_until = now + step.args["ttl_s"] if "ttl_s" in step.args else step.args["until"]
        case "queue.release":
            queue.paused_until = None
        case "queue.intake":
            queue.diverted = step.args["diverted"]
        case "queue.stop":
            if queue.mover is not None:
                queue.mover.running = False
        case _:
            raise BackendError(ErrorKind.UNSUPPORTED, f"{step.op} takes its time: it is carried, not executed")

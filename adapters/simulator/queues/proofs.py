"""Holding expectations against the broker."""

import re
from collections.abc import Sequence
from typing import Any

from adapters.simulator.queues.broker import NODE, Broker
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.queues.movers import Errand, Mover
from console.domain.actions import Expectation, Proof
from console.domain.text import clean

_MARKED = {"waiting": Errand.PARK, "retries": Errand.ISOLATE, "dead": Errand.REQUEUE}
"""Fields written `waiting<=17`: how many are left of those that were there at one moment, and whose errand that is.
Fields written `parked>17`: how many are set aside beyond so many."""

_NAME = re.compile("<=|>")


def proofs(broker: Broker, expects: Sequence[Expectation], now: float) -> tuple[Proof, ...]:
    """One proof, for there is one broker."""
    if broker.lost:
        return (Proof(replica=NODE, holds=None, seen="no answer", read_at=now),)
    shown = [(one, _seen(broker, one)) for one in expects]
    words = "; ".join(
        f"{_NAME.split(one.field)[0]} of {clean(one.ref.name)} is {clean(str(value))}" for one, value in shown
    )
    return (Proof(replica=NODE, holds=all(value == one.value for one, value in shown), seen=words, read_at=now),)


def _seen(broker: Broker, one: Expectation) -> Any:
    queue = broker.queues.get(one.ref.name)
    if queue is None:
        return None
    field, marked, mark = one.field.partition("<=")
    if marked:
        return Mover(_MARKED[field], 0.0, mark=int(mark)).left(queue)
    store, above, level = one.field.partition(">")
    if above:
        return Mover(Errand.REPLAY, 0.0, keep={store: int(level)}).left(queue)
    return _field(queue, field)


def _field(queue: JobQueue, field: str) -> Any:
    match field:
        case "paused":
            return queue.paused_until is not None
        case "diverted":
            return queue.diverted
        case "unfinished":
            return len(queue.backlog) + queue.in_flight
        case "parked" | "retries" | "held":
            return len(getattr(queue, field))
        case _:
            return None

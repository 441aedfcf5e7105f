"""The queues that hold what was set aside: declared before anything is moved, and without anything that loses messages.

A shovel would declare a missing queue itself, as it finds it fit. And a policy that matches every queue may limit ours
too: one that is full makes a shovel end as if all had been moved, and counts failed deliveries in a quorum queue.
"""

from typing import Any

import msgspec

from adapters.rabbitmq.api import Row
from adapters.rabbitmq.asking import Asks
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import Total, totals
from adapters.rabbitmq.names import Place, escaped
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

SETTLED_S = 2.0
"""How long a new quorum queue is left alone. A broker that was killed within half a second after declaring one did not
bring it up again, and what lay in it could not be reached (3.10.8, measured; after one second it always came back)."""
_ALIVE = ("running", "idle", "flow")
_LIMITS = ("max-length", "max-length-bytes", "message-ttl", "expires")
"""What makes a queue refuse or throw away messages, as a policy has it; an argument has `x-` before it."""


async def find_queue(broker: Asks, place: Place) -> Row | None:
    """A queue with its arguments and its policy, or None when it is not there.

    Raises:
        BackendError: what the read met.
    """
    try:
        return await broker.read(place.path, Row)
    except BackendError as error:
        if error.kind is ErrorKind.UNSUPPORTED:
            return None
        raise


async def existing(broker: Asks, place: Place) -> Row:
    """A queue that has to be there: a shovel would silently make one of a mistyped name.

    Raises:
        BackendError: UNSUPPORTED when it is not there, or what the read met.
    """
    found = await find_queue(broker, place)
    if found is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"there is no queue {clean(place.queue)}", where=place.path)
    return found


async def declare(broker: Broker, place: Place, kind: str) -> None:
    """Make a holding queue of the type `kind` where there is none, and see that nothing limits it.

    Raises:
        BackendError: UNSUPPORTED when it would lose or refuse messages; what the calls met.
    """
    found = await find_queue(broker, place)
    if found is None:
        body: dict[str, Any] = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": kind}}
        await broker.write("PUT", place.path, body)
        if kind == "quorum":
            await broker.clock.sleep(SETTLED_S)
        found = await existing(broker, place)
    await refuse_limits(broker, place, kind)


async def refuse_limits(broker: Broker, place: Place, kind: str) -> None:
    """See that a holding queue keeps what it is given.

    Raises:
        BackendError: UNSUPPORTED, with what limits it; what the reads met.
    """
    name, row = clean(place.queue, 100), await _total(broker, place)
    if row.type != kind:
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{name} is a {clean(row.type, 20)} queue, and not a {kind} one",
            way_out="empty and delete it, so that it can be made anew",
        )  # fmt: skip
    if words := await _limits(broker, place.vhost, row):
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{name} would not keep what is set aside: {words}",
            way_out="change the policy so that it does not match this queue, or delete the queue if it is empty",
        )  # fmt: skip


async def why_not_more(broker: Broker, place: Place) -> str:
    """Why a queue takes no more messages, as far as the queue itself can tell; empty when it should.

    Raises:
        BackendError: what the reads met.
    """
    row = await _total(broker, place)
    if row.state not in _ALIVE:
        return f"the broker calls it {clean(row.state or 'unknown', 30)}"
    return await _limits(broker, place.vhost, row)


async def _total(broker: Broker, place: Place) -> Total:
    found = (await totals(broker, place.vhost, (place.queue,))).get(place.queue)
    if found is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"there is no queue {clean(place.queue)}", where=place.path)
    return found


async def _limits(broker: Broker, vhost: str, row: Total) -> str:
    """What makes a queue refuse or lose messages, in words; empty when nothing does."""
    found = [f"{key} {clean(str(row.arguments[f'x-{key}']), 20)}" for key in _LIMITS if f"x-{key}" in row.arguments]
    for kind, name in (("policies", row.policy), ("operator-policies", row.operator_policy)):
        rules = await _rules(broker, f"/api/{kind}/{escaped(vhost)}/{escaped(name)}") if name else {}
        found += [f"{key} {clean(str(rules[key]), 20)} by a policy" for key in _LIMITS if key in rules]
    return ", ".join(found)


class _Policy(msgspec.Struct):
    definition: dict[str, Any] = {}


async def _rules(broker: Broker, path: str) -> dict[str, Any]:
    try:
        return (await broker.read(path, _Policy)).definition
    except BackendError as error:
        if error.kind is ErrorKind.UNSUPPORTED:  # it was taken away meanwhile
            return {}
        raise

"""Whether every node shows what a plan has promised."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from adapters.rabbitmq.asking import Asks, OneNode
from adapters.rabbitmq.broker import Broker, Node
from adapters.rabbitmq.counting import totals
from adapters.rabbitmq.finishing import bindings_of
from adapters.rabbitmq.holding import find_queue
from adapters.rabbitmq.names import Errand, Hold, Place
from adapters.rabbitmq.shovels import PRIORITY, asked_for, state_of
from console.domain.actions import Expectation, Plan, Proof
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean


async def prove(broker: Broker, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
    """One proof for each node; never raises BackendError."""
    expects = plan.undo_expects if undone else plan.expects
    return tuple(await asyncio.gather(*(_prove(broker, node, expects) for node in broker.nodes)))


async def _prove(broker: Broker, node: Node, expects: Sequence[Expectation]) -> Proof:
    seen: list[str] = []
    holds: bool | None = True
    for expected in expects:
        found: bool | None
        try:
            found, words = await _Look(broker, OneNode(node), expected).answer()
        except BackendError as error:
            found = False if error.kind is ErrorKind.UNSUPPORTED else None
            words = clean(error.failure.message, 120)
        holds = None if holds is None or found is None else holds and found
        seen.append(words)
    return Proof(replica=node.name, holds=holds, seen="; ".join(seen), read_at=broker.clock.now())


class _Look:
    """One expectation held against one node."""

    def __init__(self, broker: Broker, node: Asks, expected: Expectation) -> None:
        self._names = broker.names
        self._node = node
        self._expected = expected
        place = broker.refs.place(expected.ref.name)
        if place is None:
            raise BackendError(ErrorKind.UNSUPPORTED, f"{clean(str(expected.ref))} is no queue of this broker")
        self._place = place

    async def answer(self) -> tuple[bool, str]:
        """Whether it holds, and what was seen.

        Raises:
            BackendError: what the reads met.
        """
        field, value = self._expected.field, self._expected.value
        match field.partition(" "):
            case ("diverted", _, _):
                return await self._diverted(wanted=bool(value))
            case ("shovel", _, name):
                asked = await asked_for(self._node, self._place.vhost, name)
                return (
                    asked is None,
                    "no shovel at work" if asked is None else f"the shovel {clean(name, 100)} is there",
                )
            case ("intake", _, _):
                count = len(await bindings_of(self._node, self._place))
                return count == int(value), f"{count} bindings lead to it"
            case ("file", _, _):
                there = await asyncio.to_thread(Path(str(value)).is_file)
                return there, f"{clean(str(value), 200)} is {'there' if there else 'not there'}"
            case ("there", _, _):
                there = await find_queue(self._node, self._place) is not None
                return there, f"it is {'there' if there else 'gone'}"
            case _:
                return await self._held(field, int(value))

    async def _held(self, field: str, value: int) -> tuple[bool, str]:
        """`parked`, `paused`, `retries`: at most so many are left there; with `_min`: at least."""
        name, least = (field.removesuffix("_min"), True) if field.endswith("_min") else (field, False)
        hold = next((one for one in Hold if one == name), None)
        if hold is None:
            raise BackendError(ErrorKind.UNSUPPORTED, f"{field} is not a field of a plan for RabbitMQ")
        queue = self._names.holding(self._place.queue, hold)
        found = (await totals(self._node, self._place.vhost, (queue,))).get(queue)
        count = found.messages_ready + found.messages_unacknowledged if found is not None else 0
        return (count >= value if least else count <= value), f"{count:,} {hold}"

    async def _diverted(self, *, wanted: bool) -> tuple[bool, str]:
        name = self._names.shovel(self._place.queue, Errand.PAUSE)
        asked = await asked_for(self._node, self._place.vhost, name)
        if asked is None:
            return not wanted, "it is not diverted"
        right = asked.source_queue == self._place.queue and asked.target_queue == self._names.holding(
            self._place.queue, Hold.PAUSED
        )
        first = asked.value.get("src-consumer-args") == {"x-priority": PRIORITY}
        state = await state_of(self._node, Place(self._place.vhost, name))
        words = f"the divert shovel is {state or 'not listed yet'}"
        return wanted and right and first and state == "running", words

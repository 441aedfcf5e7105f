"""Whether every server shows what a plan has promised."""

import asyncio
from collections.abc import Sequence

from adapters.nats.finishing import all_finished
from adapters.nats.holding import parking_of
from adapters.nats.names import Place
from adapters.nats.parking import nothing_waits
from adapters.nats.servers import Node, Servers, consumer_of
from console.domain.actions import Expectation, Plan, Proof
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean


async def prove(servers: Servers, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
    """One proof for each server; never raises BackendError."""
    expects = plan.undo_expects if undone else plan.expects
    return tuple(await asyncio.gather(*(_prove(servers, node, expects) for node in servers.nodes)))


async def _prove(servers: Servers, node: Node, expects: Sequence[Expectation]) -> Proof:
    seen: list[str] = []
    holds: bool | None = True
    for expected in expects:
        found: bool | None
        try:
            found, words = await _answer(servers, node, expected)
        except BackendError as error:
            found = False if error.kind is ErrorKind.UNSUPPORTED else None
            words = clean(error.failure.message, 120)
        holds = None if holds is None or found is None else holds and found
        seen.append(words)
    return Proof(replica=node.name, holds=holds, seen="; ".join(seen), read_at=servers.clock.now())


async def _answer(servers: Servers, node: Node, expected: Expectation) -> tuple[bool, str]:
    place = Place.parse(expected.ref.name)
    if place is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{clean(str(expected.ref))} is no consumer here")
    consumer = await consumer_of(node, place)
    match expected.field:
        case "paused":
            words = "it is paused" if consumer.paused else "it is not paused"
            return consumer.paused is bool(expected.value), words
        case "waiting":
            none = await nothing_waits(node, consumer, int(expected.value))
            return none, "nothing of it waits" if none else f"{consumer.num_pending:,} messages wait"
        case "finished":
            done = await all_finished(node, consumer, int(expected.value))
            return done, "everything is acknowledged" if done else f"workers hold {consumer.num_ack_pending:,}"
        case "parked":
            parking = await parking_of(servers, node, place)
            count = parking.state.messages if parking is not None else 0
            return count <= int(expected.value), f"{count:,} parked"
        case _:
            raise BackendError(ErrorKind.UNSUPPORTED, f"{expected.field} is not a field of a plan for NATS")

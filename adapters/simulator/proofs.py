"""Holding expectations against what each replica of the simulated gateway really has."""

from collections.abc import Sequence
from typing import Any

from adapters.simulator.world import World
from console.domain.actions import Expectation, Proof
from console.domain.text import clean


def proofs(world: World, expects: Sequence[Expectation], now: float) -> tuple[Proof, ...]:
    """One proof for each replica: whether it shows everything that is expected."""
    found = []
    for replica, name in enumerate(world.gateway.replicas):
        if world.gateway.is_lost(replica):
            found.append(Proof(replica=name, holds=None, seen="no answer", read_at=now))
            continue
        shown = [(one, _seen(world, one, replica)) for one in expects]
        words = "; ".join(f"{one.field} of {clean(one.ref.name)} is {clean(str(value))}" for one, value in shown)
        found.append(
            Proof(replica=name, holds=all(value == one.value for one, value in shown), seen=words, read_at=now)
        )
    return tuple(found)


def _seen(world: World, one: Expectation, replica: int) -> Any:
    name = one.ref.name
    if one.field == "alias":
        route = world.routes.get(name)
        return None if route is None else route.alias[replica]
    item = world.deployments.get(name)
    if item is None:
        return None
    match one.field:
        case "weight":
            return item.weight[replica]
        case "order":
            return item.order[replica]
        case "mode":
            return item.breakers[replica].mode
        case "circuit":
            return item.breakers[replica].observed
        case _:
            return None

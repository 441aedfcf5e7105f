"""From the incident of this moment to those whom it hits."""

from typing import TYPE_CHECKING

from adapters.simulator.faults import Fault
from adapters.simulator.habits import LOOP_CALLS, LOOP_TOKENS

if TYPE_CHECKING:
    from adapters.simulator.parts import Stream
    from adapters.simulator.world import World


def strike(world: "World") -> None:
    """Hand the faults of this tick to providers, deployments and streams."""
    for provider in world.providers.values():
        provider.capacity = world.fault(Fault.CAPACITY, f"provider/{provider.spec.name}")
    for item in world.deployments.values():
        hit = item.targets
        item.faulty = world.fault(Fault.ERRORS, *hit)
        item.slow_ttft = world.fault(Fault.TTFT, *hit)
        item.slow_decode = world.fault(Fault.DECODE, *hit)
        item.limit = item.spec.requests_per_min * world.fault(Fault.RATE_LIMIT, *hit)
        item.probes = world.fault(Fault.PROBES, *hit)
        item.tokens = world.fault(Fault.TOKENIZER, *hit)
        item.price = world.fault(Fault.PRICE, *hit)
        item.booked = world.fault(Fault.BOOKED, *hit)
    for stream in world.streams:
        _strike(world, stream)
    world.hurting = _hurting(world) if world.hits(Fault.ERRORS) else {}


def _strike(world: "World", stream: "Stream") -> None:
    stream.overflow = world.fault(Fault.OVERFLOW, *stream.targets)
    loop = world.fault(Fault.LOOP, *stream.targets)
    stream.calls = 1.0 + loop * (LOOP_CALLS - 1.0)
    stream.bulk = 1.0 + loop * LOOP_CALLS / stream.calls * (LOOP_TOKENS - 1.0)


def _hurting(world: "World") -> dict[str, dict[str, float]]:
    """What is refused because of who asks, beyond what fails for everybody."""
    found: dict[str, dict[str, float]] = {}
    for tenant in world.tenants:
        key = tenant.spec.key
        for item in world.deployments.values():
            part = world.fault(Fault.ERRORS, *item.targets, f"tenant/{key}")
            if part > item.faulty:
                found.setdefault(key, {})[item.spec.name] = 1.0 - (1.0 - part) / (1.0 - item.faulty)
    return found

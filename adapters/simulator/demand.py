"""How much every tenant asks of every route, from tick to tick: the day, the week, bursts, noise, and the incident."""

import math
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from adapters.simulator.faults import Fault
from adapters.simulator.parts import Route, Stream
from adapters.simulator.traffic import Shape

if TYPE_CHECKING:
    from adapters.simulator.world import World

START_HOUR: Final = 10.5
"""The hour of the tenants' day at which the world begins, whatever the clock says: busy, and not yet the peak."""

START_DAY: Final = 1
"""The day of the tenants' week at which it begins, from Monday (0) on."""


def move(world: "World", streams: Iterable[Stream], routes: Iterable[Route], dt: float) -> None:
    """Bring every stream to `world.now`, `dt` seconds after where it was, and add them up by route."""
    hour = START_HOUR + (world.now - world.begin) / 3600.0
    day = (START_DAY + hour / 24.0) % 7.0
    for route in routes:
        route.demand = 0.0
    for stream in streams:
        shape = stream.shape
        stream.noise = wander(world.chance, stream.noise, (shape.noise, shape.memory_s), dt)
        if shape.bursts_per_h:
            _burst(world.chance, stream, dt)
        asked = stream.base * level(shape, stream.night, hour % 24.0, day) * math.exp(stream.noise) * stream.burst
        stream.now = asked * world.fault(Fault.DEMAND, *stream.targets)
        stream.route.demand += stream.now


def level(shape: Shape, night: float, hour: float, day: float) -> float:
    """Demand as a part of the busiest, by the hour of the day (0 to 24) and the day of the week (0 to 7)."""
    if shape.hours:
        found = _between(shape.hours, hour / 24.0 * len(shape.hours))
    else:
        night = night if shape.night is None else shape.night
        found = night + (1.0 - night) * (0.5 - 0.5 * math.cos(2.0 * math.pi * (hour - shape.quietest_h) / 24.0))
    # A weekday's factor holds at its noon; one day turns into the next, without a jump at midnight.
    return found * _between(shape.weekdays, day - 0.5)


def wander(chance: random.Random, value: float, noise: tuple[float, float], dt: float) -> float:
    """Noise that remembers, `dt` seconds later; `noise` is its standard deviation and the seconds of its memory."""
    deviation, memory_s = noise
    keep = math.exp(-dt / memory_s)
    return value * keep + chance.gauss(0.0, deviation) * math.sqrt(1.0 - keep * keep)


def _between(values: tuple[float, ...], place: float) -> float:
    """Straight lines between values that go round."""
    at = math.floor(place)
    before, after = values[at % len(values)], values[(at + 1) % len(values)]
    return before + (after - before) * (place - at)


def _burst(chance: random.Random, stream: Stream, dt: float) -> None:
    """Bursts begin and end at random."""
    shape = stream.shape
    if stream.burst > 1.0:
        if chance.random() < -math.expm1(-dt / shape.burst_s):
            stream.burst = 1.0
    elif chance.random() < -math.expm1(-shape.bursts_per_h * dt / 3600.0):
        stream.burst = 1.0 + (shape.burst_factor - 1.0) * chance.uniform(0.0, 2.0)

"""A breaker opens when a provider dies, probes carefully, and closes when it is well again."""

import msgspec

from adapters.simulator.breaker import Breaker
from adapters.simulator.faults import Fault, Track
from adapters.simulator.platform import GatewaySpec, standard
from adapters.simulator.scenario import Scenario
from adapters.simulator.world import World
from console.domain.circuit import Mode, Observed

GATEWAY = GatewaySpec()


def _dead(begin: float, end: float) -> Scenario:
    points = ((0.0, 0.0), (begin, 0.0), (begin, 1.0), (end, 1.0), (end, 0.0))
    return Scenario(
        name="dead",
        summary="",
        quiet_s=0.0,
        tracks=(Track(target="provider/openai", fault=Fault.ERRORS, points=points),),
    )


def test_a_dead_provider_opens_the_circuit_and_a_well_one_closes_it() -> None:
    world = World(standard(), _dead(60.0, 200.0), seed=1, speed=1.0, replicas=2, begin=1_800_000_000.0)
    item = world.deployments["chat-openai"]
    seen: list[Observed] = []
    sent_to_dead = 0.0
    for second in range(360):
        world.advance(world.begin + second)
        state = item.breakers[0].observed
        if not seen or seen[-1] is not state:
            seen.append(state)
        if state is Observed.HALF_OPEN:
            sent_to_dead = max(sent_to_dead, item.offered[0])
    assert seen[:4] == [Observed.CLOSED, Observed.OPEN, Observed.HALF_OPEN, Observed.OPEN]
    assert seen[-2:] == [Observed.HALF_OPEN, Observed.CLOSED]
    # One probe flow on each replica, however much is waiting.
    assert sent_to_dead <= 1.01 * GATEWAY.probes_per_s


def test_the_cause_and_the_end_of_a_cooldown_are_told() -> None:
    breaker = Breaker()
    assert breaker.tick(100.0, 1.0, 20.0, 19.0, GATEWAY)
    assert breaker.observed is Observed.OPEN
    assert breaker.mode is Mode.AUTO
    assert breaker.until == 100.0 + GATEWAY.cooldown_s
    assert breaker.cause == "95% of 20 attempts failed"


def test_a_few_failures_open_nothing() -> None:
    breaker = Breaker()
    assert not breaker.tick(100.0, 1.0, GATEWAY.open_at_attempts - 1, GATEWAY.open_at_attempts - 1, GATEWAY)
    assert breaker.observed is Observed.CLOSED


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    breaker.tick(0.0, 1.0, 9.0, 9.0, GATEWAY)
    for second in range(1, 300):
        assert not breaker.tick(float(second), 1.0, 0.05, 0.05, GATEWAY)
    assert breaker.attempts < 3


def test_a_forced_circuit_without_an_end_stays() -> None:
    breaker = Breaker()
    breaker.force_open(None)
    assert not breaker.tick(1e12, 1.0, 0.0, 0.0, GATEWAY)
    assert breaker.observed is Observed.OPEN
    assert breaker.mode is Mode.FORCED_OPEN


def test_a_close_forgets_everything() -> None:
    breaker = Breaker()
    breaker.tick(0.0, 1.0, 20.0, 20.0, GATEWAY)
    breaker.close()
    assert breaker == Breaker()
    assert not breaker.tick(1.0, 1.0, 5.0, 5.0, msgspec.structs.replace(GATEWAY, open_at_attempts=6.0))

"""An ordinary day: nothing is wrong, the numbers fit each other, and chance comes from the seed alone."""

import tracemalloc
from itertools import pairwise

import msgspec
import pytest

from adapters.simulator.platform import standard
from console.domain.circuit import Observed
from console.domain.readings import Deployment, Observation, Provider, Route, Spend, SpendScope
from tests.unit.simulator.worlds import Sim, attempts, errors, rpm

HOUR = 3600.0


COARSE = msgspec.structs.replace(standard(), tick_s=10.0)
"""The standard world in larger steps, for whole days."""


def _values(observation: Observation) -> bytes:
    return msgspec.json.encode(observation.readings)


async def test_nothing_is_wrong_all_day_long() -> None:
    sim = Sim(seed=3, platform=COARSE)
    for _ in range(48):
        for reading in (await sim.look(HOUR / 2)).readings:
            if isinstance(reading, Deployment):
                assert reading.circuit.observed is Observed.CLOSED
            if isinstance(reading, Deployment | Provider | Route):
                assert errors(reading) < 0.02, reading.ref
            if isinstance(reading, Route):
                assert attempts(reading) < 1.1


async def test_the_first_look_has_full_windows() -> None:
    first = await Sim().route("chat")
    assert 400 < rpm(first) < 620
    assert first.latency is not None
    assert first.latency.p50_s is not None
    assert sum(target.share or 0 for target in first.targets) == pytest.approx(1.0, abs=0.01)


async def test_the_same_seed_gives_the_same_day() -> None:
    one, other = Sim("outage-with-retries", seed=5), Sim("outage-with-retries", seed=5)
    for _ in range(30):
        assert _values(await one.look(20)) == _values(await other.look(20))


async def test_another_seed_gives_another_day() -> None:
    assert _values(await Sim(seed=5).look(60)) != _values(await Sim(seed=6).look(60))


async def test_looking_more_often_changes_nothing() -> None:
    often, seldom = Sim("outage-with-retries"), Sim("outage-with-retries")
    for _ in range(299):
        await often.look(1)
    assert _values(await often.look(1)) == _values(await seldom.look(300))


async def test_two_looks_at_one_moment_are_equal() -> None:
    sim = Sim()
    assert await sim.look(10) == await sim.look()


async def test_demand_follows_the_day() -> None:
    sim = Sim(platform=COARSE)
    by_hour = [rpm(await sim.route("chat", HOUR)) for _ in range(24)]
    assert min(by_hour) < 0.55 * max(by_hour)
    # The world begins at half past ten; the quietest hour is about two at night.
    assert 13 <= by_hour.index(min(by_hour)) <= 18


async def test_demand_is_noisy_and_remembers() -> None:
    sim = Sim()
    flow = [rpm(await sim.route("embed", 10)) for _ in range(360)]
    mean = sum(flow) / len(flow)
    apart = [value - mean for value in flow]
    variance = sum(value * value for value in apart)
    assert variance > 0
    lag_one = sum(a * b for a, b in pairwise(apart)) / variance
    assert lag_one > 0.5


async def test_every_view_of_the_money_adds_up_to_the_total() -> None:
    readings = (await Sim("outage-with-retries").look(200)).readings
    spends = [reading for reading in readings if isinstance(reading, Spend)]
    total = next(one for one in spends if one.scope is SpendScope.TOTAL)
    for scope in (SpendScope.PROVIDER, SpendScope.MODEL, SpendScope.KEY):
        parts = [one for one in spends if one.scope is scope]
        assert sum(one.usd_today or 0 for one in parts) == pytest.approx(total.usd_today, abs=0.1)
        assert sum(one.tokens_in_today or 0 for one in parts) == pytest.approx(total.tokens_in_today, rel=1e-6)
    assert total.disagreement == pytest.approx(1.0, abs=0.001)


async def test_money_grows_at_the_rate_that_is_shown() -> None:
    sim = Sim()
    before = await sim.spend("total/all")
    after = await sim.spend("total/all", 30)
    assert before.usd_today is not None
    assert after.usd_today is not None
    assert after.usd_per_h is not None
    assert after.usd_today - before.usd_today == pytest.approx(after.usd_per_h / 120, abs=0.02)


async def test_a_new_day_begins_at_midnight() -> None:
    sim = Sim(platform=COARSE)
    left = 86400 - sim.clock.now() % 86400
    late = await sim.spend("total/all", left - 60)
    early = await sim.spend("total/all", 120)
    assert late.usd_today is not None
    assert early.usd_today is not None
    assert early.usd_today < 0.02 * late.usd_today


async def test_a_budget_that_will_not_last_says_when_it_ends() -> None:
    sim = Sim()
    agents = await sim.spend("agents")
    assert agents.budget_usd is not None
    assert agents.exhausted_at is None
    await sim.switch("chat", "chat-claude", "order")
    mobile = await sim.spend("mobile", 120)
    assert mobile.usd_per_h is not None
    assert mobile.budget_usd is not None
    assert mobile.budget_used_usd is not None
    lasts_h = (mobile.budget_usd - mobile.budget_used_usd) / mobile.usd_per_h
    left_h = ((mobile.budget_resets_at or 0) - sim.clock.now()) / HOUR
    assert (mobile.exhausted_at is not None) == (lasts_h < left_h)


async def test_memory_stays_flat() -> None:
    sim = Sim(platform=COARSE)
    await sim.look(HOUR)
    tracemalloc.start()
    try:
        await sim.look(60)
        start = tracemalloc.get_traced_memory()[0]
        await sim.look(HOUR)
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert grown < 30_000


async def test_a_world_that_slept_for_a_day_wakes_without_holding_up_the_loop() -> None:
    import asyncio

    sim = Sim()
    await sim.look()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.ensure_future(others())
    await sim.clock.advance(4 * HOUR)
    before = turns
    await sim.look()
    beside.cancel()
    assert turns - before > 20

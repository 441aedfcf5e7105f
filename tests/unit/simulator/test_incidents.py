"""Incidents unfold as they do in life, and answer to what an operator does."""

import pytest

from adapters.simulator.scenario import load_scenario
from console.domain.circuit import Mode, Observed
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Spend
from tests.unit.simulator.worlds import Sim, Yard, attempts, errors, rpm

CLEARED = 4.0 + 3660.0 / 20.0
"""Seconds after which the provider of the outage is well again, at the default speed."""


async def test_the_outage_is_seen_within_half_a_minute() -> None:
    sim = Sim("outage-with-retries")
    assert errors(await sim.provider("openai")) < 0.02
    assert errors(await sim.provider("openai", 30)) > 0.05
    assert errors(await sim.deployment("chat-openai")) > 0.15


async def test_retries_amplify_the_outage() -> None:
    sim = Sim("outage-with-retries")
    assert attempts(await sim.route("chat")) < 1.05
    chat = await sim.route("chat", 150)
    assert attempts(chat) > 1.8
    openai = await sim.deployment("chat-openai")
    assert errors(openai) > 0.5
    assert {failure.name for failure in openai.failures} >= {"500", "timeout", "503"}
    assert openai.latency is not None
    assert (openai.latency.ttft_p50_s or 0) > 10


async def test_left_alone_the_outage_outlives_its_trigger() -> None:
    for seed in (1, 2, 3):
        sim = Sim("outage-with-retries", seed=seed)
        chat = await sim.route("chat", CLEARED + 900)
        assert attempts(chat) > 1.5, f"seed {seed}"
        openai = await sim.deployment("chat-openai")
        assert errors(openai) > 0.4
        assert not any(failure.name == "500" and failure.per_min > 10 for failure in openai.failures)


async def test_a_trip_drains_the_queue_and_a_reset_brings_it_back_well() -> None:
    sim = Sim("outage-with-retries")
    await sim.look(CLEARED + 60)
    await sim.trip("chat-openai")
    chat = await sim.route("chat", 60)
    assert attempts(chat) < 1.1
    assert errors(chat) < 0.02
    await sim.reset("chat-openai")
    openai = await sim.deployment("chat-openai", 300)
    assert rpm(openai) > 200
    assert errors(openai) < 0.02
    assert attempts(await sim.route("chat")) < 1.05


async def test_a_trip_moves_the_load_to_the_siblings() -> None:
    sim = Sim()
    openai, azure = rpm(await sim.deployment("chat-openai")), rpm(await sim.deployment("chat-azure"))
    await sim.trip("chat-openai")
    tripped = await sim.deployment("chat-openai", 60)
    assert rpm(tripped) == 0
    assert tripped.circuit.mode is Mode.FORCED_OPEN
    assert abs(rpm(await sim.deployment("chat-azure")) - (openai + azure)) < 0.15 * (openai + azure)
    assert errors(await sim.route("chat")) < 0.02


async def test_a_whole_switch_exhausts_a_small_target() -> None:
    sim = Sim()
    await sim.switch("chat", "chat-claude", "order")
    claude = await sim.deployment("chat-claude", 60)
    assert errors(claude) > 0.2
    assert {failure.name for failure in claude.failures} >= {"429"}
    assert claude.headroom is not None
    assert claude.headroom.requests_left == 0
    assert rpm(await sim.deployment("chat-openai")) > 50  # what claude turns away goes on to the next order


async def test_a_stand_in_that_is_too_small_makes_callers_fail() -> None:
    sim = Sim()
    await sim.switch("chat", "chat-lite", "alias")
    chat = await sim.route("chat", 90)
    assert chat.answered_by == "chat-lite"
    assert rpm(await sim.deployment("chat-openai")) == 0
    assert errors(chat) > 0.05
    assert attempts(chat) > 1.5


async def test_a_weight_shifts_the_share() -> None:
    sim = Sim()
    await sim.weigh("chat-openai", 10)
    chat = await sim.route("chat", 60)
    shares = {target.deployment: target.share for target in chat.targets}
    assert 0.15 < (shares["chat-openai"] or 0) < 0.25


async def test_a_brownout_slows_without_errors() -> None:
    sim = Sim("provider-brownout", speed=1, tick_s=5)
    begin = (await sim.deployment("chat-azure")).latency
    slower = (await sim.deployment("chat-azure", 10 + 6000)).latency
    assert begin is not None
    assert slower is not None
    assert 1.7 < (slower.ttft_p50_s or 0) / (begin.ttft_p50_s or 1) < 2.4
    late = (await sim.deployment("chat-azure", 6000)).latency
    assert late is not None
    assert 2.5 < (late.ttft_p50_s or 0) / (begin.ttft_p50_s or 1) < 3.7
    assert errors(await sim.provider("azure")) < 0.02


async def test_replicas_hear_of_a_change_one_after_the_other() -> None:
    sim = Sim(replicas=3)
    plan = await sim.trip("chat-openai")
    seen = []
    for _ in range(3):
        seen.append([proof.holds for proof in await sim.adapter.prove(plan)])
        await sim.clock.advance(3)
    assert seen == [[True, False, False], [True, True, False], [True, True, True]]


async def test_a_lost_replica_hears_what_it_missed_when_it_is_back() -> None:
    sim = Sim()
    sim.adapter.world.gateway.lose("gw-2")
    plan = await sim.trip("chat-openai")
    circuit = (await sim.deployment("chat-openai", 60)).circuit
    assert [one.observed for one in circuit.replicas] == [Observed.OPEN, Observed.UNKNOWN]
    assert rpm(await sim.route("chat")) > 400  # the other replica takes everything
    assert rpm(await sim.deployment("chat-openai")) == 0
    sim.adapter.world.gateway.bring_back("gw-2")
    assert [proof.holds for proof in await sim.adapter.prove(plan)] == [True, True]


async def test_without_any_replica_nothing_can_be_read() -> None:
    sim = Sim()
    for replica in ("gw-1", "gw-2"):
        sim.adapter.world.gateway.lose(replica)
    with pytest.raises(BackendError) as caught:
        await sim.look(30)
    assert caught.value.kind is ErrorKind.UNREACHABLE


async def test_half_the_replicas_tripped_is_shown_as_half() -> None:
    sim = Sim()
    await sim.trip("chat-openai")
    assert (await sim.deployment("chat-openai", 1)).circuit.agreement == (1, 2)
    assert (await sim.deployment("chat-openai", 3)).circuit.agreement == (2, 2)


async def test_a_forced_circuit_ends_by_itself_through_probes() -> None:
    sim = Sim()
    await sim.trip("chat-openai", ttl_s=60)
    circuit = (await sim.deployment("chat-openai", 55)).circuit
    assert circuit.mode is Mode.FORCED_OPEN
    assert circuit.until is not None
    probing = (await sim.deployment("chat-openai", 7)).circuit
    assert (probing.mode, probing.observed) == (Mode.AUTO, Observed.HALF_OPEN)
    assert (await sim.deployment("chat-openai", 30)).circuit.observed is Observed.CLOSED


async def test_what_cannot_be_asked_anywhere_fails_at_once() -> None:
    sim = Sim()
    await sim.trip("agents-claude")
    await sim.trip("lite-mini")
    await sim.trip("lite-haiku")
    agents = await sim.route("agents", 60)
    assert agents.traffic is not None
    assert (agents.traffic.fallbacks_per_min or 0) > 5  # chat answers for agents
    assert errors(await sim.route("chat-lite")) > 0.95


async def test_a_refused_tenant_is_seen_in_its_own_key_alone() -> None:
    sim = Sim("partial-by-tenant", speed=1)
    await sim.look(30)
    before = {key: await sim.spend(key) for key in ("mobile", "web")}
    after = {key: await sim.spend(key, 60) for key in ("mobile", "web")}
    grown = {
        key: (_grown(before[key], one, "failed_today"), _grown(before[key], one, "requests_today"))
        for key, one in after.items()
    }
    assert grown["mobile"][0] > 0.8 * grown["mobile"][1] > 100
    assert grown["web"][0] < 0.01 * grown["web"][1]
    classes = {failure.name for failure in (await sim.deployment("chat-azure", 30)).failures}
    assert "403" in classes


def _grown(before: Spend, after: Spend, what: str) -> float:
    return float(getattr(after, what) or 0) - float(getattr(before, what) or 0)


async def test_a_source_that_is_lost_answers_nothing_and_its_world_goes_on() -> None:
    yard = Yard("lost-source", speed=1)
    await yard.queues(9)
    with pytest.raises(BackendError) as caught:
        await yard.queues(30)
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert rpm(await yard.sim.route("chat")) > 400
    came = yard.broker.queues["document-index"].came
    with pytest.raises(BackendError):
        await yard.queues(60)
    assert yard.broker.queues["document-index"].came > came
    assert await yard.queues(1200)


async def test_phantom_spend_is_a_disagreement_between_the_books_and_the_tokens() -> None:
    sim = Sim("phantom-spend", speed=1)
    model = await sim.spend("model/gpt-5", 100)
    assert model.usd_today is not None
    later = await sim.spend("model/gpt-5", 60)
    booked = (later.usd_today or 0) - model.usd_today
    priced = (later.priced_usd_today or 0) - (model.priced_usd_today or 0)
    assert booked == pytest.approx(12 * priced, rel=0.05)


async def test_without_a_cap_everything_goes_to_a_half_open_circuit_until_the_first_answers_are_there() -> None:
    dead = {"first": 1.0, "later": 1.0, "worst": 1.0}
    capped, flooded = Sim("hard-outage", speed=2, parameters=dead), Sim("half-open-flood", speed=2)
    probes = [rpm(await capped.deployment("chat-azure", 20)) for _ in range(15)][9:]
    flood = [rpm(await flooded.deployment("chat-openai", 20)) for _ in range(15)][9:]
    assert max(probes) < 70
    assert min(flood) > 150


async def test_another_incident_can_follow_in_the_same_world() -> None:
    sim = Sim(speed=1)
    await sim.look(30)
    world = sim.adapter.world
    world.play(load_scenario("phantom-spend"), world.now + 30)
    assert world.deployments["chat-azure"].booked == 1.0
    await sim.look(40)
    assert world.deployments["chat-azure"].booked == 12.0
    world.play(load_scenario("calm"), world.now)
    await sim.look(10)
    assert world.deployments["chat-azure"].booked == 1.0

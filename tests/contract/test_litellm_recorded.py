"""What the LiteLLM adapter makes of a real server's answers: numbers, traps, and what other keys may do."""

import pytest

from console.domain.actions import Verb
from console.domain.circuit import Mode, Observed
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import AnyReading, Deployment, Observation, Provider, Route, Spend
from console.domain.refs import Kind, Ref
from tests.contract.recorded_litellm import RecordedBench


async def _looks(bench: RecordedBench) -> Observation:
    await bench.adapter.observe()
    await bench.clock.advance(15.0)
    return await bench.adapter.observe()


def _one(observation: Observation, kind: type[AnyReading], name: str) -> AnyReading:
    (found,) = [r for r in observation.readings if isinstance(r, kind) and r.ref.name == name]
    return found


async def test_deployments_are_read_with_what_flowed_between_the_two_pages() -> None:
    found = await _looks(RecordedBench())
    ill = _one(found, Deployment, "azure-b")
    assert isinstance(ill, Deployment)
    assert (ill.model, ill.provider, ill.routes, ill.origin) == ("gpt-4o", "openai", ("gpt-main",), "database")
    assert (ill.weight, ill.order) == (1.0, 1)
    assert ill.traffic is not None
    assert ill.traffic.errors_per_min > 0
    assert ill.failures[0].name == "429"
    well = _one(found, Deployment, "openai-a")
    assert isinstance(well, Deployment)
    assert well.traffic is not None
    assert well.latency is not None
    assert well.traffic.errors_per_min == 0
    assert 0 < (well.latency.p50_s or 0) <= (well.latency.p95_s or 0) < 5
    assert well.latency.ttft_p50_s
    assert 0 < (well.latency.s_per_token_p50 or 0) < 0.1
    assert well.headroom is not None
    assert (well.headroom.requests_left, well.headroom.tokens_left) == (4242.0, 990000.0)
    assert (well.usd_per_h or 0) > 0
    assert well.usd_per_request == pytest.approx(0.00035, rel=0.3)


async def test_a_provider_is_the_sum_of_its_deployments_and_a_route_counts_what_was_asked() -> None:
    found = await _looks(RecordedBench())
    provider = _one(found, Provider, "openai")
    route = _one(found, Route, "gpt-main")
    deployments = [r for r in found.readings if isinstance(r, Deployment)]
    assert isinstance(provider, Provider)
    assert isinstance(route, Route)
    assert provider.traffic is not None
    assert route.traffic is not None
    attempts = sum(each.traffic.requests_per_min for each in deployments if each.traffic)
    assert provider.traffic.requests_per_min == pytest.approx(attempts)
    assert route.traffic.requests_per_min == pytest.approx(2 * 20 * 60 / 15)  # both replicas play the same page
    assert (route.traffic.attempts_per_request or 0) >= 1.0
    assert sum(target.share or 0 for target in route.targets) == pytest.approx(1.0, abs=0.01)
    assert route.fallbacks == ("backup",)


async def test_the_first_page_is_only_a_mark() -> None:
    found = await RecordedBench().adapter.observe()
    for reading in found.readings:
        if isinstance(reading, Deployment | Provider | Route):
            assert reading.traffic is not None
            assert reading.traffic.requests_per_min == 0
            assert reading.usd_per_h is None


async def test_a_blocked_deployment_is_forced_open_and_an_alias_is_a_route_that_another_answers() -> None:
    found = await _looks(RecordedBench())
    blocked = _one(found, Deployment, "backup-d")
    assert isinstance(blocked, Deployment)
    assert (blocked.circuit.mode, blocked.circuit.observed) == (Mode.FORCED_OPEN, Observed.OPEN)
    assert blocked.circuit.agreement == (2, 2)
    alias = _one(found, Route, "old-name")
    assert isinstance(alias, Route)
    assert alias.answered_by == "backup"


async def test_without_redis_a_cooldown_is_taken_from_the_metrics_and_ends() -> None:
    bench = RecordedBench()
    found = await _looks(bench)
    cooled = _one(found, Deployment, "azure-b")
    assert isinstance(cooled, Deployment)
    assert (cooled.circuit.mode, cooled.circuit.observed) == (Mode.AUTO, Observed.OPEN)
    assert cooled.circuit.cause == "cooldown after 429"
    assert cooled.circuit.until == bench.clock.now() + 20.0  # cooldown_time of the recorded settings
    await bench.clock.advance(21.0)
    later = _one(await bench.adapter.observe(), Deployment, "azure-b")
    assert isinstance(later, Deployment)
    assert later.circuit.observed is Observed.CLOSED


async def test_money_is_booked_and_priced() -> None:
    found = await _looks(RecordedBench())
    total = _one(found, Spend, "total/all")
    assert isinstance(total, Spend)
    assert (total.usd_today or 0) > 0
    assert total.priced_usd_today == pytest.approx(total.usd_today, rel=0.05)
    key = next(r for r in found.readings if r.ref == Ref("gateway", Kind.KEY, "checkout"))
    assert isinstance(key, Spend)
    assert (key.budget_usd, key.budget_period) == (5.0, "1d")
    assert key.budget_resets_at is not None


async def test_a_replica_that_is_down_is_said_and_its_circuits_are_unknown() -> None:
    bench = RecordedBench()
    await bench.adapter.observe()
    await bench.lose("two.test:4000")
    found = await bench.adapter.observe()
    assert [(r.name, r.up) for r in found.replicas] == [("one.test:4000", True), ("two.test:4000", False)]
    assert found.replicas[1].failure is not None
    assert found.replicas[1].failure.kind is ErrorKind.UNREACHABLE
    deployment = _one(found, Deployment, "openai-a")
    assert isinstance(deployment, Deployment)
    assert [each.observed for each in deployment.circuit.replicas] == [Observed.CLOSED, Observed.UNKNOWN]
    plan = await bench.adapter.plan_trip(Ref("gateway", Kind.DEPLOYMENT, "openai-a"), 60.0)
    assert {proof.replica: proof.holds for proof in await bench.adapter.prove(plan)} == {
        "one.test:4000": False,
        "two.test:4000": None,
    }


async def test_with_no_replica_left_the_look_fails() -> None:
    bench = RecordedBench()
    await bench.lose("one.test:4000")
    await bench.lose("two.test:4000")
    with pytest.raises(BackendError) as caught:
        await bench.adapter.observe()
    assert caught.value.kind is ErrorKind.UNREACHABLE


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        ("viewer", "the key's role is proxy_admin_viewer"),
        ("plain-key", "the key's role is plain key"),
        ("config-file", "no database"),
    ],
)
async def test_a_key_or_a_server_that_takes_no_changes_says_why(scene: str, reason: str) -> None:
    bench = RecordedBench(scene)
    found = await bench.adapter.observe()
    deployment = next(r for r in found.readings if isinstance(r, Deployment))
    for verb in (Verb.TRIP, Verb.RESET, Verb.WEIGHT):
        assert not deployment.ability(verb).able
        assert reason in deployment.ability(verb).reason
    with pytest.raises(BackendError) as caught:
        await bench.adapter.plan_trip(deployment.ref, 60.0)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert reason in caught.value.failure.message
    assert any(reason in note for note in found.notes)


async def test_a_plain_key_is_not_used_to_ask_what_it_may_not() -> None:
    """LiteLLM books every refused request as a failure in its own metrics."""
    bench = RecordedBench("plain-key")
    for _ in range(4):
        await bench.adapter.observe()
        await bench.clock.advance(5.0)
    asked = {path for _, path in bench.replay.asked}
    assert "/router/settings" not in asked
    assert not any("spend" in path or "activity" in path or "key/list" in path for path in asked)


async def test_looking_never_runs_health_checks_and_stays_in_its_budget() -> None:
    bench = RecordedBench()
    spent = []
    for _ in range(24):
        spent.append((await bench.adapter.observe()).requests)
        await bench.clock.advance(5.0)
    assert not [path for _, path in bench.replay.asked if path in ("/health", "/health/")]
    assert {method for method, _ in bench.replay.asked} == {"GET"}
    assert sum(spent) == len(bench.replay.asked)
    assert sum(spent) / 24 < 5.5  # two replicas: metrics and deployments each, and little else


async def test_without_metrics_the_replica_still_lives_and_the_way_out_is_said() -> None:
    bench = RecordedBench("viewer")  # recorded without metrics
    await bench.adapter.observe()
    await bench.clock.advance(2.0)
    bench.replay.asked.clear()
    found = await bench.adapter.observe()
    assert all(replica.up for replica in found.replicas)
    assert any("prometheus" in problem.way_out for problem in found.problems)
    assert "/model/info" not in {path for _, path in bench.replay.asked}


async def test_a_refused_change_makes_it_find_out_anew_what_the_key_may_do() -> None:
    bench = RecordedBench()
    await bench.adapter.observe()
    plan = await bench.adapter.plan_trip(Ref("gateway", Kind.DEPLOYMENT, "openai-a"), 60.0)
    with pytest.raises(BackendError) as caught:
        await bench.adapter.execute(plan.steps[0])
    assert caught.value.kind is ErrorKind.FORBIDDEN
    bench.replay.asked.clear()
    await bench.adapter.observe()
    assert ("GET", "/v2/user/info") in bench.replay.asked


async def test_looking_more_often_asks_for_metrics_alone() -> None:
    bench = RecordedBench()
    await bench.adapter.observe()
    await bench.clock.advance(2.0)
    bench.replay.asked.clear()
    await bench.adapter.observe()
    assert [path for _, path in bench.replay.asked] == ["/metrics/", "/metrics/"]


async def test_the_way_back_puts_back_what_was_there_to_the_letter() -> None:
    bench = RecordedBench()
    plan = await bench.adapter.plan_weight(Ref("gateway", Kind.DEPLOYMENT, "openai-a"), 7.0)
    assert repr(plan.undo[0].args["value"]) == "3"
    alias = await bench.adapter.plan_switch(Ref("gateway", Kind.ROUTE, "old-name"), "gpt-main", "alias")
    assert alias.undo[0].args == {"route": "old-name", "to": "backup"}
    first = await bench.adapter.plan_switch(Ref("gateway", Kind.ROUTE, "gpt-main"), "groq-c", "order")
    assert (first.steps[0].args["value"], first.undo[0].args["value"]) == (0, 2)
    assert first.expects[0].ref == Ref("gateway", Kind.DEPLOYMENT, "groq-c")


async def test_a_proxy_that_refuses_what_it_is_asked_is_not_asked_at_every_look() -> None:
    bench = RecordedBench()
    await bench.adapter.observe()
    bench.replay.refused = {"/router/settings"}
    asked = 0
    for _ in range(30):
        await bench.clock.advance(2.0)
        bench.replay.asked.clear()
        found = await bench.adapter.observe()
        asked += len([path for _, path in bench.replay.asked if "settings" in path or "readiness" in path])
    assert 4 <= asked <= 16, "in a minute: settings every 15 s, and after each refusal once what the key may do"
    assert found.problems, "what could not be read stays said between the tries"

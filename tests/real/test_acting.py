"""Trip, reset, weight, switch and restore on real replicas: previewed, done, and seen by other means than our own."""

import asyncio
import signal

import pytest

from console.domain.actions import (
    ExpiryHome,
    Outcome,
    OverrideState,
    Reset,
    Restore,
    SetWeight,
    Switch,
    Trip,
)
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.readings import Route
from tests.real.operator import Operator, deployment, operating, route
from tests.real.stack.fleet import FILE_MODEL, MODELS
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed
from tests.real.truth import alias, blocked, cooldown_s, on, served_by, weight


async def test_a_trip_is_done_when_both_replicas_show_it(testbed: Testbed) -> None:
    async with operating(Home(testbed, "trip")) as (operator, _):
        receipt = await operator.act(deployment("openai-a"), Trip())
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert [proof.holds for proof in receipt.proofs] == [True, True]
        assert on(testbed.replicas, blocked("openai-a")) == [True, True]
        for replica in testbed.replicas:
            assert "openai-a" not in served_by(testbed, replica, "gpt-main")
        back = await operator.restore(deployment("openai-a"))
        assert back.outcome is Outcome.VERIFIED, back
        assert on(testbed.replicas, blocked("openai-a")) == [False, False]
        assert not (await operator.board()).overrides


async def test_a_proposal_changes_nothing(testbed: Testbed) -> None:
    async with operating(Home(testbed, "dry")) as (operator, _):
        proposal = await operator.propose(deployment("openai-a"), Trip())
        assert proposal.verdict.allowed
        assert proposal.plan is not None
        assert proposal.effects
        await asyncio.sleep(1)
        assert on(testbed.replicas, blocked("openai-a")) == [False, False]


async def test_reset_ends_a_trip(testbed: Testbed) -> None:
    async with operating(Home(testbed, "reset")) as (operator, _):
        await operator.act(deployment("azure-b"), Trip())
        receipt = await operator.act(deployment("azure-b"), Reset(), None)
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert on(testbed.replicas, blocked("azure-b")) == [False, False]


async def test_a_weight_moves_traffic_and_comes_back(testbed: Testbed) -> None:
    async with operating(Home(testbed, "weight")) as (operator, _):
        receipt = await operator.act(deployment("openai-a"), SetWeight(weight=0.0))
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert on(testbed.replicas, weight("openai-a")) == [0, 0]
        assert served_by(testbed, testbed.first, "gpt-main") == {"azure-b"}
        back = await operator.restore(deployment("openai-a"))
        assert back.outcome is Outcome.VERIFIED, back
        assert on(testbed.replicas, weight("openai-a")) == [3, 3]


async def test_a_switch_by_alias_and_its_way_back(testbed: Testbed) -> None:
    async with operating(Home(testbed, "alias")) as (operator, _):
        receipt = await operator.act(route("gpt-main"), Switch(to="backup", mechanism="alias"))
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert on(testbed.replicas, alias("gpt-main")) == ["backup", "backup"]
        for replica in testbed.replicas:
            assert served_by(testbed, replica, "gpt-main") == {"backup-d"}
        back = await operator.restore(route("gpt-main"))
        assert back.outcome is Outcome.VERIFIED, back
        assert on(testbed.replicas, alias("gpt-main")) == [None, None]


async def test_a_switch_leaves_other_aliases_alone(testbed: Testbed) -> None:
    there = {"router_settings": {"model_group_alias": {"legacy": "backup"}}}
    testbed.first.call("POST", "/config/update", there)
    testbed.on_all(lambda replica: alias("legacy")(replica) == "backup")
    async with operating(Home(testbed, "aliases")) as (operator, _):
        await operator.act(route("gpt-main"), Switch(to="backup", mechanism="alias"))
        assert on(testbed.replicas, alias("legacy")) == ["backup", "backup"]
        await operator.restore(route("gpt-main"))
        assert on(testbed.replicas, alias("legacy")) == ["backup", "backup"]


async def test_a_switch_by_order_sends_requests_to_another_provider(testbed: Testbed) -> None:
    async with operating(Home(testbed, "order")) as (operator, _):
        shown = (await operator.board()).readings[route("gpt-main")]
        assert isinstance(shown, Route)
        option = next(item for item in shown.switch_options if item.mechanism == "order" and "groq" in item.to)
        receipt = await operator.act(route("gpt-main"), Switch(to=option.to, mechanism="order"))
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert served_by(testbed, testbed.first, "gpt-main") == {"groq-c"}
        back = await operator.restore(route("gpt-main"))
        assert back.outcome is Outcome.VERIFIED, back
        assert "groq-c" not in served_by(testbed, testbed.first, "gpt-main")


async def test_a_replica_that_hangs_counts_as_one_of_two(testbed: Testbed) -> None:
    stuck = testbed.replicas[1].child
    async with operating(Home(testbed, "hang")) as (operator, _):
        stuck.signal(signal.SIGSTOP)
        try:
            receipt = await operator.confirm(await operator.propose(deployment("azure-b"), Trip()))
            receipt = await operator.until(receipt.id, lambda r: r.outcome is Outcome.CONVERGING)
            assert "1/2" in receipt.words
            assert sorted(str(proof.holds) for proof in receipt.proofs) == ["None", "True"]
        finally:
            stuck.signal(signal.SIGCONT)
        assert (await operator.settled(receipt.id)).outcome is Outcome.VERIFIED
        await operator.restore(deployment("azure-b"))


async def test_a_killed_replica_is_no_success(testbed: Testbed) -> None:
    third = testbed.start_replica("litellm-3")
    home = Home(testbed, "killed", replicas=(testbed.first.url, third.url))
    async with operating(home) as (operator, _):
        third.child.kill()
        await operator.board(lambda board: _replicas_up(board) == [False, True])
        receipt = await operator.act(deployment("azure-b"), Trip(), limit_s=150)
        assert receipt.outcome is Outcome.UNVERIFIED, receipt
        assert "1/2" in receipt.words
        assert on([testbed.first], blocked("azure-b")) == [True]
        override = next(iter((await operator.board()).overrides.values()))
        assert override.state is OverrideState.ACTIVE
        assert (await operator.propose(deployment("azure-b"), Restore(override_id=override.id))).plan is not None


def _replicas_up(board: Board) -> list[bool]:
    sources = [reading for reading in board.readings.values() if hasattr(reading, "replicas")]
    return sorted(replica.up for source in sources for replica in source.replicas)


async def test_a_gateway_without_a_database_works_alone(testbed: Testbed) -> None:
    alone = testbed.alone()
    assert alone.ask("gpt-main").status_code == 200
    assert set(alone.deployments()) == {model.id for model in MODELS}


async def test_without_a_database_a_trip_goes_through_redis_and_ends_there(testbed: Testbed) -> None:
    alone = testbed.alone()
    async with operating(Home(testbed, "plain", plain=True)) as (operator, engine):
        proposal = await operator.propose(deployment("openai-a"), Trip(), 8.0)
        assert proposal.plan is not None
        assert proposal.plan.expiry_home is ExpiryHome.BACKEND
        receipt = await operator.settled((await operator.confirm(proposal)).id)
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert 0 < cooldown_s(testbed.plain_redis, "openai-a") <= 8
        assert served_by(testbed, alone, "gpt-main", requests=6) == {"azure-b"}
        engine.kill()  # the expiry does not need it
        await asyncio.sleep(8.5)
        assert cooldown_s(testbed.plain_redis, "openai-a") == -2
        assert "openai-a" in served_by(testbed, alone, "gpt-main", requests=40)


async def test_without_a_database_nothing_else_changes_and_it_says_why(testbed: Testbed) -> None:
    async with operating(Home(testbed, "nodb", plain=True)) as (operator, _):
        proposal = await operator.propose(deployment("openai-a"), SetWeight(weight=9.0))
        assert not proposal.verdict.allowed
        assert "no database" in " ".join(proposal.verdict.refusals)


async def test_what_a_file_defines_says_why_it_cannot_be_changed_and_can_still_be_tripped(testbed: Testbed) -> None:
    file = deployment(FILE_MODEL.id)
    async with operating(Home(testbed, "file")) as (operator, _):
        proposal = await operator.propose(file, SetWeight(weight=9.0))
        assert not proposal.verdict.allowed
        assert "config" in " ".join(proposal.verdict.refusals)
        proposal = await operator.propose(file, Trip(), 6.0)
        assert proposal.plan is not None
        assert proposal.plan.expiry_home is ExpiryHome.BACKEND
        receipt = await operator.settled((await operator.confirm(proposal)).id)
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert testbed.first.ask(FILE_MODEL.group).status_code == 429  # LiteLLM: no deployment is available
        await operator.board(lambda board: not board.overrides, 30)
        assert cooldown_s(testbed.redis, FILE_MODEL.id) == -2


async def test_a_change_by_another_hand_is_not_overwritten(testbed: Testbed) -> None:
    async with operating(Home(testbed, "other")) as (operator, _):
        proposal = await operator.propose(deployment("openai-a"), SetWeight(weight=1.0))
        testbed.first.call("PATCH", "/model/openai-a/update", {"litellm_params": {"weight": 7}})
        testbed.on_all(lambda replica: weight("openai-a")(replica) == 7)
        with pytest.raises(Refusal, match="changed"):
            await operator.confirm(proposal)
        assert on(testbed.replicas, weight("openai-a")) == [7, 7]


async def test_an_expiry_reverts_by_itself(testbed: Testbed) -> None:
    async with operating(Home(testbed, "expiry")) as (operator, _):
        receipt = await operator.act(deployment("openai-a"), SetWeight(weight=1.0), 6.0)
        assert receipt.outcome is Outcome.VERIFIED, receipt
        await operator.board(lambda board: not board.overrides, 60)
        assert on(testbed.replicas, weight("openai-a")) == [3, 3]


async def test_two_operators_see_each_other(testbed: Testbed) -> None:
    home = Home(testbed, "two")
    async with operating(home) as (operator, _):
        other = Operator(home)
        watching = asyncio.create_task(other.board(lambda board: bool(board.overrides)))
        await asyncio.sleep(0.5)
        await operator.act(deployment("azure-b"), Trip())
        board = await watching
        assert next(iter(board.overrides.values())).target == deployment("azure-b")
        await operator.restore(deployment("azure-b"))

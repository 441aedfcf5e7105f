"""The contract that every adapter keeps, with the LiteLLM adapter on real replicas instead of recordings."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.litellm import SPEC, LiteLLMOptions
from console.domain.actions import Plan
from console.domain.ports import AdapterContext
from console.engine.clock import SystemClock
from tests.contract.bench import ActingAdapter
from tests.contract.test_acting import (
    test_a_plan_runs_after_a_trip_through_the_audit_log,
    test_a_replica_that_cannot_be_asked_proves_nothing,
    test_a_step_that_is_not_the_adapters_own_is_refused,
    test_an_action_is_seen_on_every_replica_and_so_is_its_way_back,
    test_nothing_is_proved_before_it_is_done,
    test_the_generation_tells_when_somebody_else_was_there,
)
from tests.contract.test_observing import (
    test_a_check_says_of_every_replica_whether_it_is_there,
    test_an_observation_has_everything_that_a_screen_shows,
    test_an_observation_has_no_fault,
)
from tests.contract.test_planning import (
    test_an_object_that_is_able_gets_a_whole_plan,
    test_an_object_that_is_not_able_says_the_same_reason,
    test_planning_touches_nothing,
)
from tests.real.stack.litellm import MASTER_KEY, Replica
from tests.real.stack.testbed import Testbed

__all__ = [
    "test_a_check_says_of_every_replica_whether_it_is_there",
    "test_a_plan_runs_after_a_trip_through_the_audit_log",
    "test_a_replica_that_cannot_be_asked_proves_nothing",
    "test_a_step_that_is_not_the_adapters_own_is_refused",
    "test_an_action_is_seen_on_every_replica_and_so_is_its_way_back",
    "test_an_object_that_is_able_gets_a_whole_plan",
    "test_an_object_that_is_not_able_says_the_same_reason",
    "test_an_observation_has_everything_that_a_screen_shows",
    "test_an_observation_has_no_fault",
    "test_nothing_is_proved_before_it_is_done",
    "test_planning_touches_nothing",
    "test_the_generation_tells_when_somebody_else_was_there",
]


class LiveBench:
    """The adapter on the testbed, and a hand on the gateway that is not the adapter's."""

    source = "gateway"

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self.clock = SystemClock()
        # Without Redis: a replica keeps its own copy of a released cooldown for up to a minute (test_acting has Redis).
        options = LiteLLMOptions(replicas=[replica.url for replica in testbed.replicas], key="env:UNUSED")
        context = AdapterContext(self.source, self.clock, lambda _: MASTER_KEY, 8.0, options)
        self.adapter: ActingAdapter = SPEC.create(context)  # type: ignore[assignment]

    async def settle(self) -> None:
        """Wait until the replicas agree about everything that an action changes."""
        await asyncio.sleep(0.3)
        deadline = time.monotonic() + 30
        while True:
            shown = [await asyncio.to_thread(_standing, replica) for replica in self._awake()]
            if all(one == shown[0] for one in shown):
                return
            assert time.monotonic() < deadline, shown
            await asyncio.sleep(0.2)

    async def lose(self, replica: str) -> None:
        """Stop the replica whose address this is."""
        next(one for one in self._testbed.replicas if replica in one.url).child.signal(signal.SIGSTOP)
        self._lost = replica

    _lost = ""

    def _awake(self) -> list[Replica]:
        return [one for one in self._testbed.replicas if not self._lost or self._lost not in one.url]

    async def disturb(self, plan: Plan) -> None:
        """Change by plain HTTP what the plan would replace."""
        first = self._testbed.first
        for expectation in plan.expects:
            name, before = expectation.ref.name, plan.before[expectation.field]
            match expectation.field:
                case "blocked":
                    first.call("POST", "/model/unblock" if before else "/model/block", {"model_id": name})
                case "weight" | "order" as field:
                    first.call("PATCH", f"/model/{name}/update", {"litellm_params": {field: 77}})
                case "alias":
                    other = next(group for group in ("claude-main", "backup") if group not in (name, before))
                    first.call("POST", "/config/update", {"router_settings": {"model_group_alias": {name: other}}})
                case field:
                    raise AssertionError(f"nobody has said how to disturb {field}")

    async def close(self) -> None:
        """Wake what was stopped, and let go."""
        for replica in self._testbed.replicas:
            replica.child.signal(signal.SIGCONT)
        await self.adapter.close()


def _standing(replica: Replica) -> Any:
    models = {}
    for name, item in replica.deployments().items():
        params, info = item["litellm_params"], item["model_info"]
        models[name] = params.get("weight"), params.get("order"), bool(info.get("blocked"))
    return models, replica.router().get("model_group_alias") or {}


@pytest.fixture
async def bench(testbed: Testbed) -> AsyncIterator[LiveBench]:
    live = LiveBench(testbed)
    for replica in testbed.replicas:
        assert replica.ask("gpt-main").status_code == 200  # something to show on every screen
    yield live
    await live.close()


@pytest.fixture
def acting(bench: LiveBench) -> LiveBench:
    return bench

"""The contract suite's bench over the testbed: the adapter acts, and what it meets is a real LiteLLM."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from adapters.litellm import LiteLLMOptions
from adapters.litellm.adapter import LiteLLMAdapter
from console.domain.actions import Plan, Verb
from console.domain.ports import AdapterContext
from console.engine.clock import SystemClock
from tests.contract.bench import Bench, Subject
from tests.contract.recorded_litellm import LITELLM_RECORDED
from tests.real.stack.fleet import MODELS, RELOAD_S
from tests.real.stack.litellm import MASTER_KEY
from tests.real.stack.testbed import Testbed

GROUPS = tuple(dict.fromkeys(model.group for model in MODELS))


class RealBench:
    """Two replicas over one database and one Redis."""

    source = "gateway"

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self.clock = SystemClock()
        # Without Redis: a trip through it that is ended early lives on in the replicas' memory for up to ten minutes,
        # longer than this suite can wait. Those trips have their own tests (test_acting.py).
        options = LiteLLMOptions(replicas=[replica.url for replica in testbed.replicas], key="env:KEY")
        context = AdapterContext(self.source, self.clock, lambda reference: MASTER_KEY, 4.0, options)
        self.adapter = LiteLLMAdapter(context)

    async def settle(self) -> None:
        await asyncio.sleep(RELOAD_S + 1)

    async def lose(self, replica: str) -> None:
        lost = next(one for one in self._testbed.replicas if replica in (one.name, one.url) or replica in one.url)
        lost.child.signal(signal.SIGSTOP)

    async def disturb(self, plan: Plan) -> None:
        await asyncio.to_thread(self._disturb, plan)

    def _disturb(self, plan: Plan) -> None:
        first, name = self._testbed.first, plan.target.name
        match plan.verb:
            case Verb.TRIP | Verb.RESET:
                first.call("POST", "/model/block", {"model_id": name})
            case Verb.WEIGHT:
                first.call("PATCH", f"/model/{name}/update", {"litellm_params": {"weight": 55}})
            case _ if "alias" in plan.expects[0].field:
                other = next(group for group in GROUPS if group != name)
                first.call("POST", "/config/update", {"router_settings": {"model_group_alias": {name: other}}})
            case _:
                for expected in plan.expects:
                    first.call("PATCH", f"/model/{expected.ref.name}/update", {"litellm_params": {"order": 9}})

    def wake(self) -> None:
        """Every replica goes on."""
        for replica in self._testbed.replicas:
            replica.child.signal(signal.SIGCONT)


@pytest.fixture
async def bench(testbed: Testbed) -> AsyncIterator[Bench]:
    """The adapter on the real servers."""
    real = RealBench(testbed)
    try:
        yield real
    finally:
        real.wake()
        await real.adapter.close()


@pytest.fixture
def acting(bench: Bench) -> Bench:
    """The same: a real server answers to actions."""
    return bench


@pytest.fixture
def planning(bench: Bench) -> Bench:
    """The same once more."""
    return bench


@pytest.fixture
def subject() -> Subject:
    """What this adapter is able to do and shows."""
    return LITELLM_RECORDED


@pytest.fixture
def planner(subject: Subject) -> Subject:
    """The same: it plans."""
    return subject

"""The contract suite on a real NATS server: consumers with workers, one that is paused, one that is parked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NoReturn

import pytest

from adapters.nats import SPEC
from console.domain.actions import Park, Pause, Plan, Verb
from console.domain.ports import Actuator, Mover, Queues
from console.domain.readings import Queue
from tests.contract.bench import Subject
from tests.contract.test_moving import (  # noqa: F401 - collected here, with this file's bench
    test_a_broker_that_cannot_be_asked_proves_nothing,
    test_a_lasting_step_can_be_begun_again_by_the_next_engine,
    test_a_plan_runs_after_a_trip_through_the_audit_log,
    test_a_step_that_is_not_the_adapters_own_is_refused,
    test_an_action_is_seen_and_so_is_its_way_back_and_no_message_is_missing,
    test_one_that_is_stopped_counts_what_it_has_moved_and_leaves_nothing_that_goes_on,
    test_progress_is_told_and_only_grows,
    test_the_generation_tells_when_somebody_else_was_there_and_not_that_messages_come_and_go,
    test_what_stays_behind_is_what_the_verb_says,
)
from tests.contract.test_observing import (  # noqa: F401
    test_a_check_never_raises_and_says_something,
    test_a_check_says_of_every_replica_whether_it_is_there,
    test_an_observation_has_everything_that_a_screen_shows,
    test_an_observation_has_no_fault,
    test_closing_twice_is_no_error,
    test_it_is_what_its_ports_say,
    test_the_spec_introduces_its_adapter,
)
from tests.contract.test_planning import (  # noqa: F401
    test_an_object_that_is_able_gets_a_whole_plan,
    test_an_object_that_is_not_able_says_the_same_reason,
    test_what_is_not_there_cannot_be_planned,
)
from tests.real.nats_bench import PARKED, Hand, NatsBench, hand, working
from tests.real.stack.nats import NatsServer

VERBS = (Verb.PAUSE, Verb.RESUME, Verb.PARK, Verb.REPLAY, Verb.FINISH)
WAITING = 200


class WholeBench(NatsBench):
    """Three queues; a worker is at the first, and one message in it waits for a stranger's hand."""

    source = "jobs"

    def __init__(self, server: NatsServer, by_hand: Hand) -> None:
        super().__init__(server, replay_per_s=5000)
        self._hand = by_hand
        self.done: dict[str, Counter[bytes]] = {}

    async def settle(self) -> None:
        await asyncio.sleep(0.1)

    async def lose(self, replica: str) -> None:
        assert replica in self.server.url
        self.server.kill()

    async def disturb(self, plan: Plan) -> None:
        stream, _, consumer = plan.target.name.partition("/")
        body = {} if plan.before["paused"] else {"pause_until": "2100-01-01T00:00:00Z"}
        await self._hand.api(f"CONSUMER.PAUSE.{stream}.{consumer}", body)

    async def missing(self, queue: str) -> int:
        """Messages that are nowhere, and those that are there twice; counted again while workers move them."""
        stream, wrong = queue.partition("/")[0], WAITING
        for _ in range(100):
            found = await self._hand.bodies(stream) + await self._hand.bodies(f"{PARKED}{stream}_worker")
            found += self.done.get(stream, Counter())
            wrong = sum(abs(found[f"{number:08d}".encode()] - 1) for number in range(WAITING))
            if not wrong:
                break
            await asyncio.sleep(0.1)
        return wrong


@pytest.fixture
async def bench(nats: NatsServer) -> AsyncIterator[WholeBench]:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(hand(nats))
        found = WholeBench(nats, one)
        for name in ("BUSY", "HELD", "SIDE"):
            await one.stream(name)
            await one.consumer(name)
            await one.publish(f"{name}.x", WAITING)
        await found.act("HELD/worker", Pause())
        await found.act("SIDE/worker", Park())
        found.done["BUSY"] = await stack.enter_async_context(working(nats, "BUSY", pause_s=0.01, batch=5))
        yield found
        await found.adapter.close()
        if nats.child is not None and not nats.child.running:
            await asyncio.to_thread(nats.start)  # the workers say goodbye to somebody


@pytest.fixture
def moving(bench: WholeBench, request: pytest.FixtureRequest) -> WholeBench:
    """The same; for the verbs that there are."""
    call = getattr(request.node, "callspec", None)
    if call is not None and call.params.get("verb", Verb.PARK) not in VERBS:
        pytest.skip("no consumer is able to do this, and each says why")
    return bench


@pytest.fixture
def planning(bench: WholeBench) -> WholeBench:
    return bench


@pytest.fixture
def subject() -> Subject:
    return Subject("nats", SPEC, _nobody, ports=(Queues, Mover, Actuator), shows=(Queue,), verbs=VERBS)


def _nobody() -> NoReturn:
    raise AssertionError("the fixture `bench` opens it")


@pytest.fixture
def planner(subject: Subject) -> Subject:
    return subject

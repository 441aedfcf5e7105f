"""Six faults at the upstreams of a real LiteLLM: the product's own detectors name each, and nobody else.

Hours of a past are not waited for: what was really seen of the stack, well and then ill, is told to the detectors as if
each look came 15 s, and each recording of the answers a minute, after the one before (`stack/past.py`). How soon the
engine itself says it in real time is measured by hand: `python -m tests.real.live_faults`.

How slow a gateway is judged in it: on a machine that starves the gateway too, the well provider is slow. So it is a
slower job, to be run by itself: SWITCHGEAR_SLOW=1.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from itertools import chain

import pytest

from console.domain.alerts import Alert
from console.domain.answers import Answers
from console.domain.readings import Observation
from tests.real.conftest import ready_or_skip
from tests.real.live_faults import FAULTS, names
from tests.real.stack.missing import Missing
from tests.real.stack.past import Hearing, Seen, answered, look_while
from tests.real.stack.processes import Nursery
from tests.real.stack.watched import GATEWAY, TRACES, Watched, asking, start_watched

pytestmark = pytest.mark.skipif(os.environ.get("SWITCHGEAR_SLOW") != "1", reason="wants the machine: SWITCHGEAR_SLOW=1")

QUESTIONS = 112
"""Sixteen at each deployment."""
PAUSE_S = 0.15
LOOK_EVERY_S = 1.0
WINDOW_S = 10.0
LEARNING_S = 6 * 3600.0
ILL_S = 15 * 60.0
MONDAY = 1_799_625_600.0


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    nursery = Nursery()
    try:
        yield start_watched(nursery)
    except Missing as reason:
        ready_or_skip(reason)
    finally:
        nursery.close()


async def _seen(watched: Watched, name: str) -> Seen:
    """What the adapters see of a stack while it is asked, all answers as one minute."""
    gateway = watched.gateway(WINDOW_S)
    asked = asyncio.create_task(asking(watched, PAUSE_S, QUESTIONS))
    looks: list[Observation] = await look_while(asked, gateway, LOOK_EVERY_S)
    await gateway.close()
    rows = await _rows(watched, name)
    return Seen(looks[len(looks) // 3 :], [rows])  # what came before is still in the window at first


async def _rows(watched: Watched, name: str) -> tuple[Answers, ...]:
    """All that was answered, once the gateway has told of most of it."""
    end = time.monotonic() + 20
    traces, now = watched.traces(), time.time()
    while True:
        rows = tuple(chain(*await answered(traces, TRACES, now - 900.0, now + 60.0)))
        if sum(row.calls for row in rows) >= QUESTIONS or time.monotonic() > end:
            break
        await asyncio.sleep(0.5)
    await traces.close()
    watched.collector.put_aside(name)
    return rows


def _heard(well: Seen, ill: Seen) -> tuple[list[Alert], list[Alert]]:
    """What calls somebody at the end of what was well, and while it is ill."""
    hearing = Hearing(GATEWAY, TRACES, MONDAY)
    for _ in hearing.tell(well, MONDAY + LEARNING_S):
        pass
    calm = hearing.loud()
    said: dict[str, Alert] = {}
    for _ in hearing.tell(ill, MONDAY + LEARNING_S + ILL_S):
        said.update({alert.id: alert for alert in hearing.loud()})
    return calm, list(said.values())


async def test_each_fault_at_an_upstream_is_named_and_no_other_provider_is(watched: Watched) -> None:
    await asking(watched, 0.1, QUESTIONS // 4)  # LiteLLM does much for the first time
    watched.collector.put_aside("first")
    well = await _seen(watched, "well")
    for fault in FAULTS:
        watched.tell(fault.upstream, fault.mode, **fault.fields)
    ill = await _seen(watched, "ill")
    calm, said = _heard(well, ill)
    assert calm == []
    unnamed = [fault.name for fault in FAULTS if not any(names(alert, fault) for alert in said)]
    assert not unnamed, [f"{alert.id}: {alert.words}" for alert in said]
    well_ones = {"openai-a", "openai"}
    assert not [alert for alert in said if alert.ref.name in well_ones], said

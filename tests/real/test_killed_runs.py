"""Engines are killed in the middle of a runbook on real backends: nothing is done twice, nothing is left out.

Four deaths in one run always, at instants that SWITCHGEAR_SEED chooses (printed). With SWITCHGEAR_SLOW=1 an engine
dies at every one: before and after each durable write of the run and of the audit log, and at each change that comes to
a backend, before it is passed on and before its answer is brought back. There one run goes through many engines.
"""

import os
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.real.killed_runs import Deaths, Found, play, where, written
from tests.real.stack.rabbitmq import RabbitServer
from tests.real.stack.testbed import Testbed

SEED = int(os.environ.get("SWITCHGEAR_SEED") or SystemRandom().randrange(10**6))
INSTANTS, CHANGES = 100, 7
"""There are at least so many in every run: each one of these comes."""
RUNS = 8
"""Over so many runs the deaths at durable writes are spread."""
MORE = 3
"""And over so many more those that were not come to."""
EVERY_S = 2 * 3600
slow = pytest.mark.skipif(
    os.environ.get("SWITCHGEAR_SLOW") != "1", reason="every instant takes long: SWITCHGEAR_SLOW=1"
)


def sample() -> Deaths:
    """Two durable writes, a call that has left, and another one whose answer was not read."""
    random = Random(SEED)
    left, answered = random.sample(range(CHANGES), 2)
    return Deaths(tuple(f"@{number}" for number in random.sample(range(INSTANTS), 2)), (left,), (answered,))


async def held_true(testbed: Testbed, broker: RabbitServer, deaths: Deaths, name: str) -> Found:
    found = await play(testbed, broker, deaths, name)
    print(f"\nseed {SEED}, {deaths}: {written(found)}")
    assert not found.untrue, (str(deaths), found.died, found.untrue)
    return found


async def test_a_run_whose_engine_is_killed_is_followed_to_its_end(
    testbed: Testbed, broker: RabbitServer, tmp_path: Path
) -> None:
    deaths = sample()
    found = await held_true(testbed, broker, deaths, where(tmp_path))
    assert len(found.died) == len(deaths)


@slow
@pytest.mark.timeout(EVERY_S)
async def test_killed_at_every_instant_of_a_run(testbed: Testbed, broker: RabbitServer, tmp_path: Path) -> None:
    undisturbed = await held_true(testbed, broker, Deaths(instants=("@9999",)), where(tmp_path))
    instants = list(dict.fromkeys(undisturbed.trail))
    assert not undisturbed.died
    assert len(undisturbed.trail) >= INSTANTS
    assert len(undisturbed.gateway) + len(undisturbed.broker) == CHANGES
    rounds = [Deaths(left=tuple(range(CHANGES))), Deaths(answered=tuple(range(CHANGES)))]
    rounds += [Deaths(instants=tuple(instants[number::RUNS])) for number in range(RUNS)]
    deaths = list[str]()
    for number in range(len(rounds) + MORE):
        left = tuple(one for one in instants if one not in deaths)  # those that a death just before them has hidden
        one = rounds[number] if number < len(rounds) else Deaths(instants=left)
        testbed.settle()
        broker.clear()
        deaths += (await held_true(testbed, broker, one, f"{where(tmp_path)[:20]}{number}")).died
    missed = sorted(set(instants) - set(deaths))
    print(f"{len(deaths)} deaths at {len(instants)} writes and 2 × {CHANGES} changes; never come to: {missed}")
    assert len(missed) < 0.05 * len(instants)

"""Broker, engine, console or all of them killed at random instants of queue actions: no message is lost.

Two rounds always; with SWITCHGEAR_SLOW=1 ten more, at instants that SWITCHGEAR_SEED chooses (printed with each).
"""

import os
from pathlib import Path
from random import Random, SystemRandom

import pytest

from console.domain.verbs import Verb
from tests.real.killed_rounds import VICTIMS, Found, Round, play
from tests.real.stack.homes import broker_home
from tests.real.stack.rabbitmq import RabbitServer

SEED = int(os.environ.get("SWITCHGEAR_SEED") or SystemRandom().randrange(10**6))
WORKED_TWICE = 12
"""Messages that the worker had done when its broker died with the acknowledgement unread."""
slow = pytest.mark.skipif(os.environ.get("SWITCHGEAR_SLOW") != "1", reason="ten rounds take minutes: SWITCHGEAR_SLOW=1")


def rounds() -> list[Round]:
    """Five parks and one of each other verb; each victim at least twice."""
    random = Random(SEED)
    verbs = [Verb.PARK] * 5 + [Verb.PAUSE, Verb.REPLAY, Verb.REQUEUE, Verb.ISOLATE, Verb.PURGE]
    victims = [*VICTIMS, *VICTIMS, "broker", "all"]
    random.shuffle(victims)
    return [Round.drawn(random, verb, victim) for verb, victim in zip(verbs, victims, strict=True)]


def told(found: Found) -> str:
    words = found.receipt.words if found.receipt is not None else "never begun"
    return f"lost {len(found.lost)}, twice {found.twice} of at most {found.said} said, {found.where}, receipt: {words}"


async def held_true(server: RabbitServer, folder: Path, plan: Round) -> None:
    found = await play(server, broker_home(server, folder), plan)
    print(f"\nseed {SEED}: {plan}\n  {told(found)}")
    assert not found.lost, told(found)
    assert not found.untrue, (found.untrue, told(found))
    assert found.twice <= found.said + WORKED_TWICE * plan.kills("broker"), told(found)


@pytest.mark.parametrize(
    "plan",
    [
        Round(Verb.PARK, "all", "classic", 12_000, 0.6, 0.5),
        Round(Verb.REPLAY, "engine", "quorum", 8_000, 0.8, 0.2),
    ],
    ids=("park, all", "replay, engine"),
)
async def test_what_is_killed_in_the_middle_loses_no_message(broker: RabbitServer, tmp_path: Path, plan: Round) -> None:
    await held_true(broker, tmp_path, plan)


@slow
@pytest.mark.parametrize("number", range(10))
async def test_what_is_killed_at_random_loses_no_message(broker: RabbitServer, tmp_path: Path, number: int) -> None:
    await held_true(broker, tmp_path, rounds()[number])

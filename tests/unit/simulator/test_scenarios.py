"""Each shipped scenario does in the world what its summary says, and leaves alone whom it does not name."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.parts import ATTEMPTS as ASKED
from adapters.simulator.parts import (
    CALLS,
    FAILED,
    FAILURE_NAMES,
    FRESH,
    KEY_CALLS,
    KEY_FAILED,
    KEY_USD,
    LIMITED,
    PRICED,
    TOO_LONG,
    TRIES,
    USD,
)
from adapters.simulator.platform import standard
from adapters.simulator.queues.broker import Broker
from adapters.simulator.scenario import load_scenario, names
from adapters.simulator.world import World

BEGIN = 1_800_000_000.0
QUIET_S = 30.0


class Place(NamedTuple):
    """A world with its queues."""

    world: World
    broker: Broker

    def deployment(self, name: str, index: int) -> float:
        """One of a deployment's sums, per minute."""
        return 60.0 * self.world.deployments[name].sums.per_s(self.world.now)[index]

    def route(self, name: str, index: int) -> float:
        return 60.0 * self.world.routes[name].sums.per_s(self.world.now)[index]

    def key(self, name: str, index: int) -> float:
        tenant = next(one for one in self.world.tenants if one.spec.key == name)
        return 60.0 * tenant.sums.per_s(self.world.now)[index]


Measure = Callable[[Place], float]


def place(name: str, tick_s: float = 5.0) -> Place:
    scenario = load_scenario(name).model_copy(update={"quiet_s": QUIET_S})
    platform = msgspec.structs.replace(standard(), tick_s=tick_s)
    world = World(platform, scenario, seed=3, speed=1.0, replicas=2, begin=BEGIN)
    broker = Broker(world, 3)
    world.companions.append(broker)
    return Place(world, broker)


def ttft(name: str) -> Measure:
    return lambda one: one.world.deployments[name].ttft_s


def failing(name: str) -> Measure:
    """Part of a deployment's attempts that fails."""
    return lambda one: sum(one.deployment(name, index) for index in FAILURE_NAMES) / one.deployment(name, ASKED)


def share(name: str, index: int) -> Measure:
    """One class of failure as a part of a deployment's attempts."""
    return lambda one: one.deployment(name, index) / one.deployment(name, ASKED)


def left(name: str) -> Measure:
    """Requests a minute that the rate limit still allows."""

    def measure(one: Place) -> float:
        item = one.world.deployments[name]
        return max(0.0, item.limit - 60.0 * sum(item.offered))

    return measure


def amplification(name: str) -> Measure:
    return lambda one: one.route(name, TRIES) / one.route(name, FRESH)


def lost(name: str) -> Measure:
    """Part of a route's calls that fails in the end."""
    return lambda one: one.route(name, FAILED) / one.route(name, CALLS)


def refused(key: str) -> Measure:
    return lambda one: one.key(key, KEY_FAILED) / one.key(key, KEY_CALLS)


def spent(key: str) -> Measure:
    return lambda one: one.key(key, KEY_USD)


def calls(key: str) -> Measure:
    return lambda one: one.key(key, KEY_CALLS)


def disagreement(name: str) -> Measure:
    return lambda one: one.deployment(name, USD) / one.deployment(name, PRICED)


def usd_per_call(name: str) -> Measure:
    return lambda one: 1000.0 * one.deployment(name, USD) / one.deployment(name, ASKED)


def depth(name: str) -> Measure:
    return lambda one: float(len(one.broker.queues[name].backlog))


def fault(which: Fault, *targets: str) -> Measure:
    return lambda one: one.world.fault(which, *targets)


class Signal(NamedTuple):
    """What is measured, between what before the incident and between what at a moment of it."""

    at: float
    measure: Measure
    before: tuple[float, float]
    then: tuple[float, float]


AZURE = ("deployment/chat-azure", "provider/azure", "model/gpt-5", "route/chat")
OPENAI = ("deployment/chat-openai", "provider/openai", "model/gpt-5", "route/chat")
AGENTS = ("deployment/agents-claude", "provider/anthropic", "model/claude-opus-4-1", "route/agents")
SONNET = ("deployment/summarise-claude", "provider/anthropic", "model/claude-sonnet-4-5", "route/summarise")
NONE, FEW = (0.0, 0.0), (0.0, 0.01)
ONE = (1.0, 1.0)

SIGNALS: dict[str, list[Signal]] = {
    "calm": [Signal(300, amplification("chat"), (1.0, 1.05), (1.0, 1.05)), Signal(300, lost("agents"), FEW, FEW)],
    "provider-brownout": [
        Signal(3000, ttft("chat-azure"), (0.4, 0.65), (0.65, 1.0)),
        Signal(3000, ttft("chat-openai"), (0.35, 0.6), (0.35, 0.75)),
        Signal(3000, failing("chat-azure"), FEW, FEW),
    ],
    "hard-outage": [
        Signal(300, failing("chat-azure"), FEW, (0.1, 0.3)),
        Signal(900, failing("chat-azure"), FEW, (0.85, 0.95)),
        Signal(900, amplification("chat"), (1.0, 1.05), (1.3, 4.0)),
        Signal(900, lost("chat"), FEW, (0.0, 0.05)),
    ],
    "partial-by-tenant": [
        Signal(150, refused("mobile"), FEW, (0.99, 1.01)),
        Signal(150, refused("web"), FEW, FEW),
        Signal(150, lost("chat"), FEW, (0.3, 0.6)),
    ],
    "rate-limit-storm": [
        Signal(300, left("chat-azure"), (300.0, 700.0), NONE),
        Signal(300, share("chat-azure", LIMITED), FEW, (0.5, 0.95)),
        Signal(700, left("chat-azure"), (300.0, 700.0), (0.0, 250.0)),
    ],
    "outage-with-retries": [
        Signal(600, amplification("chat"), (1.0, 1.05), (1.3, 9.0)),
        Signal(600, failing("chat-openai"), FEW, (0.3, 1.0)),
    ],
    "half-open-flood": [
        Signal(600, amplification("chat"), (1.0, 1.05), (1.2, 3.0)),
        # One probe a second at the most is what a cap lets through here.
        Signal(600, lambda one: one.deployment("chat-openai", ASKED), (250.0, 400.0), (150.0, 700.0)),
        Signal(600, failing("chat-openai"), FEW, (0.9, 1.0)),
    ],
    "format-drift": [
        Signal(1800, fault(Fault.UNPARSED, *AZURE), NONE, (0.08, 0.08)),
        Signal(1800, fault(Fault.FINGERPRINT, *AZURE), NONE, ONE),
        Signal(1800, fault(Fault.UNPARSED, *OPENAI), NONE, NONE),
        Signal(1800, failing("chat-azure"), FEW, FEW),
    ],
    "tool-schema-drift": [
        Signal(600, fault(Fault.EMPTY, *AGENTS), NONE, (0.25, 0.25)),
        Signal(600, fault(Fault.EMPTY, *SONNET), NONE, NONE),
    ],
    "output-corruption": [
        Signal(1800, fault(Fault.STRANGE_SCRIPT, *SONNET), NONE, (0.008, 0.008)),
        Signal(7200, fault(Fault.STRANGE_SCRIPT, *SONNET), NONE, (0.16, 0.16)),
    ],
    "tokenizer-jump": [
        Signal(60, usd_per_call("chat-azure"), (3.8, 4.1), (4.9, 5.3)),
        Signal(60, usd_per_call("chat-openai"), (3.8, 4.1), (4.9, 5.3)),
        Signal(60, disagreement("chat-azure"), ONE, (0.999, 1.001)),
        Signal(60, usd_per_call("summarise-claude"), (20.0, 21.0), (20.0, 21.0)),
    ],
    "refusal-jump": [
        Signal(300, fault(Fault.REFUSALS, *OPENAI), NONE, (0.05, 0.05)),
        Signal(300, fault(Fault.REFUSALS, *AZURE), NONE, NONE),
    ],
    "retrieval-drop": [
        Signal(600, fault(Fault.EMPTY_RETRIEVAL, "index/knowledge-base", "service/api"), NONE, (0.3, 0.3)),
        Signal(600, fault(Fault.SCORE, "index/knowledge-base"), ONE, (0.65, 0.65)),
    ],
    "split-snapshots": [Signal(60, fault(Fault.OLD_SNAPSHOT, "service/chat-worker"), NONE, ONE)],
    "memory-drift": [Signal(60, fault(Fault.LOST_MEMORY, "service/chat-worker"), NONE, (0.5, 0.5))],
    "agent-loop": [
        Signal(180, spent("agents"), (2.0, 8.0), (15.0, 60.0)),
        Signal(180, calls("agents"), (10.0, 40.0), (50.0, 130.0)),
        Signal(180, lost("agents"), FEW, FEW),
    ],
    "stuck-workflow": [
        Signal(60, fault(Fault.STUCK, "service/agent-worker"), NONE, (0.3, 0.3)),
        Signal(1800, fault(Fault.DUPLICATES, "service/agent-worker"), NONE, (2.0, 2.0)),
    ],
    "context-overflow": [
        Signal(1200, share("agents-claude", TOO_LONG), NONE, (0.5, 0.95)),
        Signal(1200, spent("agents"), (2.0, 8.0), (25.0, 90.0)),
        Signal(1200, lost("chat"), FEW, FEW),
    ],
    "phantom-spend": [
        Signal(60, disagreement("chat-azure"), ONE, (11.9, 12.1)),
        Signal(60, calls("web"), (350.0, 550.0), (350.0, 550.0)),
    ],
    "traffic-surge": [
        Signal(900, calls("mobile"), (230.0, 330.0), (330.0, 480.0)),
        Signal(900, lost("chat"), FEW, FEW),
        Signal(900, amplification("chat"), (1.0, 1.05), (1.0, 1.05)),
    ],
    "batch-job": [
        Signal(60, depth("document-index"), (0.0, 10.0), (300.0, 520.0)),
        Signal(600, depth("document-index"), (0.0, 10.0), (0.0, 20.0)),
        Signal(60, lost("embed"), FEW, FEW),
    ],
    "planned-rollout": [
        Signal(100, fault(Fault.ROLLOUT, "service/chat-worker"), NONE, (0.5, 0.5)),
        Signal(800, fault(Fault.ROLLOUT, "service/chat-worker"), NONE, ONE),
    ],
    "lost-source": [Signal(60, fault(Fault.LOST, "source/jobs"), NONE, ONE)],
}
"""By scenario, in the order of time."""


def test_every_shipped_scenario_is_looked_at() -> None:
    assert set(SIGNALS) == set(names())


@pytest.mark.parametrize("name", names())
def test_a_scenario_shows_what_it_is_about_and_nothing_else(name: str) -> None:
    here = place(name)
    here.world.advance(BEGIN + QUIET_S - 5.0)
    for number, signal in enumerate(SIGNALS[name]):
        low, high = signal.before
        assert low <= signal.measure(here) <= high, f"signal {number} before: {signal.measure(here)}"
    for number, signal in enumerate(sorted(SIGNALS[name], key=lambda one: one.at)):
        here.world.advance(BEGIN + QUIET_S + signal.at + 32.0)
        low, high = signal.then
        assert low <= signal.measure(here) <= high, f"signal {number} at {signal.at}: {signal.measure(here)}"


def _means(name: str, tick_s: float) -> dict[str, float]:
    """Means over the last ten minutes of half an hour, seen every minute."""
    here = place(name, tick_s)
    wanted = {
        "failing": failing("chat-openai"),
        "amplification": amplification("chat"),
        "spent": spent("web"),
        "calls": calls("web"),
    }
    found = dict.fromkeys(wanted, 0.0)
    for minute in range(20, 30):
        here.world.advance(BEGIN + QUIET_S + 60.0 * minute)
        for what, measure in wanted.items():
            found[what] += measure(here) / 10.0
    return found


@pytest.mark.parametrize("name", ["calm", "outage-with-retries"])
def test_coarse_ticks_come_out_where_fine_ones_do(name: str) -> None:
    fine, coarse = _means(name, 1.0), _means(name, 15.0)
    for what, value in fine.items():
        assert coarse[what] == pytest.approx(value, rel=0.1, abs=0.01), what

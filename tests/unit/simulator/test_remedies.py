"""What people do elsewhere ends what it should, where it should, and nothing else."""

import pytest
from msgspec import structs

from adapters.simulator.faults import NEUTRAL, Fault
from adapters.simulator.platform import standard
from adapters.simulator.remedies import REMEDIES, cures
from adapters.simulator.scenario import load_scenario
from adapters.simulator.world import World

AT = 1_800_000_000.0


def world(scenario: str) -> World:
    coarse = structs.replace(standard(), tick_s=20.0)
    made = World(coarse, load_scenario(scenario), seed=1, speed=1.0, replicas=1, begin=AT)
    made.advance(AT + 700.0)
    return made


@pytest.mark.parametrize(
    ("scenario", "does", "fault", "whom"),
    [
        ("retrieval-drop", "rollback index/knowledge-base", Fault.EMPTY_RETRIEVAL, ("index/knowledge-base",)),
        ("format-drift", "pin deployment/chat-azure", Fault.UNPARSED, ("deployment/chat-azure", "provider/azure")),
        ("split-snapshots", "restart service/chat-worker", Fault.OLD_SNAPSHOT, ("service/chat-worker",)),
        ("memory-drift", "restore memory/summaries", Fault.LOST_MEMORY, ("service/chat-worker",)),
        ("memory-drift", "restore service/chat-worker", Fault.LOST_MEMORY, ("service/chat-worker",)),
        ("stuck-workflow", "resume runs service/agent-worker", Fault.STUCK, ("service/agent-worker", "route/agents")),
        ("agent-loop", "cap key/agents", Fault.LOOP, ("tenant/agents", "route/agents")),
        ("agent-loop", "end loops service/agent-worker", Fault.LOOP, ("tenant/agents", "route/agents")),
        ("agent-loop", "end loops service/api", Fault.LOOP, ("tenant/agents", "route/agents")),
        ("context-overflow", "compact route/agents", Fault.OVERFLOW, ("tenant/agents", "route/agents")),
        ("context-overflow", "compact deployment/agents-claude", Fault.OVERFLOW, ("tenant/agents", "route/agents")),
        ("tool-schema-drift", "disable tool route/agents", Fault.EMPTY, ("deployment/agents-claude", "route/agents")),
        ("lost-source", "reconnect source/jobs", Fault.LOST, ("source/jobs",)),
        ("phantom-spend", "correct books gateway", Fault.BOOKED, ("provider/azure", "gateway")),
    ],
)
def test_the_right_thing_ends_it_for_good(scenario: str, does: str, fault: Fault, whom: tuple[str, ...]) -> None:
    ill = world(scenario)
    assert ill.fault(fault, *whom) != NEUTRAL[fault]
    ill.remedy(does)
    ill.advance(AT + 900.0)
    assert ill.fault(fault, *whom) == NEUTRAL[fault]


@pytest.mark.parametrize(
    ("scenario", "does"),
    [
        ("format-drift", "pin deployment/chat-openai"),
        ("format-drift", "rollback index/knowledge-base"),
        ("format-drift", "disable tool deployment/chat-azure"),
    ],
)
def test_the_wrong_thing_and_the_wrong_place_do_nothing(scenario: str, does: str) -> None:
    ill = world(scenario)
    before = ill.fault(Fault.UNPARSED, "deployment/chat-azure", "provider/azure")
    ill.remedy(does)
    assert ill.fault(Fault.UNPARSED, "deployment/chat-azure", "provider/azure") == before > 0


def test_a_world_in_which_it_was_done_answers_rightly_again() -> None:
    ill = world("context-overflow")
    ill.remedy("compact route/agents")
    ill.advance(AT + 750.0)
    assert all(stream.overflow == stream.overflowing == 0.0 for stream in ill.streams)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("wait index/knowledge-base", "nobody can 'wait' here"),
        ("rollback deployment/chat-azure", "rollback is done to one of index/NAME"),
        ("pin", "nobody can ''"),
        ("correct books gateway/gateway", "correct books is done to one of"),
    ],
)
def test_what_nobody_can_do_is_said(does: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cures(does, standard())


def test_every_remedy_ends_something() -> None:
    assert all(remedy.ends and remedy.at and remedy.words for remedy in REMEDIES.values())

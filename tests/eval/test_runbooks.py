"""Every runbook that is shipped, followed on its incident: sooner over than with nobody; and no harm where nothing is.

Short forms: coarse steps, one calm past for all, and each ends when it is over for who followed the runbook and not for
who did nothing. `make prove` has the long ones.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from console.runtime.proving.trial import MARKS_S, Case, rehearsed, tried
from console.runtime.proving.verdict import Proof, proof
from runbooks.loader import library

pytestmark = pytest.mark.xdist_group("runbooks are tried")


class Short(NamedTuple):
    """A scenario in its short form."""

    runbook: str
    scenario: str
    minutes: float
    """It is watched for so long after its onset."""
    parameters: dict[str, float] = {}  # noqa: RUF012  never written to


OWN = Path(__file__).with_name("scenarios")
SHORT = (
    Short("agent-loop", "agent-loop", 16),
    Short("context-overflow", "context-overflow", 16),
    Short("cost-runaway", str(OWN / "price-jump.yaml"), 25, {"factor": 6.0}),
    Short("format-drift", "format-drift", 22, {"ramp_s": 300.0, "part": 0.2}),
    Short("half-open-flood", "half-open-flood", 22),
    Short("hard-outage", "hard-outage", 17),
    Short("memory-drift", "memory-drift", 12),
    Short("output-corruption", "output-corruption", 22, {"first": 0.12}),
    Short("partial-by-tenant", "partial-by-tenant", 10),
    Short("phantom-spend", "phantom-spend", 17),
    Short("provider-brownout", "provider-brownout", 32, {"ramp_s": 900.0}),
    Short("rate-limit-storm", "rate-limit-storm", 15),
    Short("refusal-jump", "refusal-jump", 15),
    Short("retrieval-drop", "retrieval-drop", 14),
    Short("retry-storm-and-backlog", "outage-with-retries", 18),
    Short("split-snapshots", "split-snapshots", 12),
    Short("stuck-workflow", "stuck-workflow", 17),
    Short("tokenizer-jump", "tokenizer-jump", 19),
    Short("tool-schema-drift", "tool-schema-drift", 18),
    Short("workers-gone", str(OWN / "workers-gone.yaml"), 14),
)
STEP_S = 20.0
"""A coarser world than that of the long forms: half of the steps."""
OF_MARKS = ("memory-drift", "split-snapshots", "planned-rollout")
"""Told by what services read and write, which is compared every two minutes for them, and not at all for the others."""
SELDOM_S = 3600.0
CONTROLS = {"batch-job": 8.0, "planned-rollout": 14.0, "traffic-surge": 12.0, "lost-source": 9.0}


@pytest.fixture(scope="module")
def learnt() -> Iterator[Path]:
    with rehearsed(1, hours=1.0) as folder:
        yield folder


def every(name: str) -> float:
    return MARKS_S if name in OF_MARKS else SELDOM_S


def told(one: Proof) -> str:
    return "\n".join([one.words, *(note.words for note in one.notes)])


@pytest.mark.parametrize("short", SHORT, ids=lambda short: short.runbook)
def test_who_follows_what_is_offered_is_over_it_sooner(short: Short, learnt: Path) -> None:
    case = Case(
        scenario=short.scenario,
        runbook=short.runbook,
        watched_s=short.minutes * 60.0,
        until_better=True,
        step_s=STEP_S,
        marks_s=every(short.runbook),
        parameters=short.parameters,
    )
    found = proof(tried(case, learnt))
    assert found.holds, told(found)
    assert found.runbook == short.runbook


@pytest.mark.parametrize("scenario", CONTROLS)
def test_nothing_is_harmed_where_nothing_is_wrong(scenario: str, learnt: Path) -> None:
    minutes = CONTROLS[scenario]
    case = Case(scenario=scenario, watched_s=minutes * 60.0, step_s=STEP_S, marks_s=every(scenario))
    found = proof(tried(case, learnt))
    assert found.control
    assert found.holds, told(found)


def test_each_runbook_that_is_offered_is_tried() -> None:
    offered = {book.runbook.id for book in library() if book.runbook.match}
    assert offered <= {*(short.runbook for short in SHORT), "stale-source"}, "stale-source is tried on a lost source"

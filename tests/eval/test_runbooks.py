"""Every runbook that is shipped, followed on its incident: sooner over than with nobody; and no harm where nothing is.

Short forms: an hour takes two seconds, and each is watched for no longer than it needs. `make prove` has the long ones.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from console.runtime.proving.trial import Case, rehearsed, tried
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
CONTROLS = {"batch-job": 8.0, "planned-rollout": 14.0, "traffic-surge": 12.0, "lost-source": 9.0}


@pytest.fixture(scope="module")
def learnt() -> Iterator[Path]:
    with rehearsed(1) as folder:
        yield folder


def told(one: Proof) -> str:
    return "\n".join([one.words, *(note.words for note in one.notes)])


@pytest.mark.parametrize("short", SHORT, ids=lambda short: short.runbook)
def test_who_follows_what_is_offered_is_over_it_sooner(short: Short, learnt: Path) -> None:
    case = Case(
        scenario=short.scenario,
        runbook=short.runbook,
        watched_s=short.minutes * 60.0,
        parameters=short.parameters,
    )
    found = proof(tried(case, learnt))
    assert found.holds, told(found)
    assert found.runbook == short.runbook


@pytest.mark.parametrize("scenario", CONTROLS)
def test_nothing_is_harmed_where_nothing_is_wrong(scenario: str, learnt: Path) -> None:
    found = proof(tried(Case(scenario=scenario, watched_s=CONTROLS[scenario] * 60.0), learnt))
    assert found.control
    assert found.holds, told(found)


def test_each_runbook_that_is_offered_is_tried() -> None:
    offered = {book.runbook.id for book in library() if book.runbook.match}
    assert offered <= {*(short.runbook for short in SHORT), "stale-source"}, "stale-source is tried on a lost source"

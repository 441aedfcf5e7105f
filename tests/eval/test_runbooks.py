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
    minutes: float
    parameters: dict[str, float] = {}  # noqa: RUF012  never written to


INCIDENTS = {
    "agent-loop": Short("agent-loop", 14),
    "context-overflow": Short("context-overflow", 19),
    "format-drift": Short("format-drift", 22, {"ramp_s": 300.0, "part": 0.2}),
    "half-open-flood": Short("", 16),
    "hard-outage": Short("hard-outage", 17),
    "memory-drift": Short("memory-drift", 14),
    "outage-with-retries": Short("", 17),
    "output-corruption": Short("output-corruption", 22, {"first": 0.12}),
    "partial-by-tenant": Short("partial-by-tenant", 12),
    "phantom-spend": Short("phantom-spend", 14),
    "provider-brownout": Short("provider-brownout", 32, {"ramp_s": 900.0}),
    "rate-limit-storm": Short("rate-limit-storm", 16),
    "refusal-jump": Short("refusal-jump", 17),
    "retrieval-drop": Short("retrieval-drop", 15),
    "split-snapshots": Short("split-snapshots", 14),
    "stuck-workflow": Short("stuck-workflow", 20),
    "tokenizer-jump": Short("tokenizer-jump", 20),
    "tool-schema-drift": Short("tool-schema-drift", 17),
}
CONTROLS = {"batch-job": 12.0, "planned-rollout": 20.0, "traffic-surge": 20.0, "lost-source": 25.0}


@pytest.fixture(scope="module")
def learnt() -> Iterator[Path]:
    with rehearsed(1) as folder:
        yield folder


def told(one: Proof) -> str:
    return "\n".join([one.words, *(note.words for note in one.notes)])


@pytest.mark.parametrize("scenario", INCIDENTS)
def test_who_follows_what_is_offered_is_over_it_sooner(scenario: str, learnt: Path) -> None:
    short = INCIDENTS[scenario]
    case = Case(scenario=scenario, watched_s=short.minutes * 60.0, parameters=short.parameters)
    found = proof(tried(case, learnt))
    assert found.holds, told(found)
    assert found.runbook == (short.runbook or found.runbook)


@pytest.mark.parametrize("scenario", CONTROLS)
def test_nothing_is_harmed_where_nothing_is_wrong(scenario: str, learnt: Path) -> None:
    found = proof(tried(Case(scenario=scenario, watched_s=CONTROLS[scenario] * 60.0), learnt))
    assert found.control
    assert found.holds, told(found)


def test_each_scenario_that_a_runbook_names_is_tried() -> None:
    named = {name for book in library() for name in book.runbook.scenarios}
    assert named <= {*INCIDENTS, *CONTROLS}

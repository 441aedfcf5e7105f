"""A held-back set: whatever was left out of a request is found missing, and nothing else is."""

import pytest

from console.domain.reconstruction import Reconstruction, StageKind
from console.domain.spans import LaneKind
from tests.unit.traces.planted import CONVENTIONS, Planted, planted
from tests.unit.traces.spans import lane, stage, told

SEEDS = 400
Made = list[tuple[Planted, Reconstruction]]


@pytest.fixture(scope="module")
def made() -> Made:
    return [(case := planted(seed), told(*case.spans)) for seed in range(SEEDS)]


@pytest.mark.parametrize("kind", StageKind)
def test_a_stage_is_missing_exactly_where_it_was_left_out(kind: StageKind, made: Made) -> None:
    found = [(stage(request, kind).missing == "") for _, request in made]

    assert found == [kind in case.stages for case, _ in made]


@pytest.mark.parametrize("kind", LaneKind)
def test_a_lane_is_missing_exactly_where_it_was_left_out(kind: LaneKind, made: Made) -> None:
    found = [(lane(request, kind).missing == "") for _, request in made]

    assert found == [kind in case.lanes for case, _ in made]


def test_what_is_missing_says_why(made: Made) -> None:
    stages = [one.missing for _, request in made for one in request.stages if one.missing]
    lanes = [one.missing for _, request in made for one in request.lanes if one.missing]

    assert all(words.startswith("not recorded: ") and len(words) > 20 for words in stages + lanes)


def test_the_set_has_every_convention_and_every_stage_with_and_without(made: Made) -> None:
    assert {case.convention for case, _ in made} == set(CONVENTIONS)
    for convention in CONVENTIONS:
        cases = [case for case, _ in made if case.convention == convention]
        for kind in StageKind:
            assert {kind in case.stages for case in cases} == {True, False}, (convention, kind)

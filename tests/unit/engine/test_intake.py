"""Nothing reaches the board that would end a console's stream."""

import math

import msgspec

from console.domain.board import Board
from console.domain.errors import ErrorKind
from console.domain.readings import Deployment, Observation
from console.engine.intake import admit
from tests.unit.engine.parts import deployment, observation


def told(seen: Observation) -> list[tuple[ErrorKind, str]]:
    return [(problem.kind, problem.message) for problem in seen.problems]


def test_a_sound_observation_passes_as_it_is() -> None:
    seen = observation(1.0, deployment(1.0))
    assert admit(seen, "gateway", Board()) is seen


def test_a_number_that_is_none_is_left_out_and_said() -> None:
    seen = admit(observation(1.0, deployment(1.0, requests=math.nan), deployment(1.0, name="b")), "gateway", Board())
    assert [reading.ref.name for reading in seen.readings] == ["b"]
    assert told(seen)[0][0] is ErrorKind.MALFORMED
    assert "gateway:deployment/openai-a" in told(seen)[0][1]


def test_text_that_is_no_unicode_is_left_out_and_can_be_told() -> None:
    bad = msgspec.structs.replace(deployment(1.0), model="gpt\ud800")
    seen = admit(observation(1.0, bad, deployment(1.0, name="b\udcff")), "gateway", Board())
    assert seen.readings == ()
    msgspec.json.encode(seen.problems)


def test_only_what_is_new_is_tried() -> None:
    board = Board()
    reading = deployment(1.0, requests=math.inf)
    board.readings[reading.ref] = reading
    again = msgspec.structs.replace(reading, observed_at=2.0)
    assert isinstance(again, Deployment)
    assert admit(observation(2.0, again), "gateway", board).problems == ()

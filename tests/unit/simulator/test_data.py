"""The shipped world and incidents are sound, and what is not sound says so."""

from importlib import resources
from typing import get_args

import msgspec
import pytest

from adapters.simulator import SimulatorOptions
from adapters.simulator.counters import Sums
from adapters.simulator.generate import NAMED, generate
from adapters.simulator.platform import Platform, standard
from adapters.simulator.scenario import Fault, Scenario, Track, load_scenario
from console.domain.readings import Deployment, Route
from tests.unit.simulator.worlds import Sim, attempts, errors, rpm

SCENARIOS = get_args(SimulatorOptions.model_fields["scenario"].annotation)


def test_every_shipped_incident_can_be_chosen_and_every_choice_is_shipped() -> None:
    folder = resources.files("adapters.simulator").joinpath("scenarios")
    assert {entry.name.removesuffix(".yaml") for entry in folder.iterdir()} == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_incident_fits_the_standard_world_and_a_generated_one(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.summary
    assert bool(scenario.tracks or scenario.left_behind) == bool(scenario.culprit) == bool(scenario.right_action)
    scenario.fits(standard())
    scenario.fits(generate(8, 1))


def test_an_incident_for_somebody_else_is_refused() -> None:
    track = Track(provider="nobody", fault=Fault.TTFT, points=((0.0, 1.0),))
    with pytest.raises(ValueError, match="nobody"):
        Scenario(name="x", summary="", tracks=(track,)).fits(standard())


def test_an_incident_of_a_model_that_is_not_there_is_refused() -> None:
    track = Track(provider="mistral", model="gpt-5", fault=Fault.ERRORS, points=((0.0, 1.0),))
    with pytest.raises(ValueError, match="gpt-5"):
        Scenario(name="x", summary="", tracks=(track,)).fits(standard())


def test_only_errors_can_be_about_one_model() -> None:
    with pytest.raises(ValueError, match="whole provider"):
        Track(provider="openai", model="gpt-5", fault=Fault.TTFT, points=((0.0, 1.0),))


def test_a_track_is_neutral_before_straight_between_and_level_after() -> None:
    track = Track(provider="p", fault=Fault.TTFT, points=((10.0, 1.0), (20.0, 3.0)))
    assert [track.at(seconds) for seconds in (0.0, 10.0, 15.0, 20.0, 99.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_a_track_that_jumps_has_the_later_value_at_once() -> None:
    track = Track(provider="p", fault=Fault.ERRORS, points=((0.0, 0.0), (5.0, 0.0), (5.0, 1.0)))
    assert [track.at(seconds) for seconds in (4.9, 5.0)] == [0.0, 1.0]


@pytest.mark.parametrize("points", [[], [[5, 1], [1, 1]]])
def test_points_out_of_order_are_refused(points: list[list[float]]) -> None:
    with pytest.raises(msgspec.ValidationError, match="order of time"):
        msgspec.convert({"provider": "p", "fault": "ttft", "points": points}, Track)


def test_a_typing_error_in_a_file_is_found() -> None:
    with pytest.raises(msgspec.ValidationError, match="sumary"):
        msgspec.convert({"name": "x", "sumary": "y", "summary": ""}, Scenario)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("routes", 0, "fallbacks"), ["nowhere"], "nowhere"),
        (("routes", 0, "deployments", 0, "provider"), "nobody", "nobody"),
        (("routes", 0, "deployments", 0, "name"), "chat-azure", "two deployments"),
        (("tenants", 0, "demands", 0, "route"), "nothing", "nothing"),
    ],
)
def test_a_world_that_does_not_hold_together_is_refused(path: tuple[str | int, ...], value: object, word: str) -> None:
    data = msgspec.to_builtins(standard())
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(msgspec.ValidationError, match=word):
        msgspec.convert(data, Platform)


@pytest.mark.parametrize("size", [4, 5, 237, 1000])
def test_a_generated_world_has_its_size(size: int) -> None:
    platform = generate(size, seed=3)
    assert sum(len(route.deployments) for route in platform.routes) == size
    assert {spec.name for spec in platform.providers} >= set(NAMED)
    assert len(platform.queues) == max(1, (len(platform.routes) + 24) // 25)
    assert platform == generate(size, seed=3)
    assert platform != generate(size, seed=4)


async def test_a_generated_world_is_healthy() -> None:
    for reading in (await Sim(size=120).look(60)).readings:
        if isinstance(reading, Deployment | Route) and rpm(reading) > 0:
            assert errors(reading) < 0.05
        if isinstance(reading, Route):
            assert attempts(reading) < 1.1


def test_sums_know_their_window_and_their_day() -> None:
    sums = Sums(2)
    assert sums.per_s(10.0) == [0.0, 0.0]
    for second in range(0, 61, 5):
        sums.now[0] = 2.0 * second
        sums.mark(float(second))
    assert sums.per_s(60.0) == [2.0, 0.0]
    assert sums.today(0) == 120.0
    sums.midnight()
    sums.now[0] += 1.0
    assert sums.today(0) == 1.0
    sums.credit(0, 10.0)
    assert sums.today(0) == 11.0

"""The shipped world and incidents are sound, and what is not sound says so."""

from pathlib import Path

import msgspec
import pytest
from pydantic import ValidationError

from adapters.simulator import SimulatorOptions
from adapters.simulator.counters import Sums
from adapters.simulator.faults import Acting, Fault, Track
from adapters.simulator.generate import NAMED, generate
from adapters.simulator.platform import Platform, standard
from adapters.simulator.scenario import Scenario, load_scenario, load_traffic, names
from console.domain.errors import ConfigError
from console.domain.readings import Deployment, Route
from tests.unit.simulator.worlds import Sim, attempts, errors, rpm

ANYWHERE = ("calm", "outage-with-retries", "provider-brownout")
"""Scenarios that name nobody whom a generated world has not."""


@pytest.mark.parametrize("name", names())
def test_a_shipped_scenario_fits_the_standard_world_and_has_every_label(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.summary
    scenario.fits(standard())
    if scenario.kind == "incident":
        assert scenario.tracks
        assert scenario.culprit
        assert scenario.right_actions
        assert scenario.traps
        assert scenario.aspect


@pytest.mark.parametrize("name", ANYWHERE)
def test_some_fit_a_generated_world_too(name: str) -> None:
    load_scenario(name).fits(generate(8, 1))


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValidationError, match=r"no scenario 'clam'.*calm"):
        SimulatorOptions(scenario="clam")
    with pytest.raises(ConfigError, match=r"no scenario 'clam'.*calm"):
        load_scenario("clam")
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        load_scenario("./none.yaml")


@pytest.mark.parametrize(
    ("target", "wrong"), [("provider/nobody", "nobody"), ("provider/mistral+model/gpt-5", "mistral.*gpt-5")]
)
def test_an_incident_for_somebody_else_is_refused(target: str, wrong: str) -> None:
    track = Track(target=target, fault=Fault.ERRORS, points=((0.0, 1.0),))
    with pytest.raises(ConfigError, match=wrong):
        Scenario(name="x", summary="", tracks=(track,)).fits(standard())


def test_a_track_is_neutral_before_straight_between_and_level_after() -> None:
    track = Track(target="provider/p", fault=Fault.TTFT, points=((10.0, 1.0), (20.0, 3.0)))
    assert [track.at(seconds) for seconds in (0.0, 10.0, 15.0, 20.0, 99.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_a_track_that_jumps_has_the_later_value_at_once() -> None:
    track = Track(target="provider/p", fault=Fault.ERRORS, points=((0.0, 0.0), (5.0, 0.0), (5.0, 1.0)))
    assert [track.at(seconds) for seconds in (4.9, 5.0)] == [0.0, 1.0]


def test_tracks_that_hit_the_same_add_up_each_in_its_way() -> None:
    def track(fault: Fault, value: float, target: str) -> Track:
        return Track(target=target, fault=fault, points=((0.0, value),))

    acting = Acting(
        (
            track(Fault.ERRORS, 0.5, "provider/a"),
            track(Fault.ERRORS, 0.5, "provider/a+tenant/t"),
            track(Fault.TTFT, 2.0, "provider/a"),
            track(Fault.TTFT, 3.0, "deployment/d"),
        )
    )
    acting.at(1.0)
    assert acting.value(Fault.ERRORS, ("provider/a", "deployment/d")) == 0.5
    assert acting.value(Fault.ERRORS, ("provider/a", "deployment/d", "tenant/t")) == 0.75
    assert acting.value(Fault.TTFT, ("provider/a", "deployment/d")) == 6.0
    assert acting.value(Fault.TTFT, ("provider/b",)) == 1.0
    assert acting.value(Fault.LOST, ("source/gateway",)) == 0.0
    acting.at(-1.0)
    assert acting.value(Fault.ERRORS, ("provider/a",)) == 0.0


GOOD = """\
schemaVersion: 1
name: mine
summary: a file of one's own
parameters: {part: 0.25, length: 60}
tracks:
  - target: provider/azure
    fault: errors
    points: [[0, 0], [$length, $part], [2*$length, 0.5]]
culprit: provider/azure
"""


def test_a_file_of_ones_own_is_read_with_its_parameters_or_others(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD)
    assert load_scenario(str(file)).tracks[0].points == ((0.0, 0.0), (60.0, 0.25), (120.0, 0.5))
    other = load_scenario(str(file), {"part": 0.75})
    assert other.tracks[0].points[1] == (60.0, 0.75)
    assert other.parameters == {"part": 0.75, "length": 60.0}
    with pytest.raises(ConfigError, match=r"no parameter 'prat'; there are: part, length"):
        load_scenario(str(file), {"prat": 0.75})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("summary:", "sumary:", r":3: sumary: unknown key; did you mean summary"),
        ("$part]", "$prat]", r":8: tracks.0.points.1.1: \$prat is no parameter"),
        ("[0, 0]", "[90, 0]", r":6: tracks.0: .*order of time"),
        ("0.5]", "1.5]", r":6: tracks.0: errors is a part, 0 to 1"),
        ("fault: errors", "fault: capacities", r":7: tracks.0.fault: "),
        ("target: provider/azure", "target: gateway", r":6: tracks.0: errors is never about a gateway"),
        ("target: provider/azure", "target: vendor/azure", r":6: tracks.0: 'vendor/azure' is no target"),
        ("culprit: provider", "culprit: vendor", r"'vendor/azure' is no culprit"),
        ("points: [", "points: [[", r"mine.yaml:\d+: "),
        ("[[0, 0], [$length, $part], [2*$length, 0.5]]", "[]", r":8: tracks.0.points: "),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, old: str, new: str, words: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=words):
        load_scenario(str(file))


def test_the_page_about_scenarios_has_all_of_them_every_fault_and_examples_that_load(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in names())
    assert all(f"`{fault}`" in page for fault in Fault)
    scenario, _, traffic = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])
    (tmp_path / "scenario.yaml").write_text(scenario)
    load_scenario(str(tmp_path / "scenario.yaml")).fits(standard())
    (tmp_path / "traffic.yaml").write_text(traffic)
    assert load_traffic(str(tmp_path / "traffic.yaml")).of("mobile").noise == 0.05


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

"""What tenants ask follows its shape: the day, the week, bursts, noise that remembers, or somebody else's file."""

import statistics
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from adapters.simulator import SimulatorOptions
from adapters.simulator.demand import level
from adapters.simulator.platform import standard
from adapters.simulator.scenario import Scenario, load_traffic
from adapters.simulator.traffic import Shape, Traffic
from adapters.simulator.world import World
from console.domain.errors import ConfigError

BEGIN = 1_800_000_000.0
HOUR = 3600.0


def world(traffic: Traffic, tick_s: float = 10.0) -> World:
    platform = msgspec.structs.replace(standard(), tick_s=tick_s)
    scenario = Scenario(name="x", summary="", traffic=traffic)
    return World(platform, scenario, seed=4, speed=1.0, replicas=1, begin=BEGIN)


def asked(here: World, key: str, steps: int, every: float) -> list[float]:
    """What one tenant asks of its first route, per second, step by step."""
    stream = next(one for one in here.streams if one.key == key)
    found = []
    for step in range(1, steps + 1):
        here.advance(BEGIN + step * every)
        found.append(stream.now)
    return found


def test_a_day_is_a_wave_between_night_and_noon() -> None:
    assert level(Shape(), 0.4, 2.0, 1.0) == pytest.approx(0.4)
    assert level(Shape(), 0.4, 14.0, 1.0) == pytest.approx(1.0)
    assert level(Shape(night=0.7), 0.4, 2.0, 1.0) == pytest.approx(0.7)
    assert level(Shape(quietest_h=5.0), 0.4, 5.0, 1.0) == pytest.approx(0.4)


def test_a_day_can_have_any_shape() -> None:
    shape = Shape(hours=(0.2, 0.2, 1.0, 0.6))
    assert [level(shape, 0.4, hour, 1.0) for hour in (0.0, 6.0, 9.0, 12.0, 18.0)] == pytest.approx(
        [0.2, 0.2, 0.6, 1.0, 0.6]
    )
    assert level(shape, 0.4, 23.999, 1.0) == pytest.approx(0.2, abs=0.001)


def test_a_week_dips_without_a_jump_at_midnight() -> None:
    shape = Shape(hours=(1.0,), weekdays=(1, 1, 1, 1, 1, 0.4, 0.5))
    assert [level(shape, 1.0, 12.0, day + 0.5) for day in (0, 5, 6)] == pytest.approx([1.0, 0.4, 0.5])
    assert level(shape, 1.0, 0.0, 5.0) == pytest.approx(0.7)
    assert level(shape, 1.0, 0.0, 0.0) == level(shape, 1.0, 0.0, 7.0) == pytest.approx(0.75)


def test_noise_is_as_great_and_remembers_as_long_as_it_is_told() -> None:
    quick = asked(world(Traffic(hours=(1.0,), noise=0.2, memory_s=10.0)), "web", 800, 30.0)
    slow = asked(world(Traffic(hours=(1.0,), noise=0.2, memory_s=600.0)), "web", 800, 30.0)
    for values in (quick, slow):
        assert 0.1 < statistics.stdev(values) / statistics.fmean(values) < 0.3
    assert _lag_one(quick) < 0.3 < 0.8 < _lag_one(slow)


def _lag_one(values: list[float]) -> float:
    mean = statistics.fmean(values)
    apart = [value - mean for value in values]
    return sum(one * other for one, other in pairwise(apart)) / sum(value * value for value in apart)


def test_bursts_come_as_often_as_high_and_as_long_as_they_are_told() -> None:
    shape = Traffic(hours=(1.0,), noise=0.0, bursts_per_h=4.0, burst_factor=3.0, burst_s=120.0)
    values = asked(world(shape), "web", 6 * 360, 10.0)
    base = min(values)
    high = [value / base for value in values if value > 1.001 * base]
    begun = sum(after > 1.001 * base >= before for before, after in pairwise(values))
    assert 12 <= begun <= 36
    assert 0.06 < len(high) / len(values) < 0.2
    assert 2.0 < statistics.fmean(high) < 4.0
    assert max(high) <= 5.0


def test_one_tenant_can_be_asked_in_another_way_than_the_others() -> None:
    quiet = Shape(hours=(1.0, 0.1), noise=0.0)
    here = world(Traffic(hours=(1.0,), noise=0.0, tenants={"web": quiet}))
    web, mobile = asked(here, "web", 1, 1.5 * HOUR)[0], next(one.now for one in here.streams if one.key == "mobile")
    assert web == pytest.approx(0.1 * 380 / 60, rel=0.01)
    assert mobile == pytest.approx(220 / 60)


def test_a_shape_comes_from_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "shape.yaml"
    file.write_text("night: 0.9\nbursts_per_h: 2\ntenants:\n  web: {noise: 0.5}\n")
    shape = load_traffic(str(file))
    assert (shape.night, shape.of("web").noise, shape.of("mobile").noise) == (0.9, 0.5, 0.035)
    assert (shape.of("web").night, shape.of("web").bursts_per_h) == (0.9, 2.0)
    options = SimulatorOptions(scenario="hard-outage", traffic=str(file), quiet_s=77.0, parameters={"worst": 0.5})
    scenario = options.loaded()
    assert (scenario.traffic, scenario.quiet_s) == (shape, 77.0)
    assert max(value for _, value in scenario.tracks[0].points) == 0.5
    file.write_text("night: 0.9\nburst_factor: 0.5\n")
    with pytest.raises(ConfigError, match=r"shape\.yaml:2: burst_factor: .*greater than or equal to 1"):
        load_traffic(str(file))

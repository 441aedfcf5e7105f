"""The protocol: a warm-up and clean time for each seed and shape of traffic, and incidents that branch off from it."""

import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from adapters.simulator.scenario import Scenario, load_scenario
from console.domain.errors import ConfigError
from evaluation.alarms import Alarm, Scores
from evaluation.forking import Branch
from evaluation.heard import Blamed
from evaluation.rivals import Field
from evaluation.stand import MINUTE_S, Stand
from evaluation.vitals import Vitals

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
SPREAD_S = 3 * DAY_S
"""Incidents begin at any time of the first three clean days."""
BLAME_WITHIN_S = 600.0
"""Whom an incident blames counts as it stands so long after the first alarm."""
AFTER_S = 1800.0
"""A control is watched for so much longer than it lasts."""
LEAD_S = 120.0
"""From the branch to the onset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one environment (a seed, a shape of traffic) goes through."""

    seed: int
    shape: Path | None
    warm_up_s: float = 48 * HOUR_S
    clean_s: float = 7 * DAY_S
    after_s: float = 90 * 60.0
    """How long an incident is watched after its onset, at the most."""
    scenarios: tuple[Path | str, ...] = ()
    """Files, or names of those that are shipped."""
    vary: float = 0.0
    """Parameters are multiplied by a factor between 1 / (1 + vary) and 1 + vary, drawn from the seed."""
    product: bool = True
    """Whether the detectors run; rivals are tuned without them."""
    rivals: bool = True

    @property
    def name(self) -> str:
        """For people."""
        return f"seed {self.seed}, {self.shape.stem if self.shape else 'the usual traffic'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One incident (or control) in one environment, and what everybody said."""

    scenario: str
    control: bool
    culprits: frozenset[str]
    """Whom one may blame, as `dimension/name`."""
    where: str
    began: float
    """Unix seconds of time 0: what is said from here on is about it."""
    onset: float
    """Unix seconds from which on a person could see it; delays count from here."""
    end: float
    alarms: tuple[Alarm, ...] = ()
    """The product's, from time 0 on, each with whom its incident blamed ten minutes later."""
    scores: tuple[Scores, ...] = ()
    parameters: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """Time in which nothing was wrong, and what everybody said."""

    where: str
    seconds: float
    providers: int
    alarms: tuple[Alarm, ...] = ()
    scores: tuple[Scores, ...] = ()
    speed: float = 0.0
    """Simulated seconds in a second, the warm-up included and the incidents left out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of one environment."""

    clean: Clean
    played: tuple[Played, ...]


class Trial:
    """One environment in motion."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stand = Stand(plan.seed, plan.shape, product=plan.product)
        self._vitals = Vitals()
        self._field = Field(plan.seed)
        if plan.rivals:
            self._stand.each_minute.append(self._see)

    def _see(self, now: float) -> None:
        self._vitals.hear(self._stand.answers)
        self._field.see(now, self._vitals.now(self._stand.store.board, now))

    def run(self, say: Callable[[str], None]) -> Outcome:
        """The warm-up, the clean time, and every incident in a branch of its own."""
        plan, stand = self._plan, self._stand
        began = time.perf_counter()
        stand.warm_up(plan.warm_up_s)
        self._field.settle()
        since = stand.clock.now()
        say(f"{plan.name}: warm after {time.perf_counter() - began:.0f} s")
        chance = random.Random(f"onsets {plan.seed}")  # noqa: S311  no secret
        spread = min(plan.clean_s, SPREAD_S)
        moments = sorted(chance.uniform(0.0, spread) for _ in plan.scenarios)
        order = list(plan.scenarios)
        chance.shuffle(order)
        played: list[Played] = []
        for moment, scenario in zip(moments, order, strict=True):
            self._run_to(since + moment)
            gc.freeze()  # what a branch never touches stays one copy
            away = time.perf_counter()
            played.append(Branch(partial(self._incident, scenario)).result())
            began += time.perf_counter() - away
            say(f"{plan.name}: {played[-1].scenario} played")
        self._run_to(since + plan.clean_s)
        took = time.perf_counter() - began
        alarms = tuple(self._blamed(alarm) for alarm in stand.heard.alarms(since))
        clean = Clean(
            where=plan.name,
            seconds=plan.clean_s,
            providers=stand.providers,
            alarms=alarms,
            scores=tuple(self._field.scores(since)) if plan.rivals else (),
            speed=(plan.warm_up_s + plan.clean_s) / took,
        )
        return Outcome(clean, tuple(played))

    def _run_to(self, moment: float) -> None:
        """To the whole minute before it."""
        self._stand.run(math.floor((moment - self._stand.clock.now()) / MINUTE_S) * MINUTE_S)

    def _incident(self, name: Path | str) -> Played:
        plan, stand = self._plan, self._stand
        scenario = drawn(name, plan.seed, plan.vary)
        begin = stand.clock.now() + LEAD_S
        stand.play(scenario, begin)
        onset = begin + scenario.onset
        stand.run(onset + _watched_s(scenario, plan.after_s) - stand.clock.now())
        return Played(
            scenario=scenario.name,
            control=scenario.kind == "control",
            culprits=frozenset(one for one in (scenario.culprit, *scenario.also_right) if one),
            where=plan.name,
            began=begin,
            onset=onset,
            end=stand.clock.now(),
            alarms=tuple(self._blamed(alarm) for alarm in stand.heard.alarms(begin)),
            scores=tuple(self._field.scores(begin)) if plan.rivals else (),
            parameters=dict(scenario.parameters),
        )

    def _blamed(self, alarm: Alarm) -> Alarm:
        said: Blamed | None = self._stand.heard.blamed(alarm.what, alarm.begin + BLAME_WITHIN_S)
        if said is None or not said.whom:
            return alarm
        return Alarm(alarm.begin, alarm.end, alarm.what, alarm.words, frozenset({said.whom}))


def drawn(name: Path | str, seed: int, vary: float) -> Scenario:
    """A scenario with its parameters varied, as the seed says.

    Raises:
        ConfigError: the file is broken, or some value that was drawn does not fit it.
    """
    plain = load_scenario(str(name))
    if not vary or not plain.parameters:
        return plain
    chance = random.Random(f"{plain.name} {seed}")  # noqa: S311  no secret
    powers = {key: chance.uniform(-1.0, 1.0) for key in plain.parameters}
    try:
        return load_scenario(str(name), _times(plain, vary, powers))
    except ConfigError:  # a part cannot be more than all: what would be raised is lowered
        return load_scenario(str(name), _times(plain, vary, {key: -abs(power) for key, power in powers.items()}))


def _times(plain: Scenario, vary: float, powers: dict[str, float]) -> dict[str, float]:
    return {key: value * (1.0 + vary) ** powers[key] for key, value in plain.parameters.items()}


def _watched_s(scenario: Scenario, most_s: float) -> float:
    """Seconds from the onset: to the end of an incident; and some more of a control, whose end should not alarm."""
    if scenario.end_s is None:
        return most_s
    lasts = scenario.end_s - scenario.onset
    return min(most_s, lasts + AFTER_S if scenario.kind == "control" else lasts)


def run_all(plans: Sequence[Plan], jobs: int, say: Callable[[str], None]) -> list[Outcome]:
    """Every environment, `jobs` at a time, each in a process of its own."""
    waiting = [partial(_run, plan, say) for plan in plans]
    if jobs <= 1:
        return [Branch(work).result() for work in waiting]
    found: list[Outcome] = []
    running: list[Branch[Outcome]] = []
    for work in waiting:
        if len(running) >= jobs:
            found.append(running.pop(0).result())
        running.append(Branch(work))
    return found + [branch.result() for branch in running]


def _run(plan: Plan, say: Callable[[str], None]) -> Outcome:
    return Trial(plan).run(say)

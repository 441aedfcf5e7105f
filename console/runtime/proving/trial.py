"""One incident three times over: with somebody who follows what the engine offers, with nobody, and not at all."""

import asyncio
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.options import SimulatorOptions
from adapters.simulator.platform import standard
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.queues.broker import Broker
from adapters.simulator.scenario import Scenario, load_scenario
from adapters.simulator.world import World
from console.config import Environment, SourceConfig
from console.config.model import DivergencePolicy
from console.domain.errors import ConfigError
from console.engine.clock import SteppedClock
from console.runtime.proving.hurried import HurriedClock, HurriedLoop, run_hurried
from console.runtime.proving.measure import MINUTE_S, Diary, Recorder, over_sooner
from console.runtime.proving.operator import Note, Operator
from console.runtime.rehearsal import rehearse
from console.runtime.wiring import build
from runbooks.loader import Book, library, load

BEGIN: Final = 1_799_748_000.0
"""Unix seconds at which every trial begins: a Tuesday, half past ten."""
STEP_S: Final = 10.0
MARKS_S: Final = 120.0
QUIET_S: Final = 120.0
"""Seconds of calm before an incident's time 0."""
MOST_S: Final = 5400.0
"""How long an incident is watched from its onset, unless it says otherwise."""
AFTER_S: Final = 900.0
"""A control is watched for so much longer than it lasts."""
REHEARSED_H: Final = 2.0
PARTS: Final = {"gateway": "gateway", "jobs": "queues", "traces": "traces"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is tried."""

    scenario: str
    """A name, or the path of a file."""
    seed: int = 1
    runbook: str = ""
    """The id or the file of the only one that is followed, whatever else is offered; empty: what is offered first."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """Of the scenario."""
    watched_s: float | None = None
    """How long it is watched from its onset; None: until it is over by itself, an hour and a half at the most."""
    until_better: bool = False
    """Watched no longer than until who follows a runbook is over it, and nobody else is."""
    step_s: float = STEP_S
    """The world moves, and is looked at, in steps of this size; the engine's own clocks tick twice in each."""
    marks_s: float = MARKS_S
    """How often it is compared what services answer from."""


@dataclass(slots=True)
class Told:
    """What came of it."""

    case: Case
    scenario: Scenario
    onset: float
    """Unix seconds."""
    end: float
    notes: tuple[Note, ...]
    operator: Operator
    told_at: float | None
    """Unix seconds of the first incident after time 0."""
    followed: Diary
    nothing: Diary
    calm: Diary

    @property
    def onset_minute(self) -> int:
        """The onset, in minutes of the diaries."""
        return int((self.onset - BEGIN) // MINUTE_S)


@contextmanager
def rehearsed(seed: int, hours: float = REHEARSED_H) -> Iterator[Path]:
    """A folder with what detectors have learnt in quiet hours, for any number of trials with that seed."""
    with tempfile.TemporaryDirectory(prefix="switchgear-") as folder:
        config = _environment(Case(scenario="calm", seed=seed))
        asyncio.run(rehearse(config, Path(folder), SteppedClock(BEGIN), hours * 3600.0))
        (Path(folder) / "rehearsed").unlink()
        yield Path(folder)


def check(case: Case) -> tuple[Scenario, Book | None]:
    """The scenario and the runbook of a case.

    Raises:
        ConfigError: there is none, or its file is broken.
    """
    scenario = load_scenario(case.scenario, case.parameters)
    scenario.fits(standard())
    return scenario, _book(case.runbook) if case.runbook else None


def tried(case: Case, learnt: Path) -> Told:
    """Play it. Not from within an event loop.

    Args:
        case: what is tried.
        learnt: the folder of `rehearsed`; it is only read.

    Raises:
        ConfigError: see `check`.
    """
    scenario, book = check(case)
    onset = BEGIN + QUIET_S + float(scenario.onset)
    end = onset + (case.watched_s if case.watched_s is not None else _watched_s(scenario))
    with tempfile.TemporaryDirectory(prefix="switchgear-") as folder:
        state = shutil.copytree(learnt, Path(folder) / "state")
        if book is not None and not book.shipped:
            shutil.copy(book.path, _own(state))

        nothing, calm = _Alone(scenario, case), _calm(scenario, case)
        first = int((onset - BEGIN) // MINUTE_S)

        def better(diary: Diary, now: float) -> bool:
            return over_sooner(diary, nothing.until(now), calm.until(now), first)

        async def play(loop: HurriedLoop) -> tuple[Operator, Diary, float, float | None]:
            return await _played(case, loop, state, end, book.runbook.id if book else "", better)

        operator, followed, ended, told_at = run_hurried(play)
    return Told(
        case=case,
        scenario=scenario,
        onset=onset,
        end=ended,
        notes=tuple(operator.notes),
        operator=operator,
        told_at=told_at,
        followed=followed,
        nothing=nothing.until(ended),
        calm=calm.until(ended),
    )


def _book(name: str) -> Book:
    """The runbook of that id or file.

    Raises:
        ConfigError: there is none, or it has faults.
    """
    known = {book.runbook.id: book for book in library()}
    if name in known:
        return known[name]
    if "/" in name or name.endswith((".yaml", ".yml")):
        return load(Path(name))
    raise ConfigError(f"there is no runbook {name!r}; there are: {', '.join(known)}, or the path of a file")


def _own(state: Path) -> Path:
    """The folder with the runbook that is tried, where it is not a shipped one."""
    found = state / "runbooks"
    found.mkdir(exist_ok=True)
    return found


async def _played(
    case: Case, loop: HurriedLoop, state: Path, end: float, wanted: str, better: Callable[[Diary, float], bool]
) -> tuple[Operator, Diary, float, float | None]:
    """The operator, the diary, when it was left, and when the first incident was told."""
    clock = HurriedClock(BEGIN, loop, case.step_s / 2.0)
    config = _environment(case).model_copy(update={"runbooks": [str(_own(state))]})
    async with build("proving", config, clock, state, seed=case.seed) as runtime:
        gateway, jobs = runtime.adapters["gateway"], runtime.adapters["jobs"]
        if not isinstance(gateway, SimulatorAdapter) or not isinstance(jobs, SimulatedQueues):
            raise ConfigError("runbooks are proven on the simulated platform")
        recorder = Recorder(gateway.world, jobs.broker)
        operator = Operator(runtime, gateway.world.remedy, wanted)
        loop.also_busy = lambda: runtime.journal.asking > 0
        told: list[float] = []
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(runtime.run()), tasks.create_task(operator.work())]
            while (now := clock.now()) < end:
                await clock.sleep(case.step_s)
                if not told and clock.now() >= BEGIN + QUIET_S and runtime.store.board.incidents:
                    told.append(clock.now())
                if case.until_better and operator.begun and int(clock.now() // MINUTE_S) > int(now // MINUTE_S):
                    gateway.world.advance(clock.now())
                    end = min(end, clock.now()) if better(recorder.diary, clock.now()) else end
            for task in work:
                task.cancel()
        gateway.world.advance(end)
        return operator, recorder.diary, end, next(iter(told), None)


class _Alone:
    """The same world with nobody in it, played as far as it is asked for."""

    def __init__(self, scenario: Scenario, case: Case) -> None:
        platform = structs.replace(standard(), tick_s=case.step_s)
        options = SimulatorOptions()
        self._world = World(
            platform,
            scenario.model_copy(update={"quiet_s": QUIET_S}),
            seed=case.seed,
            speed=1.0,
            replicas=options.replicas,
            begin=BEGIN,
        )
        broker = Broker(self._world, case.seed)
        self._world.companions.append(broker)
        self._recorder = Recorder(self._world, broker)

    def until(self, end: float) -> Diary:
        """Its diary up to a moment; what is known of later is left out."""
        self._world.advance(end)
        return self._recorder.diary.until(math.ceil((end - BEGIN) / MINUTE_S))


_CALM: dict[tuple[int, float, str], _Alone] = {}
"""By seed, step and traffic: the calm day."""


def _calm(scenario: Scenario, case: Case) -> _Alone:
    """The same world in which nothing happens."""
    key = (case.seed, case.step_s, scenario.traffic.model_dump_json())
    if key not in _CALM:
        _CALM[key] = _Alone(scenario.model_copy(update={"tracks": ()}), case)
    return _CALM[key]


def _environment(case: Case) -> Environment:
    options: dict[str, Any] = {
        "world": "proving", "scenario": case.scenario, "parameters": dict(case.parameters), "seed": case.seed,
        "speed": 1.0, "tick_s": case.step_s, "quiet_s": QUIET_S, "told": False, "shown": 0,
    }  # fmt: skip
    sources = {
        source: SourceConfig(adapter="simulator", interval=case.step_s, options={**options, "part": part})
        for source, part in PARTS.items()
    }
    return Environment(sources=sources, divergence=DivergencePolicy(every=case.marks_s))


def _watched_s(scenario: Scenario) -> float:
    if scenario.end_s is None:
        return MOST_S
    lasts = float(scenario.end_s) - float(scenario.onset)
    return min(MOST_S, lasts + AFTER_S if scenario.kind == "control" else lasts)

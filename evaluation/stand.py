"""A simulated platform under the product's own watch, driven in simulated time: no socket, no screen, no waiting."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from adapters.simulator import SPEC
from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.options import SimulatorOptions
from adapters.simulator.scenario import Scenario
from console.config import Environment, SourceConfig
from console.domain.answers import Answers
from console.domain.ports import Adapter, AdapterContext
from console.engine.clock import SteppedClock
from console.engine.store import Store
from evaluation.heard import Heard
from evaluation.looks import Looks
from evaluation.observing import Observing

MONDAY = 1_799_625_600.0
"""Unix seconds at which every evaluation begins: Monday, 11 January 2027, 0:00 UTC."""
POLL_S = 30.0
"""Sources are looked at this often, and all is judged then."""
TICK_S = 15.0
"""The world moves in steps of this size."""
MINUTE_S = 60.0
MARKS_EVERY_S = 120.0
"""Marks are read this often, for judging them is dear; the product reads them every 10 s."""
MARKS_BEFORE_S = 7200.0
"""What was read longer ago than this is held against nothing."""
SOURCES = {"gateway": "gateway", "jobs": "queues", "traces": "traces"}
"""The sources' names, and what of the world each shows."""


class Stand:
    """One world with its three sources, the detectors at their defaults, and what they have said."""

    def __init__(self, seed: int, traffic: Path | None, *, product: bool = True) -> None:
        """Wire everything.

        Args:
            seed: of the world.
            traffic: a file with a shape of traffic; None: as the scenario `calm` says.
            product: whether the detectors run; without them only readings and answers are there.
        """
        self.clock = SteppedClock(MONDAY)
        self.store = Store("evaluation", self.clock)
        self.heard = Heard()
        self.store.listen(self.heard.hear)
        options = {"world": "evaluation", "scenario": "calm", "speed": 1.0, "seed": seed, "tick_s": TICK_S, "shown": 0}
        options |= {"traffic": str(traffic)} if traffic else {}
        self._adapters: dict[str, Adapter] = {
            source: self._adapter(source, {**options, "part": part}) for source, part in SOURCES.items()
        }
        config = Environment(
            sources={
                source: SourceConfig(adapter="simulator", interval=POLL_S, options={**options, "part": part})
                for source, part in SOURCES.items()
            }
        )
        self._looks = [Looks(name, adapter, self.store, self.clock, POLL_S) for name, adapter in self._adapters.items()]
        self._observing = Observing(config, self.store, self._adapters, self.clock, judging=product)
        self.each_minute: list[Callable[[float], None]] = []
        """Called with the moment at the end of every minute, after everything was judged."""

    def _adapter(self, source: str, options: dict[str, object]) -> Adapter:
        return SPEC.create(
            AdapterContext(
                source=source,
                clock=self.clock,
                secret=lambda _: "",
                timeout_s=1.0,
                options=SimulatorOptions.model_validate(options),
            )
        )

    @property
    def answers(self) -> list[Answers]:
        """The minutes of answers that were read last."""
        return self._observing.heard

    @property
    def providers(self) -> int:
        """How many providers the platform has."""
        gateway = self._adapters["gateway"]
        assert isinstance(gateway, SimulatorAdapter)  # noqa: S101 - it was made above
        return len(gateway.world.providers)

    def warm_up(self, seconds: float) -> None:
        """Let `seconds` pass in which detectors learn; marks are read in the last part only: they teach nothing."""
        apart = max(0.0, seconds - MARKS_BEFORE_S)
        asyncio.run(self._run(self.clock.now() + apart, marks=False))
        self.run(seconds - apart)

    def run(self, seconds: float) -> None:
        """Let `seconds` pass."""
        asyncio.run(self._run(self.clock.now() + seconds))

    async def _run(self, end: float, *, marks: bool = True) -> None:
        while (now := self.clock.now() + POLL_S) <= end:
            self.clock.move_to(now)
            for looks in self._looks:
                await looks.look()
            minute = now % MINUTE_S < POLL_S
            if minute:
                await self._observing.read(marks=marks and now % MARKS_EVERY_S < POLL_S)
            self._observing.judge()
            if minute:
                for call in self.each_minute:
                    call(now)

    def play(self, scenario: Scenario, at: float) -> None:
        """From `at` (unix seconds; its time 0) on this happens."""
        gateway = self._adapters["gateway"]
        assert isinstance(gateway, SimulatorAdapter)  # noqa: S101 - it was made above
        gateway.world.play(scenario, at)

"""The world behind some sources of one engine: each of them shows another part of it."""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from msgspec import structs

from adapters.simulator.faults import Fault
from adapters.simulator.options import SimulatorOptions
from adapters.simulator.platform import Platform, standard
from adapters.simulator.queues.broker import Broker
from adapters.simulator.traces.samples import Samples
from adapters.simulator.world import World
from console.domain.errors import BackendError, ConfigError, ErrorKind
from console.domain.ports import AdapterContext, Clock

TICKS_AT_ONCE: Final = 500
"""So many ticks are caught up before others get the event loop: a suspended laptop must not freeze the engine."""

_OWN: Final = ("part", "world")
"""Options that may differ between the sources of one world."""


class Stage:
    """One world on one clock, with the companions that its sources ask for."""

    def __init__(self, clock: Clock, options: SimulatorOptions, platform: Platform) -> None:
        self.clock = clock
        self.options = options
        self.world = World(
            platform,
            options.loaded(),
            seed=options.seed,
            speed=options.speed,
            replicas=options.replicas,
            begin=clock.now(),
        )
        self.gateway = ""
        """The name of the source that shows the gateway; empty when none does."""
        self._broker: Broker | None = None
        self._samples: Samples | None = None

    def broker(self) -> Broker:
        """The queues; a world has them from the moment on at which the first source asks for them."""
        if self._broker is None:
            self._broker = Broker(self.world, self.options.seed)
            self.world.companions.insert(0, self._broker)
            self._introduce()
        return self._broker

    def samples(self) -> Samples:
        """The kept requests, likewise."""
        if self._samples is None:
            self._samples = Samples(self.world, self.options.seed)
            self.world.companions.append(self._samples)
            self._introduce()
        return self._samples

    def _introduce(self) -> None:
        if self._broker is not None and self._samples is not None:
            self._samples.listen_to(self._broker)

    async def catch_up(self) -> float:
        """Move the world up to the clock; returns the moment."""
        now = self.clock.now()
        while not self.world.advance(now, TICKS_AT_ONCE):  # noqa: ASYNC110 - others get their turn
            await asyncio.sleep(0)
        return now

    async def reach(self, source: str) -> float:
        """As `catch_up`, for one source by its name.

        Raises:
            BackendError: UNREACHABLE, the incident keeps it from answering; the world goes on.
        """
        now = await self.catch_up()
        if self.world.fault(Fault.LOST, f"source/{source}"):
            raise BackendError(ErrorKind.UNREACHABLE, "no answer", where=f"sim://{source}")
        return now

    @property
    def note(self) -> str:
        """What a source says of itself."""
        return f"a simulated world; scenario {self.world.scenario.name}" if self.options.told else "a simulated world"


_SHARED: WeakValueDictionary[tuple[int, str], Stage] = WeakValueDictionary()
"""By the clock's identity and the world's name. A stage holds its clock, so no other clock has that identity while
the stage is there; it goes with the last source that shows it."""


def stage_of(context: AdapterContext, platform: Platform | None = None) -> Stage:
    """The stage of one source: that of the sources before it that named the same world, or a new one.

    Raises:
        ConfigError: they describe the world in another way.
    """
    options: SimulatorOptions = context.options
    key = (id(context.clock), options.world)
    stage = _SHARED.get(key) if options.world else None
    if stage is None:
        stage = Stage(context.clock, options, platform or _platform(options))
        if options.world:
            _SHARED[key] = stage
    elif stage.options.model_dump(exclude=set(_OWN)) != options.model_dump(exclude=set(_OWN)):
        raise ConfigError(
            f"source {context.source}: the sources of the world {options.world!r} have to have the same options "
            "(all but `part`)"
        )
    if options.part == "gateway":
        stage.gateway = context.source
    return stage


def _platform(options: SimulatorOptions) -> Platform:
    if options.size is None:
        platform = standard()
    else:
        from adapters.simulator.generate import generate

        platform = generate(options.size, options.seed)
    return platform if options.tick_s is None else structs.replace(platform, tick_s=options.tick_s)

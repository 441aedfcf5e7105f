"""What the contract suite needs of an adapter under test: the adapter, its clock, and a hand on its backend."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from console.domain.actions import Plan
from console.domain.ports import Actuator, Adapter, AdapterSpec, Breakers, Clock, Mover, Queues, Routing
from console.domain.readings import AnyReading, Deployment, Provider, Route, Spend
from console.domain.verbs import Verb


class ActingAdapter(Adapter, Breakers, Routing, Actuator, Protocol):
    """A gateway with every capability that the suite tries."""


class MovingAdapter(Adapter, Queues, Mover, Actuator, Protocol):
    """A broker with every capability that the suite tries."""


class Bench(Protocol):
    """One adapter, set up on a backend that lives as long as the test."""

    @property
    def source(self) -> str:
        """The source's name."""
        ...

    @property
    def adapter(self) -> ActingAdapter:
        """The adapter under test."""
        ...

    @property
    def clock(self) -> Clock:
        """The adapter's clock."""
        ...

    async def settle(self) -> None:
        """Let every replica take in what was set last."""
        ...

    async def lose(self, replica: str) -> None:
        """Make one replica of the backend unreachable."""
        ...

    async def disturb(self, plan: Plan) -> None:
        """Change what the plan would replace, by another way than this adapter."""
        ...


class MovingBench(Protocol):
    """A broker that answers to actions. Each queue verb is able on one of its queues; producers and workers run."""

    @property
    def source(self) -> str:
        """The source's name."""
        ...

    @property
    def adapter(self) -> MovingAdapter:
        """The adapter under test."""
        ...

    @property
    def clock(self) -> Clock:
        """The adapter's clock."""
        ...

    async def settle(self) -> None:
        """Let some seconds pass."""
        ...

    async def lose(self, replica: str) -> None:
        """Make one replica of the backend unreachable."""
        ...

    async def disturb(self, plan: Plan) -> None:
        """Change what the plan would replace, by another way than this adapter."""
        ...

    async def missing(self, queue: str) -> int:
        """Messages of a queue that nobody can account for, counted by another way than this adapter."""
        ...


Open = Callable[[], AbstractAsyncContextManager[Bench]]


@dataclass(frozen=True)
class Subject:
    """One line of the suite: which adapter, on what."""

    name: str
    spec: AdapterSpec
    open: Open
    acts: bool = True
    """Whether the backend answers to actions; a recording does not."""
    hostile: Open | None = None
    """The same adapter on a backend whose names are full of control characters and markup."""
    ports: tuple[type, ...] = (Breakers, Routing, Actuator)
    """The capabilities that it has."""
    shows: tuple[type[AnyReading], ...] = (Deployment, Route, Provider, Spend)
    """The readings that a look at its ordinary backend holds."""

    verbs: tuple[Verb, ...] = (Verb.TRIP, Verb.RESET, Verb.WEIGHT, Verb.SWITCH)
    """What at least one object of its ordinary backend is able to do."""

    @property
    def plans(self) -> bool:
        """Whether it plans anything at all."""
        return Actuator in self.ports

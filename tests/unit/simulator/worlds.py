"""Worlds for the tests: on a clock turned by hand, with a few short questions to ask them."""

from typing import TypeVar

from adapters.simulator import SimulatorOptions
from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.platform import Platform
from console.domain.actions import Plan
from console.domain.ports import AdapterContext
from console.domain.readings import AnyReading, Deployment, Observation, Provider, Route, Spend
from console.domain.refs import Kind, Ref
from console.engine.clock import ManualClock

R = TypeVar("R", bound=AnyReading)


class Sim:
    """One simulated source and its clock."""

    def __init__(self, scenario: str = "calm", *, platform: Platform | None = None, **options: object) -> None:
        self.clock = ManualClock()
        settings = SimulatorOptions.model_validate({"scenario": scenario, **options})
        context = AdapterContext("sim", self.clock, lambda reference: reference, 4.0, settings)
        self.adapter = SimulatorAdapter(context, platform)

    async def look(self, after: float = 0.0) -> Observation:
        """What is seen `after` seconds from now."""
        await self.clock.advance(after)
        return await self.adapter.observe()

    async def find(self, kind: type[R], name: str, after: float = 0.0) -> R:
        """One reading, `after` seconds from now."""
        for reading in (await self.look(after)).readings:
            if isinstance(reading, kind) and reading.ref.name == name:
                return reading
        raise KeyError(name)

    async def deployment(self, name: str, after: float = 0.0) -> Deployment:
        return await self.find(Deployment, name, after)

    async def route(self, name: str, after: float = 0.0) -> Route:
        return await self.find(Route, name, after)

    async def provider(self, name: str, after: float = 0.0) -> Provider:
        return await self.find(Provider, name, after)

    async def spend(self, name: str, after: float = 0.0) -> Spend:
        return await self.find(Spend, name, after)

    async def run(self, plan: Plan) -> None:
        for step in plan.steps:
            await self.adapter.execute(step)

    async def trip(self, name: str, ttl_s: float = 3600.0) -> Plan:
        plan = await self.adapter.plan_trip(Ref("sim", Kind.DEPLOYMENT, name), ttl_s)
        await self.run(plan)
        return plan

    async def reset(self, name: str) -> None:
        await self.run(await self.adapter.plan_reset(Ref("sim", Kind.DEPLOYMENT, name)))

    async def switch(self, route: str, to: str, mechanism: str = "") -> Plan:
        plan = await self.adapter.plan_switch(Ref("sim", Kind.ROUTE, route), to, mechanism)
        await self.run(plan)
        return plan

    async def weigh(self, name: str, weight: float) -> None:
        await self.run(await self.adapter.plan_weight(Ref("sim", Kind.DEPLOYMENT, name), weight))


def rpm(reading: Deployment | Route | Provider) -> float:
    """Requests a minute."""
    assert reading.traffic is not None
    return reading.traffic.requests_per_min


def errors(reading: Deployment | Route | Provider) -> float:
    """Errors / requests; 0 when nothing flowed."""
    assert reading.traffic is not None
    return reading.traffic.error_ratio or 0.0


def attempts(route: Route) -> float:
    """Attempts for each original request."""
    assert route.traffic is not None
    assert route.traffic.attempts_per_request is not None
    return route.traffic.attempts_per_request

"""Worlds for the tests: on a clock turned by hand, with a few short questions to ask them."""

import asyncio
from pathlib import Path
from typing import TypeVar

from adapters.simulator import SimulatorOptions
from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.platform import Platform
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.queues.broker import Broker
from adapters.simulator.stage import Stage, stage_of
from adapters.simulator.traces.adapter import SimulatedTraces
from console.domain.actions import Pause, Plan, Progress, Proof, QueueAction, Step
from console.domain.ports import AdapterContext
from console.domain.readings import AnyReading, Deployment, Observation, Provider, Queue, Route, Spend
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


class Yard:
    """One world with all its sources: a gateway, its queues, its traces."""

    def __init__(
        self,
        scenario: str = "calm",
        *,
        platform: Platform | None = None,
        parts: tuple[str, ...] = ("gateway", "queues", "traces"),
        exports: Path | None = None,
        **options: object,
    ) -> None:
        self.sim = Sim(scenario, platform=platform, world="yard", **options)
        self.clock = self.sim.clock
        contexts = {
            part: AdapterContext(
                source, self.clock, lambda reference: reference, 4.0,
                SimulatorOptions.model_validate({"scenario": scenario, "world": "yard", "part": part, **options}),
                exports=exports,
            )
            for part, source in (("gateway", "sim"), ("queues", "jobs"), ("traces", "traces"))
        }  # fmt: skip
        self.stage: Stage = stage_of(contexts["gateway"])
        if "queues" in parts:
            self.jobs = SimulatedQueues(contexts["queues"])
        if "traces" in parts:
            self.traces = SimulatedTraces(contexts["traces"])

    @property
    def broker(self) -> Broker:
        return self.jobs.broker

    async def queues(self, after: float = 0.0) -> dict[str, Queue]:
        """Every queue, `after` seconds from now."""
        await self.clock.advance(after)
        return {one.ref.name: one for one in (await self.jobs.observe()).readings if isinstance(one, Queue)}

    async def queue(self, name: str, after: float = 0.0) -> Queue:
        return (await self.queues(after))[name]

    async def plan(self, name: str, action: QueueAction, ttl_s: float = 3600.0) -> Plan:
        return await self.jobs.plan_queue(Ref("jobs", Kind.QUEUE, name), action, ttl_s)

    async def pause(self, name: str, ttl_s: float = 3600.0) -> Plan:
        plan = await self.plan(name, Pause(), ttl_s)
        await self.run(plan.steps)
        return plan

    async def run(self, steps: tuple[Step, ...]) -> list[Progress]:
        """Do steps to their end; returns what the lasting ones told."""
        told: list[Progress] = []
        for step in steps:
            if not step.lasting:
                await self.jobs.execute(step)
                continue
            carried = asyncio.ensure_future(self.jobs.carry(step, told.append))
            for _ in range(3000):
                await self.clock.advance(1.0)
                if carried.done():
                    break
            await carried
        return told

    async def proof(self, plan: Plan, *, undone: bool = False) -> Proof:
        (proof,) = await self.jobs.prove(plan, undone=undone)
        return proof


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

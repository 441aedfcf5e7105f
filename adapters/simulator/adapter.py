"""The simulated gateway as a source: it looks at its world, plans in it, and turns its switches."""

import random
from typing import Any

from adapters.reissuing import OP, Calls
from adapters.simulator import reissue
from adapters.simulator.plans import Planner, setting_of
from adapters.simulator.platform import Platform
from adapters.simulator.proofs import proofs
from adapters.simulator.readings import Meter
from adapters.simulator.stage import stage_of
from adapters.simulator.world import World
from console.domain.actions import Plan, Proof, Step
from console.domain.circuit import Mode
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, ReplicaStatus
from console.domain.refs import Ref
from console.domain.reissues import RecordedCall
from console.domain.spans import Span
from console.domain.text import clean
from console.domain.verbs import Reissue, Verb
from console.domain.wire import CheckRow


class SimulatorAdapter:
    """The gateway of one simulated platform. It has every capability that a gateway can have, and no server."""

    def __init__(self, context: AdapterContext, platform: Platform | None = None) -> None:
        self._source = context.source
        self._stage = stage_of(context, platform)
        self._world = self._stage.world
        self._planner = Planner(self._world, self._source)
        self._calls = Calls()
        self._chance = random.Random(f"reissue {self._stage.options.seed}")  # noqa: S311  no secret

    @property
    def world(self) -> World:
        """The world inside, for tests and evaluations."""
        return self._world

    async def observe(self) -> Observation:
        """Move the world up to the clock and read every meter."""
        now = await self._catch_up()
        replicas = self._replicas()
        if not any(replica.up for replica in replicas):
            raise BackendError(ErrorKind.UNREACHABLE, "no replica answers", where=replicas[0].url)
        meter = Meter(self._world, self._source, now)
        return Observation(
            observed_at=now,
            readings=(*meter.readings(), *meter.money()),
            replicas=replicas,
            notes=(self._stage.note,),
        )

    def _replicas(self) -> tuple[ReplicaStatus, ...]:
        return tuple(
            ReplicaStatus(name=name, url=f"sim://{name}", up=failure is None, failure=failure)
            for name, failure in zip(self._world.gateway.replicas, self._failures(), strict=True)
        )

    def _failures(self) -> list[Failure | None]:
        return [
            Failure(kind=ErrorKind.UNREACHABLE, message="no answer", where=f"sim://{name}")
            if self._world.gateway.is_lost(number)
            else None
            for number, name in enumerate(self._world.gateway.replicas)
        ]

    async def check(self) -> tuple[CheckRow, ...]:
        """Which replicas are there; a world inside the process may do everything."""
        return tuple(
            CheckRow(
                source=self._source,
                replica=one.name,
                what="reachable",
                ok=one.up,
                words="it is simulated" if one.up else "no answer",
            )
            for one in self._replicas()
        ) + tuple(
            CheckRow(source=self._source, replica="", what=what, ok=True, words="allowed")
            for what in ("trip", "reset", "weight", "switch")
        )

    async def close(self) -> None:
        """Nothing is held."""

    async def plan_trip(self, target: Ref, ttl_s: float) -> Plan:
        """See `Breakers.plan_trip`."""
        await self._catch_up()
        return self._planner.trip(target, ttl_s)

    async def plan_reset(self, target: Ref) -> Plan:
        """See `Breakers.plan_reset`."""
        await self._catch_up()
        return self._planner.reset(target)

    async def plan_weight(self, target: Ref, weight: float) -> Plan:
        """See `Routing.plan_weight`."""
        await self._catch_up()
        return self._planner.weight(target, weight)

    async def plan_switch(self, target: Ref, to: str, mechanism: str) -> Plan:
        """See `Routing.plan_switch`."""
        await self._catch_up()
        return self._planner.switch(target, to, mechanism)

    async def plan_reissue(self, target: Ref, call: RecordedCall, action: Reissue) -> Plan:
        """See `Reissues.plan_reissue`."""
        await self._catch_up()
        return reissue.plan_reissue(self._world, self._calls, target, call, action)

    def answer(self, target: Ref, action: Reissue) -> Span | None:
        """See `Reissues.answer`."""
        return self._calls.answer(target, action)

    async def execute(self, step: Step) -> None:
        """Set one field of the simulated gateway, or make one call through it."""
        now = await self._catch_up()
        if step.op == OP:
            return reissue.execute(self._world, self._calls, step, self._source, self._chance)
        setting, value = setting_of(step)
        known: dict[str, Any] = self._world.routes if setting.field == "alias" else self._world.deployments
        for name in (setting.name, value) if setting.field == "alias" and value else (setting.name,):
            if name not in known:
                raise BackendError(ErrorKind.CONFLICT, f"{clean(name)} is no longer there")
        if setting.field == "mode" and value["mode"] == Mode.FORCED_OPEN:
            until = now + value["ttl_s"] if "ttl_s" in value else value["until"]
            value = {"mode": Mode.FORCED_OPEN, "until": until}
        self._world.gateway.settings.store(now, setting, value)
        return None

    async def generation(self, plan: Plan) -> str:
        """See `Actuator.generation`."""
        await self._catch_up()
        if plan.verb is Verb.REISSUE:
            return reissue.generation(self._world, plan.target)
        return self._planner.generation(plan)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        """See `Actuator.prove`."""
        now = await self._catch_up()
        if plan.verb is Verb.REISSUE:
            return self._calls.prove(plan, now)
        return proofs(self._world, plan.undo_expects if undone else plan.expects, now)

    async def _catch_up(self) -> float:
        return await self._stage.reach(self._source)

"""From a wish to steps, their way back and what has to be seen: made by looking at the world, touching nothing."""

import hashlib
from typing import Any, Final

import msgspec

from adapters.simulator.abilities import of_deployment, switch_options, why_no_switch
from adapters.simulator.parts import Deployment, Route
from adapters.simulator.settings import Setting
from adapters.simulator.world import World
from console.domain.actions import Expectation, ExpiryHome, Plan, Step, Verb
from console.domain.circuit import Mode, Observed
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Kind, Ref
from console.domain.text import clean

SET: Final = "gateway.set"
"""The one call that the simulated gateway knows: set a field of a deployment or a route."""


class Planner:
    """Makes plans for one source's world as it is now."""

    def __init__(self, world: World, source: str) -> None:
        self._world = world
        self._source = source

    def trip(self, target: Ref, ttl_s: float) -> Plan:
        """Force a deployment's breakers open for `ttl_s` seconds; the gateway itself ends it."""
        item = self._able(target, Verb.TRIP)
        name, shown = item.spec.name, clean(item.spec.name)
        before = self._world.gateway.mode_setting(item, self._world.now)
        return self._plan(
            target,
            Verb.TRIP,
            steps=(_set("mode", name, {"mode": Mode.FORCED_OPEN, "ttl_s": ttl_s}, f"force {shown} open"),),
            expects=(_expect(target, "mode", Mode.FORCED_OPEN, f"{shown} is forced open"),),
            undo=(_back(name, before),),
            undo_expects=(_expect(target, "mode", before["mode"], f"{shown} is {before['mode']}"),),
            before=before,
            after={"mode": Mode.FORCED_OPEN, "until": round(self._world.now + ttl_s)},
            expiry_home=ExpiryHome.BACKEND,
            words=f"keep every request away from {shown}",
            notes=("when it ends, a few probes pass first and decide",),
        )

    def reset(self, target: Ref) -> Plan:
        """Let requests reach a deployment again, at once."""
        item = self._able(target, Verb.RESET)
        name, shown = item.spec.name, clean(item.spec.name)
        before = self._world.gateway.mode_setting(item, self._world.now)
        forced = before["mode"] != Mode.AUTO
        undo = (_back(name, before),) if forced else ()
        undo_expects = (_expect(target, "mode", before["mode"], f"{shown} is {before['mode']}"),) if forced else ()
        return self._plan(
            target,
            Verb.RESET,
            steps=(_set("mode", name, {"mode": Mode.AUTO}, f"close the circuit of {shown} and forget its failures"),),
            expects=(
                _expect(target, "mode", Mode.AUTO, f"{shown} is not forced"),
                _expect(target, "circuit", Observed.CLOSED, f"the circuit of {shown} is closed"),
            ),
            undo=undo,
            undo_expects=undo_expects,
            before=before,
            after={"mode": Mode.AUTO, "until": None},
            expiry_home=ExpiryHome.NOBODY,
            words=f"let every request reach {shown} again",
            notes=("traffic returns all at once",),
        )

    def weight(self, target: Ref, weight: float) -> Plan:
        """Give a deployment another weight."""
        item = self._able(target, Verb.WEIGHT)
        name, shown = item.spec.name, clean(item.spec.name)
        if not 0 <= weight < float("inf"):
            raise BackendError(ErrorKind.UNSUPPORTED, f"{weight} is no weight", way_out="give 0 or more")
        before = self._world.gateway.weight(item)
        return self._plan(
            target,
            Verb.WEIGHT,
            steps=(_set("weight", name, weight, f"set the weight of {shown} to {weight:g}"),),
            expects=(_expect(target, "weight", weight, f"the weight of {shown} is {weight:g}"),),
            undo=(_set("weight", name, before, f"set the weight of {shown} to {before:g}"),),
            undo_expects=(_expect(target, "weight", before, f"the weight of {shown} is {before:g}"),),
            before={"weight": before},
            after={"weight": weight},
            words=f"weight of {shown}: {before:g} → {weight:g}",
        )

    def switch(self, target: Ref, to: str, mechanism: str) -> Plan:
        """Send a route elsewhere, by one of its switch options."""
        route = self._world.routes.get(target.name) if target.kind is Kind.ROUTE else None
        if route is None or target.source != self._source:
            raise self._unknown(target, Verb.SWITCH)
        options = switch_options(self._world, route)
        if not options:
            raise BackendError(ErrorKind.UNSUPPORTED, why_no_switch(route), where=str(target))
        chosen = next((one for one in options if one.to == to and mechanism in ("", one.mechanism)), None)
        if chosen is None:
            ways = ", ".join(f"{clean(one.to)} ({one.mechanism})" for one in options)
            message = f"there is no switch to {clean(to)!r} {f'by {clean(mechanism)}' if mechanism else ''}".rstrip()
            raise BackendError(ErrorKind.UNSUPPORTED, message, where=str(target), way_out=f"choose one of {ways}")
        return self._by_alias(target, route, to) if chosen.mechanism == "alias" else self._by_order(target, route, to)

    def _by_alias(self, target: Ref, route: Route, to: str) -> Plan:
        name, shown, other = route.spec.name, clean(route.spec.name), clean(to)
        before = self._world.gateway.alias(route)
        back = f"{clean(before)} answers for {shown}" if before else f"{shown} answers itself"
        return self._plan(
            target,
            Verb.SWITCH,
            steps=(_set("alias", name, to, f"let {other} answer for {shown}"),),
            expects=(_expect(target, "alias", to, f"{other} answers for {shown}"),),
            undo=(_set("alias", name, before, f"let {back.replace('answers', 'answer')}"),),
            undo_expects=(_expect(target, "alias", before, back),),
            before={"alias": before},
            after={"alias": to},
            words=f"{other} answers every request for {shown}",
        )

    def _by_order(self, target: Ref, route: Route, to: str) -> Plan:
        item = self._world.deployments[to]
        before = self._world.gateway.order(item)
        order = min(self._world.gateway.order(one) for one in route.deployments if one is not item) - 1
        shown = clean(to)
        seen = Ref(self._source, Kind.DEPLOYMENT, to)
        return self._plan(
            target,
            Verb.SWITCH,
            steps=(_set("order", to, order, f"set the order of {shown} to {order}"),),
            expects=(_expect(seen, "order", order, f"the order of {shown} is {order}"),),
            undo=(_set("order", to, before, f"set the order of {shown} to {before}"),),
            undo_expects=(_expect(seen, "order", before, f"the order of {shown} is {before}"),),
            before={f"order {to}": before},
            after={f"order {to}": order},
            words=f"{clean(route.spec.name)} asks {shown} first",
            notes=("the others are asked only when it fails or is open",),
        )

    def generation(self, plan: Plan) -> str:
        """The fingerprint of the plan's fields as the gateway holds them now."""
        world = self._world
        now: dict[str, Any] = {}
        for key in plan.before:
            if key.startswith("order "):
                now[key] = world.gateway.order(world.deployments[key.removeprefix("order ")])
            elif key == "alias":
                now[key] = world.gateway.alias(world.routes[plan.target.name])
            elif key == "weight":
                now[key] = world.gateway.weight(world.deployments[plan.target.name])
            else:
                now[key] = world.gateway.mode_setting(world.deployments[plan.target.name], world.now)[key]
        return fingerprint(now)

    def _plan(self, target: Ref, verb: Verb, **parts: Any) -> Plan:
        return Plan(
            target=target,
            verb=verb,
            generation=fingerprint(parts["before"]),
            replicas=self._world.gateway.replicas,
            converge_s=10.0 + self._world.platform.gateway.converge_s * len(self._world.gateway.replicas),
            **parts,
        )

    def _able(self, target: Ref, verb: Verb) -> Deployment:
        item = self._world.deployments.get(target.name) if target.kind is Kind.DEPLOYMENT else None
        if item is None or target.source != self._source:
            raise self._unknown(target, verb)
        for ability in of_deployment(item):
            if ability.verb is verb and not ability.able:
                raise BackendError(ErrorKind.UNSUPPORTED, ability.reason, where=str(target))
        return item

    def _unknown(self, target: Ref, verb: Verb) -> BackendError:
        return BackendError(
            ErrorKind.UNSUPPORTED, f"there is no {clean(str(target))} that knows {verb}", where=self._source
        )


def fingerprint(fields: dict[str, Any]) -> str:
    """The same fields give the same text, and others another."""
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()[:16]


def _set(field: str, name: str, value: Any, words: str) -> Step:
    return Step(op=SET, args={"field": field, "name": name, "value": value}, words=words)


def _expect(ref: Ref, field: str, value: Any, words: str) -> Expectation:
    return Expectation(ref=ref, field=field, value=value, words=words)


def _back(name: str, before: dict[str, Any]) -> Step:
    """Puts a mode back: a release goes through probes, a forced one keeps its end."""
    if before["mode"] == Mode.AUTO:
        return _set("mode", name, {"mode": Mode.AUTO, "probe": True}, f"release {clean(name)}; probes decide")
    return _set("mode", name, dict(before), f"force {clean(name)} open as before")


def setting_of(step: Step) -> tuple[Setting, Any]:
    """What a step sets, and to what.

    Raises:
        BackendError: UNSUPPORTED, the step is not one of this adapter's.
    """
    args = step.args
    if step.op != SET or args.get("field") not in ("mode", "weight", "order", "alias"):
        raise BackendError(ErrorKind.UNSUPPORTED, f"the simulator has no call {clean(step.op)}")
    return Setting(args["field"], args["name"]), args["value"]

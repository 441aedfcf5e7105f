"""From what was read to the domain's readings: deployments, routes, providers. Pure."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.litellm.abilities import Powers
from adapters.litellm.circuits import circuit_of
from adapters.litellm.cooldowns import Cooldown
from adapters.litellm.fleet import Fleet, Model
from adapters.litellm.flow import Flow, Flows, deployment_traffic, failure_classes, latency, route_traffic
from adapters.litellm.replica import Replica
from console.domain.actions import Verb
from console.domain.readings import (
    Ability,
    Deployment,
    Headroom,
    Provider,
    Route,
    RouteTarget,
    SwitchOption,
)
from console.domain.refs import Kind, Ref
from console.domain.text import clean

OPTIONS_SHOWN = 24
"""Switch options of one route at the most: its fallbacks and deployments first."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that one look came to know."""

    source: str
    now: float
    replicas: Sequence[Replica]
    fleet: Fleet
    """The union of all replicas' deployments; the first replica's word stands."""
    flows: Flows
    gauges: Mapping[tuple[str, str], float]
    cooldowns: Mapping[str, Cooldown] | None
    powers: Powers
    cooldown_s: float


def union(fleets: Sequence[Fleet]) -> Fleet:
    """All deployments that any replica has; an alias counts when every replica has it."""
    if len(fleets) == 1 or all(fleet is fleets[0] for fleet in fleets[1:]):
        return fleets[0]
    models: dict[str, Model] = {}
    groups: dict[str, dict[str, None]] = {}
    for fleet in fleets:
        for name, model in fleet.models.items():
            models.setdefault(name, model)
        for group, ids in fleet.groups.items():
            groups.setdefault(group, {}).update(dict.fromkeys(ids))
    aliases = dict(set.intersection(*(set(fleet.aliases.items()) for fleet in fleets)))
    return Fleet(models, {group: tuple(ids) for group, ids in groups.items()}, aliases)


def deployments(scene: Scene) -> list[Deployment]:
    """One reading for each deployment."""
    return [_deployment(scene, model) for model in scene.fleet.models.values()]


def _deployment(scene: Scene, model: Model) -> Deployment:
    flow = scene.flows.deployments.get(model.id, _NOTHING)
    return Deployment(
        ref=Ref(scene.source, Kind.DEPLOYMENT, model.id),
        observed_at=scene.now,
        can=scene.powers.of_model(model, scene.fleet),
        provider=model.provider,
        model=model.model,
        region=model.region,
        routes=(model.group,),
        endpoint=model.endpoint,
        origin="database" if model.in_database else "config",
        circuit=circuit_of(model.id, scene.replicas, scene.cooldowns, scene.cooldown_s, scene.now),
        weight=model.weight,
        order=model.order,
        traffic=deployment_traffic(scene.flows, flow),
        latency=latency(scene.flows, flow),
        failures=failure_classes(scene.flows, flow),
        headroom=_headroom(scene, model, flow),
        usd_per_h=scene.flows.per_h(flow.usd),
        usd_per_request=float(f"{flow.usd / flow.ok:.3g}") if flow.ok else None,
    )


_NOTHING = Flow()


def _headroom(scene: Scene, model: Model, flow: Flow) -> Headroom | None:
    """The scarcer of what the provider said last and what the deployment's own rpm and tpm leave.

    The provider's word counts only while something flows: the gauge stands still when nothing does.
    """
    tokens = flow.tokens_in + flow.tokens_out
    requests_left, requests_limit = _left(scene, model, "requests left", model.rpm, flow.calls, flow.ok > 0)
    tokens_left, tokens_limit = _left(scene, model, "tokens left", model.tpm, tokens, flow.ok > 0)
    if requests_left is None and tokens_left is None:
        return None
    return Headroom(
        requests_left=requests_left, requests_limit=requests_limit, tokens_left=tokens_left, tokens_limit=tokens_limit
    )


def _left(
    scene: Scene, model: Model, gauge: str, limit: float | None, used: float, flows: bool
) -> tuple[float | None, float | None]:
    """(left, limit) a minute; the limit is known only where the operator has set one."""
    said = scene.gauges.get((gauge, model.id)) if flows else None
    if said is not None and not (math.isfinite(said) and said >= 0):
        said = None
    if limit is None:
        return said, None
    own = max(0.0, limit - scene.flows.per_min(used))
    return (own if said is None else min(own, said)), limit


def providers(scene: Scene) -> list[Provider]:
    """One reading for each provider: the sum of its deployments."""
    members: dict[str, list[Model]] = defaultdict(list)
    for model in scene.fleet.models.values():
        members[model.provider].append(model)
    return [_provider(scene, name, models) for name, models in members.items()]


def _provider(scene: Scene, name: str, models: list[Model]) -> Provider:
    flow = Flow()
    for model in models:
        if (part := scene.flows.deployments.get(model.id)) is not None:
            flow.add(part)
    return Provider(
        ref=Ref(scene.source, Kind.PROVIDER, name),
        observed_at=scene.now,
        deployments=tuple(model.id for model in models),
        traffic=deployment_traffic(scene.flows, flow),
        latency=latency(scene.flows, flow),
        failures=failure_classes(scene.flows, flow),
        usd_per_h=scene.flows.per_h(flow.usd),
    )


def routes(scene: Scene) -> list[Route]:
    """One reading for each route, and for each alias that is no route of its own."""
    names = dict.fromkeys((*scene.fleet.groups, *scene.fleet.aliases))
    return [_route(scene, name) for name in names]


def _route(scene: Scene, name: str) -> Route:
    flow = scene.flows.routes.get(name, _NOTHING)
    models = [scene.fleet.models[each] for each in scene.fleet.groups.get(name, ())]
    options, why_not = switch_options(scene.fleet, scene.powers, name)
    settings = scene.powers.settings
    fallbacks = settings.fallbacks.get(name, ()) if settings else ()
    return Route(
        ref=Ref(scene.source, Kind.ROUTE, name),
        observed_at=scene.now,
        can=(Ability(Verb.SWITCH, bool(options), "" if options else why_not),),
        targets=_targets(scene, models),
        answered_by=scene.fleet.aliases.get(name, ""),
        fallbacks=tuple(target for target in fallbacks if target in scene.fleet.groups),
        traffic=route_traffic(scene.flows, flow),
        latency=latency(scene.flows, flow),
        failures=failure_classes(scene.flows, flow),
        switch_options=options,
        usd_per_h=scene.flows.per_h(flow.usd),
    )


def _targets(scene: Scene, models: list[Model]) -> tuple[RouteTarget, ...]:
    calls = [scene.flows.deployments.get(model.id, _NOTHING).calls for model in models]
    total = sum(calls)
    return tuple(
        RouteTarget(
            deployment=model.id,
            share=round(count / total, 3) if total else None,
            weight=model.weight,
            order=model.order,
        )
        for model, count in zip(models, calls, strict=True)
    )


def switch_options(fleet: Fleet, powers: Powers, name: str) -> tuple[tuple[SwitchOption, ...], str]:
    """Where a route can be switched to, and, when nowhere, why."""
    options: list[SwitchOption] = []
    why_not = powers.alias()
    here = clean(name, 40)
    if not why_not:
        answered_by = fleet.aliases.get(name, "")
        if answered_by and name in fleet.groups:
            options.append(SwitchOption(to=name, mechanism="alias", words=f"{here} answers itself again"))
        fallbacks = powers.settings.fallbacks.get(name, ()) if powers.settings else ()
        others = dict.fromkeys((*(each for each in fallbacks if each in fleet.groups), *fleet.groups))
        options += [
            SwitchOption(to=other, mechanism="alias", words=f"everything asked of {here} goes to {clean(other, 40)}")
            for other in others
            if other not in (name, answered_by)
        ]
    options[OPTIONS_SHOWN:] = []
    for model in _orderable(fleet, powers, name):
        words = f"{clean(model.id, 40)} is asked first, the others when it fails"
        options.append(SwitchOption(to=model.id, mechanism="order", words=words))
    return tuple(options[: 2 * OPTIONS_SHOWN]), why_not or "there is no other route or deployment to switch to"


def _orderable(fleet: Fleet, powers: Powers, name: str) -> list[Model]:
    """Deployments that can be put first: not those that are first already, alone."""
    models = [fleet.models[each] for each in fleet.groups.get(name, ())]
    orders = [model.order for model in models if model.order is not None]
    if len(models) < 2 or not orders:
        return []
    alone = orders.count(min(orders)) == 1
    return [model for model in models if not powers.order(model) and not (alone and model.order == min(orders))]

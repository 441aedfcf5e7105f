"""What can be done to which object of the world, and why not: declared, and held to by the plans."""

from adapters.simulator.parts import Deployment, Route
from adapters.simulator.world import World
from console.domain.actions import Verb
from console.domain.readings import Ability, SwitchOption

_ABLE = tuple(Ability(verb, able=True) for verb in (Verb.TRIP, Verb.RESET, Verb.WEIGHT))


def of_deployment(item: Deployment) -> tuple[Ability, ...]:
    """Trip, reset and weight, unless the deployment is pinned."""
    why = item.spec.pinned
    return tuple(Ability(one.verb, able=False, reason=why) for one in _ABLE) if why else _ABLE


def of_route(world: World, route: Route) -> tuple[Ability, ...]:
    """Switch, when there is somewhere to go."""
    if switch_options(world, route):
        return (Ability(Verb.SWITCH, able=True),)
    return (Ability(Verb.SWITCH, able=False, reason=why_no_switch(route)),)


def why_no_switch(route: Route) -> str:
    """Why a route has no switch option."""
    if len(route.deployments) <= 1:
        return "it has one deployment and no stand-in: there is nowhere to switch to"
    return "its other deployments are defined in the gateway's config file, and it has no stand-in"


def switch_options(world: World, route: Route) -> tuple[SwitchOption, ...]:
    """Where a route can be sent: one of its own deployments first, or another route altogether."""
    found = []
    if len(route.deployments) > 1:
        orders = {item.spec.name: world.gateway.order(item) for item in route.deployments}
        for item in route.deployments:
            name = item.spec.name
            others = [order for other, order in orders.items() if other != name]
            if not item.spec.pinned and orders[name] >= min(others):
                words = f"all requests go to {name} first; the others become its fallbacks"
                found.append(SwitchOption(to=name, mechanism="order", words=words))
    for name in route.spec.stand_ins:
        if world.gateway.alias(route) != name:
            words = f"{name} answers every request for {route.spec.name}"
            found.append(SwitchOption(to=name, mechanism="alias", words=words))
    return tuple(found)

"""Checks of who has to carry the load."""

from console.control.guard.case import PASS, TYPE_NAME, WARN, Case
from console.control.preview import headroom_ratio
from console.domain.actions import (
    Check,
    Switch,
    Verb,
)
from console.domain.health import Level, judge
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.forecast.routing import is_open, routes_of


def last_target(case: Case) -> Check:
    """A route must keep a healthy target, unless somebody types the name."""
    alone = [route for route in _losing_routes(case) if not _healthy(case, route, but=case.target)]
    if alone:
        names = ", ".join(clean(route.ref.name) for route in alone)
        others = ", ".join(clean(name) for route in alone for name in route.fallbacks)
        left = f"only the fallbacks {others} are left" if others else "nothing is left to answer"
        return Check("last target", TYPE_NAME, f"no other healthy target in {names}: {left}")
    destination = _destination(case)
    if destination is not None and not _healthy(case, destination):
        words = f"{clean(destination.ref.name)} has no healthy target to take the requests"
        return Check("last target", TYPE_NAME, words)
    return Check("last target", PASS, "a healthy target is left")


def _losing_routes(case: Case) -> list[Route]:
    """The routes that lose a target which takes requests now."""
    reading = case.board.readings.get(case.target)
    if not case.takes_away or not isinstance(reading, Deployment) or is_open(reading):
        return []
    return routes_of(case.board, case.target)


def _destination(case: Case) -> Route | None:
    """The route that will have to answer: where a switch leads, or back where its restore leads."""
    action = case.intent.action
    held = case.restored
    if isinstance(action, Switch):
        found = case.board.readings.get(Ref(case.target.source, Kind.ROUTE, action.to))
    elif held is not None and any(part.verb is Verb.SWITCH for part in held.parts):
        found = case.board.readings.get(case.target)
    else:
        return None
    return found if isinstance(found, Route) else None


def _healthy(case: Case, route: Route, but: Ref | None = None) -> list[str]:
    """The targets of a route that answer well now, without those that somebody is just taking away."""
    leaving = {item.plan.target for item in case.busy if item.plan.verb is Verb.TRIP}
    found = []
    for item in route.targets:
        ref = Ref(route.ref.source, Kind.DEPLOYMENT, item.deployment)
        reading = case.board.readings.get(ref)
        if ref == but or ref in leaving or not isinstance(reading, Deployment):
            continue
        weight = reading.weight if item.weight is None else item.weight
        if weight != 0 and not is_open(reading) and judge(case.board, reading).level < Level.STALE:
            found.append(item.deployment)
    return found


def headroom(case: Case) -> Check:
    """Who gets the load has to be able to carry it."""
    wanted, unknown = case.config.overrides.headroom, list[str]()
    worst: tuple[float, str] | None = None
    for name in case.shift.receivers():
        ratio = headroom_ratio(case.board, case.shift, name)
        if ratio is None:
            unknown.append(clean(name, 60))
        elif worst is None or ratio < worst[0]:
            worst = (ratio, clean(name, 60))
    if worst is not None and worst[0] < wanted:
        words = f"{worst[1]} has headroom for {worst[0]:.1f} × the shifted demand; {wanted:g} × is wanted"
        return Check("headroom", TYPE_NAME if worst[0] < 1 else WARN, words)
    if unknown:
        return Check("headroom", WARN, f"the headroom of {', '.join(unknown[:3])} is not known")
    return Check(
        "headroom", PASS, "nothing is shifted" if worst is None else f"{worst[1]}: {worst[0]:.1f} × the demand"
    )

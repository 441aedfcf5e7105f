"""Which weight gives which share.

A gateway shares a route's requests out among the deployments of its lowest order by weight; those whose circuit is
open, or whose weight is 0, get none. So the target's weight for a share p is the weight of the others × p ÷ (1 - p).
"""

from dataclasses import dataclass, replace

import msgspec

from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.domain.runbooks import RampStage
from console.domain.text import clean
from console.domain.verbs import Verb
from console.forecast.routing import Slot, slots, spread
from runbooks.ramp.sight import RampFault

WHOLE = 100.0
"""Percent."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A route and the deployment that is to get its requests, as they are now."""

    route: Route
    target: Deployment
    places: tuple[Slot, ...]
    """All of the route's deployments."""

    @property
    def asked(self) -> tuple[Slot, ...]:
        """The target and those beside which weights decide: of the same order."""
        order = self.place.order
        return tuple(slot for slot in self.places if slot.order == order)

    @property
    def place(self) -> Slot:
        """The target's own."""
        return next(slot for slot in self.places if slot.name == self.target.ref.name)

    @property
    def others(self) -> tuple[Slot, ...]:
        """Those beside which the target's weight decides."""
        return tuple(slot for slot in self.asked if slot.name != self.target.ref.name)

    @property
    def share(self) -> float:
        """Percent of the route's requests that the target gets by the weights as they are."""
        return WHOLE * spread(1.0, _beside_weights(self.places))[0].get(self.target.ref.name, 0.0)

    def ref(self, name: str) -> Ref:
        """A deployment of the route, by its name."""
        return Ref(self.route.ref.source, Kind.DEPLOYMENT, name)


def _beside_weights(places: tuple[Slot, ...]) -> list[Slot]:
    """Beside weights a missing one counts as 0."""
    any_weight = any(slot.weight for slot in places)
    return [replace(slot, weight=0.0) if slot.weight is None and any_weight else slot for slot in places]


def scene_of(board: Board, route: Ref, target: Ref) -> Scene:
    """The scene as the board has it.

    Raises:
        RampFault: the route or the target is not there, or they do not belong together.
    """
    where, who = board.readings.get(route), board.readings.get(target)
    if not isinstance(where, Route):
        raise RampFault(f"there is no route {clean(route.name, 60)} on the board")
    listed = target.source == route.source and any(item.deployment == target.name for item in where.targets)
    if not isinstance(who, Deployment) or not listed:
        raise RampFault(f"{clean(target.name, 60)} is no deployment of the route {clean(route.name, 60)}")
    return Scene(where, who, tuple(slots(board, where)))


def fit(board: Board, scene: Scene) -> None:
    """Hold everything against it that keeps weights from deciding who is asked.

    Raises:
        RampFault: they do not decide; why, and what to do.
    """
    name, route = clean(scene.target.ref.name, 60), clean(scene.route.ref.name, 60)
    if board.freshness(scene.route.ref) is not Freshness.FRESH:
        words = f"{route} is stale: {scene.route.ref.source} has to answer before anything is shifted"
        raise RampFault(words, passes=True)
    if scene.route.answered_by:
        by = clean(scene.route.answered_by, 60)
        raise RampFault(f"{route} is answered by {by} now: let it answer itself before its requests are shifted")
    if scene.place.open or scene.target.circuit.observed is Observed.OPEN:
        raise RampFault(f"the circuit of {name} is open: it takes no requests")
    able = scene.target.ability(Verb.WEIGHT)
    if not able.able:
        raise RampFault(f"the weight of {name} cannot be set: {clean(able.reason, 200)}")
    first = min((slot.order for slot in scene.places if slot.order is not None and slot.takes), default=None)
    if scene.place.order is None and first is not None:
        raise RampFault(f"{name} has no routing order and others have: weights do not decide between them")
    if first is not None and scene.place.order is not None and first < scene.place.order:
        ahead = ", ".join(clean(slot.name, 60) for slot in scene.places if slot.order == first)
        raise RampFault(
            f"{ahead} is asked before {name} (order {first} before {scene.place.order}): its weight counts only when "
            "that fails; give them the same order, or switch the route"
        )
    if not any(slot.takes for slot in scene.others):
        raise RampFault(f"{name} gets every request of {route} already: nobody else takes any")


def planned(board: Board, stage: RampStage) -> RampStage:
    """The stage with what it sets, worked out from the weights as they are now; nothing of it is counted yet.

    Raises:
        RampFault: weights do not decide, or not all that would have to be set can be.
    """
    scene = scene_of(board, stage.route, stage.target)
    fit(board, scene)
    percent = stage.shares[stage.index]
    now = {slot.name: slot.weight or 0.0 for slot in scene.places}
    if percent < WHOLE:
        whole = sum(slot.weight or 0.0 for slot in scene.others if slot.takes)
        if whole <= 0:
            raise RampFault(f"no deployment beside {clean(stage.target.name, 60)} has a weight: no share can be set")
        weight = float(f"{whole * percent / (WHOLE - percent):.6g}")
        return _setting(stage, now | {stage.target.name: weight}, (stage.target.name,))
    mechanism = switch_to(scene)
    if mechanism:
        return _setting(stage, now, (stage.route.name,), mechanism)
    return _alone(scene, stage, now)


def switch_to(scene: Scene) -> str:
    """How the route can be switched to the target as a whole; empty when it cannot."""
    if not scene.route.ability(Verb.SWITCH).able:
        return ""
    name = scene.target.ref.name
    return next((option.mechanism for option in scene.route.switch_options if option.to == name), "")


def _alone(scene: Scene, stage: RampStage, now: dict[str, float]) -> RampStage:
    """The others' weights 0, those included whose circuit is open: they come back.

    The target's own is set last, although it may stay as it is: its override has to end after theirs, or for a moment
    nobody would have a weight.
    """
    weighty = tuple(slot.name for slot in scene.others if slot.weight or stage.saved.get(slot.name))
    own = now[stage.target.name] or max(now.values())
    weights = now | dict.fromkeys(weighty, 0.0) | {stage.target.name: own}
    return _setting(stage, weights, (*weighty, stage.target.name))


def unable(board: Board, scene: Scene) -> str:
    """Why the last 100 % cannot be reached: no switch leads to the target, and another's weight cannot be set."""
    if switch_to(scene):
        return ""
    for slot in scene.others:
        reading = board.readings.get(scene.ref(slot.name))
        able = reading.ability(Verb.WEIGHT) if reading is not None else None
        if slot.weight and (able is None or not able.able):
            why = clean(able.reason, 200) if able else "it is not on the board"
            return f"the weight of {clean(slot.name, 60)} cannot be set to 0: {why}; end the ramp before 100 %"
    return ""


def _setting(stage: RampStage, weights: dict[str, float], sets: tuple[str, ...], switch: str = "") -> RampStage:
    return msgspec.structs.replace(
        stage, weights=weights, sets=sets, switch=switch, since=0.0, at=0.0, requests=0.0, errors=0.0, words=""
    )


def strange(scene: Scene, stage: RampStage) -> str:
    """What differs from what the stage has set, in words; empty when nothing does: another hand, or not yet seen."""
    if scene.route.answered_by:
        return f"{clean(scene.route.ref.name, 60)} is answered by {clean(scene.route.answered_by, 60)}"
    seen = {slot.name: slot.weight or 0.0 for slot in scene.places}
    for name, weight in stage.weights.items():
        if name not in seen:
            return f"{clean(name, 60)} is no deployment of {clean(scene.route.ref.name, 60)} any more"
        if abs(seen[name] - weight) > 1e-6 * max(1.0, weight):
            return f"the weight of {clean(name, 60)} is {seen[name]:g}, not {weight:g}"
    new = next((name for name in seen if name not in stage.weights and seen[name]), None)
    if new is not None:
        return f"{clean(new, 60)} is new on {clean(scene.route.ref.name, 60)}, with the weight {seen[new]:g}"
    first = min((slot.order for slot in scene.places if slot.order is not None and slot.takes), default=None)
    alone = stage.switch and any(slot.order == scene.place.order and slot.takes for slot in scene.others)
    if (first is not None and scene.place.order != first and scene.place.takes) or alone:
        return f"the routing order of {clean(scene.route.ref.name, 60)} is another one"
    return ""

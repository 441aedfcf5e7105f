"""Whether the target can carry what the next stage sends to it."""

from console.domain.readings import Deployment
from console.domain.runbooks import RampStage
from console.domain.text import clean
from console.engine.analysis.capacity import room_of
from console.forecast.routing import demand_of
from runbooks.ramp.sight import Policy, Sight
from runbooks.ramp.weights import WHOLE, Scene

SLIGHT = 0.5
"""Requests a minute: less more than now needs no room."""


def tight(stage: RampStage, scene: Scene, sight: Sight, policy: Policy) -> str:
    """Why the target cannot carry the share of the stage; empty when it can, or when nobody knows its limits.

    What it has now is in its headroom already, so only what comes on top is counted.
    """
    share = stage.shares[stage.index] / WHOLE
    wanted, room = _attempts(scene, sight, share), room_of(scene.target)
    if wanted is None or room is None:
        return ""
    more = wanted - (scene.target.traffic.requests_per_min if scene.target.traffic else 0.0)
    if more < SLIGHT or room >= policy.headroom * more:
        return ""
    return (
        f"{clean(scene.target.ref.name, 60)} has room for {room:,.0f} more requests/min, {room / more:.1f} × the "
        f"{more:,.0f} that {WHOLE * share:g} % would bring; {policy.headroom:g} × is wanted"
    )


def known(scene: Scene) -> bool:
    """Whether anything is told of how much more the target can carry."""
    return room_of(scene.target) is not None


def _attempts(scene: Scene, sight: Sight, share: float) -> float | None:
    """Attempts a minute that reach the target at a share: tries of requests that failed at the others become fewer."""
    demand = demand_of(sight.board, scene.route)
    if demand is None:
        return None
    traffic = scene.route.traffic
    tries = max(1.0, (traffic.attempts_per_request if traffic else None) or 1.0)
    now = min(0.99, scene.share / WHOLE)
    again = (tries - 1.0) * min(1.0, (1.0 - share) / (1.0 - now)) if _fail_elsewhere(scene, sight) else tries - 1.0
    return share * demand * (1.0 + again)


def _fail_elsewhere(scene: Scene, sight: Sight) -> bool:
    """Whether what is tried again has failed at the others and not at the target."""
    parts = []
    for ref in (scene.target.ref, *(scene.ref(slot.name) for slot in scene.others)):
        reading = sight.board.readings.get(ref)
        parts.append(reading.traffic.errors_per_min if isinstance(reading, Deployment) and reading.traffic else 0.0)
    return sum(parts[1:]) > parts[0]

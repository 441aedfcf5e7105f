"""On which object a verb works when the cursor is somewhere near it, and why it does not."""

from typing import NamedTuple

from console.domain.actions import Override, OverrideState, Verb
from console.domain.board import Board
from console.domain.readings import Deployment, Provider, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean

_WANTS = {
    Verb.TRIP: Kind.DEPLOYMENT,
    Verb.RESET: Kind.DEPLOYMENT,
    Verb.WEIGHT: Kind.DEPLOYMENT,
    Verb.SWITCH: Kind.ROUTE,
}


class Target(NamedTuple):
    """What a verb would work on, or why it cannot: one of the two is empty."""

    ref: Ref | None
    why_not: str = ""


def target_of(board: Board, selected: Ref | None, verb: Verb) -> Target:
    """Find the object for `verb` at or next to the selected one.

    A provider with a single deployment stands for it, and a deployment of a single route for that route.
    """
    wanted = _WANTS[verb]
    if selected is None:
        return Target(None, f"select a {wanted} to {verb}")
    reading = board.readings.get(selected)
    if reading is None:
        return Target(None, f"{clean(selected.name)} is no longer on the board")
    names: tuple[str, ...] = ()
    if selected.kind is wanted:
        names = (selected.name,)
    elif wanted is Kind.DEPLOYMENT and isinstance(reading, Provider):
        names = reading.deployments
    elif wanted is Kind.DEPLOYMENT and isinstance(reading, Route):
        names = tuple(target.deployment for target in reading.targets)
    elif wanted is Kind.ROUTE and isinstance(reading, Deployment):
        names = reading.routes
    if len(names) != 1:
        return Target(
            None, f"{verb} works on one {wanted}: " + (f"select one of {len(names)}" if names else "select one")
        )
    ref = Ref(selected.source, wanted, names[0])
    found = board.readings.get(ref)
    if found is None:
        return Target(None, f"{clean(ref.name)} is not on the board")
    ability = found.ability(verb)
    return Target(ref) if ability.able else Target(None, clean(ability.reason))


def last_override(board: Board, selected: Ref | None) -> Override | None:
    """The newest override that can be undone: the selected object's own, otherwise the newest of all."""
    standing = [item for item in board.overrides.values() if item.state is not OverrideState.ENDED]
    own = [item for item in standing if item.target == selected]
    return max(own or standing, key=lambda item: item.created_at, default=None)

"""On which object a verb works when the cursor is somewhere near it, and why it does not."""

from typing import NamedTuple

from console.domain.actions import Override, OverrideState, Verb
from console.domain.board import Board
from console.domain.readings import AnyReading, Deployment, Provider, Queue, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean

_WANTS = {
    Verb.TRIP: Kind.DEPLOYMENT,
    Verb.RESET: Kind.DEPLOYMENT,
    Verb.WEIGHT: Kind.DEPLOYMENT,
    Verb.SWITCH: Kind.ROUTE,
    Verb.PAUSE: Kind.QUEUE,
    Verb.RESUME: Kind.QUEUE,
    Verb.PARK: Kind.QUEUE,
    Verb.REPLAY: Kind.QUEUE,
    Verb.FINISH: Kind.QUEUE,
    Verb.REQUEUE: Kind.QUEUE,
    Verb.ISOLATE: Kind.QUEUE,
    Verb.PURGE: Kind.QUEUE,
}


class Target(NamedTuple):
    """What a verb would work on, or why it cannot: one of the two is empty."""

    ref: Ref | None
    why_not: str = ""


def target_of(board: Board, selected: Ref | None, verb: Verb) -> Target:
    """Find the object for `verb` at or next to the selected one.

    A provider with a single deployment stands for it, a deployment of a single route for that route, and a route that
    a single queue feeds for that queue.
    """
    wanted = _WANTS[verb]
    near = near_by(board, selected, wanted, str(verb))
    if near.ref is None:
        return near
    ability = board.readings[near.ref].ability(verb)
    return near if ability.able else Target(None, clean(ability.reason))


def near_by(board: Board, selected: Ref | None, wanted: Kind, what: str) -> Target:
    """The one object of a kind at or next to the selected one; `what` is what is to be done to it, for the refusal."""
    if selected is None:
        return Target(None, f"select a {wanted} to {what}")
    reading = board.readings.get(selected)
    if reading is None:
        return Target(None, f"{clean(selected.name)} is no longer on the board")
    refs = _near(board, reading, wanted)
    if len(refs) != 1:
        return Target(
            None, f"{what} works on one {wanted}: " + (f"select one of {len(refs)}" if refs else "select one")
        )
    return Target(refs[0]) if refs[0] in board.readings else Target(None, f"{clean(refs[0].name)} is not on the board")


def _near(board: Board, reading: AnyReading, wanted: Kind) -> list[Ref]:
    source = reading.ref.source
    if reading.ref.kind is wanted:
        return [reading.ref]
    match wanted, reading:
        case Kind.DEPLOYMENT, Provider():
            return [Ref(source, wanted, name) for name in reading.deployments]
        case Kind.DEPLOYMENT, Route():
            return [Ref(source, wanted, target.deployment) for target in reading.targets]
        case Kind.ROUTE, Deployment():
            return [Ref(source, wanted, name) for name in reading.routes]
        case Kind.QUEUE, Route():
            name = str(reading.ref)
            return [queue.ref for queue in board.of(Queue) if name in queue.feeds]
        case _:
            return []


def last_override(board: Board, selected: Ref | None) -> Override | None:
    """The newest override that can be undone: the selected object's own, otherwise the newest of all."""
    standing = [item for item in board.overrides.values() if item.state is not OverrideState.ENDED]
    own = [item for item in standing if item.target == selected]
    return max(own or standing, key=lambda item: item.created_at, default=None)

"""What one reading says of itself, by the kind of health that it is about."""

from console.domain.actions import OverrideState
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health.flow import of_circuit, of_headroom, of_route, of_traffic
from console.domain.health.levels import OK, Health, Level, worst
from console.domain.health.money import of_spend
from console.domain.health.work import of_backlog, of_set_aside, of_workflows
from console.domain.readings import AnyReading, Deployment, Provider, Queue, Request, Route, Service, Source, Spend
from console.domain.refs import Ref
from console.domain.text import clean


def transport_of(board: Board, reading: AnyReading) -> Health:
    """Whether requests and messages get through it, and what an operator has set there."""
    match reading:
        case Source():
            return _source(reading)
        case Deployment():
            return worst(
                of_circuit(reading.circuit),
                _overridden(board, reading.ref),
                of_traffic(reading.traffic),
                of_headroom(reading.headroom),
            )
        case Route():
            return worst(of_route(board, reading), _overridden(board, reading.ref), of_traffic(reading.traffic))
        case Provider() | Service():
            return of_traffic(reading.traffic)
        case Queue():
            return worst(of_backlog(reading), _overridden(board, reading.ref), of_set_aside(reading))
        case Spend() | Request():
            return OK


def answers_of(reading: AnyReading) -> Health:
    """Whether what it gives back is right, as far as a reading can tell: most of it takes a detector."""
    return of_workflows(reading) if isinstance(reading, Service) else OK


def cost_of(reading: AnyReading) -> Health:
    """Whether what it costs is as it should be."""
    return of_spend(reading) if isinstance(reading, Spend) else OK


def _source(source: Source) -> Health:
    why = str(source.failure) if source.failure else ""
    if source.freshness is not Freshness.FRESH:
        return Health(Level.STALE, str(source.freshness), why or "no answer yet")
    down = [replica for replica in source.replicas if not replica.up]
    if down:
        up = len(source.replicas) - len(down)
        names = ", ".join(clean(replica.name) for replica in down)
        return Health(Level.WARN, f"{up}/{len(source.replicas)}", f"no answer from {names}")
    if source.failure:
        return Health(Level.WARN, "failing", why)
    return Health(Level.WARN, "partial", str(source.problems[0])) if source.problems else OK


def _overridden(board: Board, ref: Ref) -> Health:
    held = board.overrides_of(ref)
    if not held:
        return OK
    # A stuck one is said first; otherwise the newest, which is the one that is in force.
    one = next((item for item in held if item.state is OverrideState.STUCK), held[-1])
    if one.state is OverrideState.STUCK:
        return Health(Level.BAD, "stuck", f"the override of {clean(one.owner)} could not be ended")
    words = f"{one.action.verb} by {clean(one.owner)}: {clean(one.reason, 80)}"
    if not one.in_effect:
        return Health(Level.WARN, f"{one.action.verb}?", f"not in effect on the backend: {words}")
    return Health(Level.NOTICE, str(one.action.verb), words)

"""Transport, answers, cost: the same object judged three times, because who watches one of them sees no other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from console.domain.alerts import Alert, Aspect
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health.judging import aged, alerted
from console.domain.health.levels import OK, Health, Level, worst
from console.domain.health.own import answers_of, cost_of, transport_of
from console.domain.readings import AnyReading, Deployment, Provider, Request, Route, Service, Source
from console.domain.refs import Kind, Ref

NOT_SEEN = Health(Level.OK, "not seen", "no source on this board tells what was answered")


class Columns(NamedTuple):
    """One object's health, by what it is about; the worst of the three is `judge`'s word."""

    transport: Health
    """Whether requests get through, and how fast."""
    answers: Health
    """Whether what comes back is right; `not seen` where no source tells."""
    cost: Health


def columns(
    board: Board,
    reading: AnyReading,
    firing: Mapping[Ref, Sequence[Alert]] | None = None,
    basis: Health | None = None,
) -> Columns:
    """The three judgements of one object.

    `firing` is the board's own `firing()` and `basis` is `answers_seen(board)`: who asks for many objects asks for
    those once. A provider's and a route's answers are also those of their deployments: bad only when all are.
    """
    firing = board.firing() if firing is None else firing
    alerts = firing.get(reading.ref, ())
    age = OK if isinstance(reading, Source) else aged(board, reading.ref)
    answers = worst(_basis(board, reading, basis), answers_of(reading), alerted(board, alerts, Aspect.ANSWERS), age)
    return Columns(
        transport=worst(transport_of(board, reading), alerted(board, alerts, Aspect.TRANSPORT), age),
        answers=worst(answers, _of_deployments(board, reading, firing)),
        cost=worst(cost_of(reading), alerted(board, alerts, Aspect.COST), age),
    )


def all_columns(board: Board) -> dict[Ref, Columns]:
    """`columns` of everything on the board, and of what is not there and has an alert all the same."""
    firing, basis = board.firing(), answers_seen(board)
    found = {ref: columns(board, reading, firing, basis) for ref, reading in board.readings.items()}
    for ref, alerts in firing.items():
        if ref not in found:
            found[ref] = Columns(*(alerted(board, alerts, aspect) for aspect in Aspect))
    return found


def answers_seen(board: Board) -> Health:
    """Whether anybody tells what is answered: OK; `not seen` without a trace store; STALE when all of them are."""
    tellers = {reading.ref.source for kind in (Service, Request) for reading in board.of(kind)}
    if not tellers:
        return NOT_SEEN
    states = [Freshness.FRESH if (one := board.source(name)) is None else one.freshness for name in sorted(tellers)]
    if Freshness.FRESH in states:
        return OK
    return Health(Level.STALE, str(states[0]), "the sources that tell what is answered do not answer themselves")


def _basis(board: Board, reading: AnyReading, basis: Health | None) -> Health:
    """What can be known of an object's answers; of queues, spend and sources there are none."""
    if isinstance(reading, Deployment | Route | Provider | Service):
        return answers_seen(board) if basis is None else basis
    return OK


def _of_deployments(board: Board, reading: AnyReading, firing: Mapping[Ref, Sequence[Alert]]) -> Health:
    names: tuple[str, ...] = ()
    if isinstance(reading, Route):
        names = tuple(target.deployment for target in reading.targets)
    elif isinstance(reading, Provider):
        names = reading.deployments
    if not names or not firing:
        return OK
    refs = [Ref(reading.ref.source, Kind.DEPLOYMENT, name) for name in names]
    judged = [alerted(board, firing.get(ref, ()), Aspect.ANSWERS) for ref in refs]
    ill = [health for health in judged if health.level >= Level.WARN]
    if not ill:
        return OK
    found = worst(*ill)
    if len(names) == 1:
        return found
    level = found.level if len(ill) == len(names) else Level.WARN
    return Health(level, found.word, f"{len(ill)} of {len(names)} deployments: {found.why}")

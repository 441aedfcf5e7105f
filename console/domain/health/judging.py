"""How bad is it, in words: one judgement per object, the same for the screen, the command line and exit codes."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import cast

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health.levels import OK, Finding, Health, Level, worst
from console.domain.health.own import answers_of, cost_of, transport_of
from console.domain.readings import AnyReading, Provider, Source
from console.domain.refs import Kind, Ref

LOOKED_AT_ONCE = 1000
"""Judgements that are gone through without a break: about a millisecond."""


def judge(board: Board, reading: AnyReading, firing: Mapping[Ref, Sequence[Alert]] | None = None) -> Health:
    """The worst that can be said of one object.

    `firing` is the board's own `firing()`: who judges many objects asks for it once.
    """
    alerts = board.alerts_of(reading.ref) if firing is None else firing.get(reading.ref, ())
    own = transport_of(board, reading), answers_of(reading), cost_of(reading)
    found = worst(*own, alerted(board, alerts))
    return found if isinstance(reading, Source) else worst(found, aged(board, reading.ref))


def findings(board: Board, limit: int | None = None, *, judged: Mapping[Ref, Health] | None = None) -> list[Finding]:
    """Everything that is not OK, the worst first; causes (sources, providers, deployments) before their effects.

    `judged` holds judgements of the same board that the caller already has; without it each object is judged anew.
    """
    steps = findings_in_steps(board, _judged(board) if judged is None else judged)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("list[Finding]", end.value)[:limit]


def findings_in_steps(board: Board, judged: Mapping[Ref, Health]) -> Generator[None, None, list[Finding]]:
    """`findings` with a break after every `LOOKED_AT_ONCE` judgements, for who has others to serve meanwhile."""
    bad = [Finding(ref, health) for ref, health in _elsewhere(board).items() if health.level > Level.OK]
    for place, (ref, health) in enumerate(judged.items(), 1):
        if not place % LOOKED_AT_ONCE:
            yield
        if health.level > Level.OK and ref in board.readings and not _shadowed(board, Finding(ref, health), judged):
            bad.append(Finding(ref, health))
    yield
    ranks = [(-item.health.level, _RANK.get(item.ref.kind, 9), str(item.ref)) for item in bad]
    yield
    return [bad[place] for place in sorted(range(len(bad)), key=ranks.__getitem__)]


def overall(board: Board) -> Level:
    """The worst level on the board; STALE when there is nothing on it."""
    if not board.readings:
        return Level.STALE
    everything = (*_judged(board).values(), *_elsewhere(board).values())
    return max(health.level for health in everything)


def _elsewhere(board: Board) -> dict[Ref, Health]:
    """Conversations, keys, and requests that have left the board, of which an alert tells: no reading judges them."""
    kinds = (Kind.CONVERSATION, Kind.REQUEST, Kind.KEY)
    return {
        ref: alerted(board, alerts)
        for ref, alerts in board.firing().items()
        if ref.kind in kinds and ref not in board.readings
    }


def _judged(board: Board) -> dict[Ref, Health]:
    firing = board.firing()
    return {ref: judge(board, reading, firing) for ref, reading in board.readings.items()}


_RANK = {
    Kind.SOURCE: 0,
    Kind.PROVIDER: 1,
    Kind.DEPLOYMENT: 2,
    Kind.ROUTE: 3,
    Kind.QUEUE: 4,
    Kind.CONVERSATION: 5,
    Kind.KEY: 5,
    Kind.SERVICE: 6,
    Kind.SPEND: 7,
}


def _shadowed(board: Board, item: Finding, known: Mapping[Ref, Health]) -> bool:
    """A stale object is said once, by its source; a deployment's trouble once, not by its provider too."""
    if item.health.level is Level.STALE and item.ref.kind is not Kind.SOURCE:
        return board.source(item.ref.source) is not None
    reading = board.readings[item.ref]
    return isinstance(reading, Provider) and _is_one_deployments(reading, item.health, known)


def _is_one_deployments(provider: Provider, health: Health, known: Mapping[Ref, Health]) -> bool:
    """Whether what is wrong with a provider is the trouble of a single one of its deployments."""
    refs = [Ref(provider.ref.source, Kind.DEPLOYMENT, name) for name in provider.deployments]
    ill = [known[ref] for ref in refs if ref in known and known[ref].level >= Level.WARN]
    if len(ill) != 1 or ill[0].level < health.level:
        return False
    return len(refs) == 1 or ill[0].word == health.word


def aged(board: Board, ref: Ref) -> Health:
    """Whether a reading is still true."""
    state = board.freshness(ref)
    return OK if state is Freshness.FRESH else Health(Level.STALE, str(state), "its source does not answer")


def alerted(board: Board, alerts: Iterable[Alert], aspect: Aspect | None = None) -> Health:
    """The worst of the alerts that are firing and not silenced; with `aspect` only those about that kind of health."""
    found = OK
    for alert in alerts:
        if alert.silenced_until is not None and alert.silenced_until > board.at:
            continue
        if aspect is not None and alert.aspect is not aspect:
            continue
        level = {Severity.PAGE: Level.BAD, Severity.TICKET: Level.WARN}.get(alert.severity, Level.NOTICE)
        if alert.state is AlertState.FIRING and level > found.level:
            found = Health(level, alert.rule.partition("/")[0], alert.words)
    return found

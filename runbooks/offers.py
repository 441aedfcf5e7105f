"""Which runbooks fit what is wrong now: best first, their parameters found, their preconditions looked at.

Called when alerts or incidents change, not every tick: what it costs grows with what fires, not with the board.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from operator import itemgetter

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.incidents import Incident
from console.domain.runbooks import Offer
from console.domain.text import clean
from runbooks.compiling import compiled
from runbooks.expressions import Scope, judge
from runbooks.functions.alarms import fits
from runbooks.loader import Book, Faulty
from runbooks.parameters import Bound, bind, types_of, written
from runbooks.schema import Match, Runbook

MOST = 3
"""Offers for one incident, or for one alert that belongs to none."""
TRIED = 3
"""Alerts of one incident with which a runbook is tried."""

ScopeOf = Callable[[Runbook, str, str], Scope]
"""(runbook, alert's id, incident's id) → what the runbook's expressions would be judged by if it began from these."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """One runbook that may fit one alert."""

    book: Book
    match: Match
    alert: Alert
    incident: Incident | None
    score: float


def offers(books: Iterable[Book | Faulty], board: Board, scope_of: ScopeOf) -> tuple[Offer, ...]:
    """What to offer for everything that is wrong now: incidents first, in the order in which they began.

    A runbook that somebody follows for the incident already is not offered again.
    """
    return tuple(offer for some in offers_in_steps(books, board, scope_of) for offer in some)


def offers_in_steps(books: Iterable[Book | Faulty], board: Board, scope_of: ScopeOf) -> Iterator[tuple[Offer, ...]]:
    """`offers` with a break after each incident, for who has others to serve meanwhile: one takes milliseconds."""
    sound = [book for book in books if isinstance(book, Book) and book.runbook.match]
    told: set[str] = set()
    going = {(run.runbook, run.incident, run.alert) for run in board.runs.values() if not run.state.over}
    followed = {(runbook, incident or alert) for runbook, incident, alert in going}
    for incident in sorted(board.incidents.values(), key=lambda one: one.since):
        if incident.until is None:
            alerts = [board.alerts[name] for name in incident.alerts if name in board.alerts]
            told |= set(incident.alerts)
            yield tuple(_of(sound, alerts, incident, followed, scope_of, board))
    for alert in sorted(board.alerts.values(), key=lambda one: one.since):
        if alert.id not in told:
            yield tuple(_of(sound, [alert], None, followed, scope_of, board))


def _of(
    books: list[Book],
    alerts: list[Alert],
    incident: Incident | None,
    followed: set[tuple[str, str]],
    scope_of: ScopeOf,
    board: Board,
) -> list[Offer]:
    """The best offers for one incident, or one alert."""
    heard = [one for one in alerts if one.state is AlertState.FIRING and (one.silenced_until or 0.0) <= board.at]
    rated: list[tuple[tuple[float, ...], Offer]] = []
    for book in books:
        name = incident.id if incident is not None else heard[0].id if heard else ""
        if (book.runbook.id, name) not in followed:
            rated += list(_best(book, heard, incident, scope_of, _dealt_with(book, name, board)))
    rated.sort(key=lambda pair: (pair[0], pair[1].runbook))
    return [offer for _, offer in rated[:MOST]]


def _dealt_with(book: Book, name: str, board: Board) -> set[str]:
    """What the runbook was already followed about, for that incident or alert."""
    runs = (run for run in board.runs.values() if run.runbook == book.runbook.id and name in (run.incident, run.alert))
    return {_about(book.runbook, run.parameters) for run in runs if run.state.over and not run.dry}


def _about(runbook: Runbook, parameters: Mapping[str, str]) -> str:
    """The first of its parameters that has a value: what it is about."""
    return next((f"{name} {parameters[name]}" for name in runbook.parameters if parameters.get(name)), "")


def _best(
    book: Book, alerts: list[Alert], incident: Incident | None, scope_of: ScopeOf, dealt_with: set[str]
) -> Iterator[tuple[tuple[float, ...], Offer]]:
    """The one offer of a runbook, with what it is ordered by; none when it does not fit.

    Of several things that it could be about, one that it was not yet followed about comes first: a provider that fails
    takes several routes along. Where it was followed about all of them, other runbooks come first.
    """
    fitting = [
        _Fit(book, match, alert, incident, score)
        for alert in alerts
        for match in book.runbook.match
        if (score := _score(match, alert, incident)) is not None
    ]
    fitting.sort(key=lambda fit: -fit.score)
    tried = (_offer(fit, scope_of) for fit in fitting[: TRIED * (1 + len(dealt_with))])
    found = [one for one in tried if one is not None]
    again = [float(_about(book.runbook, offer.parameters) in dealt_with) for _, offer in found]
    if found:
        yield min((((had, *order), offer) for had, (order, offer) in zip(again, found, strict=True)), key=itemgetter(0))


def _score(match: Match, alert: Alert, incident: Incident | None) -> float | None:
    """How closely a match names what is wrong; None when it means something else."""
    blame = incident.blame if incident is not None else None
    if not _rule_fits(match.rule, alert.rule) or match.kind not in ("", alert.ref.kind):
        return None
    if match.aspect not in ("", alert.aspect):
        return None
    score = 0.0 if match.rule == "*" else 2.0 if "*" in match.rule else 3.0
    score += bool(match.kind) + bool(match.aspect) + bool(match.when)
    if match.culprit:
        dimension, _, name = match.culprit.partition("/")
        if blame is None or not fnmatchcase(blame.dimension, dimension) or not fnmatchcase(blame.name, name or "*"):
            return None
        score += 4.0 if name and "*" not in name else 3.0 if dimension != "*" else 1.0
    score += 0.5 * (blame is not None and blame.ref == alert.ref) + 0.2 * (alert.severity is Severity.PAGE)
    return score


def _rule_fits(rule: str, told: str) -> bool:
    return rule == "*" or fits(rule, told)


def _offer(fit: _Fit, scope_of: ScopeOf) -> tuple[tuple[float, ...], Offer] | None:
    runbook = fit.book.runbook
    incident = "" if fit.incident is None else fit.incident.id
    scope = scope_of(runbook, fit.alert.id, incident)
    when = fit.match.when
    alone = when is not None and not set(compiled(when).variables) & set(runbook.parameters)
    if when is not None and alone and judge("when", when, scope).holds is not True:
        return None  # most end here, and finding the parameters costs ten times as much
    bound = bind(runbook, {}, scope)
    full = replace(scope, parameters=bound.values, types=types_of(runbook))
    if when is not None and not alone and judge("when", when, full).holds is not True:
        return None
    ready = _ready(runbook, bound, full)
    offer = Offer(
        runbook=runbook.id,
        title=runbook.title,
        incident=incident,
        alert=fit.alert.id,
        parameters=written({name: one for name, one in bound.values.items() if not runbook.parameters[name].hidden}),
        words=_words(fit),
        ready=ready,
    )
    order = {True: 0.0, None: 1.0, False: 2.0}[ready]
    return (-fit.score, order, float(len(bound.missing))), offer


def _ready(runbook: Runbook, bound: Bound, scope: Scope) -> bool | None:
    """Whether all preconditions hold; None when one cannot be said, a parameter that is asked for included."""
    held = [judge("precondition", one.condition, scope).holds for one in runbook.preconditions]
    if False in held:
        return False
    return None if None in held or bound.missing or bound.faults else True


def _words(fit: _Fit) -> str:
    blame = fit.incident.blame if fit.incident is not None else None
    words = f"{clean(fit.alert.rule, 60)} at {clean(fit.alert.ref.name, 60)}"
    return words if blame is None else f"{words}; the likeliest culprit is {blame.dimension} {clean(blame.name, 60)}"

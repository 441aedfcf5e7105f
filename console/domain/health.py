"""How bad is it, in words: one judgement per object, the same for the screen, the command line and exit codes."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, cast

from console.domain.actions import OverrideState
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.circuit import Circuit, Mode, Observed
from console.domain.durations import words_of
from console.domain.freshness import Freshness
from console.domain.readings import (
    AgeQuality,
    AnyReading,
    Deployment,
    Headroom,
    Provider,
    Queue,
    Request,
    Route,
    Service,
    Source,
    Spend,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.text import clean

WARN_ERROR_RATIO = 0.02
BAD_ERROR_RATIO = 0.20
FEW_ERRORS = 3
"""Fewer failures than this in a window are worth a look and never the worst: one of one is no outage."""
WARN_ATTEMPTS = 1.1
"""Attempts per original request: the SRE book's warning line; 3 is its ceiling."""
BAD_ATTEMPTS = 3.0
WARN_BUDGET_USED = 0.8
WARN_HEADROOM = 0.05
"""Part of a rate limit that is left, from which on the next requests will be turned away."""
WARN_AGE_S = 300.0
"""How long the oldest message of a queue may wait before that is worth a word."""
BAD_AGE_S = 1800.0
GROWING_FOR_MIN = 1.0
"""A backlog of at least this many minutes of its growth is growing; less may be a burst."""
GROWING_PART = 0.05
"""Growth below this part of what comes in is noise."""
WARN_REDELIVERED = 0.2
"""Redeliveries for each message that is done."""
LOOKED_AT_ONCE = 1000
"""Judgements that are gone through without a break: about a millisecond."""
PHANTOM_SPEND = 1.5
"""Booked ÷ priced spend from which on the two are said to disagree."""


class Level(IntEnum):
    """How bad, in order."""

    OK = 0
    NOTICE = 1
    """Not as usual, but somebody meant it: an override, a paused queue."""
    WARN = 2
    STALE = 3
    """Nobody knows. Worse than a warning, because it may hide anything."""
    BAD = 4


class Health(NamedTuple):
    """A judgement: its level, one word for the state column, and why."""

    level: Level
    word: str
    why: str = ""


class Finding(NamedTuple):
    """One thing that is wrong."""

    ref: Ref
    health: Health


OK = Health(Level.OK, "ok")


def judge(board: Board, reading: AnyReading, firing: Mapping[Ref, Sequence[Alert]] | None = None) -> Health:
    """The worst that can be said of one object.

    `firing` is the board's own `firing()`: who judges many objects asks for it once.
    """
    alerts = board.alerts_of(reading.ref) if firing is None else firing.get(reading.ref, ())
    worst = _worst(_own(board, reading), _alerted(board, alerts))
    return worst if isinstance(reading, Source) else _worst(worst, _aged(board, reading.ref))


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
    bad = [Finding(ref, health) for ref, health in _conversations(board).items() if health.level > Level.OK]
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
    everything = (*_judged(board).values(), *_conversations(board).values())
    return max(health.level for health in everything)


def _conversations(board: Board) -> dict[Ref, Health]:
    """Conversations, and requests that have left the board, of which an alert tells: no reading judges them."""
    firing = board.firing().items()
    return {
        ref: _alerted(board, alerts)
        for ref, alerts in firing
        if ref.kind is Kind.CONVERSATION or (ref.kind is Kind.REQUEST and ref not in board.readings)
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


def _aged(board: Board, ref: Ref) -> Health:
    state = board.freshness(ref)
    return OK if state is Freshness.FRESH else Health(Level.STALE, str(state), "its source does not answer")


def _alerted(board: Board, alerts: Iterable[Alert]) -> Health:
    worst = OK
    for alert in alerts:
        if alert.silenced_until is not None and alert.silenced_until > board.at:
            continue
        level = {Severity.PAGE: Level.BAD, Severity.TICKET: Level.WARN}.get(alert.severity, Level.NOTICE)
        if alert.state is AlertState.FIRING and level > worst.level:
            worst = Health(level, alert.rule.partition("/")[0], alert.words)
    return worst


def _own(board: Board, reading: AnyReading) -> Health:
    match reading:
        case Source():
            return _source(reading)
        case Deployment():
            return _worst(
                _circuit(reading.circuit),
                _overridden(board, reading.ref),
                _flow(reading.traffic),
                _room(reading.headroom),
            )
        case Route():
            return _worst(_route(board, reading), _overridden(board, reading.ref), _flow(reading.traffic))
        case Provider():
            return _flow(reading.traffic)
        case Spend():
            return _spend(reading)
        case Queue():
            return _worst(_backlog(reading), _overridden(board, reading.ref), _set_aside(reading))
        case Service():
            return _flow(reading.traffic)
        case Request():
            return OK


def _worst(first: Health, *others: Health) -> Health:
    """The worst one; of equals the first."""
    for health in others:
        if health.level > first.level:
            first = health
    return first


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


def _kept_open(circuit: Circuit) -> bool:
    agree, total = circuit.agreement
    return circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED) and agree == total


def _circuit(circuit: Circuit) -> Health:
    agree, total = circuit.agreement
    split = f" on {agree}/{total} replicas" if agree != total else ""
    match circuit.mode, circuit.observed:
        case (Mode.FORCED_OPEN | Mode.DISABLED) as mode, _:
            return Health(Level.NOTICE, str(mode), f"kept open by an operator{split}")
        case _, Observed.OPEN:
            cause = clean(circuit.cause, 80)
            return Health(Level.BAD, "open", f"circuit open{split}" + (f": {cause}" if cause else ""))
        case _, Observed.HALF_OPEN:
            return Health(Level.WARN, "half-open", f"probing{split}")
        case _, _:
            return OK


def _flow(traffic: Traffic | None) -> Health:
    if traffic is None:
        return OK
    ratio, attempts = traffic.error_ratio, traffic.attempts_per_request
    if ratio is not None and ratio >= WARN_ERROR_RATIO:
        many = traffic.errors_per_min * traffic.window_s / 60 >= FEW_ERRORS
        level = Level.BAD if ratio >= BAD_ERROR_RATIO and many else Level.WARN
        return Health(level, "errors", _failing(traffic, ratio))
    if attempts is not None and attempts >= WARN_ATTEMPTS:
        level = Level.BAD if attempts >= BAD_ATTEMPTS else Level.WARN
        return Health(level, "retries", f"{attempts:.1f} attempts for each request")
    return OK


def _failing(traffic: Traffic, ratio: float) -> str:
    """What fails; less than one request a minute is said as it was counted."""
    if traffic.requests_per_min >= 1:
        return f"{ratio:.0%} of {traffic.requests_per_min:.0f} requests/min fail"
    minutes = traffic.window_s / 60
    failed, all_of_them = traffic.errors_per_min * minutes, traffic.requests_per_min * minutes
    return f"{failed:.0f} of {all_of_them:.0f} requests in {words_of(traffic.window_s)} failed"


def _room(headroom: Headroom | None) -> Health:
    left = None if headroom is None else headroom.left_ratio
    if left is None or left >= WARN_HEADROOM:
        return OK
    return Health(Level.WARN, "rate limit", f"{left:.0%} of its rate limit is left")


def _route(board: Board, route: Route) -> Health:
    if route.answered_by:
        return Health(Level.NOTICE, "switched", f"answered by {clean(route.answered_by)}")
    targets = [board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, t.deployment)) for t in route.targets]
    circuits = [t.circuit for t in targets if isinstance(t, Deployment)]
    opened = [circuit for circuit in circuits if circuit.observed is Observed.OPEN]
    shut = sum(agree == total for agree, total in (circuit.agreement for circuit in opened))
    if circuits and shut == len(circuits):
        return Health(Level.BAD, "no target", "its only deployment is open" if shut == 1 else f"all {shut} are open")
    if not opened:
        return OK
    meant = all(circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED) for circuit in opened)
    level, word = (Level.NOTICE, "reduced") if meant else (Level.WARN, "degraded")
    many = f"{shut} of {len(circuits)} deployments {'is' if shut == 1 else 'are'} open"
    why = many if shut else "a deployment is open on some replicas"
    return Health(level, word, f"{why}, as an operator wanted" if meant else why)


def _spend(spend: Spend) -> Health:
    name = clean(spend.subject)
    if spend.blocked:
        return Health(Level.BAD, "blocked", f"{name} may spend nothing")
    if spend.budget_usd and spend.budget_used_usd is not None:
        used = spend.budget_used_usd / spend.budget_usd
        if used >= 1:
            return Health(Level.BAD, "over budget", f"{name} has used {used:.0%} of its budget")
        if used >= WARN_BUDGET_USED:
            return Health(Level.WARN, "budget", f"{name} has used {used:.0%} of its budget")
    off = spend.disagreement
    if off is not None and not 1 / PHANTOM_SPEND < off < PHANTOM_SPEND:
        return Health(Level.WARN, "disagrees", f"{name}: booked spend is {off:.1f}× tokens × price")
    return OK


def _backlog(queue: Queue) -> Health:
    if queue.holds_dead and not queue.consumers:
        return OK  # what lies there is said of the queue in which it died
    if queue.depth and queue.consumers == 0 and not queue.paused:
        return Health(Level.BAD, "no workers", f"{queue.depth:,} wait and nobody takes them")
    age = queue.oldest_age_s
    if age is not None and age >= WARN_AGE_S and not queue.paused:
        level = Level.BAD if age >= BAD_AGE_S else Level.WARN
        about = "" if queue.age_quality is AgeQuality.EXACT else "about "
        return Health(level, "old", f"the oldest of {queue.depth:,} waits for {about}{age / 60:.0f} min")
    growth = None if queue.paused else queue.growth_per_min
    if growth is not None and growth > 0 and queue.depth > GROWING_FOR_MIN * growth and growth >= _noticeable(queue):
        return Health(Level.WARN, "growing", f"{queue.depth:,} wait, {growth:,.0f} more each minute")
    out, again = queue.out_per_min, queue.redelivered_per_min
    if out and again is not None and again / out >= WARN_REDELIVERED:
        return Health(Level.WARN, "redelivered", f"{again / out:.0%} of what is taken was taken before")
    if queue.dead_letters:
        return Health(Level.WARN, "dead letters", f"{queue.dead_letters:,} in {clean(queue.dead_letter_queue, 60)}")
    return OK


def _noticeable(queue: Queue) -> float:
    return GROWING_PART * (queue.in_per_min or 0.0)


def _set_aside(queue: Queue) -> Health:
    """What an operator meant stays in sight: a parked backlog that nobody watches is a lost one."""
    if queue.paused:
        return Health(Level.NOTICE, "paused", "no worker takes from it, as an operator wanted")
    if queue.parked:
        return Health(Level.NOTICE, "parked", f"{queue.parked:,} messages are set aside")
    return OK


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

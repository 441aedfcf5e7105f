"""Whether requests get through: traffic, breakers, rate limits, the targets of a route."""

from console.domain.board import Board
from console.domain.circuit import Circuit, Mode, Observed
from console.domain.durations import words_of
from console.domain.health.levels import OK, Health, Level
from console.domain.readings import Deployment, Headroom, Route, Traffic
from console.domain.refs import Kind, Ref
from console.domain.text import clean

WARN_ERROR_RATIO = 0.02
BAD_ERROR_RATIO = 0.20
FEW_ERRORS = 3
"""Fewer failures than this in a window are worth a look and never the worst: one of one is no outage."""
WARN_ATTEMPTS = 1.1
"""Attempts per original request: the SRE book's warning line; 3 is its ceiling."""
BAD_ATTEMPTS = 3.0
WARN_HEADROOM = 0.05
"""Part of a rate limit that is left, from which on the next requests will be turned away."""


def of_circuit(circuit: Circuit) -> Health:
    """What a breaker does with requests now."""
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


def of_traffic(traffic: Traffic | None) -> Health:
    """How many requests fail, and how many are tries of the same one."""
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


def of_headroom(headroom: Headroom | None) -> Health:
    """What the rate limit still allows."""
    left = None if headroom is None else headroom.left_ratio
    if left is None or left >= WARN_HEADROOM:
        return OK
    return Health(Level.WARN, "rate limit", f"{left:.0%} of its rate limit is left")


def of_route(board: Board, route: Route) -> Health:
    """Whether a route has a target left, and whether it answers itself."""
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

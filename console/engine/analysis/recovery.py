"""Does a route get well by itself, or do its own retries hold it down?

Metastable: what began it is over, and the load of retries alone keeps it from recovering. It is recognised by what
still fails: refusals, timeouts and rate limits are what overload looks like; any other failure is a trigger that is
still there.
"""

from console.domain.analysis import Recovery, RetryXray, Verdict
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref

HELD_DOWN = 0.5
"""Retries ÷ original requests from which on a route is held down by them."""
IN_PROPORTION = 0.1
"""… and up to which they are what a healthy route has."""
FAILING = 0.02
TRIGGER = 0.02
"""Part of what is sent to the deployments that fails in a way that overload does not explain."""
OF_OVERLOAD = frozenset({"429", "503", "529", "504", "408", "timeout", "timeouts", "overloaded", "rate limit"})


def verdict(route: Route, board: Board, found: RetryXray | None) -> Verdict | None:
    """The verdict of one route; None when nothing flows."""
    if found is None or route.traffic is None:
        return None
    if board.freshness(route.ref) is not Freshness.FRESH:
        return Verdict(route=route.ref, recovery=Recovery.UNKNOWN, words="its source does not answer")
    retries = max(0.0, found.amplification - 1.0)
    failing = route.traffic.error_ratio or 0.0
    sent, trigger, overload = _failures(route, board)
    words = f"{retries:.1f} retries for each request"
    if retries <= IN_PROPORTION and failing < FAILING and (trigger + overload) / max(sent, 1.0) < FAILING:
        return Verdict(route=route.ref, recovery=Recovery.FINE, retry_part=retries, words=words)
    if trigger / max(sent, 1.0) >= TRIGGER:
        words = f"{trigger / sent:.0%} of what is sent fails for a reason of its own, with {words}"
        return Verdict(route=route.ref, recovery=Recovery.TRIGGERED, retry_part=retries, words=words)
    if retries > HELD_DOWN and overload > 0:
        words = f"{words}, and nothing fails but by overload: shed the retries, waiting does not help"
        return Verdict(route=route.ref, recovery=Recovery.METASTABLE, retry_part=retries, words=words)
    recovery = Recovery.TRIGGERED if failing >= FAILING or overload / max(sent, 1.0) >= FAILING else Recovery.FINE
    return Verdict(route=route.ref, recovery=recovery, retry_part=retries, words=words)


def _failures(route: Route, board: Board) -> tuple[float, float, float]:
    """What is sent to a route's deployments a minute, and what of it fails by itself and by overload."""
    sent = trigger = overload = 0.0
    for target in route.targets:
        reading = board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, target.deployment))
        if not isinstance(reading, Deployment) or reading.traffic is None:
            continue
        sent += reading.traffic.requests_per_min
        for failure in reading.failures:
            if failure.name.lower() in OF_OVERLOAD:
                overload += failure.per_min
            elif not failure.name.startswith("4"):  # what the caller did wrong is neither
                trigger += failure.per_min
    return sent, trigger, overload

"""What an action will do, in numbers, as lines: the important ones first."""

from console.domain.actions import Effect, Plan
from console.domain.board import Board
from console.domain.health import WARN_ERROR_RATIO
from console.domain.readings import Deployment, Headroom, Queue, Traffic
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import Verb
from console.forecast.flow import Shift

LISTED = 6
"""Deployments named one by one in a preview; the rest is summed up."""
SMALL = 0.5
"""Requests a minute: a smaller change of a bystander is not worth a line."""


def preview(
    board: Board, moved: Shift, wanted: float, target: Ref, verb: Verb, plan: Plan | None
) -> tuple[Effect, ...]:
    """What is shown before a yes: what the adapter says in numbers first, then what the board tells.

    A queue shifts no requests, and neither does a single call: there the adapter's own numbers say it all, or how the
    queue stands.
    """
    own = plan.effects if plan else ()
    if target.kind is Kind.QUEUE:
        return own or _waiting(board, target)
    if verb is Verb.REISSUE:
        return own
    return (*own, *effects(board, moved, wanted, target.name))


def _waiting(board: Board, target: Ref) -> tuple[Effect, ...]:
    reading = board.readings.get(target)
    if not isinstance(reading, Queue):
        return ()
    now = (("waiting", reading.depth), ("held by workers", reading.in_flight), ("set aside", reading.parked))
    return tuple(
        Effect(label=label, before=float(count), after=None, unit="messages", words="as it is now")
        for label, count in now
        if count is not None
    )


def headroom_per_min(board: Board, name: str, source: str) -> float | None:
    """Requests a minute that a deployment's provider still allows: the scarcer of requests and tokens."""
    deployment = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    if not isinstance(deployment, Deployment) or deployment.headroom is None:
        return None
    limits = [deployment.headroom.requests_left, _tokens_as_requests(deployment.headroom, deployment.traffic)]
    return min((limit for limit in limits if limit is not None), default=None)


def _tokens_as_requests(headroom: Headroom, traffic: Traffic | None) -> float | None:
    if headroom.tokens_left is None or traffic is None or not traffic.requests_per_min:
        return None
    flows = [flow for flow in (traffic.tokens_in_per_min, traffic.tokens_out_per_min) if flow is not None]
    each = sum(flows) / traffic.requests_per_min
    return headroom.tokens_left / each if each else None


def headroom_ratio(board: Board, moved: Shift, name: str) -> float | None:
    """How many times a deployment could carry what is shifted to it; None when nothing says, or nothing is shifted."""
    gain, left = moved.gained(name), headroom_per_min(board, name, moved.source)
    return left / gain if gain and gain > 0 and left is not None else None


def usd_per_h(board: Board, moved: Shift) -> float | None:
    """What the shift costs or saves, in dollars an hour; None when the price of anything that moves is not known.

    Attempts that fail cost nothing: only a deployment's present part of successes is counted.
    """
    total = 0.0
    for name in moved.after:
        gain, reading = moved.gained(name), _deployment(board, moved.source, name)
        price = reading.usd_per_request if reading else None
        if gain is None or (price is None and gain):
            return None
        errors = reading.traffic.error_ratio if reading and reading.traffic else None
        total += 60.0 * gain * (1.0 - (errors or 0.0)) * (price or 0.0)
    return total


def effects(board: Board, moved: Shift, wanted: float, target: str = "") -> tuple[Effect, ...]:
    """A preview's lines: requests of the target and of who gets more, whether they can carry it, and the cost.

    `wanted` is the least headroom, in times of the shifted demand, that worries nobody.
    """
    if not moved.known or not moved.after:
        return (Effect(label="requests", before=None, after=None, unit="req/min", words="no traffic figures here"),)
    receivers = moved.receivers()[:LISTED]
    lines = [_requests(moved, target)] if target in moved.after else []
    for name in receivers:
        lines += [] if name == target else [_requests(moved, name)]
        lines.append(_headroom(board, moved, name, wanted))
    lines += [*_homeless(moved), _cost(board, moved), *_retries(moved)]
    for name in receivers:
        lines += _as_it_is(board, moved, name)
    return (*lines, *_others(moved, {target, *receivers}))


def _deployment(board: Board, source: str, name: str) -> Deployment | None:
    found = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    return found if isinstance(found, Deployment) else None


def _requests(moved: Shift, name: str) -> Effect:
    return Effect(
        label=f"{clean(name)} requests", before=moved.before[name], after=moved.after[name], unit="req/min",
        words="" if moved.before[name] is not None else "its traffic is not known",
    )  # fmt: skip


def _headroom(board: Board, moved: Shift, name: str, wanted: float) -> Effect:
    ratio = headroom_ratio(board, moved, name)
    words = "its rate limit is not known" if ratio is None else f"wanted: at least {wanted:g} ×"
    low = ratio is not None and ratio < wanted
    return Effect(label=f"{clean(name)} headroom", before=None, after=ratio, unit="× demand", bad=low, words=words)


def _homeless(moved: Shift) -> list[Effect]:
    if not moved.homeless:
        return []
    words = "no deployment takes these requests: they fail"
    lost = moved.homeless
    return [Effect(label="without a target", before=0.0, after=lost, unit="req/min", bad=True, words=words)]


def _retries(moved: Shift) -> list[Effect]:
    before, after = moved.retries
    if before < 1.0:
        return []
    words = "they end with the failures that cause them" if after < before else "failed attempts, tried again"
    return [Effect(label="retries", before=before, after=after, unit="req/min", words=words)]


def _as_it_is(board: Board, moved: Shift, name: str) -> list[Effect]:
    """How a receiver fares before it gets more; nobody can say how it will."""
    shown, reading, lines = clean(name), _deployment(board, moved.source, name), list[Effect]()
    errors = reading.traffic.error_ratio if reading and reading.traffic else None
    if errors is not None:
        percent, bad = round(100.0 * errors, 1), errors >= WARN_ERROR_RATIO
        lines.append(
            Effect(label=f"{shown} errors", before=percent, after=None, unit="%", bad=bad, words="as it is now")
        )
    if reading and reading.latency and reading.latency.p95_s is not None:
        p95 = round(reading.latency.p95_s, 2)
        lines.append(Effect(label=f"{shown} p95", before=p95, after=None, unit="s", words="as it is now"))
    return lines


def _others(moved: Shift, named: set[str]) -> list[Effect]:
    """Who else gets more or less."""
    others = [name for name in moved.after if name not in named and abs(moved.gained(name) or 0.0) >= SMALL]
    others.sort(key=lambda name: -abs(moved.gained(name) or 0.0))
    lines = [_requests(moved, name) for name in others[:LISTED]]
    if len(others) > LISTED:
        words = f"and {len(others) - LISTED} more deployments"
        lines.append(Effect(label="others", before=None, after=None, unit="req/min", words=words))
    return lines


def _cost(board: Board, moved: Shift) -> Effect:
    change = usd_per_h(board, moved)
    words = "a price is not known" if change is None else "the change, at today's price of a request"
    return Effect(label="cost", before=None if change is None else 0.0, after=change, unit="$/h", words=words)

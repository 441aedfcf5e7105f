"""The last hour: means, extremes, slopes, and what was usual before."""

from collections.abc import Sequence
from statistics import median

from console.domain.refs import Kind, Ref
from runbooks.functions.catalogue import Value, function
from runbooks.functions.values import span
from runbooks.looking import OF_THE_PAST, Look, Unsaid

GROUP = "the past"
SLOT_S = 15.0
"""A mean is made of so many seconds."""
LONGEST_S = 3600.0
LEAST_USUAL = 20
"""Means that have to be known before they say what is usual: five minutes."""
RECENT_S = 300.0
"""What is usual is what was before these seconds."""

METRICS = {
    "p50": "p50_s",
    "p95": "p95_s",
    "ttft": "ttft_p50_s",
    "per_token": "s_per_token_p50",
    "errors": "error_ratio",
    "requests": "requests_per_min",
    "tokens": "tokens_per_min",
    "in_flight": "in_flight",
    "attempts": "attempts_per_request",
    "usd_per_h": "usd_per_h",
    "depth": "depth",
    "oldest": "oldest_age_s",
    "consumers": "consumers",
    "parked": "parked",
    "dead": "dead_letters",
    "rate_in": "in_per_min",
    "rate_out": "out_per_min",
}
"""What may be asked of the past, by the name of its function, and what the engine's memory calls it."""
OF_METRICS = frozenset({"mean", "max", "min", "slope", "usual"})
"""Functions that take one of them."""
KINDS = (Kind.DEPLOYMENT, Kind.ROUTE, Kind.PROVIDER, Kind.QUEUE, Kind.SERVICE)
WHICH = "`metric` is a function's name in quotes (`p95`, `depth` …), `window` at most an hour (`10m`)"


def _values(look: Look, x: object, metric: object, window: object) -> Sequence[float | None]:
    name = METRICS.get(metric) if isinstance(metric, str) else None
    if name is None:
        raise Unsaid(f"a metric of the past is one of {', '.join(METRICS)}")
    return past_of(look, look.ref(x, KINDS), name, window)


def past_of(look: Look, ref: Ref, metric: str, window: object) -> Sequence[float | None]:
    """The means of 15 s of one number over the last while, the oldest first; None: not seen.

    Raises:
        Unsaid: no such window, or what is known of it is stale.
    """
    window_s = span(window)
    if not SLOT_S <= window_s <= LONGEST_S:
        raise Unsaid("a window has 15 s to an hour")
    look.work(OF_THE_PAST)
    look.fresh(ref)
    return look.scope.past(ref, metric, window_s)


def _known(values: Sequence[float | None]) -> list[float]:
    """The means that are known: half of the window at the least."""
    found = [value for value in values if value is not None]
    if not found or 2 * len(found) < len(values):
        raise Unsaid("too little of that time was seen")
    return found


@function("mean(x, metric, window)", "", f"The mean over the last while; {WHICH}.", GROUP)
def mean(look: Look, x: object, metric: object, window: object) -> Value:
    """The mean."""
    found = _known(_values(look, x, metric, window))
    return sum(found) / len(found)


@function("max(x, metric, window)", "", "The greatest mean of 15 s in the last while.", GROUP)
def most(look: Look, x: object, metric: object, window: object) -> Value:
    """The greatest."""
    return max(_known(_values(look, x, metric, window)))


@function("min(x, metric, window)", "", "The least mean of 15 s in the last while.", GROUP)
def fewest(look: Look, x: object, metric: object, window: object) -> Value:
    """The least."""
    return min(_known(_values(look, x, metric, window)))


@function(
    "slope(x, metric, window)", "/min", "How much it rises a minute, by the least squares over the last while.", GROUP
)
def slope(look: Look, x: object, metric: object, window: object) -> Value:
    """The slope."""
    values = _values(look, x, metric, window)
    _known(values)
    points = [(place * SLOT_S / 60.0, value) for place, value in enumerate(values) if value is not None]
    if len(points) < 2:
        raise Unsaid("too little of that time was seen")
    middle_t = sum(t for t, _ in points) / len(points)
    middle = sum(value for _, value in points) / len(points)
    spread = sum((t - middle_t) ** 2 for t, _ in points)
    return sum((t - middle_t) * (value - middle) for t, value in points) / spread


@function(
    "usual(x, metric[, window])", "", "The median of the last hour (or window) without its last five minutes.", GROUP
)
def usual(look: Look, x: object, metric: object, window: object = LONGEST_S) -> Value:
    """What was usual."""
    values = _values(look, x, metric, window)
    before = values[: -int(RECENT_S / SLOT_S)]
    found = [value for value in before if value is not None]
    if len(found) < LEAST_USUAL:
        raise Unsaid("too little of that time was seen")
    return median(found)

"""What an adapter saw: one frozen reading per object, each with the moment at which it was observed.

Units are in the names: `_s` seconds, `_per_min` per minute, `usd` US dollars, `_ratio` between 0 and 1.
`None` means that this backend does not say; it is never written as zero.

A reading is a frozen tree that nothing in it can point back to, so the garbage collector need not walk it (`gc=False`):
with 1,000 gateways on a board one walk would take longer than the answer to a key may.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from console.domain.circuit import Circuit
from console.domain.errors import Failure
from console.domain.freshness import Freshness
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb


class Ability(msgspec.Struct, frozen=True, gc=False):
    """Whether one verb works on one object, and why not. Per object: a YAML-defined model cannot be patched."""

    verb: Verb
    able: bool
    reason: str = ""


class Traffic(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Flow over the last `window_s` seconds."""

    window_s: float
    requests_per_min: float = 0.0
    """Attempts that reached this object, retries and fallbacks included."""
    errors_per_min: float = 0.0
    attempts_per_request: float | None = None
    """Attempts divided by original requests; 1.0 is no amplification."""
    fallbacks_per_min: float | None = None
    tokens_in_per_min: float | None = None
    tokens_out_per_min: float | None = None
    in_flight: int | None = None

    @property
    def error_ratio(self) -> float | None:
        """Errors / requests, or None when nothing flowed."""
        return min(1.0, self.errors_per_min / self.requests_per_min) if self.requests_per_min > 0 else None


class Latency(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Response times in seconds over the last `window_s` seconds; None where nothing flowed or nothing is measured."""

    window_s: float
    p50_s: float | None = None
    p95_s: float | None = None
    ttft_p50_s: float | None = None
    """Median time to first token."""
    s_per_token_p50: float | None = None
    """Median (where only sums are known: mean) seconds for each output token."""


class FailureClass(msgspec.Struct, frozen=True, gc=False):
    """One way of failing: `name` is an HTTP status or a word (`429`, `500`, `timeout`)."""

    name: str
    per_min: float


class Headroom(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the provider's rate limit still allows in its current period, usually a minute."""

    requests_left: float | None = None
    requests_limit: float | None = None
    tokens_left: float | None = None
    tokens_limit: float | None = None

    @property
    def left_ratio(self) -> float | None:
        """The scarcer of requests and tokens as left/limit, or None when no limit is known."""
        pairs = ((self.requests_left, self.requests_limit), (self.tokens_left, self.tokens_limit))
        return min((left / limit for left, limit in pairs if left is not None and limit), default=None)


class Reading(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What every reading has."""

    ref: Ref
    observed_at: float
    """Unix seconds at which the backend showed these values."""
    can: tuple[Ability, ...] = ()

    def ability(self, verb: Verb) -> Ability:
        """Whether `verb` works on this object; an undeclared verb does not."""
        for ability in self.can:
            if ability.verb is verb:
                return ability
        return Ability(verb, able=False, reason=f"this backend has no {verb} for a {self.ref.kind}")


class Deployment(Reading, frozen=True, kw_only=True, tag="deployment"):
    """One model at one provider behind a route; the object that a breaker guards."""

    provider: str
    model: str
    region: str = ""
    """Where it answers from; empty when the gateway does not say."""
    routes: tuple[str, ...] = ()
    """Names of the routes (model groups) that it serves."""
    endpoint: str = ""
    """Where it is called, without credentials."""
    origin: str = ""
    """Who defined it, when that limits what can be done: `database`, `config`."""
    circuit: Circuit = Circuit()
    weight: float | None = None
    order: int | None = None
    """Routing order, the lowest is asked first; None when the gateway has no order."""
    traffic: Traffic | None = None
    latency: Latency | None = None
    failures: tuple[FailureClass, ...] = ()
    headroom: Headroom | None = None
    usd_per_h: float | None = None
    usd_per_request: float | None = None


class RouteTarget(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One deployment of a route, by its name in the same source."""

    deployment: str
    share: float | None = None
    """Part of the route's requests that it gets now, 0 to 1; None when nothing flowed."""
    weight: float | None = None
    order: int | None = None


class SwitchOption(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One place to which a route can be switched."""

    to: str
    """What to pass to `Switch.to`."""
    mechanism: str
    """How the gateway does it: `alias`, `order`, `weight`."""
    words: str
    """One line that says what happens."""


class Route(Reading, frozen=True, kw_only=True, tag="route"):
    """A model group: the name that applications ask for."""

    targets: tuple[RouteTarget, ...] = ()
    answered_by: str = ""
    """The route that answers instead while an alias is set; empty when it answers itself."""
    fallbacks: tuple[str, ...] = ()
    traffic: Traffic | None = None
    latency: Latency | None = None
    failures: tuple[FailureClass, ...] = ()
    switch_options: tuple[SwitchOption, ...] = ()
    usd_per_h: float | None = None


class Provider(Reading, frozen=True, kw_only=True, tag="provider"):
    """Everything that goes to one provider through one source."""

    deployments: tuple[str, ...] = ()
    traffic: Traffic | None = None
    latency: Latency | None = None
    failures: tuple[FailureClass, ...] = ()
    headroom: Headroom | None = None
    usd_per_h: float | None = None


class SpendScope(StrEnum):
    """What a sum of money is about."""

    TOTAL = "total"
    PROVIDER = "provider"
    MODEL = "model"
    KEY = "key"
    TEAM = "team"


class Spend(Reading, frozen=True, kw_only=True, tag="spend"):
    """Money, as the gateway books it and as tokens × price say."""

    scope: SpendScope
    subject: str
    """The provider, model, key alias or team; `all` for the total."""
    usd_today: float | None = None
    """Booked since 00:00 UTC."""
    usd_per_h: float | None = None
    """Booked over the last `window_s`, per hour."""
    window_s: float | None = None
    requests_today: float | None = None
    failed_today: float | None = None
    tokens_in_today: float | None = None
    tokens_out_today: float | None = None
    priced_usd_today: float | None = None
    """The same tokens at list price (genai-prices); None when a model's price is not known."""
    budget_usd: float | None = None
    budget_used_usd: float | None = None
    budget_period: str = ""
    """As the backend writes it: `1d`, `30d`."""
    budget_resets_at: float | None = None
    exhausted_at: float | None = None
    """Unix seconds at which the budget ends at the present rate; None when it lasts until its reset."""
    blocked: bool = False

    @property
    def disagreement(self) -> float | None:
        """Booked ÷ priced; 1.0 agrees, 20 is phantom spend. None when either side is missing or tiny (< $0.01)."""
        if self.usd_today is None or not self.priced_usd_today or max(self.usd_today, self.priced_usd_today) < 0.01:
            return None
        return self.usd_today / self.priced_usd_today


class AgeQuality(StrEnum):
    """How the oldest age of a queue is known."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


class PriorityDepth(msgspec.Struct, frozen=True, gc=False):
    """How many messages of one priority wait."""

    priority: int
    depth: int


class DeadReason(msgspec.Struct, frozen=True, gc=False):
    """Why messages died: `reason` is the backend's word (`rejected`, `expired`, `maxlen`, `delivery_limit`)."""

    reason: str
    count: int


class Queue(Reading, frozen=True, kw_only=True, tag="queue"):
    """A backlog and its way out."""

    depth: int
    """Messages that wait for a worker."""
    in_flight: int | None = None
    """Messages that a worker holds and has not acknowledged."""
    consumers: int | None = None
    consumers_busy_ratio: float | None = None
    """Part of the time in which the workers could not have taken more."""
    oldest_age_s: float | None = None
    age_quality: AgeQuality = AgeQuality.UNKNOWN
    in_per_min: float | None = None
    """Messages that came in."""
    out_per_min: float | None = None
    """Messages that were taken and acknowledged."""
    redelivered_per_min: float | None = None
    redelivered: int | None = None
    """Messages in flight that were delivered before."""
    dead_letters: int | None = None
    """Messages in its dead-letter queue."""
    dead_letter_queue: str = ""
    dead_reasons: tuple[DeadReason, ...] = ()
    """Why, of those that could be read without harm."""
    holds_dead: bool = False
    """Whether it takes the dead letters of another queue: that nobody works on them is as it should be."""
    parked: int | None = None
    """Messages that an operator has set aside and that no worker takes; the backend itself says so."""
    paused: bool = False
    kind: str = ""
    """The backend's word for what it is: `classic`, `quorum`, `stream`, `consumer`."""
    priorities: tuple[PriorityDepth, ...] = ()
    feeds: tuple[str, ...] = ()
    """References of the routes whose work waits here (`gateway:route/gpt-main`), as the config says."""

    @property
    def growth_per_min(self) -> float | None:
        """What comes in minus what goes out; below zero it shrinks."""
        known = self.in_per_min is not None and self.out_per_min is not None
        return (self.in_per_min or 0.0) - (self.out_per_min or 0.0) if known else None

    @property
    def drain_s(self) -> float | None:
        """Seconds until nothing waits at the present rates; None when it does not shrink, or nobody can say."""
        if self.depth == 0:
            return 0.0
        growth = self.growth_per_min
        return None if growth is None or growth >= 0 else 60.0 * self.depth / -growth


class Request(Reading, frozen=True, kw_only=True, tag="request"):
    """One request in a line; its spans are fetched on demand."""

    started_at: float
    name: str = ""
    """What was asked for: the root span's name."""
    service: str = ""
    """Who took it in; empty when the backend does not record it."""
    route: str = ""
    deployment: str = ""
    model: str = ""
    status: str = ""
    """`ok`, `error`, or what the backend calls it."""
    failed: bool = False
    error: str = ""
    """What went wrong, in the words of the first span that failed."""
    duration_s: float | None = None
    ttft_s: float | None = None
    attempts: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    conversation: str = ""
    spans: int | None = None
    """How many spans of it have arrived."""
    trace_id: str = ""
    """32 hexadecimal digits."""


class Checkpoint(msgspec.Struct, frozen=True, gc=False):
    """How many runs of a workflow stand at one step."""

    step: str
    runs: int


class Workflow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Long runs of one kind: where they stand, and whether they get on."""

    name: str
    running: int
    checkpoints: tuple[Checkpoint, ...] = ()
    """By the last step that they have passed, in the order of the steps."""
    idle_most_s: float | None = None
    """How long ago the run that has waited longest made its last step."""
    step_p99_s: float | None = None
    """99th percentile of what a step takes."""
    stuck: int = 0
    """Runs without progress for more than three times that."""
    duplicates: int = 0
    """Side effects that were done more than once, by runs that were started again; of the last hour."""


class Service(Reading, frozen=True, kw_only=True, tag="service"):
    """One application as its own traces show it; a trace store makes one for each `service.name`."""

    traffic: Traffic | None = None
    latency: Latency | None = None
    failures: tuple[FailureClass, ...] = ()
    conversations: int | None = None
    """Different conversations in the window of `traffic`."""
    snapshots: tuple[str, ...] = ()
    """Retrieval snapshot versions that it answered from in that window, the newest first."""
    rollout: str = ""
    """What is being rolled out here as planned, as the platform declares it; empty when nothing is."""
    workflows: tuple[Workflow, ...] = ()


class ReplicaStatus(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One replica of a source, as the last poll met it."""

    name: str
    url: str
    """Without credentials."""
    up: bool
    failure: Failure | None = None
    version: str = ""


class Source(Reading, frozen=True, kw_only=True, tag="source"):
    """A source itself: a failure is a reading too. Made by the engine, not by an adapter.

    `observed_at` is the last poll's end, good or bad; `last_ok_at` is what freshness counts from.
    """

    adapter: str
    freshness: Freshness
    interval_s: float
    last_ok_at: float | None = None
    since: float | None = None
    """Unix seconds since when `freshness` is what it is; until the first look begins, when it will."""
    failure: Failure | None = None
    """Why the last poll failed; None after a good one."""
    problems: tuple[Failure, ...] = ()
    """What the last good poll could not read."""
    replicas: tuple[ReplicaStatus, ...] = ()
    notes: tuple[str, ...] = ()
    """What the adapter found out about the backend: `no database: trips go through Redis`."""
    stale_after_s: float = 0.0


AnyReading = Deployment | Route | Provider | Spend | Queue | Request | Service | Source
"""The tagged union that travels on the wire (JSON field `type`)."""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One whole answer of one adapter: everything that it sees now. An object that is not in it is gone."""

    observed_at: float
    readings: tuple[AnyReading, ...]
    replicas: tuple[ReplicaStatus, ...] = ()
    problems: tuple[Failure, ...] = ()
    """Parts that could not be read although the poll as a whole succeeded."""
    notes: tuple[str, ...] = ()
    requests: int = 0
    """How many requests this poll cost the backend."""


def same_values(one: AnyReading, other: AnyReading) -> bool:
    """Whether two readings differ in nothing but the moment at which they were observed (a source: last seen well)."""
    if isinstance(one, Source) and isinstance(other, Source):
        return one == msgspec.structs.replace(other, observed_at=one.observed_at, last_ok_at=one.last_ok_at)
    if one.observed_at == other.observed_at:
        return one == other
    return one == msgspec.structs.replace(other, observed_at=one.observed_at)


def series(reading: AnyReading) -> Iterator[tuple[str, float]]:
    """The numbers of a reading that are worth a history, as (metric name, value)."""
    for metric, value in _numbers(reading):
        if value is not None:
            yield metric, float(value) or 0.0  # one object for every nought: most numbers of a large platform are that


def _numbers(reading: AnyReading) -> Iterator[tuple[str, float | None]]:
    match reading:
        case Deployment() | Route() | Provider() | Service():
            if traffic := reading.traffic:
                yield "requests_per_min", traffic.requests_per_min
                yield "errors_per_min", traffic.errors_per_min
                yield "error_ratio", traffic.error_ratio
                yield "attempts_per_request", traffic.attempts_per_request
                yield "in_flight", traffic.in_flight
                if isinstance(reading, Provider | Deployment):
                    yield "tokens_per_min", _tokens(traffic)
            if latency := reading.latency:
                yield "p50_s", latency.p50_s
                yield "p95_s", latency.p95_s
                yield "ttft_p50_s", latency.ttft_p50_s
                yield "s_per_token_p50", latency.s_per_token_p50
            if not isinstance(reading, Service):
                yield "usd_per_h", reading.usd_per_h
        case Spend():
            yield "usd_per_h", reading.usd_per_h
            yield "usd_today", reading.usd_today
        case Queue():
            yield "depth", reading.depth
            yield "oldest_age_s", reading.oldest_age_s
            yield "in_per_min", reading.in_per_min
            yield "out_per_min", reading.out_per_min
            yield "in_flight", reading.in_flight
            yield "consumers", reading.consumers
            yield "dead_letters", reading.dead_letters
            yield "parked", reading.parked
        case Request() | Source():
            return


def _tokens(traffic: Traffic) -> float | None:
    """Tokens in and out; None when neither is told."""
    if traffic.tokens_in_per_min is None and traffic.tokens_out_per_min is None:
        return None
    return (traffic.tokens_in_per_min or 0.0) + (traffic.tokens_out_per_min or 0.0)


READING_KINDS: dict[Kind, type[AnyReading]] = {
    Kind.DEPLOYMENT: Deployment,
    Kind.ROUTE: Route,
    Kind.PROVIDER: Provider,
    Kind.SPEND: Spend,
    Kind.QUEUE: Queue,
    Kind.REQUEST: Request,
    Kind.SERVICE: Service,
    Kind.SOURCE: Source,
}
"""Which reading describes which kind of object."""

"""From what a look saw to readings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.rabbitmq.abilities import Case, Powers
from adapters.rabbitmq.ages import Arrivals, age_of
from adapters.rabbitmq.api import Row
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.dead_letters import DeadLetters
from adapters.rabbitmq.flow import Flow
from adapters.rabbitmq.names import Errand, Hold, Place
from adapters.rabbitmq.seen import Seen
from console.domain.readings import Ability, AgeQuality, PriorityDepth, Queue
from console.domain.refs import Kind, Ref

STREAM = "stream"
MOST_KEYS = 1024
_HOLDS_PARKED = (Hold.PARKED, Hold.RETRIES)


@dataclass(slots=True)
class _Known:
    """What is the same for a queue at every look."""

    ref: Ref
    feeds: tuple[str, ...]
    key: tuple[object, ...] = ()
    can: tuple[Ability, ...] = ()


@dataclass(slots=True)
class Moment:
    """All that a round of readings is made of."""

    now: float
    queues: Mapping[Place, Seen]
    arrivals: Mapping[Place, Arrivals]
    flows: Mapping[Place, Flow]
    dead: DeadLetters
    powers: Powers
    paused: frozenset[Place]
    """Queues whose divert shovel runs."""
    rates: bool = True
    """Whether the server counts rates."""
    held: dict[Place, dict[Hold, int]] = field(default_factory=dict)
    """Queue → what is set aside of it, filled by `Readings.of`."""


class Readings:
    """Makes readings, and remembers each queue's reference, what feeds it and what can be done with it."""

    def __init__(self, broker: Broker, feeds: Callable[[str], tuple[str, ...]]) -> None:
        self._broker = broker
        self._feeds = feeds
        self._known: dict[Place, _Known] = {}
        self._keys: dict[tuple[object, ...], tuple[object, ...]] = {}
        """The keys of `_Known`, each once: ten thousand queues have a handful of them."""

    def of(self, moment: Moment) -> tuple[Queue, ...]:
        """One reading for each queue that is not a holding queue of ours, in the server's order."""
        work: list[tuple[Place, Seen]] = []
        ours = f"{self._broker.names.prefix}."
        for place, seen in moment.queues.items():
            held = self._broker.names.held(place.queue) if place.queue.startswith(ours) else None
            if held is None:
                work.append((place, seen))
            else:
                of = moment.held.setdefault(Place(place.vhost, held[1]), {})
                of[held[0]] = seen.ready + seen.unacked
        if len(self._known) > len(work) + 64:
            self._known = {place: known for place, known in self._known.items() if place in moment.queues}
        return tuple(self._reading(moment, place, seen) for place, seen in work)

    def _reading(self, moment: Moment, place: Place, seen: Seen) -> Queue:
        known = self._known.get(place) or self._learn(place)
        held = moment.held.get(place) if moment.held else None
        target = moment.dead.ways.get(place) if moment.dead.ways else None
        paused = place in moment.paused
        if seen.shape.kind == STREAM:
            return self._stream(moment, place, seen, known)
        if held is None and target is None and not paused:  # nearly every queue: nothing of ours, no dead letters
            key: tuple[object, ...] = (moment.powers, seen.shape, seen.state)
            if key != known.key:
                self._judged(known, key, moment.powers.of(self._case(place, seen)))
            if seen.row is None:
                return Queue(
                    ref=known.ref,
                    observed_at=moment.now,
                    can=known.can,
                    depth=seen.ready,
                    in_flight=seen.unacked,
                    consumers=seen.consumers,
                    parked=0,
                    kind=seen.shape.kind,
                    feeds=known.feeds,
                    dead_reasons=moment.dead.reasons(place),
                    holds_dead=place in moment.dead.targets,
                )
        return self._whole(moment, place, seen, known)

    def _stream(self, moment: Moment, place: Place, seen: Seen, known: _Known) -> Queue:
        """A stream keeps what was read: its length is no backlog, and how far its readers are it does not say."""
        self._judge(moment, place, seen, known, {}, None)
        return Queue(
            ref=known.ref,
            observed_at=moment.now,
            can=known.can,
            depth=0,
            consumers=seen.consumers,
            in_per_min=_per_min(moment, place, seen.row).arrived,
            kind=STREAM,
            feeds=known.feeds,
        )

    def _learn(self, place: Place) -> _Known:
        name = self._broker.refs.name(place)
        known = self._known[place] = _Known(Ref(self._broker.source, Kind.QUEUE, name), self._feeds(name))
        return known

    def _whole(self, moment: Moment, place: Place, seen: Seen, known: _Known) -> Queue:
        held = moment.held.get(place, {})
        target = moment.dead.ways.get(place)
        dead = moment.queues.get(target) if target is not None else None
        self._judge(moment, place, seen, known, held, dead)
        row = seen.row
        rates = _per_min(moment, place, row)
        age, quality = _age(moment, place, seen, row) if row is not None else (None, AgeQuality.UNKNOWN)
        return Queue(
            ref=known.ref,
            observed_at=moment.now,
            can=known.can,
            depth=seen.ready,
            in_flight=seen.unacked,
            consumers=seen.consumers,
            consumers_busy_ratio=_busy(row) if row is not None else None,
            oldest_age_s=age,
            age_quality=quality,
            in_per_min=rates.arrived,
            out_per_min=rates.left,
            redelivered_per_min=rates.redelivered,
            dead_letters=dead.ready if dead is not None else None,
            dead_letter_queue=target.queue if target is not None else "",
            dead_reasons=moment.dead.reasons(target or place),
            holds_dead=place in moment.dead.targets,
            parked=sum(held.values()),
            paused=place in moment.paused,
            kind=seen.shape.kind,
            priorities=_priorities(row) if row is not None and seen.shape.priorities else (),
            feeds=known.feeds,
        )

    def _judge(
        self, moment: Moment, place: Place, seen: Seen, known: _Known, held: Mapping[Hold, int], dead: Seen | None
    ) -> None:
        """Find out what can be done with it, when something that decides it has changed."""
        flags = {
            "paused": place in moment.paused,
            "held_back": held.get(Hold.PAUSED, 0) > 0,
            "parked": any(held.get(hold) for hold in _HOLDS_PARKED),
            "dead_letter_queue": dead is not None,
            "dead_letters": dead is not None and dead.ready > 0,
        }
        key = (moment.powers, seen.shape, seen.state, *flags.values())
        if key != known.key:
            self._judged(known, key, moment.powers.of(self._case(place, seen, **flags)))

    def _judged(self, known: _Known, key: tuple[object, ...], can: tuple[Ability, ...]) -> None:
        if len(self._keys) > MOST_KEYS:
            self._keys.clear()
        known.key, known.can = self._keys.setdefault(key, key), can

    def _case(self, place: Place, seen: Seen, **flags: bool) -> Case:
        fits = self._broker.names.fits(place.queue)
        return Case(kind=seen.shape.kind, state=seen.state, exclusive=seen.shape.exclusive, fits=fits, **flags)


def paused_places(shovels: list[tuple[str, str]], broker: Broker) -> frozenset[Place]:
    """The queues for which a divert shovel of ours runs; `shovels` are (virtual host, name)."""
    found = ((vhost, broker.names.errand(name)) for vhost, name in shovels)
    return frozenset(Place(vhost, one[1]) for vhost, one in found if one is not None and one[0] is Errand.PAUSE)


def _age(moment: Moment, place: Place, seen: Seen, row: Row) -> tuple[float | None, AgeQuality]:
    in_order = seen.shape.kind == "classic" and not seen.shape.priorities
    return age_of(
        seen.ready, row.head_message_timestamp, moment.now, moment.arrivals.get(place), head_is_oldest=in_order
    )


class _PerMin(NamedTuple):
    """Messages a minute; None where the server does not count, or was not asked."""

    arrived: float | None = None
    left: float | None = None
    redelivered: float | None = None


def _per_min(moment: Moment, place: Place, row: Row | None) -> _PerMin:
    flow = moment.flows.get(place)
    if row is None or flow is None or not moment.rates:
        return _PerMin()
    rates = flow.rates(row.message_stats)
    return _PerMin(60.0 * rates.arrived, 60.0 * rates.left, 60.0 * rates.redelivered)


def _busy(row: Row) -> float | None:
    """RabbitMQ tells in which part of the time its consumers could have taken more; this is the rest of it. A quorum
    queue always says 1, with all its consumers blocked too."""
    free = row.consumer_utilisation
    if not row.consumers or row.type == "quorum" or isinstance(free, bool) or not isinstance(free, int | float):
        return None
    return 1.0 - free if 0 <= free <= 1 else None


def _priorities(row: Row) -> tuple[PriorityDepth, ...]:
    """How many wait by priority, the highest first; where the server tells."""
    status = row.backing_queue_status
    lengths = status.get("priority_lengths") if isinstance(status, dict) else None
    if not isinstance(lengths, dict):
        return ()
    found = [
        PriorityDepth(int(name), depth)
        for name, depth in lengths.items()
        if name.isascii() and name.isdigit() and len(name) < 4 and isinstance(depth, int) and 0 < depth < 2**53
    ]
    return tuple(sorted(found, key=lambda one: -one.priority))

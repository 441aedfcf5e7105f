"""What exactly would be done to a queue, as data. Reads the broker and changes nothing."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.rabbitmq.abilities import Case, Powers
from adapters.rabbitmq.api import QueueBinding, Row
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import Counter
from adapters.rabbitmq.dead_letters import DeadLetters
from adapters.rabbitmq.finishing import bindings_of
from adapters.rabbitmq.holding import existing, find_queue, refuse_limits
from adapters.rabbitmq.names import Errand, Hold, Place
from adapters.rabbitmq.shovels import Shovels
from console.domain.actions import Effect, Expectation, Plan, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import Verb

CONVERGE_S = 20.0
"""A shovel that was asked for runs within a second or two; its node lists it a moment later."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One queue as a plan begins: everything that was read of it."""

    target: Ref
    place: Place
    shown: str
    """Its name, fit for a person."""
    row: Row
    kind: str
    ready: int
    held: dict[Hold, int]
    """Messages in its holding queues; a queue that is not there holds none."""
    diverted: bool
    """Whether its divert shovel is asked for."""
    intake: list[QueueBinding]
    """What brings messages into it over a named exchange."""
    detour: list[QueueBinding]
    """What brings messages into its paused queue instead: it is being finished."""
    dead: int = 0
    """Messages in its dead-letter queue."""

    def fields(self) -> dict[str, Any]:
        """What only an operator changes, and every verb builds on."""
        return {"type": self.kind, "diverted": self.diverted, "intake": _listed(self.intake)}


@dataclass(slots=True)
class Draft:
    """A plan while it is being made."""

    scene: Scene
    verb: Verb
    steps: list[Step]
    words: str
    expects: list[Expectation]


async def look(broker: Broker, powers: Powers, dead: DeadLetters, target: Ref, verb: Verb) -> Scene:
    """Read everything about a queue that a plan may need.

    Raises:
        BackendError: UNSUPPORTED with the reason when `verb` does not work on it, or what the reads met.
    """
    place = broker.refs.place(target.name) if target.kind is Kind.QUEUE else None
    if place is None or target.source != broker.source:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{clean(str(target))} is no queue of this broker")
    if (ours := broker.names.held(place.queue)) is not None:
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{clean(place.queue, 100)} holds what was set aside; act on {clean(ours[1], 100)}"
        )  # fmt: skip
    row = await existing(broker, place)
    kind = row.type or "classic"
    counter = Counter(broker, place.vhost)
    try:
        ready = (await counter.ready(place.queue))[0] if kind != "stream" else 0
        held = {hold: await _held(broker, counter, place, hold, kind) for hold in Hold}
        target_of_dead = dead.ways.get(place)
        dead_letters = (await counter.ready(target_of_dead.queue))[0] if target_of_dead is not None else 0
    finally:
        await counter.close()
    diverted = await Shovels(broker, place.vhost).asked_for(broker.names.shovel(place.queue, Errand.PAUSE)) is not None
    detour = await bindings_of(broker, paused) if await find_queue(broker, paused := _paused(broker, place)) else []
    case = Case(
        kind=kind, state=row.state or "running", exclusive=bool(row.exclusive), fits=broker.names.fits(place.queue),
        paused=diverted, held_back=bool(held[Hold.PAUSED] or detour),
        parked=bool(held[Hold.PARKED] or held[Hold.RETRIES]), dead_letter_queue=target_of_dead is not None,
        dead_letters=bool(dead_letters),
    )  # fmt: skip
    if why := powers.why_not(verb, case):
        raise BackendError(ErrorKind.UNSUPPORTED, why, where=str(target))
    return Scene(
        target=target, place=place, shown=clean(place.queue, 80), row=row, kind=kind, ready=ready, held=held,
        diverted=diverted, intake=await bindings_of(broker, place), detour=detour, dead=dead_letters,
    )  # fmt: skip


async def _held(broker: Broker, counter: Counter, place: Place, hold: Hold, kind: str) -> int:
    """Messages in one holding queue.

    Raises:
        BackendError: UNSUPPORTED when it would not keep what it is given.
    """
    name = broker.names.holding(place.queue, hold)
    found = await find_queue(broker, Place(place.vhost, name))
    if found is None:
        return 0
    await refuse_limits(broker, Place(place.vhost, name), kind)
    return (await counter.ready(name))[0]


def _paused(broker: Broker, place: Place) -> Place:
    return Place(place.vhost, broker.names.holding(place.queue, Hold.PAUSED))


async def fields_now(broker: Broker, target: Ref) -> dict[str, Any]:
    """`Scene.fields` of a queue as the broker has them now.

    Raises:
        BackendError: what the reads met.
    """
    place = broker.refs.place(target.name)
    if place is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{clean(str(target))} is no queue of this broker")
    row = await existing(broker, place)
    asked = await Shovels(broker, place.vhost).asked_for(broker.names.shovel(place.queue, Errand.PAUSE))
    intake = _listed(await bindings_of(broker, place))
    return {"type": row.type or "classic", "diverted": asked is not None, "intake": intake}


def fingerprint(fields: dict[str, Any]) -> str:
    """A short fingerprint of what a plan replaces."""
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()[:16]


def finished_plan(broker: Broker, draft: Draft, **parts: Any) -> Plan:
    """The draft as a plan; `parts` are further fields of `Plan`."""
    fields = draft.scene.fields()
    changes: dict[str, Any] = parts.pop("changes", {})
    return Plan(
        target=draft.scene.target,
        verb=draft.verb,
        steps=tuple(draft.steps),
        expects=tuple(draft.expects),
        before=fields,
        after=fields | changes,
        generation=fingerprint(fields),
        replicas=tuple(node.name for node in broker.nodes),
        converge_s=CONVERGE_S,
        words=draft.words,
        **parts,
    )


def expect(target: Ref, field: str, value: Any, words: str) -> Expectation:
    """What every node has to show."""
    return Expectation(ref=target, field=field, value=value, words=words)


def effect(label: str, before: float | None, after: float | None, unit: str = "messages", words: str = "") -> Effect:
    """One expected number."""
    return Effect(label=label, before=before, after=after, unit=unit, words=words)


def _listed(bindings: list[QueueBinding]) -> list[str]:
    return sorted(f"{clean(one.source, 80)} → {clean(one.routing_key, 80)}" for one in bindings)

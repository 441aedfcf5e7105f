"""What exactly would be done to a consumer, as data. Reads the server and changes nothing."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.nats import orders
from adapters.nats.abilities import case_of
from adapters.nats.api import Account, Consumer, Refused, Stream
from adapters.nats.finishing import Wait, finished
from adapters.nats.giving_back import Replay, at_once
from adapters.nats.holding import parking_of
from adapters.nats.names import Place
from adapters.nats.parking import FUSE_S, Park
from adapters.nats.pausing import paused_until
from adapters.nats.servers import Servers, consumer_of, message_or_none, stream_of, together
from adapters.nats.window import WINDOW
from console.domain.actions import Effect, Expectation, ExpiryHome, Plan, QueueAction, Step
from console.domain.durations import words_of
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import Finish, Pause, Requeue, Resume, Verb
from console.domain.verbs import Park as ParkVerb
from console.domain.verbs import Replay as ReplayVerb

CONVERGE_S = 15.0
"""A change is with a majority of the servers when it is answered; the others show it a moment later."""
PARKED_PER_S = 1_500
"""What one console moves on a busy small server (measured: 1,500 to 3,000)."""
_HELD = "messages that workers hold already are finished by them, or come back to them"
_BEHIND = "they come behind what waits then, with a new sequence; their first time is in Switchgear-Time"


@dataclass(frozen=True, slots=True)
class Scene:
    """One consumer as a plan begins: everything that was read of it."""

    target: Ref
    place: Place
    stream: Stream
    consumer: Consumer
    parked: int
    parked_to: int
    """The last sequence of its parking stream; 0 when there is none."""
    last: int
    """The last message that it takes, whether it waits or not."""

    @property
    def shown(self) -> str:
        """Its name, fit for a person."""
        return orders.shown(self.place)

    @property
    def waiting(self) -> int:
        """Messages that wait for a worker."""
        return self.consumer.num_pending

    def fields(self) -> dict[str, Any]:
        """What only an operator changes, and every verb builds on."""
        return fields_of(self.stream, self.consumer)


def fields_of(stream: Stream, consumer: Consumer) -> dict[str, Any]:
    """What only an operator changes of a consumer."""
    return {
        "paused": consumer.paused, "retention": stream.config.retention, "filters": list(consumer.config.filters),
        "stream created": stream.created, "consumer created": consumer.created,
    }  # fmt: skip


async def plan_queue(servers: Servers, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
    """See `ports.Queues`.

    Raises:
        BackendError: UNSUPPORTED with the reason, or what the reads met.
    """
    if isinstance(action, ReplayVerb | Requeue) and action.fault:
        raise BackendError(ErrorKind.UNSUPPORTED, action.fault, where=str(target))
    scene = await _look(servers, target, action.verb)
    match action:
        case Pause():
            return _pause(servers, scene, ttl_s)
        case Resume():
            return _resume(servers, scene)
        case ParkVerb():
            return _park(servers, scene)
        case ReplayVerb(per_s=per_s):
            return _replay(servers, scene, per_s or servers.options.replay_per_s)
        case Finish():
            return _finish(servers, scene)
        case _:
            raise BackendError(ErrorKind.UNSUPPORTED, f"no {action.verb} here", where=str(target))


async def fields_now(servers: Servers, target: Ref) -> dict[str, Any]:
    """`Scene.fields` as the server has them now; raises what the reads met."""
    place = _place(servers, target)
    stream, consumer = await _stream_and_consumer(servers, place)
    return fields_of(stream, consumer)


def fingerprint(fields: dict[str, Any]) -> str:
    """A short fingerprint of what a plan replaces."""
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()[:16]


def _place(servers: Servers, target: Ref) -> Place:
    place = Place.parse(target.name) if target.kind is Kind.QUEUE and target.source == servers.source else None
    if place is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{clean(str(target))} is no consumer here; they are STREAM/CONSUMER")
    return place


async def _stream_and_consumer(servers: Servers, place: Place) -> tuple[Stream, Consumer]:
    try:
        return await stream_of(servers, place.stream), await consumer_of(servers, place)
    except Refused as error:
        if error.kind is ErrorKind.UNSUPPORTED:
            words = f"there is no consumer {orders.shown(place)}: {error.failure.message}"
            raise BackendError(ErrorKind.UNSUPPORTED, words) from None
        raise


async def _look(servers: Servers, target: Ref, verb: Verb) -> Scene:
    place = _place(servers, target)
    servers.level = (await servers.api("INFO", Account)).api.level
    stream, consumer = await _stream_and_consumer(servers, place)
    fits = servers.names.fits(place)
    parking = await parking_of(servers, servers, place) if fits else None
    parked = parking.state.messages if parking is not None else 0
    if why := case_of(stream, consumer, servers.level, parked, fits=fits).why_not(verb):
        raise BackendError(ErrorKind.UNSUPPORTED, why, where=str(target))
    newest = await together(
        message_or_none(servers, place.stream, {"last_by_subj": one}) for one in consumer.config.filters
    )
    return Scene(
        target=target, place=place, stream=stream, consumer=consumer, parked=parked,
        parked_to=parking.state.last_seq if parking is not None else 0,
        last=max((one.seq for one in newest if one is not None), default=0),
    )  # fmt: skip


def _plan(servers: Servers, scene: Scene, verb: Verb, words: str, **parts: Any) -> Plan:
    fields = scene.fields()
    changes: dict[str, Any] = parts.pop("changes", {})
    return Plan(
        target=scene.target, verb=verb, words=words, before=fields, after=fields | changes,
        generation=fingerprint(fields), replicas=tuple(node.name for node in servers.nodes), converge_s=CONVERGE_S,
        **parts,
    )  # fmt: skip


def _pause(servers: Servers, scene: Scene, ttl_s: float) -> Plan:
    return _plan(
        servers, scene, Verb.PAUSE,
        f"workers get nothing from {scene.shown} for {words_of(ttl_s)}; what comes in waits in the stream",
        steps=(orders.pause(scene.place, ttl_s),),
        expects=(_expect(scene, "paused", True, f"{scene.shown} is paused"),),
        undo=(orders.resume(scene.place),),
        undo_expects=(_expect(scene, "paused", False, f"{scene.shown} is not paused"),),
        changes={"paused": True},
        expiry_home=ExpiryHome.BACKEND,
        effects=(_effect(f"{scene.shown} waiting", scene.waiting, scene.waiting, "and what comes in"),),
        notes=("the server itself lets the workers go on when the time is up, whoever is left by then", _HELD),
    )  # fmt: skip


def _resume(servers: Servers, scene: Scene) -> Plan:
    return _plan(
        servers, scene, Verb.RESUME, f"workers of {scene.shown} get everything again",
        steps=(orders.resume(scene.place),),
        expects=(_expect(scene, "paused", False, f"{scene.shown} is not paused"),),
        changes={"paused": False},
        expiry_home=ExpiryHome.NOBODY,
        effects=(_effect(f"{scene.shown} waiting", scene.waiting, scene.waiting, "for the workers again"),),
    )  # fmt: skip


def _park(servers: Servers, scene: Scene) -> Plan:
    waiting, parked, until = scene.waiting, scene.parked, paused_until(scene.consumer)
    park = Park(scene.place, scene.stream.created, scene.last, waiting, parked, until)
    rate = servers.options.replay_per_s
    after = "it stays paused" if scene.consumer.paused else "workers wait meanwhile, then go on with what is new"
    notes = [
        f"the server lets the workers go on by itself {words_of(FUSE_S)} after this console is lost",
        f"should that happen in the middle, up to {WINDOW} messages may come twice; none is lost", _HELD,
        "a parked message does not expire, and has its place among the others no more",
    ]  # fmt: skip
    if scene.stream.config.retention != "workqueue":
        notes.append("this stream keeps what was read: who reads it from the beginning later misses what is parked")
    return _plan(
        servers, scene, Verb.PARK, f"the {waiting:,} messages that wait in {scene.shown} are set aside; {after}",
        steps=(orders.declare(scene.place), orders.park(park)),
        expects=(
            _expect(scene, "waiting", scene.last, f"nothing waits in {scene.shown} that waited before"),
            _expect(scene, "paused", scene.consumer.paused, "workers are as they were"),
        ),
        back_per_s=rate,
        undo=(orders.replay(Replay(scene.place, scene.parked_to, parked, waiting, rate)),),
        undo_expects=(_expect(scene, "parked", parked, "what was parked is back"),),
        tidy=(orders.settle(scene.place, until),),
        expiry_home=ExpiryHome.NOBODY,
        effects=(
            _effect(f"{scene.shown} waiting", waiting, 0, f"in about {max(1, waiting / PARKED_PER_S):,.0f} s"),
            _effect(f"{scene.shown} parked", parked, parked + waiting),
        ),
        notes=tuple(notes),
    )  # fmt: skip


def _replay(servers: Servers, scene: Scene, per_s: float) -> Plan:
    total, window_s = scene.parked, scene.stream.config.duplicate_window / 1e9
    notes = [
        _BEHIND,
        f"should this console be lost in the middle for longer than {words_of(window_s)}, up to {at_once(per_s)} "
        "messages may come twice; none is lost",
    ]
    if scene.stream.config.retention != "workqueue" and scene.stream.state.consumer_count > 1:
        notes.append("other consumers of this stream get them too")
    return _plan(
        servers, scene, Verb.REPLAY,
        f"the {total:,} messages that were set aside come back to {scene.shown}, {per_s:,.0f} a second at the most",
        steps=(orders.replay(Replay(scene.place, 0, 0, total, per_s)),),
        back_per_s=per_s,
        expects=(_expect(scene, "parked", 0, f"nothing of {scene.shown} is parked"),),
        tidy=(orders.settle(scene.place, paused_until(scene.consumer)),),
        expiry_home=ExpiryHome.NOBODY,
        effects=(
            _effect(f"{scene.shown} parked", total, 0, f"in about {max(1, total / per_s):,.0f} s"),
            _effect(f"{scene.shown} waiting", scene.waiting, scene.waiting + total, "less what workers do"),
        ),
        notes=tuple(notes),
    )  # fmt: skip


def _finish(servers: Servers, scene: Scene) -> Plan:
    total = scene.waiting + scene.consumer.num_ack_pending
    wait = Wait(scene.place, scene.last, total, finished(scene.consumer))
    return _plan(
        servers, scene, Verb.FINISH,
        f"workers finish the {total:,} messages of {scene.shown}; new ones come in as before",
        steps=(orders.wait(wait),),
        expects=(_expect(scene, "finished", scene.last, f"everything that waited in {scene.shown} is acknowledged"),),
        expiry_home=ExpiryHome.NOBODY,
        effects=(_effect(f"{scene.shown} waiting or worked on", total, 0, "of those"),),
        notes=(
            "JetStream cannot hold back what is published: new messages come in as before",
            "a message that a worker never acknowledges keeps it from ending",
        ),
    )  # fmt: skip


def _expect(scene: Scene, field: str, value: Any, words: str) -> Expectation:
    return Expectation(ref=scene.target, field=field, value=value, words=words)


def _effect(label: str, before: float, after: float, words: str = "") -> Effect:
    return Effect(label=label, before=before, after=after, unit="messages", words=words)


def steps_are_ours(step: Step) -> BackendError:
    """The refusal of a step that no plan here holds."""
    return BackendError(ErrorKind.UNSUPPORTED, f"{clean(step.op)} is no step of this adapter")

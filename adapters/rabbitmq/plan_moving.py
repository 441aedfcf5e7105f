"""Plans that move what waits: park, isolate, replay (which ends both), requeue and purge."""

import time

from adapters.rabbitmq import orders
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.dead_letters import DeadLetters
from adapters.rabbitmq.exporting import BATCH as WRITTEN_AT_ONCE
from adapters.rabbitmq.exporting import Export
from adapters.rabbitmq.holding import existing
from adapters.rabbitmq.moving import Counted, Move
from adapters.rabbitmq.names import Errand, Hold, Place
from adapters.rabbitmq.plans import Draft, Scene, effect, expect, finished_plan
from adapters.rabbitmq.shovels import twice
from adapters.rabbitmq.sorting import ON_THE_WAY, Sort, Which
from console.domain.actions import Expectation, ExpiryHome, Plan, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean
from console.domain.verbs import Verb

PARKED_PER_S = 6_000
"""What a shovel moves on a busy small broker (measured: 6,000 to 15,000)."""
_HELD = "messages that workers hold already are finished by them, or come back to the queue"
_BEHIND = "they come behind what waits then"


def plan_park(broker: Broker, scene: Scene) -> Plan:
    """Everything that waits now into the parked queue."""
    name, hold = scene.place.queue, broker.names.holding(scene.place.queue, Hold.PARKED)
    shovel, there, ready = broker.names.shovel(name, Errand.PARK), scene.held[Hold.PARKED], scene.ready
    steps = [
        orders.declare(Place(scene.place.vhost, hold), scene.kind),
        orders.move(Move(scene.place.vhost, name, hold, shovel, total=ready, base=there)),
    ]
    words = f"the {ready:,} messages that wait in {scene.shown} are set aside; workers go on with what is new"
    return finished_plan(
        broker,
        Draft(scene, Verb.PARK, steps, words, [_at_rest(scene, shovel), _some(scene, "parked", there, ready)]),
        undo=(_back(broker, scene, Hold.PARKED, ready, broker.options.replay_per_s, floor=there),),
        back_per_s=broker.options.replay_per_s,
        undo_expects=(expect(scene.target, "parked", there, "what was parked is back"),),
        tidy=tuple(orders.unshovel(scene.place.vhost, one) for one in (shovel, _way_back(broker, name, Hold.PARKED))),
        expiry_home=ExpiryHome.NOBODY,
        effects=(
            effect(f"{scene.shown} waiting", ready, 0, words=f"in about {max(1, ready / PARKED_PER_S):,.0f} s"),
            effect(f"{scene.shown} parked", there, there + ready),
        ),
        notes=(_HELD, "workers that take messages meanwhile leave fewer to be parked", twice(scene.kind)),
    )


def plan_isolate(broker: Broker, scene: Scene) -> Plan:
    """The retries that wait now into the retries queue."""
    place, hold = scene.place, broker.names.holding(scene.place.queue, Hold.RETRIES)
    there = scene.held[Hold.RETRIES]
    steps = [
        orders.declare(Place(place.vhost, hold), scene.kind),
        orders.sort(Sort(place, hold, Which.RETRIES, "", scene.ready, there)),
    ]
    words = (
        f"retries among the {scene.ready:,} messages of {scene.shown} are set aside, so that first tries get through"
    )
    return finished_plan(
        broker,
        Draft(scene, Verb.ISOLATE, steps, words, [expect(scene.target, "there", True, f"{scene.shown} is there")]),
        undo=(_back(broker, scene, Hold.RETRIES, 0, broker.options.replay_per_s, floor=there),),
        back_per_s=broker.options.replay_per_s,
        undo_expects=(expect(scene.target, "retries", there, "the retries are back"),),
        tidy=(orders.unshovel(place.vhost, _way_back(broker, place.queue, Hold.RETRIES)),),
        expiry_home=ExpiryHome.NOBODY,
        effects=(effect(f"{scene.shown} read", 0, scene.ready, words="workers get nothing while it reads"),),
        notes=(
            "a retry is a message that died before, or whose headers count a try before (Celery's `retries`)",
            "first tries come back to their places, marked as redelivered",
            f"if broker or engine die meanwhile, up to {ON_THE_WAY} retries come twice; none is lost",
        ),
    )


def plan_replay(broker: Broker, scene: Scene, per_s: float | None) -> Plan:
    """What is parked, and the retries, back into the queue."""
    rate = per_s or broker.options.replay_per_s
    holds = [hold for hold in (Hold.PARKED, Hold.RETRIES) if scene.held[hold]]
    total = sum(scene.held[hold] for hold in holds)
    steps = [_back(broker, scene, hold, scene.held[hold], rate) for hold in holds]
    words = f"the {total:,} messages that were set aside come back to {scene.shown}, {rate:,.0f} a second at the most"
    expects = [expect(scene.target, str(hold), 0, f"nothing of {scene.shown} is {hold}") for hold in holds]
    return finished_plan(
        broker,
        Draft(scene, Verb.REPLAY, steps, words, expects),
        tidy=tuple(orders.unshovel(scene.place.vhost, _way_back(broker, scene.place.queue, hold)) for hold in holds),
        expiry_home=ExpiryHome.NOBODY,
        back_per_s=rate,
        effects=(
            effect(f"{scene.shown} parked", total, 0, words=f"in about {max(1, total / rate):,.0f} s"),
            effect(f"{scene.shown} waiting", scene.ready, scene.ready + total, words="less what workers do"),
        ),
        notes=(_BEHIND, twice(scene.kind)),
    )


async def plan_requeue(broker: Broker, scene: Scene, dead: DeadLetters, per_s: float | None) -> Plan:
    """The dead letters of this queue back into it.

    Raises:
        BackendError: UNSUPPORTED when they cannot be told from those of other queues; what the reads met.
    """
    place, rate = scene.place, per_s or broker.options.replay_per_s
    source = dead.ways[place]
    row = await existing(broker, source)
    total, shovel = scene.dead, broker.names.shovel(place.queue, Errand.REQUEUE)
    others = sorted(one.queue for one, target in dead.ways.items() if target == source and one != place)
    what = clean(source.queue, 80)
    if not others:
        step = orders.move(
            Move(place.vhost, source.queue, place.queue, shovel, total, base=total, counted=Counted.BATCHES, per_s=rate)
        )
        notes: tuple[str, ...] = (f"everything in {what} goes back, whoever put it there", twice(row.type or "classic"))
    else:
        step = _sorted_requeue(broker, scene, source, row.type or "classic", others, total, rate)
        notes = (
            f"{what} also has those of {clean(', '.join(others), 100)}: they stay, marked as redelivered",
            f"if broker or engine die meanwhile, up to {ON_THE_WAY} come twice; none is lost",
        )
    words = f"dead letters of {scene.shown} ({total:,} in {what}) come back to it, {rate:,.0f} a second at the most"
    return finished_plan(
        broker,
        Draft(scene, Verb.REQUEUE, [step], words, [_at_rest(scene, shovel)]),
        tidy=(orders.unshovel(place.vhost, shovel),),
        expiry_home=ExpiryHome.NOBODY,
        back_per_s=rate,
        effects=(
            effect(f"{what} dead letters", total, None if others else 0, words=f"in about {total / rate:,.0f} s"),
            effect(f"{scene.shown} waiting", scene.ready, None if others else scene.ready + total),
        ),
        notes=(*notes, "there is no way back: what fails again is dead again", "their headers (x-death) are kept"),
    )


def _sorted_requeue(
    broker: Broker, scene: Scene, source: Place, kind: str, others: list[str], total: int, rate: float
) -> Step:
    shared = f"{clean(source.queue, 80)} also has the dead letters of {clean(', '.join(others), 100)}"
    if kind != "classic":
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{shared}, and telling them apart in a {kind} queue counts as failed deliveries",
            way_out="give each queue a dead-letter queue of its own",
        )  # fmt: skip
    if broker.options.amqp is None:
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{shared}, and without AMQP they cannot be told apart",
            way_out="add `amqp: amqp://host:5672` to the source",
        )  # fmt: skip
    return orders.sort(Sort(source, scene.place.queue, Which.DEATHS, scene.place.queue, total, scene.ready, rate))


def plan_purge(broker: Broker, scene: Scene) -> Plan:
    """Every waiting message to a file, and then away.

    Raises:
        BackendError: UNSUPPORTED where there is no folder for the file.
    """
    folder, ready = broker.context.exports, scene.ready
    if folder is None:
        raise BackendError(ErrorKind.UNSUPPORTED, "there is no folder for the messages that are taken away")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(broker.clock.now()))
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in scene.place.queue)[:80]
    file = folder / f"{broker.source}-{safe}-{stamp}.jsonl"
    words = f"the {ready:,} messages that wait in {scene.shown} are written to {file}, then taken away for good"
    return finished_plan(
        broker,
        Draft(
            scene, Verb.PURGE, [orders.export(Export(scene.place, file, ready))], words,
            [expect(scene.target, "file", str(file), f"{file.name} is there")],
        ),
        expiry_home=ExpiryHome.NOBODY,
        effects=(effect(f"{scene.shown} waiting", ready, 0), effect("messages in the file", 0, ready)),
        notes=(
            "what workers hold unacknowledged stays with them",
            f"each message is on disk before it is taken away; after a crash up to {WRITTEN_AT_ONCE} are both there "
            "and in the queue",
        ),
    )  # fmt: skip


def _back(broker: Broker, scene: Scene, hold: Hold, count: int, per_s: float, floor: int = 0) -> Step:
    """What is in a holding queue, but for `floor` messages, back into the queue."""
    name = scene.place.queue
    return orders.move(
        Move(
            vhost=scene.place.vhost, source=broker.names.holding(name, hold), target=name,
            shovel=_way_back(broker, name, hold), total=count, base=floor + count,
            counted=Counted.SOURCE, per_s=per_s,
        )
    )  # fmt: skip


def _way_back(broker: Broker, name: str, hold: Hold) -> str:
    return broker.names.shovel(name, Errand.REJOIN if hold is Hold.RETRIES else Errand.REPLAY)


def _at_rest(scene: Scene, shovel: str) -> Expectation:
    return expect(scene.target, f"shovel {shovel}", None, "no shovel is at work")


def _some(scene: Scene, field: str, there: int, count: int) -> Expectation:
    return expect(scene.target, f"{field}_min", there + min(1, count), f"{scene.shown} has messages {field}")

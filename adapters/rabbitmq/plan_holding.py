"""Plans that keep messages from the workers for a while: pause, finish, and resume, which ends both."""

from adapters.rabbitmq import orders
from adapters.rabbitmq.api import QueueBinding
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.finishing import Wait, binding_args, finished
from adapters.rabbitmq.moving import Counted, Move
from adapters.rabbitmq.names import Errand, Hold, Place
from adapters.rabbitmq.plans import Draft, Scene, effect, expect, finished_plan
from adapters.rabbitmq.shovels import DIVERT_PREFETCH, twice
from console.domain.actions import Effect, Expectation, ExpiryHome, Plan, Step
from console.domain.text import clean
from console.domain.verbs import Verb

_AT_RESUME = f"resumed while messages come in, those just on their way (up to {DIVERT_PREFETCH:,}) come twice"
_NO_ORDER = "what was held back comes behind what is in the queue by then"


def plan_pause(broker: Broker, scene: Scene) -> Plan:
    """Divert everything into the paused queue, before any worker, until it is resumed."""
    place, hold = scene.place, broker.names.holding(scene.place.queue, Hold.PAUSED)
    shovel = broker.names.shovel(place.queue, Errand.PAUSE)
    there = scene.held[Hold.PAUSED]
    draft = Draft(
        scene,
        Verb.PAUSE,
        [orders.declare(Place(place.vhost, hold), scene.kind), orders.divert(place, hold, shovel)],
        f"workers get nothing from {scene.shown}: what waits and what comes in is kept in {clean(hold, 100)}",
        [expect(scene.target, "diverted", True, f"{scene.shown} is diverted")],
    )
    return finished_plan(
        broker, draft,
        changes={"diverted": True},
        undo=(orders.unshovel(place.vhost, shovel), _give_back(broker, scene, there + scene.ready, None)),
        undo_expects=_resumed(scene),
        tidy=(orders.unshovel(place.vhost, broker.names.shovel(place.queue, Errand.RESUME)),),
        expiry_home=ExpiryHome.ENGINE,
        effects=(
            effect(f"{scene.shown} waiting", scene.ready, 0),
            effect(f"{scene.shown} held back", there, there + scene.ready, words="and what comes in"),
        ),
        notes=("messages that workers hold already are finished by them", _AT_RESUME, twice(scene.kind), _NO_ORDER),
    )  # fmt: skip


def plan_resume(broker: Broker, scene: Scene, per_s: float | None = None) -> Plan:
    """End the divert (and a finish's detour), then give back what was held."""
    place, there = scene.place, scene.held[Hold.PAUSED]
    rate = per_s or broker.options.replay_per_s
    steps = _let_in(broker, scene, scene.detour)
    if scene.diverted:
        steps.append(orders.unshovel(place.vhost, broker.names.shovel(place.queue, Errand.PAUSE)))
    steps.append(_give_back(broker, scene, there, per_s))
    words = f"workers of {scene.shown} get everything again; {there:,} that were held back, {rate:,.0f} a second"
    draft = Draft(scene, Verb.RESUME, steps, words, list(_resumed(scene)))
    return finished_plan(
        broker, draft,
        changes={"diverted": False},
        expiry_home=ExpiryHome.NOBODY,
        tidy=(orders.unshovel(place.vhost, broker.names.shovel(place.queue, Errand.RESUME)),),
        effects=(
            effect(f"{scene.shown} held back", there, 0, words=f"in about {there / rate:,.0f} s"),
            effect(f"{scene.shown} waiting", scene.ready, scene.ready + there),
        ),
        notes=(_NO_ORDER, _AT_RESUME) if scene.diverted else (_NO_ORDER,),
    )  # fmt: skip


def plan_finish(broker: Broker, scene: Scene) -> Plan:
    """Hold new work back where it comes over a named exchange, and wait for the workers."""
    place, hold = scene.place, Place(scene.place.vhost, broker.names.holding(scene.place.queue, Hold.PAUSED))
    unacked = scene.row.unacked
    total = scene.ready + unacked
    waiting = orders.wait(Wait(place, total, finished(scene.row), diverted=bool(scene.intake)))
    direct = f"what is published straight to {scene.shown} (the default exchange) cannot be held back: it is worked on"
    if not scene.intake:
        draft = Draft(
            scene, Verb.FINISH, [waiting],
            f"workers finish the {total:,} messages of {scene.shown}; new ones come in as before",
            [expect(scene.target, "there", True, f"{scene.shown} is there")],
        )  # fmt: skip
        return finished_plan(
            broker, draft, expiry_home=ExpiryHome.NOBODY, effects=_finish_effects(scene, total),
            notes=("no named exchange feeds it, so nothing can be held back", direct),
        )  # fmt: skip
    steps = [orders.declare(hold, scene.kind), *_detour(scene.intake, hold, place), waiting]
    draft = Draft(
        scene, Verb.FINISH, steps,
        f"workers finish the {total:,} messages of {scene.shown}; new ones are kept in {clean(hold.queue, 100)}",
        [expect(scene.target, "intake", 0, f"nothing is routed into {scene.shown}")],
    )  # fmt: skip
    return finished_plan(
        broker, draft,
        changes={"intake": []},
        undo=(*_let_in_all(scene.intake, hold, place), _give_back(broker, scene, scene.held[Hold.PAUSED], None)),
        undo_expects=(
            expect(scene.target, "intake", len(scene.intake), f"new messages come into {scene.shown}"),
            expect(scene.target, "paused", 0, "nothing is held back"),
        ),
        tidy=(orders.unshovel(place.vhost, broker.names.shovel(place.queue, Errand.RESUME)),),
        expiry_home=ExpiryHome.ENGINE,
        effects=_finish_effects(scene, total),
        notes=(
            f"{len(scene.intake)} bindings lead to the holding queue meanwhile; none is lost, those that come in the "
            "moment between binding and unbinding come twice",
            direct,
            "a message that a worker never acknowledges keeps it from ending",
        ),
    )  # fmt: skip


def _finish_effects(scene: Scene, total: int) -> tuple[Effect, ...]:
    return (effect(f"{scene.shown} waiting or worked on", total, 0),)


def _resumed(scene: Scene) -> tuple[Expectation, ...]:
    return (
        expect(scene.target, "diverted", False, f"{scene.shown} is not diverted"),
        expect(scene.target, "paused", 0, "nothing is held back"),
    )


def _give_back(broker: Broker, scene: Scene, count: int, per_s: float | None) -> Step:
    """Everything in the paused queue back to the queue."""
    name, rate = scene.place.queue, per_s or broker.options.replay_per_s
    return orders.move(
        Move(
            vhost=scene.place.vhost, source=broker.names.holding(name, Hold.PAUSED), target=name,
            shovel=broker.names.shovel(name, Errand.RESUME), total=count, base=count,
            counted=Counted.SOURCE, per_s=rate,
        )
    )  # fmt: skip


def _detour(intake: list[QueueBinding], hold: Place, place: Place) -> list[Step]:
    """Bind the holding queue first, then unbind: between the two a message goes to both, and never to neither."""
    there = [orders.bind(binding_args(hold, one)) for one in intake]
    return [*there, *(orders.unbind(binding_args(place, one)) for one in intake)]


def _let_in_all(intake: list[QueueBinding], hold: Place, place: Place) -> list[Step]:
    back = [orders.bind(binding_args(place, one)) for one in intake]
    return [*back, *(orders.unbind(binding_args(hold, one)) for one in intake)]


def _let_in(broker: Broker, scene: Scene, detour: list[QueueBinding]) -> list[Step]:
    hold = Place(scene.place.vhost, broker.names.holding(scene.place.queue, Hold.PAUSED))
    return _let_in_all(detour, hold, scene.place)

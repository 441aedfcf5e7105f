"""Steps as data: what stands in the audit log, and what it means when it is read again."""

from dataclasses import asdict
from typing import Any

from adapters.nats.finishing import Wait
from adapters.nats.giving_back import Replay
from adapters.nats.names import Place
from adapters.nats.parking import Park
from console.domain.actions import Step
from console.domain.durations import words_of
from console.domain.text import clean

PAUSE, RESUME, DECLARE, PARK, REPLAY, WAIT, SETTLE = (
    "consumer.pause", "consumer.resume", "parking.declare", "park", "replay", "wait", "settle",
)  # fmt: skip


def pause(place: Place, seconds: float) -> Step:
    """Pause a consumer for so long."""
    words = f"pause {shown(place)} for {words_of(seconds)}; the server itself ends it"
    return Step(op=PAUSE, args={**_args(place), "seconds": seconds}, words=words)


def resume(place: Place) -> Step:
    """End the pause of a consumer."""
    return Step(op=RESUME, args=_args(place), words=f"resume {shown(place)}")


def declare(place: Place) -> Step:
    """Make the parking stream where there is none."""
    return Step(op=DECLARE, args=_args(place), words=f"make the parking stream of {shown(place)} (file, no limits)")


def park(order: Park) -> Step:
    """Move what waits into the parking stream."""
    words = f"copy {order.total:,} messages of {shown(order.place)} to its parking stream, each deleted once it is kept"
    return Step(op=PARK, args=_flat(order), words=words, lasting=True)


def replay(order: Replay) -> Step:
    """Give back what is parked."""
    words = (
        f"give {order.total:,} parked messages of {shown(order.place)} back, {order.per_s:,.0f} a second at the most"
    )
    return Step(op=REPLAY, args=_flat(order), words=words, lasting=True)


def wait(order: Wait) -> Step:
    """Wait for the workers."""
    words = f"wait until workers have finished {order.total:,} messages of {shown(order.place)}"
    return Step(op=WAIT, args=_flat(order), words=words, lasting=True)


def settle(place: Place, until: str) -> Step:
    """Leave no message both parked and waiting, and the consumer's pause as it was before."""
    words = f"leave no message of {shown(place)} half moved, and its workers as they were"
    return Step(op=SETTLE, args={**_args(place), "until": until}, words=words)


def place_of(args: dict[str, Any]) -> Place:
    """The consumer that a step's arguments mean."""
    return Place(args["stream"], args["consumer"])


def park_of(args: dict[str, Any]) -> Park:
    """The park that a step's arguments mean."""
    return Park(**_whole(args))


def replay_of(args: dict[str, Any]) -> Replay:
    """The replay that a step's arguments mean."""
    return Replay(**_whole(args))


def wait_of(args: dict[str, Any]) -> Wait:
    """The wait that a step's arguments mean."""
    return Wait(**_whole(args))


def shown(place: Place) -> str:
    """A consumer's name for a person."""
    return clean(place.name, 80)


def _args(place: Place) -> dict[str, Any]:
    return {"stream": place.stream, "consumer": place.consumer}


def _flat(order: Park | Replay | Wait) -> dict[str, Any]:
    fields = asdict(order)
    del fields["place"]
    return {**_args(order.place), **fields}


def _whole(args: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in args.items() if key not in ("stream", "consumer")}
    return {"place": place_of(args), **rest}

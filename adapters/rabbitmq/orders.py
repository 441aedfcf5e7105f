"""The steps of this adapter's plans, made and read in one place: each is data that lies in the audit log."""

from pathlib import Path
from typing import Any

from adapters.rabbitmq.exporting import Export
from adapters.rabbitmq.finishing import Wait
from adapters.rabbitmq.moving import Counted, Move
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.sorting import Sort, Which
from console.domain.actions import Step
from console.domain.text import clean

DECLARE, DIVERT, UNSHOVEL, BIND, UNBIND = "queue.declare", "shovel.divert", "shovel.delete", "bind", "unbind"
MOVE, SORT, EXPORT, WAIT = "shovel.move", "sort", "export", "wait"


def declare(place: Place, kind: str) -> Step:
    """Make a holding queue where there is none."""
    args = {"vhost": place.vhost, "queue": place.queue, "type": kind}
    return Step(op=DECLARE, args=args, words=f"PUT queue {_shown(place.queue)} ({kind}, durable, no limits)")


def divert(source: Place, target: str, shovel: str) -> Step:
    """Set the divert shovel going."""
    args = {"vhost": source.vhost, "source": source.queue, "target": target, "shovel": shovel}
    words = (
        f"PUT shovel {_shown(shovel)}: everything from {_shown(source.queue)} to {_shown(target)}, before any worker"
    )
    return Step(op=DIVERT, args=args, words=words)


def unshovel(vhost: str, shovel: str) -> Step:
    """Take a shovel away."""
    return Step(op=UNSHOVEL, args={"vhost": vhost, "shovel": shovel}, words=f"DELETE shovel {_shown(shovel)}")


def bind(args: dict[str, Any]) -> Step:
    """Bring an exchange's messages into a queue; `args` as `finishing.binding_args` makes them."""
    return Step(op=BIND, args=args, words=f"bind {_shown(args['queue'])} to {_shown(args['exchange'])}")


def unbind(args: dict[str, Any]) -> Step:
    """Take a binding away."""
    return Step(op=UNBIND, args=args, words=f"unbind {_shown(args['queue'])} from {_shown(args['exchange'])}")


def move(order: Move) -> Step:
    """Move a count of messages by shovels."""
    args: dict[str, Any] = {
        "vhost": order.vhost, "source": order.source, "target": order.target, "shovel": order.shovel,
        "total": order.total, "base": order.base, "counted": str(order.counted), "per_s": order.per_s,
    }  # fmt: skip
    rate = "" if order.per_s is None else f", {order.per_s:,.0f} a second at the most"
    words = f"shovel {order.total:,} messages from {_shown(order.source)} to {_shown(order.target)}{rate}"
    return Step(op=MOVE, args=args, words=words, lasting=True)


def sort(order: Sort) -> Step:
    """Look at a count of messages and move those that are wanted."""
    args: dict[str, Any] = {
        "vhost": order.place.vhost, "queue": order.place.queue, "target": order.target, "which": str(order.which),
        "of": order.of, "total": order.total, "base": order.base, "per_s": order.per_s,
    }  # fmt: skip
    what = "retries" if order.which is Which.RETRIES else f"dead letters of {_shown(order.of)}"
    words = f"read {order.total:,} messages of {_shown(order.place.queue)}, put the {what} into {_shown(order.target)}"
    return Step(op=SORT, args=args, words=words, lasting=True)


def export(order: Export) -> Step:
    """Write a count of messages to a file and take them away."""
    args = {
        "vhost": order.place.vhost, "queue": order.place.queue, "file": str(order.file), "total": order.total
    }  # fmt: skip
    words = f"write {order.total:,} messages of {_shown(order.place.queue)} to {order.file}, then take them away"
    return Step(op=EXPORT, args=args, words=words, lasting=True)


def wait(order: Wait) -> Step:
    """Wait for the workers."""
    args = {
        "vhost": order.place.vhost, "queue": order.place.queue, "total": order.total, "acked": order.acked,
        "diverted": order.diverted,
    }  # fmt: skip
    words = f"wait until workers have finished {order.total:,} messages of {_shown(order.place.queue)}"
    return Step(op=WAIT, args=args, words=words, lasting=True)


def move_of(args: dict[str, Any]) -> Move:
    """The move that a step's arguments mean."""
    return Move(**{**args, "counted": Counted(args["counted"])})


def sort_of(args: dict[str, Any]) -> Sort:
    """The sorting that a step's arguments mean."""
    return Sort(
        place=_place(args), target=args["target"], which=Which(args["which"]), of=args["of"], total=args["total"],
        base=args["base"], per_s=args["per_s"],
    )  # fmt: skip


def export_of(args: dict[str, Any]) -> Export:
    """The export that a step's arguments mean."""
    return Export(_place(args), Path(args["file"]), args["total"])


def wait_of(args: dict[str, Any]) -> Wait:
    """The wait that a step's arguments mean."""
    return Wait(_place(args), args["total"], args["acked"], args["diverted"])


def _place(args: dict[str, Any]) -> Place:
    return Place(args["vhost"], args["queue"])


def _shown(name: str) -> str:
    return clean(name, 80)

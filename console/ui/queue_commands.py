"""The commands that work on a queue: two with a key, each verb by its name, and none that is called a drain."""

from collections.abc import Sequence

from console.domain.actions import Verb
from console.domain.readings import Queue
from console.domain.refs import Kind
from console.ui.command import Command, can, do
from console.ui.desk import Desk
from console.ui.targets import near_by, target_of
from console.ui.view.doing import stoppable

_RATES = ("100", "500", "1000")


def _queue(desk: Desk, what: str) -> tuple[Queue | None, str]:
    near = near_by(desk.board, desk.selected(), Kind.QUEUE, what)
    reading = desk.board.readings.get(near.ref) if near.ref else None
    return (reading if isinstance(reading, Queue) else None), near.why_not


def _no_backlog(desk: Desk) -> str:
    return desk.lost or _queue(desk, "finish or park")[1]


def _choose(desk: Desk, _: str) -> None:
    queue, _why = _queue(desk, "finish or park")
    if queue is not None:
        desk.choose(queue.ref)


def _hold_verb(desk: Desk) -> Verb:
    queue, _ = _queue(desk, "pause")
    return Verb.RESUME if queue is not None and queue.paused else Verb.PAUSE


def _cannot_hold(desk: Desk) -> str:
    return desk.lost or target_of(desk.board, desk.selected(), _hold_verb(desk)).why_not


def _hold(desk: Desk, argument: str) -> None:
    do(_hold_verb(desk))(desk, argument)


def _nothing_to_stop(desk: Desk) -> str:
    return desk.lost or ("" if stoppable(desk.board, desk.selected()) else "no long action is under way")


def _stop(desk: Desk, _: str) -> None:
    receipt = stoppable(desk.board, desk.selected())
    if receipt is not None:
        desk.act(receipt.intent.target, Verb.STOP, receipt.id)


def _rates(_: Desk) -> Sequence[str]:
    return _RATES


def _verb(verb: Verb, title: str, help_: str) -> Command:
    rated = verb in (Verb.REPLAY, Verb.REQUEUE)
    if rated:
        return Command(
            str(verb),
            title,
            help_,
            do(verb),
            argument="[PER_S]",
            why_not=can(verb),
            choices=_rates,
            group="Queues",
        )
    return Command(str(verb), title, help_, do(verb), why_not=can(verb), group="Queues")


QUEUE_ACTS: tuple[Command, ...] = (
    Command(
        "backlog",
        "Finish/park",
        "Choose what becomes of the work that waits in the queue under the cursor: finish, park, what else fits.",
        _choose,
        "d",
        why_not=_no_backlog,
        group="Queues",
        bar=True,
    ),
    Command(
        "hold",
        "Pause",
        "Pause the queue under the cursor, or resume it when it is paused.",
        _hold,
        "p",
        why_not=_cannot_hold,
        group="Queues",
        bar=True,
    ),
    _verb(Verb.PAUSE, "Pause", "Give the workers of a queue nothing more for a while; what comes in is kept."),
    _verb(Verb.RESUME, "Resume", "End a pause: the workers get everything again."),
    _verb(Verb.FINISH, "Finish", "Let the workers finish what waits now; new work is held back where that can be."),
    _verb(Verb.PARK, "Park", "Set what waits now aside; the workers go on with what is new."),
    _verb(Verb.REPLAY, "Replay", "Put what was set aside back into its queue, at a limited rate."),
    _verb(Verb.REQUEUE, "Requeue", "Put the dead letters of a queue back into it, at a limited rate."),
    _verb(Verb.ISOLATE, "Isolate", "Set the retries of a queue aside, so that first tries get through."),
    _verb(Verb.PURGE, "Purge", "Take every waiting message away for good, after each has been written to a file."),
    Command(
        "stop",
        "Stop",
        "End a long action early: the selected queue's, otherwise the newest. What it has moved stays where it is.",
        _stop,
        why_not=_nothing_to_stop,
        group="Queues",
    ),
)
"""In the order of the help."""

"""Checks of a queue: who takes from it, and whether what comes back can be worked on."""

from console.control.aftermath import HELD_BACK
from console.control.guard.case import PASS, REFUSE, TYPE_NAME, WARN, Case
from console.domain.actions import Check, Finish, Isolate, Park, Pause, Replay, Requeue, Resume
from console.domain.health import GROWING_PART
from console.domain.readings import Queue

_BACK = Replay | Requeue
"""What gives messages back to the workers."""


def paused(case: Case) -> Check:
    """What needs workers makes no sense while they get nothing."""
    queue = _queue(case)
    if queue is None or not queue.paused:
        return Check("paused", PASS, "it is not paused")
    way_out = f"resume {case.name} first"
    if isinstance(case.intent.action, _BACK):
        return Check("paused", REFUSE, f"{case.name} is paused: what comes back would only be held; {way_out}")
    if isinstance(case.intent.action, Finish):
        return Check("paused", REFUSE, f"{case.name} is paused: no worker can finish anything; {way_out}")
    held = case.restored
    if isinstance(case.intent.action, Resume) or (held and any(part.verb in HELD_BACK for part in held.parts)):
        return Check("paused", PASS, "this ends the pause")
    return Check("paused", WARN, f"{case.name} is paused")


def workers(case: Case) -> Check:
    """Whether there are workers, for what is done for them or against them."""
    queue, action = _queue(case), case.intent.action
    if queue is None or (queue.consumers is None and not isinstance(action, Finish)):
        return Check("workers", WARN, "nobody can say whether workers are there")
    if queue.consumers:
        return Check("workers", PASS, f"{queue.consumers} workers take from it")
    match action:
        case Finish() if queue.consumers is None:
            return Check("workers", WARN, "nobody can say whether workers are there: without one this has no end")
        case Finish():
            words = f"no worker takes from {case.name}: nothing would be finished; park sets aside what waits"
            return Check("workers", REFUSE, words)
        case Replay() | Requeue():
            words = f"no worker takes from {case.name}: what comes back only waits there"
            return Check("workers", TYPE_NAME, words)
        case Pause() | Park() | Isolate():
            return Check("workers", WARN, f"no worker takes from {case.name} anyway")
        case _:
            return Check("workers", WARN, f"no worker takes from {case.name}")


def growth(case: Case) -> Check:
    """A queue that grows already gets more by what comes back."""
    queue = _queue(case)
    grows = None if queue is None else queue.growth_per_min
    if grows is None:
        return Check("growth", PASS, "whether it grows is not known")
    if queue is not None and grows > GROWING_PART * (queue.in_per_min or 0.0) and isinstance(case.intent.action, _BACK):
        words = f"{case.name} grows by {grows:,.0f} a minute already: what comes back waits behind {queue.depth:,}"
        return Check("growth", WARN, words)
    return Check("growth", PASS, f"it grows by {grows:,.0f} a minute" if grows > 0 else "it does not grow")


def _queue(case: Case) -> Queue | None:
    found = case.board.readings.get(case.target)
    return found if isinstance(found, Queue) else None

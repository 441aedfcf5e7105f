"""What can be done to which queue now, and why not: declared, and held to by the plans."""

from adapters.simulator.queues.job_queue import JobQueue
from console.domain.readings import Ability
from console.domain.verbs import Verb


def of_queue(queue: JobQueue, *, exports: bool) -> tuple[Ability, ...]:
    """Every queue verb; `exports` is whether there is a folder that a purge can write to."""
    why = {
        Verb.PAUSE: "it is paused already" if queue.paused_until is not None else "",
        Verb.RESUME: "" if queue.paused_until is not None else "it is not paused",
        Verb.PARK: _waiting(queue),
        Verb.REPLAY: "" if queue.aside else "nothing of it is set aside",
        Verb.FINISH: _finish(queue),
        Verb.REQUEUE: "" if queue.dead else "it has no dead letters",
        Verb.ISOLATE: "" if any(message.tries for message in queue.backlog) else "no retry waits in it",
        Verb.PURGE: _waiting(queue) if exports else "there is no folder to write its messages to first",
    }
    return tuple(Ability(verb, able=not reason, reason=reason) for verb, reason in why.items())


def _waiting(queue: JobQueue) -> str:
    return "" if len(queue.backlog) else "nothing waits in it"


def _finish(queue: JobQueue) -> str:
    if queue.paused_until is not None:
        return "it is paused: its workers finish nothing; resume it first"
    if queue.diverted:
        return "it is being finished already"
    return "" if len(queue.backlog) or queue.in_flight else "nothing waits in it, and nothing is worked on"

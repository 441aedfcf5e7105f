"""From a queue verb to steps, their way back and what has to be seen: made by looking, touching nothing."""

from pathlib import Path
from typing import Any, Final

from adapters.simulator.plans import fingerprint
from adapters.simulator.queues.abilities import of_queue
from adapters.simulator.queues.broker import NODE, Broker
from adapters.simulator.queues.export import path_of
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.queues.movers import STORES, Errand, Mover
from adapters.simulator.queues.orders import MOVE, WAIT, arguments, hold, intake, release, stop
from console.domain.actions import (
    Effect,
    Expectation,
    ExpiryHome,
    Finish,
    Isolate,
    Park,
    Pause,
    Plan,
    Purge,
    QueueAction,
    Replay,
    Requeue,
    Resume,
    Step,
)
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Kind, Ref
from console.domain.text import clean

PARK_PER_S: Final = 40.0
"""Messages a second that are set aside."""

BACK_PER_S: Final = 8.0
"""Messages a second that come back, unless the operator says otherwise: the workers and their route have to bear it."""


class QueuePlanner:
    """Makes plans for one source's queues as they are now."""

    def __init__(self, broker: Broker, source: str, exports: Path | None) -> None:
        self._broker = broker
        self._source = source
        self._exports = exports

    def plan(self, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
        """See `Queues.plan_queue`."""
        queue = self._able(target, action)
        parts = self._parts(target, queue, action, ttl_s)
        return Plan(
            target=target,
            verb=action.verb,
            generation=fingerprint(parts["before"]),
            replicas=(NODE,),
            converge_s=10.0,
            **parts,
        )

    def generation(self, plan: Plan) -> str:
        """The fingerprint of the plan's fields as the broker holds them now: none of them moves with traffic."""
        queue = self._broker.queues[plan.target.name]
        now = _state(queue)
        return fingerprint({key: now[key] for key in plan.before})

    def _parts(self, target: Ref, queue: JobQueue, action: QueueAction, ttl_s: float) -> dict[str, Any]:
        match action:
            case Pause():
                return self._pause(target, queue, ttl_s)
            case Resume():
                return self._resume(target, queue)
            case Park():
                return self._set_aside(target, queue, Errand.PARK)
            case Isolate():
                return self._set_aside(target, queue, Errand.ISOLATE)
            case Replay():
                return self._replay(target, queue, action)
            case Finish():
                return self._finish(target, queue)
            case Requeue():
                return self._requeue(target, queue, action)
            case Purge():
                return self._purge(target, queue)

    def _able(self, target: Ref, action: QueueAction) -> JobQueue:
        queue = self._broker.queues.get(target.name) if target.kind is Kind.QUEUE else None
        if queue is None or target.source != self._source:
            shown = clean(str(target))
            raise BackendError(
                ErrorKind.UNSUPPORTED, f"there is no {shown} that knows {action.verb}", where=self._source
            )
        for ability in of_queue(queue, exports=self._exports is not None):
            if ability.verb is action.verb and not ability.able:
                raise BackendError(ErrorKind.UNSUPPORTED, ability.reason, where=str(target))
        if isinstance(action, Replay | Requeue) and action.fault:
            raise BackendError(ErrorKind.UNSUPPORTED, action.fault, where=str(target))
        return queue

    def _pause(self, target: Ref, queue: JobQueue, ttl_s: float) -> dict[str, Any]:
        name, shown = queue.spec.name, clean(queue.spec.name)
        return {
            "steps": (hold(name, {"ttl_s": ttl_s}, f"give the workers of {shown} nothing"),),
            "expects": (_expect(target, "paused", True, f"{shown} is paused"),),
            "undo": (release(name, f"give the workers of {shown} messages again"),),
            "undo_expects": (_expect(target, "paused", False, f"{shown} is not paused"),),
            "before": {"paused_until": None},
            "after": {"paused_until": round(self._broker.world.now + ttl_s)},
            "expiry_home": ExpiryHome.BACKEND,
            "words": f"workers get nothing from {shown}; what comes in is kept",
            "notes": (f"the {queue.in_flight} jobs that are worked on are finished",),
        }

    def _resume(self, target: Ref, queue: JobQueue) -> dict[str, Any]:
        name, shown = queue.spec.name, clean(queue.spec.name)
        return {
            "steps": (release(name, f"give the workers of {shown} messages again"),),
            "expects": (_expect(target, "paused", False, f"{shown} is not paused"),),
            "undo": (hold(name, {"until": queue.paused_until}, f"pause {shown} as before"),),
            "undo_expects": (_expect(target, "paused", True, f"{shown} is paused"),),
            "before": {"paused_until": queue.paused_until},
            "after": {"paused_until": None},
            "expiry_home": ExpiryHome.NOBODY,
            "words": f"workers of {shown} get everything again, {len(queue.backlog):,} that wait first",
        }

    def _set_aside(self, target: Ref, queue: JobQueue, errand: Errand) -> dict[str, Any]:
        """Park, or only the retries."""
        name, shown = queue.spec.name, clean(queue.spec.name)
        store, what, field = ("parked", "messages", "waiting")
        if errand is Errand.ISOLATE:
            store, what, field = ("retries", "retries", "retries")
        mover = Mover(errand, PARK_PER_S, mark=queue.backlog.entry, stamp=self._broker.world.now)
        there, total = len(getattr(queue, store)), mover.left(queue)
        back = Mover(Errand.REPLAY, BACK_PER_S, keep={store: there}, stamp=mover.stamp)
        return {
            "steps": (_move(name, mover, total, f"set {total:,} {what} of {shown} aside"),),
            "expects": (_expect(target, f"{field}<={mover.mark}", 0, f"none of them waits in {shown}"),),
            "undo": (_move(name, back, total, f"put what was set aside of {shown} back"),),
            "undo_expects": (_expect(target, f"{store}>{there}", 0, f"none of them is set aside from {shown}"),),
            "before": {store: there},
            "after": {store: there + total},
            "expiry_home": ExpiryHome.NOBODY,
            "tidy": (stop(name),),
            "back_per_s": mover.per_s,
            "words": f"{total:,} {what} that wait in {shown} now are set aside; workers go on with what is new",
            "effects": (_effect(f"{shown} set aside", there, there + total),),
        }

    def _replay(self, target: Ref, queue: JobQueue, action: Replay) -> dict[str, Any]:
        name, shown = queue.spec.name, clean(queue.spec.name)
        mover = Mover(Errand.REPLAY, action.per_s or BACK_PER_S, keep=dict.fromkeys(STORES, 0))
        mover.stamp = self._broker.world.now
        total = mover.left(queue)
        opened = (intake(name, diverted=False, words=f"let new jobs into {shown} again"),) if queue.diverted else ()
        expects = tuple(_expect(target, store, 0, f"no {store} message of {shown} is set aside") for store in STORES)
        fields = {store: len(getattr(queue, store)) for store in STORES if store != "held"}
        return {
            "steps": (*opened, _move(name, mover, total, f"put {total:,} messages of {shown} back")),
            "expects": expects,
            "before": fields,
            "after": dict.fromkeys(fields, 0),
            "expiry_home": ExpiryHome.NOBODY,
            "tidy": (stop(name),),
            "words": f"{total:,} messages that were set aside come back to {shown}, {mover.per_s:g} a second",
            "effects": (_effect(f"{shown} waiting", len(queue.backlog), len(queue.backlog) + total),),
        }

    def _finish(self, target: Ref, queue: JobQueue) -> dict[str, Any]:
        name, shown = queue.spec.name, clean(queue.spec.name)
        total = len(queue.backlog) + queue.in_flight
        back = Mover(Errand.REPLAY, BACK_PER_S, keep={"held": 0}, stamp=self._broker.world.now)
        wait = Step(
            op=WAIT, args={"queue": name, "total": total}, words=f"wait for the workers of {shown}", lasting=True
        )
        return {
            "steps": (intake(name, diverted=True, words=f"hold new jobs for {shown} back"), wait),
            "expects": (
                _expect(target, "diverted", True, f"new jobs for {shown} are held back"),
                _expect(target, "unfinished", 0, f"nothing waits in {shown} and nothing is worked on"),
            ),
            "undo": (
                intake(name, diverted=False, words=f"let new jobs into {shown} again"),
                _move(name, back, 0, f"put the jobs that were held back into {shown}"),
            ),
            "undo_expects": (
                _expect(target, "diverted", False, f"new jobs come into {shown}"),
                _expect(target, "held", 0, f"no job for {shown} is held back"),
            ),
            "before": {"diverted": False},
            "after": {"diverted": True},
            "expiry_home": ExpiryHome.ENGINE,
            "tidy": (stop(name),),
            "words": f"the workers finish the {total:,} jobs of {shown}; new ones are held back and kept",
        }

    def _requeue(self, target: Ref, queue: JobQueue, action: Requeue) -> dict[str, Any]:
        name, shown = queue.spec.name, clean(queue.spec.name)
        mover = Mover(Errand.REQUEUE, action.per_s or BACK_PER_S, mark=queue.dead_entry, stamp=self._broker.world.now)
        total = mover.left(queue)
        return {
            "steps": (_move(name, mover, total, f"put {total:,} dead letters of {shown} back"),),
            "expects": (_expect(target, f"dead<={mover.mark}", 0, f"none of them is a dead letter of {shown}"),),
            "before": {"requeued": queue.requeued},
            "after": {"requeued": queue.requeued + total},
            "expiry_home": ExpiryHome.NOBODY,
            "tidy": (stop(name),),
            "words": f"{total:,} dead letters come back to {shown}, {mover.per_s:g} a second, as if never tried",
            "notes": ("there is no way back: what fails again is dead again",),
            "effects": (_effect(f"{shown} dead letters", len(queue.dead), len(queue.dead) - total, bad=False),),
        }

    def _purge(self, target: Ref, queue: JobQueue) -> dict[str, Any]:
        name, shown = queue.spec.name, clean(queue.spec.name)
        mover = Mover(Errand.PURGE, 0.0, mark=queue.backlog.entry, stamp=self._broker.world.now)
        total = mover.left(queue)
        file = clean(str(path_of(self._exports, name, round(mover.stamp)))) if self._exports else ""
        step = _move(name, mover, total, f"write {total:,} messages of {shown} to a file, then delete them")
        return {
            "steps": (step,),
            "expects": (_expect(target, f"waiting<={mover.mark}", 0, f"none of them waits in {shown}"),),
            "before": {"purged": queue.purged},
            "after": {"purged": queue.purged + total},
            "expiry_home": ExpiryHome.NOBODY,
            "tidy": (stop(name),),
            "words": f"{total:,} messages of {shown} are written to a file and deleted; what is worked on stays",
            "notes": (f"there is no way back but the file: {file}",),
            "effects": (_effect(f"{shown} waiting", total, 0, bad=True),),
        }


def _state(queue: JobQueue) -> dict[str, Any]:
    """What only operators change."""
    return {
        "paused_until": queue.paused_until,
        "diverted": queue.diverted,
        "parked": len(queue.parked),
        "retries": len(queue.retries),
        "requeued": queue.requeued,
        "purged": queue.purged,
    }


def _move(name: str, mover: Mover, total: int, words: str) -> Step:
    return Step(op=MOVE, args=arguments(name, mover, total), words=words, lasting=True)


def _expect(ref: Ref, field: str, value: Any, words: str) -> Expectation:
    return Expectation(ref=ref, field=field, value=value, words=words)


def _effect(label: str, before: float, after: float, *, bad: bool = False) -> Effect:
    return Effect(label=label, before=before, after=after, unit="messages", bad=bad)

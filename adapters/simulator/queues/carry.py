"""Lasting steps: look, set going what is missing, watch, tell, and return when the broker shows that it is done."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from adapters.simulator.queues.export import append, path_of
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.queues.movers import Errand, Mover
from adapters.simulator.queues.orders import WAIT, mover_of, queue_of
from adapters.simulator.stage import Stage
from console.domain.actions import Progress, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

TELL_S: Final = 1.0
"""Seconds between two looks."""

PURGE_AT_ONCE: Final = 50
"""Messages that are exported and deleted between two looks."""

Tell = Callable[[Progress], None]


class Carrier:
    """Carries the lasting steps of one broker's plans."""

    def __init__(self, stage: Stage, exports: Path | None) -> None:
        self._stage = stage
        self._broker = stage.broker()
        self._exports = exports

    async def carry(self, step: Step, tell: Tell) -> None:
        """See `Mover.carry`."""
        before: Progress | None = None
        while True:
            await self._stage.catch_up()
            queue = queue_of(self._broker, step)
            left = _left(step, queue)
            before = _progress(step, queue, left, before)
            tell(before)
            if left == 0:
                return
            self._push(step, queue)
            await self._stage.clock.sleep(TELL_S)

    async def count(self, step: Step) -> Progress:
        """See `Mover.count`."""
        await self._stage.catch_up()
        queue = queue_of(self._broker, step)
        return _progress(step, queue, _left(step, queue), None)

    def _push(self, step: Step, queue: JobQueue) -> None:
        """See to it that it goes on."""
        if step.op == WAIT:
            return
        mover = mover_of(step)
        if queue.mover is None or not queue.mover.same(mover):
            if queue.mover is not None and queue.mover.running:
                what = queue.mover.errand
                raise BackendError(
                    ErrorKind.CONFLICT,
                    f"a {what} of {clean(queue.spec.name)} is under way",
                    way_out="wait for its end, or stop it",
                )
            queue.mover = mover
        queue.mover.running = True
        if why := mover.why_stuck(queue):
            queue.mover.running = False
            raise BackendError(ErrorKind.FAILED, why, way_out="replay what is set aside first")
        if mover.errand is Errand.PURGE:
            self._purge(queue, queue.mover)

    def _purge(self, queue: JobQueue, mover: Mover) -> None:
        """First to the file, then away: whoever dies in between leaves a message in both, never in neither."""
        if self._exports is None:
            raise BackendError(ErrorKind.UNSUPPORTED, "there is no folder to write its messages to first")
        messages = queue.backlog.choose(lambda message: message.entry <= mover.mark, PURGE_AT_ONCE)
        try:
            append(path_of(self._exports, queue.spec.name, round(mover.stamp)), queue.spec.name, messages)
        except OSError as error:
            mover.running = False
            raise BackendError(
                ErrorKind.FAILED, f"the messages could not be written ({error.strerror}); none of these was deleted"
            ) from error
        queue.purge(messages)
        mover.moved += len(messages)
        mover.running = mover.left(queue) > 0


def _left(step: Step, queue: JobQueue) -> int:
    return len(queue.backlog) + queue.in_flight if step.op == WAIT else mover_of(step).left(queue)


def _progress(step: Step, queue: JobQueue, left: int, before: Progress | None) -> Progress:
    """How far it is now, with `before` what it was one look ago."""
    words = ""
    if step.op == WAIT:
        done = max(step.args["total"], left) - left
        words = "it is paused: its workers finish nothing" if queue.paused_until is not None else ""
    else:
        done = queue.mover.moved if queue.mover is not None and queue.mover.same(mover_of(step)) else 0
    per_s = None if before is None else max(0, done - before.done) / TELL_S
    left_s = left / per_s if per_s else None
    return Progress(done=done, total=done + left, per_s=per_s, left_s=left_s, words=words)

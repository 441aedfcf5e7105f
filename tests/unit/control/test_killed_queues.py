"""The same deaths before the simulated broker, whose workers go on all the time: every message is accounted for."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.simulator import SimulatorOptions
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.queues.job_queue import JobQueue
from console.domain.actions import Finish, Intent, Outcome, Park, Progress, Purge, QueueAction, Requeue, Step
from console.domain.ports import AdapterContext
from console.domain.refs import Kind, Ref
from tests.unit.control.house import House
from tests.unit.control.test_killed import Killer
from tests.unit.control.test_killed_simulator import WORLD, SimulatedHouse, live

QUEUE = Ref(WORLD, Kind.QUEUE, "chat-jobs")


class MortalQueues(SimulatedQueues):
    """The simulated broker, seen by an engine that can be killed around each call and at each word of progress."""

    killer = Killer()
    calls: list[str]

    async def execute(self, step: Step) -> None:
        self.killer.instant()
        await super().execute(step)
        self.calls.append(step.words)
        self.killer.instant()

    async def carry(self, step: Step, tell: Callable[[Progress], None]) -> None:
        def told(progress: Progress) -> None:
            self.killer.instant()
            tell(progress)

        self.killer.instant()
        await super().carry(step, told)
        self.killer.instant()


class QueuesHouse(SimulatedHouse):
    """A broker that outlives its engines, in the middle of an outage."""

    def __init__(self, path: Path, exports: Path) -> None:
        House.__init__(self, path)
        options = SimulatorOptions(scenario="outage-with-retries", seed=7, part="queues")
        context = AdapterContext(WORLD, self.clock, lambda ref: ref, 4.0, options, exports=exports)
        self.queues = MortalQueues(context)
        self.queues.calls = []
        self.world = self.queues  # type: ignore[assignment]  # the house looks at it and arms it, no more

    @property
    def queue(self) -> JobQueue:
        return self.queues.broker.queues[QUEUE.name]

    def missing(self) -> int:
        return self.queue.came - self.queue.done - self.queue.purged - self.queue.everything()


@pytest.mark.parametrize("action", [Park(), Requeue(), Purge(), Finish()], ids=lambda action: action.verb)
async def test_killed_at_every_instant_of_a_lasting_action_on_the_simulated_queues(
    tmp_path: Path, action: QueueAction
) -> None:
    death, struck = 0, True
    while struck:
        exports = tmp_path / f"{death}"
        h = QueuesHouse(tmp_path / f"{death}.db", exports)
        # A finish has to wait for the workers, so it begins before the backlog is long; the first jobs die later.
        await h.clock.advance(30.0 if isinstance(action, Finish) else 240.0)
        killer = Killer(death)
        killer.armed = True
        await live(h, killer, Intent(target=QUEUE, action=action, reason="drill", ttl_s=3600.0))
        struck = killer.struck
        await h.clock.advance(1)
        await h.engine(Killer())
        await h.clock.advance(90)
        await asyncio.sleep(0)
        confirmed = await h.audit.rows("event = 'confirmed'")
        done = await h.audit.rows("event = 'done'")
        assert len(done) == len(confirmed)
        receipts = list(h.store.board.receipts.values())
        assert all(receipt.outcome is Outcome.VERIFIED for receipt in receipts), [one.words for one in receipts]
        assert h.missing() == 0
        assert h.queue.mover is None or not h.queue.mover.running
        if confirmed and isinstance(action, Park):
            assert len(h.queue.parked) == (h.queue.mover.moved if h.queue.mover else 0) > 0
        if confirmed and isinstance(action, Purge):
            (file,) = exports.iterdir()
            assert len(file.read_text().splitlines()) >= h.queue.purged > 0
        if confirmed and isinstance(action, Finish):
            assert h.queue.diverted
            assert not len(h.queue.backlog)
        if confirmed and isinstance(action, Requeue):
            assert h.queue.requeued > 0
        await h.kill()
        death += 1
    assert death > 8

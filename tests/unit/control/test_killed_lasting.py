"""An engine killed at any instant of an action that lasts: every row, every call and every look of what is carried.

What moves messages is the broker's own and goes on while no engine is there. Every message is counted.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from console.control.rows import Confirmed, StepRow
from console.domain.actions import (
    Action,
    Finish,
    Isolate,
    Outcome,
    OverrideState,
    Park,
    Pause,
    Receipt,
    Replay,
    Requeue,
    Restore,
    Stop,
    Verb,
)
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.wire import AuditRow
from tests.unit.control import test_killed
from tests.unit.control.backend import refused
from tests.unit.control.broker import JOBS, Broker
from tests.unit.control.house import ALICE, BOB, House
from tests.unit.control.queue_house import QueueHouse
from tests.unit.control.test_killed import NEVER, Killer

WAITING = 8


def _broker(clock: Clock) -> Broker:
    return Broker(clock, waiting=WAITING, rate=4.0)


class MortalHouse(QueueHouse):
    """A broker that outlives its engines."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _broker)

    async def live(self, killer: Killer, work: Callable[["MortalHouse"], Awaitable[object]] | None) -> None:
        """One engine's life, as in `test_killed`; looks of a carried step are instants too."""
        self.broker.instant = killer.instant

        async def mine(_: House) -> object:
            return await work(self) if work else None

        await test_killed.live(self, killer, mine if work else None)

    async def do(self, action: Action, seconds: float, ttl_s: float | None = None) -> None:
        await self.begin(action, ttl_s=ttl_s)
        await self.clock.advance(seconds)


Work = Callable[[MortalHouse], Awaitable[object]]


@dataclass(frozen=True)
class Story:
    """What happens before the dangerous part, and the dangerous part."""

    name: str
    danger: Work
    before: Work | None = None


async def _park(h: MortalHouse) -> None:
    await h.do(Park(), 20)


async def _stop(h: MortalHouse) -> None:
    await h.stop("")
    await h.clock.advance(20)


async def _park_and_stop(h: MortalHouse) -> None:
    await h.do(Park(), 1)
    await _stop(h)


async def _full(h: MortalHouse) -> None:
    h.broker.full["jobs.parked"] = 3
    await _park(h)


async def _full_replay(h: MortalHouse) -> None:
    h.broker.full["jobs"] = 3
    await _replay(h)


async def _isolate(h: MortalHouse) -> None:
    await h.do(Isolate(), 20)


async def _restore(h: MortalHouse) -> None:
    await h.do(Restore(next(iter(h.store.board.overrides))), 20)


async def _restore_and_stop(h: MortalHouse) -> None:
    await h.do(Restore(next(iter(h.store.board.overrides))), 1)
    await _stop(h)


async def _replay(h: MortalHouse) -> None:
    await h.do(Replay(), 20)


async def _pause(h: MortalHouse) -> None:
    await h.do(Pause(), 10, ttl_s=100)
    for _ in range(WAITING):
        h.broker.publish()


async def _expire(h: MortalHouse) -> None:
    await h.clock.advance(120)


async def _requeue(h: MortalHouse) -> None:
    h.broker.queues["dead"] = list(range(1001, 1001 + WAITING))
    await h.do(Requeue(), 20)


async def _finish(h: MortalHouse) -> None:
    await h.begin(Finish(), ttl_s=10_000)
    h.broker.publish()
    await h.clock.advance(20)


STORIES = (
    Story("park", _park),
    Story("stopped park", _park_and_stop),
    Story("isolate", _isolate),
    Story("full parking queue", _full),
    Story("replay into a full queue", _full_replay, _park),
    Story("restore of a park", _restore, _park),
    Story("stopped restore", _restore_and_stop, _park),
    Story("replay", _replay, _park),
    Story("end of a pause", _expire, _pause),
    Story("requeue", _requeue),
    Story("finish", _finish),
)


async def tell(path: Path, story: Story, deaths: Sequence[int], pause: float) -> tuple[MortalHouse, list[int]]:
    """Play a story with an engine that dies at the given instants, one life each; the instants of each life."""
    h = MortalHouse(path / "audit.db")
    if story.before:
        await h.live(Killer(), story.before)
        h.broker.counts.moves.clear()
    counts, work = list[int](), story.danger
    for death in deaths:
        killer = Killer(death)
        killer.armed = True
        await h.live(killer, work)
        counts.append(killer.seen)
        await h.clock.advance(pause)
        work = _look_round
    return h, counts


async def _look_round(h: MortalHouse) -> None:
    await h.clock.advance(30)


async def check(h: MortalHouse, story: Story, soon: bool) -> None:
    """None lost, none moved twice, nothing goes on by itself, nothing open, and everything that was told is true."""
    h.broker.instant = lambda: None
    h.broker.before_effect = h.broker.after_effect = lambda step: None
    await h.start()
    await h.clock.advance(400)
    calls, messages = len(h.broker.calls), h.messages()
    assert len(messages) == len(set(messages)), "a message is there twice"
    assert set(range(1, h.broker.published + 1)) <= set(messages), "a message is lost"
    assert max(h.broker.counts.moves.values(), default=1) == 1, "a message was moved twice"
    assert h.broker.shovels == {}, "something goes on moving"
    rows = await h.audit.rows("1")
    confirmed = {r.action_id: msgspec.json.decode(r.body, type=Confirmed) for r in rows if r.event == "confirmed"}
    done = {r.action_id: msgspec.json.decode(r.body, type=Receipt) for r in rows if r.event == "done"}
    assert set(confirmed) == set(done), "an action was left open"
    _told_truly(h, story, rows, confirmed, done, soon)
    assert (await h.audit.verify()).holds
    await h.kill()
    await h.start()
    await h.clock.advance(100)
    assert len(h.broker.calls) == calls, "the next start did something again"
    await _put_back(h)
    assert h.messages() == messages
    await h.kill()


def _told_truly(
    h: MortalHouse,
    story: Story,
    rows: Sequence[AuditRow],
    confirmed: dict[str, Confirmed],
    done: dict[str, Receipt],
    soon: bool,
) -> None:
    held = list(h.store.board.overrides.values())
    assert all(override.state is OverrideState.ACTIVE for override in held), h.said()
    parked, kept = h.broker.waiting("jobs.parked"), h.broker.waiting("jobs.held")
    verbs = {override.plan.verb for override in held}
    assert (parked > 0) == bool(verbs & {Verb.PARK, Verb.ISOLATE}), (
        "parked, and nobody holds it; or held, and nothing is parked"
    )
    assert (kept > 0 or bool(h.broker.state["jobs", "diverted"])) == bool(verbs & {Verb.PAUSE, Verb.FINISH})
    last = {confirmed[key].plan.verb: receipt for key, receipt in done.items()}
    for key, receipt in done.items():
        mine = [row for row in rows if row.action_id == key]
        stopped = any(row.event == "stop" for row in mine)
        begun = [msgspec.json.decode(row.body, type=StepRow) for row in mine if row.event == "step-begun"]
        moved = any(confirmed[key].plan.steps[row.index].lasting for row in begun if not row.tidy)
        if stopped:
            assert receipt.outcome in (Outcome.STOPPED, Outcome.VERIFIED)
            assert receipt.progress is not None
            assert receipt.outcome is Outcome.STOPPED or receipt.progress.done == receipt.progress.total
        if moved and not stopped and "full" not in story.name:
            assert receipt.outcome is Outcome.VERIFIED, f"begun, and not gone on with: {receipt.words}"
        if soon and not stopped and "full" not in story.name and receipt.outcome is Outcome.FAILED:
            assert confirmed[key].plan.verb is Verb.STOP, "confirmed, taken up at once, and not done"
    if park := last.get(Verb.PARK):
        assert park.progress is None or story.before or park.progress.done == parked, park.words
        assert (park.outcome is Outcome.VERIFIED) <= (parked == WAITING or story.before is not None)
    if stop := last.get(Verb.STOP):
        target = last.get(Verb.PARK if story.before is None else Verb.RESTORE)
        assert target is not None
        if stop.outcome is Outcome.VERIFIED:
            assert target.outcome in (Outcome.STOPPED, Outcome.VERIFIED)


async def _put_back(h: MortalHouse) -> None:
    """What is held can be put back, whatever happened."""
    h.broker.full.clear()
    for override_id in tuple(h.store.board.overrides):
        proposal = await h.propose(Restore(override_id), JOBS, ALICE)
        assert proposal.verdict.allowed, proposal.verdict.refusals
        await h.confirm(proposal, typed="jobs")
        await h.clock.advance(30)
    assert h.store.board.overrides == {}
    assert h.broker.waiting("jobs.parked") == h.broker.waiting("jobs.held") == 0
    assert not h.broker.state["jobs", "diverted"]


async def run(path: Path, story: Story, deaths: Sequence[int], pause: float) -> list[int]:
    path.mkdir()
    h, counts = await tell(path, story, deaths, pause)
    await check(h, story, soon=pause * len(deaths) < 60)
    return counts


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("pause", [1.0, 300.0], ids=["soon", "late"])
async def test_killed_once_at_every_instant(tmp_path: Path, story: Story, pause: float) -> None:
    (instants,) = await run(tmp_path / "all", story, [NEVER], 1.0)
    assert instants >= 15
    for death in range(instants):
        await run(tmp_path / str(death), story, [death], pause)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_killed_twice(tmp_path: Path, story: Story) -> None:
    """A sample of the pairs of instants: the second death comes while the first is being cleared up."""
    (instants,) = await run(tmp_path / "all", story, [NEVER], 1.0)
    draw = random.Random(story.name)
    for number in range(8):
        deaths = [draw.randrange(instants), draw.randrange(12)]
        await run(tmp_path / f"{number}", story, deaths, 1.0)


async def test_a_stop_that_came_too_late_for_its_engine_is_not_done_by_the_next(tmp_path: Path) -> None:
    """Killed between the yes to the stop and the action's own row of it, and found after the stop's deadline."""
    outcomes = set[Outcome]()
    story = next(story for story in STORIES if story.name == "stopped park")
    (tmp_path / "probe").mkdir()
    _, (instants,) = await tell(tmp_path / "probe", story, [NEVER], 1.0)
    for death in range(instants):
        (tmp_path / str(death)).mkdir()
        h, _ = await tell(tmp_path / str(death), story, [death], 300.0)
        h.broker.instant = lambda: None
        h.broker.before_effect = h.broker.after_effect = lambda step: None
        await h.start()
        await h.clock.advance(100)
        stops = [r for r in h.store.board.receipts.values() if isinstance(r.intent.action, Stop)]
        outcomes |= {receipt.outcome for receipt in stops}
        for receipt in stops:
            park = h.receipt(receipt.intent.action.action_id) if isinstance(receipt.intent.action, Stop) else None
            assert park is not None
            if receipt.outcome is Outcome.FAILED:
                assert park.outcome is Outcome.VERIFIED, "the park went on, as the stop's receipt says"
        await h.kill()
    assert outcomes == {Outcome.VERIFIED, Outcome.FAILED}


async def test_a_stop_on_record_is_not_carried_on_by_the_next_engine(tmp_path: Path) -> None:
    h = MortalHouse(tmp_path / "audit.db")
    await h.start()
    h.broker.rate = 0.2
    park_id = (await h.begin(Park())).id
    await h.clock.advance(6)
    h.broker.faults += [("delete jobs.park", refused(), False) for _ in range(3)]
    stop = await h.stop("")
    await h.clock.advance(0)
    assert "stop" in await h.events(park_id)
    await h.kill()
    h.broker.faults.clear()
    carried = h.broker.calls.count("carry shovel jobs to jobs.parked")
    await h.clock.advance(3)
    await h.start()
    await h.clock.advance(3)
    assert h.broker.calls.count("carry shovel jobs to jobs.parked") == carried
    park = h.receipt(park_id)
    assert park.outcome is Outcome.STOPPED
    assert "1 of 8 parked, 7 left; stopped by bob" in park.words
    assert h.receipt(stop).outcome is Outcome.VERIFIED
    await h.kill()


async def test_a_stop_of_what_is_over_is_refused_at_the_yes(tmp_path: Path) -> None:
    h = MortalHouse(tmp_path / "audit.db")
    await h.start()
    await h.do(Park(), 1)
    proposal = await h.propose(Stop(""), JOBS, BOB)
    await h.clock.advance(20)
    with pytest.raises(Refusal, match="it is over"):
        await h.confirm(proposal, BOB)
    await h.kill()

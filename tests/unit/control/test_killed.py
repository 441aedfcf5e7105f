"""An engine killed at any instant: at every audit row and every call, before it and after it, once and twice.

The killed engine can do nothing more, as after kill -9. The next one has nothing but the audit file.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from console.control.audit import Entry
from console.control.rows import Confirmed
from console.domain.actions import Outcome, OverrideState, Receipt, Reset, Restore, SetWeight, Step, Switch, Trip
from console.domain.wire import AuditQuery, AuditRow
from tests.unit.control.backend import deployment, lost, refused, route
from tests.unit.control.house import House, InlineAudit


class Killed(BaseException):
    """kill -9, as far as Python can."""


class Killer:
    """Counts the instants at which an engine can be killed, and kills it at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.seen = 0
        self.dead = False
        self.struck = False
        """Whether its moment came."""
        self.armed = False

    def instant(self) -> None:
        if self.dead:
            raise Killed
        if not self.armed:
            return
        if self.seen == self.at:
            self.dead = self.struck = True
            raise Killed
        self.seen += 1


class MortalAudit(InlineAudit):
    """The audit log of an engine that can be killed before and after each write."""

    killer: Killer

    async def append_all(self, entries: Sequence[Entry]) -> tuple[AuditRow, ...]:
        self.killer.instant()
        rows = await super().append_all(entries)
        self.killer.instant()
        return rows


@dataclass(frozen=True)
class Story:
    """What happens before the dangerous part, the dangerous part, and what has to be true in the end."""

    name: str
    danger: Callable[[House], Awaitable[object]]
    before: Callable[[House], Awaitable[object]] | None = None
    repeatable: bool = True
    """Whether what was begun and did not happen may be done again; otherwise it is reported as not done."""
    ends: str = "after"
    """`after`: done when taken up soon, never half; `before`: put back in every case."""


async def _switch(h: House) -> None:
    await h.act(Switch("spare"), route("main"), ttl_s=600)


async def _trip(h: House) -> None:
    await h.act(Trip(), deployment("a"), ttl_s=600)


async def _restore(h: House) -> None:
    await h.act(Restore(next(iter(h.store.board.overrides))))


async def _pass(h: House) -> None:
    await h.clock.advance(700)


async def _refused(h: House) -> None:
    h.backend.faults.append(("switch main flag=1", refused(), False))
    await _switch(h)


async def _lost(h: House) -> None:
    h.backend.faults.append(("switch main flag=1", lost(), True))
    await _switch(h)


async def _weigh(h: House) -> None:
    await h.act(SetWeight(1.0), deployment("a"), ttl_s=600)


async def _both(h: House) -> None:
    await _trip(h)
    await _weigh(h)


async def _reset(h: House) -> None:
    await h.act(Reset(), deployment("a"))


STORIES = (
    Story("trip", _trip),
    Story("switch", _switch, repeatable=False),
    Story("lost answer", _lost, repeatable=False),
    Story("refused later step", _refused, ends="before"),
    Story("restore", _restore, _switch, ends="before"),
    Story("expiry", _pass, _switch, ends="before"),
    Story("takes over", _weigh, _trip),
    Story("undo of both", _restore, _both, ends="before"),
    Story("reset", _reset, _trip, ends="before"),
)


async def live(h: House, killer: Killer, work: Callable[[House], Awaitable[object]] | None) -> None:
    """One engine's life: it starts, works until it is done or dead, and is gone."""
    audit = MortalAudit(h.path, h.clock)
    audit.killer = killer

    def instant(_: Step) -> None:
        killer.instant()

    h.backend.before_effect = h.backend.after_effect = instant
    await h.start(audit)
    worker = asyncio.ensure_future(work(h) if work else h.clock.advance(30))
    while not worker.done() and not killer.dead:
        await asyncio.sleep(0)
    killer.dead = True
    worker.cancel()
    with suppress(asyncio.CancelledError, Killed):
        await worker
    await h.kill()


async def tell(path: Path, story: Story, deaths: Sequence[int], pause: float) -> tuple[House, list[int]]:
    """Play a story with an engine that dies at the given instants, one life each; the instants of each life."""
    h = House(path / "audit.db")
    if story.before:
        await live(h, Killer(), story.before)
    counts, work = list[int](), story.danger
    for death in deaths:
        killer = Killer(death)
        killer.armed = True
        await live(h, killer, work)
        counts.append(killer.seen)
        await h.clock.advance(pause)
        work = _look_round
    return h, counts


async def _look_round(h: House) -> None:
    await h.clock.advance(30)


async def check(h: House, story: Story, initial: dict[tuple[str, str], object], soon: bool) -> None:
    """No step twice, none half done, nothing open, and every receipt true."""
    h.backend.before_effect = h.backend.after_effect = lambda step: None
    await h.start()
    await h.clock.advance(400)
    calls = len(h.backend.calls)
    once = {words: count for words, count in h.backend.effects.items() if "switch" in words}
    assert all(count == 1 for count in once.values()), once
    rows = await h.audit.rows("1")
    confirmed = {
        row.action_id: msgspec.json.decode(row.body, type=Confirmed) for row in rows if row.event == "confirmed"
    }
    done = {row.action_id: msgspec.json.decode(row.body, type=Receipt) for row in rows if row.event == "done"}
    assert set(confirmed) == set(done), "an action was left open"
    touched = {key for key in initial if h.backend.state[key] != initial[key]}
    held = list(h.store.board.overrides.values())
    assert all(override.state is OverrideState.ACTIVE for override in held), h.said()
    told = {(e.ref.name, e.field): e.value for override in held for e in override.plan.expects}
    assert all(h.backend.state[key] == value for key, value in told.items()), "an override that is not there"
    assert touched <= set(told), f"changed and nobody holds it: {touched}"
    for action_id, receipt in done.items():
        if receipt.outcome is Outcome.FAILED and action_id == list(done)[-1] and story.ends == "after":
            assert not {(e.ref.name, e.field) for e in confirmed[action_id].plan.expects} & touched
    if story.ends == "before" and done:
        _must_be_back(story, confirmed, touched, soon)
    elif soon and story.repeatable and len(confirmed) > (1 if story.before else 0):
        assert touched, "confirmed, taken up at once, and lost"
    assert (await h.audit.verify()).holds
    await h.kill()
    await h.start()
    await h.clock.advance(100)
    assert len(h.backend.calls) == calls, "the next start did something again"
    await h.kill()


def _must_be_back(story: Story, confirmed: dict[str, Confirmed], touched: set[tuple[str, str]], soon: bool) -> None:
    asked = [item.plan.verb for item in confirmed.values()]
    if story.name == "expiry" or "restore" in asked or (story.name == "reset" and soon and "reset" in asked):
        assert not touched, f"{story.name}: not put back: {touched}"


async def run(path: Path, story: Story, deaths: Sequence[int], pause: float) -> list[int]:
    path.mkdir()
    probe = House(path / "none.db")
    initial = dict(probe.backend.state)
    h, counts = await tell(path, story, deaths, pause)
    await check(h, story, initial, soon=pause * len(deaths) < 60)
    return counts


NEVER = 10_000


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("pause", [1.0, 300.0], ids=["soon", "late"])
async def test_killed_once_at_every_instant(tmp_path: Path, story: Story, pause: float) -> None:
    (instants,) = await run(tmp_path / "all", story, [NEVER], 1.0)
    assert instants >= 8
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


async def test_the_driver_sees_rows_and_calls(tmp_path: Path) -> None:
    """A trip: confirmed, begun, the call, done, applied, done: each before and after."""
    story = STORIES[0]
    (tmp_path / "x").mkdir()
    h, (instants,) = await tell(tmp_path / "x", story, [NEVER], 1.0)
    await h.start()
    assert instants == 2 * 6
    assert len(await h.audit.page(AuditQuery())) == 7
    await h.kill()

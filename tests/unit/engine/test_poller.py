"""A source's task never dies, never hurries, and never lets an old number look new."""

import asyncio
import random
import statistics
from typing import Any

import msgspec
import pytest

from console.domain.errors import BackendError, ErrorKind
from console.domain.freshness import Freshness
from console.domain.readings import Observation, ReplicaStatus
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.clock import ManualClock
from console.engine.poller import BREAKER_FAILURES, LONGEST_BACKOFF_S, Poller
from console.engine.store import Store
from tests.unit.engine.parts import Rig, ScriptedAdapter, deployment, observation


def refuses() -> Any:
    async def look() -> Observation:
        raise BackendError(ErrorKind.UNREACHABLE, "connection refused", way_out="start it")

    return look


def raises(error: BaseException) -> Any:
    async def look() -> Observation:
        raise error

    return look


class TestRhythm:
    async def test_a_healthy_source_is_looked_at_once_an_interval_and_none_is_missed(self) -> None:
        rig = Rig(interval_s=2.0, timeout_s=1.5)
        await rig.for_(600.0)
        assert len(rig.adapter.begun) in (300, 301)
        assert rig.poller.missed == 0

    async def test_looks_jitter_and_do_not_drift(self) -> None:
        rig = Rig(interval_s=10.0)
        await rig.for_(1000.0)
        late = [begun % 10.0 for begun in rig.adapter.begun]
        assert min(late) >= 0.0
        assert max(late) <= 1.0
        assert statistics.pstdev(late) > 0.1

    async def test_two_sources_of_one_interval_do_not_march_in_step(self) -> None:
        one, other = Rig(seed=1), Rig(seed=2)
        await one.for_(100.0, spread_s=5.0)
        await other.for_(100.0, spread_s=5.0)
        assert all(abs(a - b) > 0.001 for a, b in zip(one.adapter.begun, other.adapter.begun, strict=False))

    async def test_first_look_begins_within_the_spread(self) -> None:
        first = []
        for seed in range(20):
            rig = Rig(seed=seed)
            await rig.for_(3.0, spread_s=2.0)
            first.append(rig.adapter.begun[0])
        assert 0.0 <= min(first) < 0.5
        assert 1.5 < max(first) <= 2.0

    async def test_a_look_that_takes_nearly_the_whole_interval_loses_no_look(self) -> None:
        rig = Rig(interval_s=5.0, timeout_s=4.5)

        async def slow() -> Observation:
            await rig.clock.sleep(4.4)
            return await rig.adapter.well()

        rig.adapter.look = slow
        await rig.for_(500.0)
        assert len(rig.adapter.begun) in (100, 101)
        assert rig.adapter.most_running == 1

    async def test_time_for_a_look_is_always_less_than_the_interval(self) -> None:
        assert Rig(interval_s=2.0, timeout_s=4.0).poller.timeout_s == pytest.approx(1.8)

    async def test_points_that_passed_are_counted_and_not_made_up_for(self) -> None:
        rig = Rig(interval_s=5.0)
        jumped = False

        async def asleep() -> Observation:
            nonlocal jumped
            if not jumped:  # the machine was suspended in the middle of a look
                jumped = True
                rig.clock._now += 52.0
            return await rig.adapter.well()

        rig.adapter.look = asleep
        await rig.for_(60.0)
        assert rig.poller.missed == 10
        assert len(rig.adapter.begun) <= 14


class TestWhatIsPut:
    async def test_a_source_is_on_the_board_before_its_first_answer(self) -> None:
        rig = Rig()
        rig.adapter.look = rig.adapter.hang
        await rig.for_(1.0)
        assert rig.freshness() is Freshness.MISSING
        assert rig.source.failure is None

    async def test_it_counts_as_missing_from_its_first_look_on(self) -> None:
        rig = Rig()
        rig.adapter.look = rig.adapter.hang
        await rig.for_(5.0, spread_s=3.0)
        assert rig.source.since == pytest.approx(rig.clock.now() - 5.0 + rig.adapter.begun[0])

    async def test_a_good_look_puts_everything(self) -> None:
        rig = Rig()

        async def look() -> Observation:
            at = rig.clock.now()
            return Observation(
                observed_at=at,
                readings=(deployment(at),),
                replicas=(ReplicaStatus(name="a", url="http://a", up=True),),
                notes=("no database",),
                requests=2,
            )

        rig.adapter.look = look
        await rig.for_(7.0)
        assert rig.freshness() is Freshness.FRESH
        assert rig.source.notes == ("no database",)
        assert [replica.name for replica in rig.source.replicas] == ["a"]
        assert rig.source.adapter == "scripted"
        assert rig.source.stale_after_s == 15.0
        assert len(rig.store.board.readings) == 2

    async def test_a_look_that_finds_nothing_new_carries_one_number(self) -> None:
        rig = Rig()
        changes: list[Change] = []
        rig.store.listen(changes.append)
        await rig.for_(23.0)
        assert len(changes) == 6  # missing, first look, and four that found nothing new
        assert all(c.readings == () and set(c.observed) == {"gateway"} for c in changes[2:])
        assert rig.store.last_ok("gateway") == changes[-1].observed["gateway"]

    async def test_a_failure_keeps_the_last_values_and_says_why(self) -> None:
        rig = Rig()
        await rig.for_(1.0)
        rig.adapter.look = refuses()
        await rig.for_(6.0)
        assert rig.source.failure is not None
        assert rig.source.failure.kind is ErrorKind.UNREACHABLE
        assert rig.freshness() is Freshness.FRESH
        assert any(r.ref.kind is Kind.DEPLOYMENT for r in rig.store.board.readings.values())

    async def test_what_a_backend_says_of_itself_cannot_end_a_stream(self) -> None:
        rig = Rig()

        async def look() -> Observation:
            at = rig.clock.now()
            return Observation(
                observed_at=at,
                readings=(deployment(at),),
                replicas=(ReplicaStatus(name="a", url="http://a", up=True, version="1.0\ud800"),),
                requests=1,
            )

        rig.adapter.look = look
        await rig.for_(1.0)
        msgspec.json.encode(rig.store.snapshot())
        assert [problem.kind for problem in rig.source.problems] == [ErrorKind.MALFORMED]

    async def test_readings_of_another_source_are_left_out_and_said(self) -> None:
        rig = Rig()

        async def look() -> Observation:
            at = rig.clock.now()
            return observation(at, deployment(at), deployment(at, source="other"))

        rig.adapter.look = look
        await rig.for_(1.0)
        assert {r.ref.source for r in rig.store.board.readings.values()} == {"gateway"}
        assert [problem.kind for problem in rig.source.problems] == [ErrorKind.MALFORMED]


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (ValueError("bad\x1b[31m shape"), ErrorKind.MALFORMED),
            (KeyError("data"), ErrorKind.MALFORMED),
            (msgspec.ValidationError("expected int"), ErrorKind.MALFORMED),
            (TimeoutError(), ErrorKind.TIMEOUT),
            (ConnectionResetError("gone"), ErrorKind.UNREACHABLE),
            (RuntimeError("odd"), ErrorKind.FAILED),
            (asyncio.CancelledError(), ErrorKind.TIMEOUT),
            (ExceptionGroup("two", [ValueError("a"), BackendError(ErrorKind.FORBIDDEN, "no")]), ErrorKind.FORBIDDEN),
        ],
    )
    async def test_whatever_an_adapter_raises_is_a_reading(self, error: BaseException, kind: ErrorKind) -> None:
        rig = Rig()
        rig.adapter.look = raises(error)
        await rig.for_(11.0)
        assert rig.source.failure is not None
        assert rig.source.failure.kind is kind
        assert "\x1b" not in rig.source.failure.message
        assert len(rig.adapter.begun) == 3

    async def test_an_answer_of_another_type_is_malformed(self) -> None:
        rig = Rig()

        async def look() -> Any:
            return {"readings": []}

        rig.adapter.look = look
        await rig.for_(1.0)
        assert rig.source.failure is not None
        assert rig.source.failure.kind is ErrorKind.MALFORMED

    async def test_a_hanging_look_is_ended_at_the_timeout(self) -> None:
        rig = Rig(interval_s=5.0, timeout_s=3.0)
        rig.adapter.look = rig.adapter.hang
        await rig.for_(3.5)
        assert rig.source.failure is not None
        assert rig.source.failure.kind is ErrorKind.TIMEOUT
        assert rig.adapter.running == 0

    async def test_a_look_that_cannot_be_ended_is_not_repeated_beside_itself(self) -> None:
        rig = Rig(interval_s=5.0, timeout_s=3.0)
        stuck = asyncio.Event()

        async def deaf() -> Observation:
            while not stuck.is_set():
                try:
                    await stuck.wait()
                except asyncio.CancelledError:
                    continue
            return await rig.adapter.well()

        rig.adapter.look = deaf
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(40.0)
        assert rig.adapter.most_running == 1
        assert rig.freshness() is Freshness.MISSING
        assert rig.source.failure is not None
        rig.adapter.look = rig.adapter.well
        stuck.set()
        await rig.clock.advance(70.0)
        assert rig.freshness() is Freshness.FRESH
        task.cancel()
        await asyncio.wait((task,))

    async def test_a_listener_at_fault_ends_no_poller(self) -> None:
        rig = Rig()

        def at_fault(change: Change) -> None:
            raise RuntimeError("not the poller's fault")

        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(1.0)
        rig.store.listen(at_fault)
        await rig.clock.advance(30.0)
        assert not task.done()
        assert len(rig.adapter.begun) >= 6
        task.cancel()
        await asyncio.wait((task,))

    async def test_an_adapter_that_is_no_adapter_is_a_failure_too(self) -> None:
        rig = Rig()
        rig.adapter.observe = lambda: None  # type: ignore[assignment, method-assign, return-value]
        await rig.for_(11.0)
        assert rig.source.failure is not None
        assert rig.source.failure.kind is ErrorKind.MALFORMED
        assert rig.poller.polls == 3


class TestStale:
    async def test_a_source_that_fails_turns_stale_after_three_intervals(self) -> None:
        rig = Rig(interval_s=5.0)
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(1.0)
        well_at = rig.source.last_ok_at
        assert well_at is not None
        rig.adapter.look = refuses()
        await rig.clock.advance(well_at + 14.9 - rig.clock.now())
        assert rig.freshness() is Freshness.FRESH
        await rig.clock.advance(0.2)
        assert rig.freshness() is Freshness.STALE
        assert rig.source.since == pytest.approx(well_at + 15.0, abs=0.1)
        task.cancel()
        await asyncio.wait((task,))

    async def test_it_turns_stale_by_the_clock_while_a_look_hangs(self) -> None:
        rig = Rig(interval_s=30.0, timeout_s=27.0)
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(1.0)

        async def deaf() -> Observation:
            while True:
                try:
                    await asyncio.get_running_loop().create_future()
                except asyncio.CancelledError:
                    if rig.clock.monotonic() > 500:
                        raise

        rig.adapter.look = deaf
        changes: list[Change] = []
        rig.store.listen(changes.append)
        await rig.clock.advance(200.0)
        assert rig.freshness() is Freshness.STALE
        assert rig.source.since == pytest.approx(rig.clock._start + 90.0, abs=1.0)
        rig.clock._now += 400.0
        task.cancel()
        await asyncio.wait((task,))

    async def test_a_wall_clock_that_is_set_back_makes_nothing_new(self) -> None:
        rig = Rig(interval_s=5.0)
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(1.0)
        rig.adapter.look = refuses()
        wall = rig.clock.now
        rig.clock.now = lambda: wall() - 3600.0  # type: ignore[method-assign]
        await rig.clock.advance(20.0)
        assert rig.freshness() is Freshness.STALE
        task.cancel()
        await asyncio.wait((task,))

    async def test_one_good_look_makes_it_fresh(self) -> None:
        rig = Rig(interval_s=5.0)
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(1.0)
        rig.adapter.look = refuses()
        await rig.clock.advance(300.0)
        assert rig.freshness() is Freshness.STALE
        rig.adapter.look = rig.adapter.well
        await rig.clock.advance(LONGEST_BACKOFF_S + 1.0)
        assert rig.freshness() is Freshness.FRESH
        assert rig.source.failure is None
        task.cancel()
        await asyncio.wait((task,))


class TestBackoff:
    async def test_gaps_double_up_to_a_minute(self) -> None:
        rig = Rig(interval_s=5.0)
        rig.adapter.look = refuses()
        await rig.for_(400.0)
        gaps = rig.gaps
        assert all(4.4 <= gap <= 5.6 for gap in gaps[: BREAKER_FAILURES - 1])
        assert 8.0 <= gaps[2] <= 10.6
        assert 16.0 <= gaps[3] <= 20.6
        assert all(48.0 <= gap <= LONGEST_BACKOFF_S + 0.6 for gap in gaps[5:])

    async def test_the_first_good_look_brings_the_whole_rhythm_back(self) -> None:
        rig = Rig(interval_s=5.0)
        rig.adapter.look = refuses()
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(400.0)
        rig.adapter.look = rig.adapter.well
        await rig.clock.advance(LONGEST_BACKOFF_S)
        begun = len(rig.adapter.begun)
        await rig.clock.advance(50.0)
        assert 9 <= len(rig.adapter.begun) - begun <= 11
        assert rig.poller.missed == 0
        task.cancel()
        await asyncio.wait((task,))

    async def test_it_is_said_when_it_begins_and_when_it_ends(self) -> None:
        rig = Rig(interval_s=5.0)
        rig.adapter.look = refuses()
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(300.0)
        rig.adapter.look = rig.adapter.well
        await rig.clock.advance(100.0)
        words = [entry.words for entry in rig.store.board.log]
        assert len(words) == 2
        assert "connection refused" in words[0]
        assert "answers again" in words[1]
        task.cancel()
        await asyncio.wait((task,))

    async def test_a_backend_that_asks_for_patience_gets_it(self) -> None:
        rig = Rig(interval_s=5.0)
        rig.adapter.look = raises(BackendError(ErrorKind.THROTTLED, "slow down", retry_after_s=45.0))
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(20.0)
        rig.poller.poll_soon()
        await rig.clock.advance(20.0)
        assert len(rig.adapter.begun) == 1
        await rig.clock.advance(10.0)
        assert len(rig.adapter.begun) == 2
        task.cancel()
        await asyncio.wait((task,))


class TestBudget:
    @pytest.mark.parametrize(("cost", "per_minute"), [(3, 30.0), (7, 60.0), (50, 20.0), (1, 1.0)])
    async def test_no_minute_ever_costs_more(self, cost: int, per_minute: float) -> None:
        rig = Rig(interval_s=2.0, timeout_s=1.0, requests_per_minute=per_minute)
        rng = random.Random(3)
        spent: list[tuple[float, int]] = []

        async def look() -> Observation:
            part = rng.choice((cost, cost, max(1, cost // 2)))
            part = cost if not spent else part
            spent.append((rig.clock.monotonic(), part))
            return observation(rig.clock.now(), requests=part)

        rig.adapter.look = look
        await rig.for_(1800.0)
        assert len(spent) >= 5
        window = 60.0 * max(1.0, cost / per_minute)
        for end, _ in spent:
            held = sum(part for at, part in spent if end - window < at <= end)
            assert held <= max(per_minute, cost)

    async def test_the_interval_on_the_board_grows_with_it(self) -> None:
        rig = Rig(interval_s=2.0, requests_per_minute=30.0)

        async def look() -> Observation:
            return observation(rig.clock.now(), requests=10)

        rig.adapter.look = look
        await rig.for_(65.0)
        assert rig.source.interval_s == 20.0
        assert rig.freshness() is Freshness.FRESH
        assert "every 20 s instead of 2 s" in rig.source.notes[-1]
        assert rig.poller.missed == 0

    async def test_failures_cost_too(self) -> None:
        rig = Rig(interval_s=2.0, requests_per_minute=6.0)
        rig.adapter.look = refuses()
        await rig.for_(60.0)
        assert len(rig.adapter.begun) <= 6

    async def test_asking_for_a_look_does_not_break_it(self) -> None:
        rig = Rig(interval_s=30.0, requests_per_minute=4.0)
        task = asyncio.create_task(rig.poller.run())
        for _ in range(120):
            rig.poller.poll_soon()
            await rig.clock.advance(0.5)
        assert len(rig.adapter.begun) <= 5
        task.cancel()
        await asyncio.wait((task,))


class TestPollSoon:
    async def test_a_look_begins_at_once(self) -> None:
        rig = Rig(interval_s=60.0)
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(10.0)
        rig.poller.poll_soon()
        await rig.clock.advance(0.5)
        assert len(rig.adapter.begun) == 2
        task.cancel()
        await asyncio.wait((task,))

    async def test_in_the_middle_of_a_look_another_one_follows_it(self) -> None:
        rig = Rig(interval_s=60.0, timeout_s=10.0)

        async def slow() -> Observation:
            await rig.clock.sleep(4.0)
            return await rig.adapter.well()

        rig.adapter.look = slow
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(2.0)
        rig.poller.poll_soon()
        rig.poller.poll_soon()
        await rig.clock.advance(20.0)
        assert rig.adapter.begun == [0.0, 4.0]
        assert rig.adapter.most_running == 1
        task.cancel()
        await asyncio.wait((task,))

    async def test_the_grid_stays(self) -> None:
        rig = Rig(interval_s=10.0)
        task = asyncio.create_task(rig.poller.run())
        await rig.clock.advance(3.0)
        rig.poller.poll_soon()
        await rig.clock.advance(98.0)
        assert len(rig.adapter.begun) == 12
        assert rig.poller.missed == 0
        task.cancel()
        await asyncio.wait((task,))


async def test_cancelling_ends_the_look_and_the_watchdog() -> None:
    rig = Rig()
    rig.adapter.look = rig.adapter.hang
    before = asyncio.all_tasks()
    await rig.for_(1.0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert rig.adapter.running == 0


async def test_at_the_end_a_look_is_over_before_its_adapter_is_closed() -> None:
    rig = Rig()
    ended: list[str] = []

    async def tidies_up() -> Observation:
        try:
            return await rig.adapter.hang()
        finally:
            for _ in range(30):
                await asyncio.sleep(0)
            ended.append("look")
            raise RuntimeError("closed under it")

    rig.adapter.look = tidies_up
    await rig.for_(1.0)
    assert ended == ["look"]


async def test_a_poller_that_was_never_well_says_missing_not_stale() -> None:
    clock = ManualClock()
    store = Store("test", clock)
    adapter = ScriptedAdapter(clock)
    adapter.look = refuses()
    poller = Poller(
        "new",
        "scripted",
        adapter,
        store,
        clock,
        interval_s=5,
        timeout_s=4,
        requests_per_minute=None,
        rng=random.Random(1),
    )
    task = asyncio.create_task(poller.run())
    await clock.advance(600.0)
    assert store.board.freshness(Ref("new", Kind.SOURCE, "new")) is Freshness.MISSING
    task.cancel()
    await asyncio.wait((task,))

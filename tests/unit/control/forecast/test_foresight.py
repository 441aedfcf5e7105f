"""Forecasts of one engine, on an injected clock: shown, waited for, compared, kept through a restart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.simulator import SPEC, SimulatorOptions
from adapters.simulator.adapter import SimulatorAdapter
from console.control.access import Grants
from console.control.control import Control
from console.control.forecast.days import Days
from console.domain.actions import Action, Intent, Receipt, SetWeight, Trip
from console.domain.forecasts import HORIZON_S, Quantity
from console.domain.freshness import Freshness
from console.domain.ports import AdapterContext
from console.domain.readings import Source
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.domain.wire import Confirm, History, HistoryQuery
from console.engine.clock import ManualClock
from console.engine.history import Memory
from console.engine.store import Store
from console.forecast.daily import PER_DAY, SLOT_S
from tests.unit.control.house import ALICE, House, InlineAudit

T = TypeVar("T")

GATEWAY = "gw"
AZURE = Ref(GATEWAY, Kind.DEPLOYMENT, "chat-azure")
CLAUDE = Ref(GATEWAY, Kind.DEPLOYMENT, "summarise-claude")
LOOK_S = 60.0
"""An engine that looks once a minute, at a world that moves in steps of 20 s, is as good here, and cheap."""


class Inline(Executor):
    """The thread of the forecasts' file, without the thread: on a manual clock, time stands still while it writes."""

    def __init__(self, **_: object) -> None:
        """Takes what a pool of threads takes."""

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  who asked for it gets it
            done.set_exception(error)
        return done


class Platform(House):
    """The simulated platform in calm, and an engine that remembers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path / "audit.db")
        self.forecasts = path / "forecasts.sqlite"
        options = SimulatorOptions(scenario="calm", seed=7, speed=1.0, tick_s=20.0)
        self.world = SimulatorAdapter(AdapterContext(GATEWAY, self.clock, lambda ref: ref, 4.0, options))

    async def begin(self) -> None:
        self.audit = InlineAudit(self.path, self.clock)
        await self.audit.open()
        self.store = Store("test", self.clock)
        self.memory = Memory(self.clock.now())
        self.store.listen(self.memory.feed)
        grants = Grants(self.config, self.clock, self.audit, self.store, ALICE.uid)
        self.control = Control(
            "test", self.config, self.store, {GATEWAY: self.world}, self.audit, grants, self.clock, lambda _: None,
            past=lambda ref, metric, s: self.memory.lately(ref, metric, s, self.clock.now()), forecasts=self.forecasts,
        )  # fmt: skip
        await self.look()
        self.task = asyncio.ensure_future(self.control.run())

    async def look(self, freshness: Freshness = Freshness.FRESH, down: tuple[str, ...] = ()) -> None:
        now = self.clock.now()
        source = Source(
            ref=Ref(GATEWAY, Kind.SOURCE, GATEWAY), observed_at=now, adapter=SPEC.name, freshness=freshness,
            interval_s=LOOK_S, last_ok_at=now,
        )  # fmt: skip
        self.store.observe(source, await self.world.observe())

    async def live(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK_S)):
            await self.clock.advance(LOOK_S)
            await self.look()
        await self.clock.advance(0.0)

    async def done(self, action: Action, target: Ref, ttl_s: float = 3600.0) -> Receipt:
        intent = Intent(target=target, action=action, reason="drill", ttl_s=ttl_s)
        proposal = await self.control.propose(intent, ALICE)
        assert proposal.forecast is not None
        return await self.control.confirm(Confirm(proposal_id=proposal.id, typed_name=target.name), ALICE)


@pytest.fixture
async def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    monkeypatch.setattr("console.control.forecast.keeping.ThreadPoolExecutor", Inline)
    built = Platform(tmp_path)
    await built.begin()
    await built.live(600.0)
    yield built
    await built.kill()


async def test_a_proposal_shows_the_action_nothing_and_what_else_could_be_done(platform: Platform) -> None:
    proposal = await platform.control.propose(Intent(target=AZURE, action=Trip(), reason="drill"), ALICE)
    assert proposal.forecast is not None
    own, nothing, *others = proposal.forecast.courses
    assert (own.words, own.verb, nothing.words, nothing.verb) == ("trip chat-azure", Verb.TRIP, "do nothing", None)
    assert [one.verb for one in others] == [Verb.WEIGHT, Verb.WEIGHT]
    for course in (own, nothing, *others):
        assert [row.quantity for row in course.foreseen] == [Quantity.ERRORS, Quantity.HEADROOM, Quantity.USD_PER_H]
        assert all(row.then is not None and row.words for row in course.foreseen)
    assert "has been compared yet" in proposal.forecast.words


async def test_the_receipt_and_the_log_say_how_it_came_out(platform: Platform) -> None:
    receipt = await platform.done(Trip(), AZURE)
    assert receipt.forecast is not None
    assert receipt.outturn is None
    await platform.live(HORIZON_S + 2 * LOOK_S)
    outturn = platform.receipt(receipt.id).outturn
    assert outturn is not None
    assert outturn.counts
    assert [row.quantity for row in outturn.rows] == [Quantity.ERRORS, Quantity.HEADROOM, Quantity.USD_PER_H]
    assert all(row.error is not None and row.error < 0.3 for row in outturn.rows), outturn
    assert "trip chat-azure: after 15 min errors" in platform.said()
    rows = platform.control.calibration()
    assert {(row.verb, row.quantity, row.count) for row in rows} == {
        (Verb.TRIP, q, 1) for q in Quantity if q != "backlog"
    }


async def test_a_comparison_does_not_count_when_the_route_was_acted_on_meanwhile(platform: Platform) -> None:
    first = await platform.done(SetWeight(20.0), AZURE)
    other = await platform.done(SetWeight(1.0), CLAUDE)
    await platform.live(60.0)
    second = await platform.done(Trip(), Ref(GATEWAY, Kind.DEPLOYMENT, "chat-openai"))
    await platform.live(HORIZON_S + LOOK_S)
    outturn = platform.receipt(first.id).outturn
    assert outturn is not None
    assert not outturn.counts
    assert "trip chat-openai came in between" in outturn.words
    apart = platform.receipt(other.id).outturn
    assert apart is not None
    assert apart.counts
    assert {row.verb for row in platform.control.calibration()} == {Verb.WEIGHT, Verb.TRIP}
    assert platform.receipt(second.id).outturn is not None


async def test_what_waits_and_what_was_learnt_outlives_the_engine(platform: Platform) -> None:
    receipt = await platform.done(Trip(), AZURE)
    await platform.live(300.0)
    await platform.kill()
    await platform.begin()
    await platform.live(HORIZON_S - 300.0 + LOOK_S)
    assert "trip chat-azure: after 15 min errors" in platform.said()
    learnt = platform.control.calibration()
    assert learnt
    await platform.kill()
    await platform.begin()
    await platform.clock.advance(0.0)
    assert platform.control.calibration() == learnt
    outturn = platform.receipt(receipt.id).outturn
    assert outturn is not None
    assert outturn.counts


async def test_a_forecast_whose_time_passed_unseen_does_not_count(platform: Platform) -> None:
    receipt = await platform.done(Trip(), AZURE)
    await platform.clock.advance(0.0)
    await platform.kill()
    await platform.clock.advance(2 * HORIZON_S)
    await platform.begin()
    await platform.live(LOOK_S)
    outturn = platform.receipt(receipt.id).outturn
    assert outturn is not None
    assert not outturn.counts
    assert "nobody was looking at the time" in outturn.words
    assert platform.control.calibration() == ()


async def test_doing_nothing_is_held_to_its_word_too(platform: Platform) -> None:
    for _ in range(3):
        await platform.control.propose(Intent(target=AZURE, action=Trip(), reason="drill"), ALICE)
    await platform.live(HORIZON_S + 2 * LOOK_S)
    assert {(row.verb, row.count) for row in platform.control.calibration()} == {(None, 1)}
    assert "after 15 min" not in platform.said()


async def test_a_file_that_cannot_be_read_is_said_and_costs_no_action(tmp_path: Path) -> None:
    built = Platform(tmp_path)
    built.forecasts.write_bytes(b"no database, but something long enough to be taken for one" * 40)
    await built.begin()
    while "forecasts are not kept" not in built.said():  # its own thread says so
        await asyncio.sleep(0.002)
    receipt = await built.done(Trip(), AZURE)
    assert receipt.forecast is not None
    await built.kill()


async def test_the_end_of_an_override_beside_it_is_something_in_between(platform: Platform) -> None:
    await platform.done(SetWeight(20.0), AZURE, ttl_s=300.0)
    await platform.live(60.0)
    first = await platform.done(SetWeight(30.0), Ref(GATEWAY, Kind.DEPLOYMENT, "chat-openai"))
    await platform.live(HORIZON_S + 2 * LOOK_S)
    outturn = platform.receipt(first.id).outturn
    assert outturn is not None
    assert "restore chat-azure came in between" in outturn.words


async def test_a_fault_in_the_model_costs_the_forecast_and_no_action(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr("console.control.forecast.foresight.forecast", broken)
    monkeypatch.setattr("console.control.forecast.foresight.touched_by", broken)
    proposal = await platform.control.propose(Intent(target=AZURE, action=Trip(), reason="drill", ttl_s=60.0), ALICE)
    assert proposal.forecast is None
    receipt = await platform.control.confirm(Confirm(proposal_id=proposal.id), ALICE)
    await platform.live(LOOK_S)
    assert platform.receipt(receipt.id).outcome == "verified"
    assert "a fault in the forecasts (ZeroDivisionError: no such luck)" in platform.said()


async def test_a_proposal_does_not_wait_for_the_days_before() -> None:
    clock, asked = ManualClock(), asyncio.Event()

    async def ask(query: HistoryQuery) -> History:
        await asked.wait()
        values = tuple(100.0 + (slot + PER_DAY // 2) % PER_DAY for slot in range(query.points))
        return History(ref=query.ref, start=0.0, step_s=SLOT_S, series={"requests_per_min": values})

    days = Days(clock, ask)
    task = asyncio.ensure_future(days.run())
    assert days.growth(AZURE, "requests_per_min") == 1.0
    asked.set()
    await clock.advance(1.0)
    assert days.growth(AZURE, "requests_per_min") > 1.0
    assert days.growth(AZURE, "never seen") == 1.0
    task.cancel()

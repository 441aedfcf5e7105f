"""The observing half as a whole: what is seen becomes readings, history, alerts, lines and a journal."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.config import Environment, Objective
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.errors import BackendError, ErrorKind, Refusal
from console.domain.freshness import Freshness
from console.domain.readings import Observation
from console.domain.wire import AlertMark, Change, HistoryQuery, LogKind, LogQuery
from console.engine.clock import ManualClock
from console.engine.detectors.base import Condition, Patience
from console.engine.engine import Engine
from console.engine.journal import Journal
from console.engine.poller import Poller
from console.engine.store import Store
from console.engine.watch import SAY_FAULT_EVERY_S, Watch
from tests.unit.engine.parts import ScriptedAdapter, deployment, observation, ref


class House:
    """A running engine over scripted adapters."""

    def __init__(self, engine: Engine, store: Store, clock: ManualClock, adapters: dict[str, ScriptedAdapter]) -> None:
        self.engine = engine
        self.store = store
        self.clock = clock
        self.adapters = adapters

    def alerts(self, state: AlertState) -> list[Alert]:
        return [alert for alert in self.store.board.alerts.values() if alert.state is state]

    def said(self, kind: LogKind) -> list[str]:
        return [entry.words for entry in self.store.board.log if entry.kind is kind]

    async def settle(self, seconds: float) -> None:
        """Let time pass in small steps, with a moment of real time for the journal's thread in each."""
        for _ in range(max(1, round(seconds / 30.0))):
            await self.clock.advance(seconds / max(1, round(seconds / 30.0)))
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running(
    path: Path, *names: str, clock: ManualClock | None = None, objectives: list[Objective] | None = None
) -> AsyncIterator[House]:
    clock = clock or ManualClock()
    config = Environment(sources={}, objectives=objectives or [])
    journal = Journal(path, clock, config.retention)
    await journal.open()
    store = Store("test", clock, first_log_id=journal.next_log_id())
    adapters = {name: ScriptedAdapter(clock, name) for name in names}
    pollers = {
        name: Poller(
            name,
            "scripted",
            adapter,
            store,
            clock,
            interval_s=5.0,
            timeout_s=4.0,
            requests_per_minute=None,
            rng=random.Random(name),
        )
        for name, adapter in adapters.items()
    }
    engine = Engine(config, store, pollers, journal, clock)
    task = asyncio.create_task(engine.run())
    try:
        await asyncio.sleep(0.02)
        yield House(engine, store, clock, adapters)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait((task,))
        await journal.close()


def refuses() -> BackendError:
    return BackendError(ErrorKind.UNREACHABLE, "connection refused", way_out="start it")


async def dead() -> Observation:
    raise refuses()


async def test_one_dead_source_slows_no_other_and_is_alerted(tmp_path: Path) -> None:
    async with running(tmp_path / "j.db", "alive", "dead", "stuck") as house:
        house.adapters["dead"].look = dead
        house.adapters["stuck"].look = house.adapters["stuck"].hang
        await house.settle(60.0)
        assert len(house.adapters["alive"].begun) == 12
        firing = house.alerts(AlertState.FIRING)
        assert {alert.ref.name for alert in firing} == {"dead", "stuck"}
        assert all(alert.severity is Severity.TICKET for alert in firing)
        lines = house.said(LogKind.ALERT)
        assert len(lines) == 2
        house.adapters["dead"].look = house.adapters["dead"].well
        await house.settle(90.0)
        assert house.store.is_fresh(ref(source="dead"))
        assert [alert.ref.name for alert in house.alerts(AlertState.RESOLVED)] == ["dead"]
        assert house.said(LogKind.ALERT)[-1] == "stale-source is over"


async def test_history_comes_from_memory_and_beyond_it_from_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    clock = ManualClock()
    async with running(path, "gateway", clock=clock) as house:
        await house.settle(900.0)
        past = await house.engine.history(HistoryQuery(ref=ref(), window_s=600.0, points=20))
        assert past.series["p50_s"] == (0.5,) * 20
        started = house.clock.now()
    async with running(path, "gateway", clock=clock) as house:
        house.adapters["gateway"].look = lambda: _answer(house, p50=0.9)
        while not house.adapters["gateway"].begun:
            await asyncio.sleep(0.001)
        await house.settle(300.0)
        past = await house.engine.history(HistoryQuery(ref=ref(), window_s=1200.0, points=40))
        seen = past.series["p50_s"]
        edge = round((started - past.start) / past.step_s)
        assert set(seen[edge - 20 : edge - 1]) == {0.5}
        assert seen[edge + 2 :] == pytest.approx([0.9] * len(seen[edge + 2 :]))


async def _answer(house: House, *, p50: float = 0.5, requests: float = 60.0, errors: float = 0.0) -> Observation:
    at = house.clock.now()
    return observation(at, deployment(at, p50=p50, requests=requests, errors=errors))


async def test_an_alert_is_marked_and_the_next_engine_remembers(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    clock = ManualClock()
    async with running(path, "gateway", clock=clock) as house:
        house.adapters["gateway"].look = dead
        await house.settle(60.0)
        (alert,) = house.alerts(AlertState.FIRING)
        house.engine.mark(AlertMark(alert_id=alert.id, silence_s=600.0), "ada")
        (alert,) = house.alerts(AlertState.FIRING)
        assert alert.acknowledged_by == "ada"
        assert alert.silenced_until == pytest.approx(clock.now() + 600.0)
        assert any("silenced for 10 min" in words for words in house.said(LogKind.ALERT))
    async with running(path, "gateway", clock=clock) as house:
        house.adapters["gateway"].look = dead
        await house.settle(30.0)
        (again,) = house.alerts(AlertState.FIRING)
        assert (again.acknowledged_by, again.since) == ("ada", alert.since)
        assert len(house.said(LogKind.ALERT)) == 2  # the lines of before; that it still fires is no news
        await house.settle(600.0)
        assert house.alerts(AlertState.FIRING)[0].silenced_until is None
        house.adapters["gateway"].look = house.adapters["gateway"].well
        await house.settle(240.0)
        assert house.alerts(AlertState.FIRING) == []
        page = await house.engine.log(LogQuery(limit=1))
        assert page[0].words == "stale-source is over"


async def test_an_incident_outlives_its_engine_and_is_marked_with_all_its_alerts(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    clock = ManualClock()
    async with running(path, "gateway", clock=clock) as house:
        house.adapters["gateway"].look = dead
        await house.settle(60.0)
        (incident,) = house.store.board.incidents.values()
        assert incident.blame is not None
        assert (incident.blame.dimension, incident.blame.name) == ("source", "gateway")
    async with running(path, "gateway", clock=clock) as house:
        house.adapters["gateway"].look = dead
        await house.settle(60.0)
        assert [(one.id, one.since) for one in house.store.board.incidents.values()] == [(incident.id, incident.since)]
        house.engine.mark(AlertMark(alert_id=incident.id), "ada")
        (alert,) = house.alerts(AlertState.FIRING)
        assert alert.acknowledged_by == "ada"
        assert "incident acknowledged, with 1 alerts" in house.said(LogKind.ALERT)
        house.adapters["gateway"].look = house.adapters["gateway"].well
        await house.settle(600.0)
        with pytest.raises(Refusal):
            house.engine.mark(AlertMark(alert_id=incident.id), "ada")
    async with running(path, "gateway", clock=clock) as house:
        await house.settle(5.0)
        assert not house.store.board.incidents


@pytest.mark.parametrize(
    ("mark", "code"), [(AlertMark(alert_id="nothing@a:route/b"), 404), (AlertMark(alert_id="x", silence_s=-1.0), 400)]
)
async def test_a_mark_that_makes_no_sense_is_refused(tmp_path: Path, mark: AlertMark, code: int) -> None:
    async with running(tmp_path / "j.db") as house:
        with pytest.raises(Refusal) as refused:
            house.engine.mark(mark, "ada")
        assert refused.value.code == code


async def test_a_burning_budget_pages_and_survives_a_restart_with_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    clock = ManualClock()
    objective = Objective(name="chat", match="*:deployment/*", target=0.99)
    async with running(path, "gateway", clock=clock, objectives=[objective]) as house:
        house.adapters["gateway"].look = lambda: _answer(house, requests=600.0, errors=60.0)
        await house.settle(3600.0)
        assert any("not fully known yet" in words for words in house.said(LogKind.ENGINE))
        assert house.alerts(AlertState.FIRING) == []  # 10 x for an hour: not 14.4, and six hours are not known
    async with running(path, "gateway", clock=clock, objectives=[objective]) as house:
        house.adapters["gateway"].look = lambda: _answer(house, requests=600.0, errors=400.0)
        await house.settle(600.0)
        (alert,) = house.alerts(AlertState.FIRING)
        assert alert.rule == "burn-rate/chat"
        assert alert.severity is Severity.PAGE
        assert "was seen" not in alert.words  # the hour is known from the journal


async def _seen(holds: Callable[[], bool]) -> None:
    """Real time passes, that of the clock does not."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


async def test_asking_for_a_look_reaches_its_poller(tmp_path: Path) -> None:
    async with running(tmp_path / "j.db", "gateway") as house:
        begun = house.adapters["gateway"].begun
        await house.clock.advance(2.0)
        await _seen(lambda: len(begun) == 1)  # the journal, a real thread, is asked before
        house.engine.poll_soon("gateway")
        house.engine.poll_soon("nobody")
        await _seen(lambda: len(begun) == 2)


async def test_a_task_that_fails_inside_is_said_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 0
    tick = Journal.tick

    def fails_once(self: Journal) -> None:
        nonlocal failures
        failures += 1
        if failures == 3:
            raise RuntimeError("a fault of ours")
        tick(self)

    monkeypatch.setattr(Journal, "tick", fails_once)
    async with running(tmp_path / "j.db", "gateway") as house:
        await house.settle(30.0)
        assert failures > 20
        (said,) = house.said(LogKind.ENGINE)
        assert "a fault of ours" in said
        assert house.store.board.freshness(ref()) is Freshness.FRESH


class Faulty:
    """A detector that is at fault in both of its ways."""

    name = "faulty"
    patience = Patience()

    def feed(self, change: Change) -> None:
        raise RuntimeError("cannot hear")

    def tick(self, now: float, board: Board) -> list[Condition]:
        raise RuntimeError("cannot see")


class Steady:
    """A detector that always finds one thing."""

    name = "steady"
    patience = Patience()
    severity = Severity.NOTICE

    def feed(self, change: Change) -> None:
        return None

    def tick(self, now: float, board: Board) -> list[Condition]:
        return [Condition("steady", ref(), self.severity, "always")]


def test_a_faulty_detector_is_contained_and_said_seldom() -> None:
    clock = ManualClock()
    store = Store("test", clock)
    watch = Watch((Faulty(), Steady()), store, clock)
    store.listen(watch.feed)
    for _ in range(100):
        clock._now += 1.0
        watch.tick()
    assert [alert.rule for alert in store.board.alerts.values()] == ["steady"]
    assert sum("faulty failed" in entry.words for entry in store.board.log) == 1
    clock._now += SAY_FAULT_EVERY_S
    watch.tick()
    assert sum("faulty failed" in entry.words for entry in store.board.log) == 2


def test_an_alert_that_grows_worse_is_said_again() -> None:
    clock = ManualClock()
    store = Store("test", clock)
    steady = Steady()
    watch = Watch((steady,), store, clock)
    watch.tick()
    watch.tick()
    steady.severity = Severity.PAGE
    watch.tick()
    assert [entry.words.partition(":")[0] for entry in store.board.log] == ["notice", "page"]


def test_an_alert_whose_detector_is_gone_is_over() -> None:
    clock = ManualClock()
    store = Store("test", clock)
    watch = Watch((Steady(),), store, clock)
    old = Alert(rule="gone/x", ref=ref(), severity=Severity.PAGE, state=AlertState.FIRING, since=1.0, words="bad")
    watch.restore([old])
    assert [alert.state for alert in store.board.alerts.values()] == [AlertState.RESOLVED]


def test_the_engine_costs_no_heavy_import() -> None:
    code = (
        "import sys, console.engine.engine;"
        "print([m for m in ('httpx', 'textual', 'rich', 'sqlite_utils', 'aiohttp', 'prometheus_client', 'redis')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

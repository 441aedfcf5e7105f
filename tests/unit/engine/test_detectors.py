"""Stale sources, and error budgets that burn."""

import msgspec
import pytest

from console.config import Objective
from console.domain.alerts import Severity
from console.domain.errors import ErrorKind, Failure
from console.domain.freshness import Freshness
from console.domain.readings import Source
from console.domain.refs import Kind, Ref
from console.domain.wire import HistoryQuery
from console.engine.clock import ManualClock
from console.engine.detectors.base import Condition
from console.engine.detectors.burn import BurnRate
from console.engine.detectors.counts import Counts
from console.engine.detectors.stale import StaleSource
from console.engine.slots import Slots
from console.engine.store import Store
from tests.unit.engine.parts import deployment, observation, ref

HOUR_S = 3600.0


def source(at: float, freshness: Freshness = Freshness.FRESH, interval_s: float = 10.0) -> Source:
    return Source(
        ref=Ref("gateway", Kind.SOURCE, "gateway"),
        observed_at=at,
        adapter="scripted",
        freshness=freshness,
        interval_s=interval_s,
        stale_after_s=3 * interval_s,
    )


class TestStale:
    def setup_method(self) -> None:
        self.clock = ManualClock()
        self.store = Store("test", self.clock)
        self.detector = StaleSource()
        self.store.listen(self.detector.feed)

    def found(self) -> list[Condition]:
        return list(self.detector.tick(self.clock.now(), self.store.board))

    def test_a_fresh_source_is_fine(self) -> None:
        self.store.observe(source(self.clock.now()), observation(self.clock.now()))
        assert self.found() == []

    def test_a_stale_one_is_a_ticket_with_its_age_and_its_reason(self) -> None:
        self.store.observe(source(self.clock.now()), observation(self.clock.now()))
        self.clock._now += 40.0
        why = Failure(kind=ErrorKind.UNREACHABLE, message="refused", way_out="start it")
        stale = msgspec.structs.replace(source(self.clock.now(), Freshness.STALE), failure=why)
        self.store.observe(stale)
        (found,) = self.found()
        assert found.severity is Severity.TICKET
        assert found.value == pytest.approx(40.0)
        assert "40 s ago: unreachable: refused → start it" in found.words

    def test_one_that_never_answered_gets_as_long_as_any_other(self) -> None:
        self.store.observe(source(self.clock.now(), Freshness.MISSING))
        self.clock._now += 29.0
        assert self.found() == []
        self.clock._now += 2.0
        assert "has not been seen" in self.found()[0].words

    def test_one_whose_first_look_is_still_to_come_is_not_missed(self) -> None:
        waiting = source(self.clock.now(), Freshness.MISSING)
        self.store.observe(msgspec.structs.replace(waiting, since=self.clock.now() + 60.0))
        self.clock._now += 89.0
        assert self.found() == []
        self.clock._now += 2.0
        assert "has not been seen" in self.found()[0].words


class World:
    """One deployment looked at every ten seconds, and one objective."""

    def __init__(self, *, target: float = 0.999, min_errors: int = 10, match: str = "*:deployment/*") -> None:
        self.clock = ManualClock()
        self.store = Store("test", self.clock)
        self.detector = BurnRate([Objective(name="chat", match=match, target=target, min_errors=min_errors)])
        self.store.listen(self.detector.feed)

    def run(self, seconds: float, *, requests: float = 600.0, ratio: float = 0.0) -> list[Condition]:
        """Let time pass with this many requests a minute, of which this part fails; what is found at its end."""
        for _ in range(round(seconds / 10.0)):
            self.clock._now += 10.0
            at = self.clock.now()
            seen = observation(at, deployment(at, requests=requests, errors=requests * ratio))
            self.store.observe(source(at), seen)
        return self.found()

    def found(self) -> list[Condition]:
        return [c for c in self.detector.tick(self.clock.now(), self.store.board) if c.begins]

    def first_after(self, limit_s: float, *, ratio: float, step_s: float = 10.0) -> float | None:
        """Seconds of failing until something is found."""
        for step in range(1, int(limit_s / step_s) + 1):
            if self.run(step_s, ratio=ratio):
                return step * step_s
        return None


class TestBurn:
    def test_a_good_service_burns_nothing(self) -> None:
        assert World().run(6 * HOUR_S, ratio=0.0005) == []

    def test_the_fast_rule_pages_when_two_percent_of_the_budget_is_gone(self) -> None:
        world = World()
        world.run(6 * HOUR_S)
        after = world.first_after(HOUR_S, ratio=0.1)
        # 14.4 x of 0.1 % over an hour is 1.44 % of its requests: 8.6 minutes of 10 %.
        assert after == pytest.approx(0.0144 / 0.1 * HOUR_S, abs=75.0)
        (found,) = world.found()
        assert found.severity is Severity.PAGE
        assert found.rule == "burn-rate/chat"
        assert "over 1 h" in found.words

    def test_the_slow_page_needs_six_times(self) -> None:
        world = World()
        assert world.run(7 * HOUR_S, ratio=0.0055) == [] or world.found()[0].severity is Severity.TICKET
        (found,) = World().run(7 * HOUR_S, ratio=0.007)
        assert found.severity is Severity.PAGE
        assert "over 6 h" in found.words

    def test_the_ticket_takes_days_of_slow_burning(self) -> None:
        world = World()
        assert world.run(24 * HOUR_S, ratio=0.0012) == []
        (found,) = world.run(48 * HOUR_S, ratio=0.0012)
        assert found.severity is Severity.TICKET
        assert "over 3 d" in found.words

    def test_the_short_window_ends_it_soon_after_the_trouble(self) -> None:
        world = World()
        world.run(2 * HOUR_S)
        assert world.run(HOUR_S / 2, ratio=0.2)
        assert all("over 1 h" not in c.words for c in world.run(300.0 + 120.0))
        assert all(c.severity is Severity.TICKET for c in world.run(1800.0 + 120.0))

    def test_a_burn_just_under_the_threshold_keeps_an_alert_but_begins_none(self) -> None:
        world = World()
        world.run(7 * HOUR_S, ratio=0.0057)
        kept = [c for c in world.detector.tick(world.clock.now(), world.store.board) if not c.begins]
        assert len(kept) == 1
        assert kept[0].severity is Severity.PAGE

    def test_few_errors_never_fire(self) -> None:
        world = World(min_errors=10)
        assert world.run(HOUR_S, requests=0.5, ratio=0.2) == []
        assert world.run(HOUR_S, requests=6.0, ratio=0.2) != []

    def test_no_traffic_burns_nothing(self) -> None:
        assert World().run(HOUR_S, requests=0.0) == []

    def test_only_what_the_objective_names_is_watched(self) -> None:
        assert World(match="*:route/*").run(HOUR_S, ratio=1.0) == []

    def test_with_little_data_only_what_is_certain_fires(self) -> None:
        # Ten minutes of 2 % are 20 x, but of an hour they are no more than 3.3 x for certain.
        assert World().run(600.0, ratio=0.02) == []
        after = World().first_after(600.0, ratio=1.0)
        assert after is not None
        assert after <= 70.0  # a total outage needs no hour of data

    def test_it_says_how_little_was_seen(self) -> None:
        world = World()
        (found,) = world.run(600.0, ratio=1.0)
        assert "only 16% of 1 h was seen" in found.words
        (line,) = world.detector.unknown(world.clock.now())
        assert "1 h (16% seen)" in line
        assert "3 d (0% seen)" in line

    def test_an_objective_that_matches_nothing_is_said(self) -> None:
        world = World(match="*:route/none")
        world.run(60.0)
        assert world.detector.unknown(world.clock.now()) == [
            "objective chat: nothing on the board matches *:route/none"
        ]

    def test_time_that_was_not_seen_is_not_counted(self) -> None:
        world = World()
        world.run(HOUR_S, ratio=0.0)
        world.run(60.0, ratio=1.0)
        world.clock._now += 1800.0  # the source was away
        before = world.run(10.0, ratio=1.0)
        assert all("over 1 h" in c.words for c in before)
        (flow,) = world.detector._flows["gateway"].values()
        assert flow.counts.over(HOUR_S, world.clock.now()).errors == pytest.approx(600.0, abs=1.0)

    def test_an_alert_stands_while_its_source_is_stale(self) -> None:
        world = World()
        world.run(HOUR_S)
        assert world.run(1800.0, ratio=0.5)
        for _ in range(720):
            world.clock._now += 10.0
            world.store.observe(source(world.clock.now(), Freshness.STALE))
            assert world.found()

    def test_an_object_that_left_is_forgotten(self) -> None:
        world = World()
        world.run(HOUR_S, ratio=1.0)
        world.store.observe(source(world.clock.now()), observation(world.clock.now()))
        assert world.found() == []

    def test_a_journal_gives_the_past_back(self) -> None:
        world = World()
        world.run(60.0, ratio=0.02)
        assert world.detector.newly_watched() == [ref()]
        assert world.detector.newly_watched() == []
        now = world.clock.now()
        for window_s, slot_s in ((6 * HOUR_S, 60.0), (72 * HOUR_S, 1800.0)):
            points = round(window_s / slot_s)
            slots = Slots.of(HistoryQuery(ref=ref(), window_s=window_s, points=points), now)
            rows = [(slots.start + slot * slot_s, 600.0) for slot in range(points)]
            slots.add("requests_per_min", rows, slot_s)
            slots.add("errors_per_min", [(at, 12.0) for at, _ in rows], slot_s)
            world.detector.recall(slots.history(ref()))
        (found,) = world.run(10.0, ratio=0.02)
        assert found.value == pytest.approx(20.0, rel=0.05)
        assert "was seen" not in found.words
        assert world.detector.unknown(world.clock.now()) == []


class TestCounts:
    def test_windows_hold_what_happened_in_them(self) -> None:
        counts = Counts(0.0)
        for at in range(10, 7201, 10):
            counts.add(float(at), 10.0, 10.0, 1.0 if at > 3600 else 0.0)
        assert counts.over(3600.0, 7200.0).errors == pytest.approx(360.0, abs=7.0)
        assert counts.over(7200.0, 7200.0).requests == pytest.approx(7200.0)
        assert counts.over(300.0, 7200.0).seen_part == 1.0

    def test_the_old_falls_out_even_when_nothing_comes(self) -> None:
        counts = Counts(0.0)
        counts.add(10.0, 10.0, 10.0, 10.0)
        assert counts.over(3600.0, 3000.0).errors == 10.0
        assert counts.over(3600.0, 4000.0).errors == 0.0
        assert counts.over(3 * 86400.0, 2 * 86400.0).errors == 10.0
        assert counts.over(3 * 86400.0, 4 * 86400.0).errors == 0.0

    def test_a_given_past_fills_only_what_was_not_seen(self) -> None:
        counts = Counts(3600.0)
        counts.add(3610.0, 10.0, 10.0, 0.0)
        counts.add_past(3600.0, 60.0, 600.0, 6.0)
        counts.add_past(3600.0, 60.0, 600.0, 6.0)
        counts.add_past(3660.0, 60.0, 600.0, 6.0)
        total = counts.over(3600.0, 3610.0)
        assert (total.requests, total.errors) == (610.0, 6.0)

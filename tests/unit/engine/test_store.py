"""One put, one change, with only what is different."""

import msgspec

from console.domain.actions import Verb
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import RESOLVED_KEPT_S, Board
from console.domain.freshness import Freshness
from console.domain.readings import Ability, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import Change, LogKind
from console.engine.clock import ManualClock
from console.engine.store import Store
from tests.unit.engine.parts import deployment, observation, ref


def source(at: float) -> Source:
    return Source(
        ref=Ref("gateway", Kind.SOURCE, "gateway"),
        observed_at=at,
        adapter="scripted",
        freshness=Freshness.FRESH,
        interval_s=5.0,
        last_ok_at=at,
    )


def test_only_what_is_different_is_in_a_change() -> None:
    store = Store("test", ManualClock())
    store.observe(source(1.0), observation(1.0, deployment(1.0), deployment(1.0, name="b")))
    change = store.observe(source(2.0), observation(2.0, deployment(2.0), deployment(2.0, name="b", requests=61.0)))
    assert [reading.ref.name for reading in change.readings] == ["b"]
    assert change.observed == {"gateway": 2.0}
    assert store.board.observed_at(ref()) == 2.0


def test_what_an_object_can_do_is_a_difference() -> None:
    store = Store("test", ManualClock())
    store.observe(source(1.0), observation(1.0, deployment(1.0)))
    able = msgspec.structs.replace(deployment(2.0), can=(Ability(Verb.TRIP, True),))
    assert store.observe(source(2.0), observation(2.0, able)).readings == (able,)


def test_an_object_that_is_no_longer_seen_leaves_and_others_sources_stay() -> None:
    store = Store("test", ManualClock())
    store.observe(source(1.0), observation(1.0, deployment(1.0), deployment(1.0, name="b")))
    other = Source(
        ref=Ref("other", Kind.SOURCE, "other"), observed_at=1.0, adapter="x", freshness=Freshness.FRESH, interval_s=5.0
    )
    change = store.observe(other, observation(1.0, deployment(1.0, source="other")))
    assert change.removed == ()
    change = store.observe(source(2.0), observation(2.0, deployment(2.0)))
    assert change.removed == (ref("b"),)
    assert ref("b") not in store.board.readings


def test_after_a_failure_the_last_values_stand() -> None:
    store = Store("test", ManualClock())
    store.observe(source(1.0), observation(1.0, deployment(1.0)))
    change = store.observe(source(2.0))
    assert (change.readings, change.removed, change.observed) == ((), (), {})
    assert ref() in store.board.readings


def test_a_snapshot_and_the_changes_after_it_make_the_same_board() -> None:
    clock = ManualClock()
    store = Store("test", clock)
    store.observe(source(1.0), observation(1.0, deployment(1.0)))
    store.observe(source(5.0), observation(5.0, deployment(5.0)))
    mirror = Board()
    mirror.apply(store.snapshot())
    assert mirror.observed == {"gateway": 5.0}
    store.listen(mirror.apply)
    store.observe(source(9.0), observation(9.0, deployment(9.0, errors=3.0), deployment(9.0, name="b")))
    store.say(LogKind.ENGINE, "hello")
    fresh = Board()
    fresh.apply(store.snapshot())
    assert fresh.readings.keys() == mirror.readings.keys()
    assert all(fresh.observed_at(r) == mirror.observed_at(r) for r in fresh.readings)
    assert (fresh.log, fresh.observed, fresh.seq) == (mirror.log, mirror.observed, mirror.seq)


def test_a_listener_at_fault_keeps_nothing_from_the_others() -> None:
    store = Store("test", ManualClock())
    heard: list[Change] = []

    def at_fault(change: Change) -> None:
        raise RuntimeError("mine alone")

    store.listen(at_fault)
    end = store.listen(heard.append)
    store.say(LogKind.ENGINE, "one")
    end()
    store.say(LogKind.ENGINE, "two")
    assert [entry.words for change in heard for entry in change.log] == ["one"]


def test_resolved_alerts_leave_after_a_while() -> None:
    clock = ManualClock()
    store = Store("test", clock)

    def alert(rule: str, state: AlertState) -> Alert:
        return Alert(rule=rule, ref=ref(), severity=Severity.PAGE, state=state, since=clock.now(), words="bad")

    store.publish(alerts=[alert("old", AlertState.RESOLVED), alert("firing", AlertState.FIRING)])
    clock._now += RESOLVED_KEPT_S + 1
    store.publish(alerts=[alert("new", AlertState.RESOLVED)])
    assert {a.rule for a in store.board.alerts.values()} == {"firing", "new"}

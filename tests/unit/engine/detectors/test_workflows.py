"""Long runs that make no progress, and what they do twice."""

from console.domain.board import Board
from console.domain.readings import Checkpoint, Service, Workflow
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.detectors.base import Condition
from console.engine.detectors.workflows import StuckWorkflow

REF = Ref("calls", Kind.SERVICE, "agent")


def found(detector: StuckWorkflow, *workflows: Workflow) -> list[Condition]:
    reading = Service(ref=REF, observed_at=1.0, workflows=workflows)
    detector.feed(Change(seq=1, at=1.0, readings=(reading,)))
    return list(detector.tick(1.0, Board()))


def runs(stuck: int = 0, idle_s: float = 20.0, duplicates: int = 0) -> Workflow:
    return Workflow(
        name="invoices",
        running=40,
        checkpoints=(Checkpoint("read", 30), Checkpoint("book", 10)),
        idle_most_s=idle_s,
        step_p99_s=30.0,
        stuck=stuck,
        duplicates=duplicates,
    )


def test_runs_that_get_on_are_fine() -> None:
    assert found(StuckWorkflow(), runs(), runs(idle_s=80.0)) == []


def test_stuck_runs_are_told_with_where_they_stand() -> None:
    (one,) = found(StuckWorkflow(), runs(stuck=8, idle_s=700.0))
    assert (one.rule, one.ref, one.begins, one.value) == ("stuck-workflow/invoices", REF, True, 8.0)
    assert "8 of 40 runs of invoices make no progress" in one.words
    assert "most stand after read (30)" in one.words


def test_a_single_run_that_waits_begins_no_alert_and_keeps_one() -> None:
    (one,) = found(StuckWorkflow(), runs(idle_s=91.0))
    assert not one.begins


def test_what_is_done_twice_counts_beyond_what_always_was() -> None:
    detector = StuckWorkflow()
    assert found(detector, runs(duplicates=3)) == []
    (one,) = found(detector, runs(duplicates=9))
    assert one.begins
    assert "6 side effects were done twice" in one.words
    assert found(detector, runs(duplicates=3)) == []

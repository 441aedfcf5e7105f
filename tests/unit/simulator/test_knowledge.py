"""Rollouts that are declared, memory that is lost, and workflows that get stuck."""

from pathlib import Path

import pytest

from adapters.simulator.traces.workflows import KINDS
from console.domain.conversations import DivergenceKind, Mark, MarkKind, MarkQuery
from console.domain.readings import Request, Service, Workflow
from console.traces.split import divergences
from tests.unit.simulator.worlds import Yard


async def _services(yard: Yard, after: float) -> dict[str, Service]:
    await yard.clock.advance(after)
    return {one.ref.name: one for one in (await yard.traces.observe()).readings if isinstance(one, Service)}


async def _marks(yard: Yard, *kinds: MarkKind) -> tuple[Mark, ...]:
    return await yard.traces.marks(MarkQuery(source="traces", since=0.0, kinds=kinds))


def _scenario(folder: Path, *tracks: str) -> Yard:
    path = folder / "one.yaml"
    path.write_text("\n".join(["schemaVersion: 1", "name: one", "summary: one", "quiet_s: 60", "tracks:", *tracks]))
    return Yard(str(path), tick_s=15.0, speed=1.0)


async def test_a_rollout_is_declared_while_services_go_over_one_after_the_other(tmp_path: Path) -> None:
    yard = _scenario(
        tmp_path,
        "- {target: service/api, fault: rollout, points: [[0, 0.5], [120, 0.5], [120, 1], [400, 1], [400, 0]]}",
        "- {target: service/chat-worker, fault: rollout, points: [[0, 0.5], [260, 0.5], [260, 1], [400, 1], [400, 0]]}",
    )
    calm = await _services(yard, 30)
    assert {one.rollout for one in calm.values()} == {""}
    declared = await _services(yard, 120)
    assert declared["api"].rollout == declared["agent-worker"].rollout == "knowledge-base kb-41 → kb-42"
    assert declared["indexer"].rollout == ""  # it does not search
    assert declared["api"].snapshots == declared["chat-worker"].snapshots == ("kb-41",)
    half = await _services(yard, 120)
    assert (half["api"].snapshots, half["chat-worker"].snapshots) == (("kb-42",), ("kb-41",))
    assert half["api"].rollout
    done = await _services(yard, 310)
    assert {one.rollout for one in done.values()} == {""}
    assert {one.snapshots for one in done.values() if one.snapshots} == {("kb-42",)}


async def test_an_index_can_be_rolled_out_part_by_part(tmp_path: Path) -> None:
    yard = _scenario(
        tmp_path, "- {target: index/knowledge-base, fault: rollout, points: [[0, 0.1], [300, 1], [310, 0]]}"
    )
    half = await _services(yard, 60 + 240)
    assert len({one.snapshots[0] for one in half.values() if one.snapshots}) == 2
    done = await _services(yard, 150)
    assert {one.snapshots for one in done.values() if one.snapshots} == {("kb-42",)}


async def test_lost_writes_leave_marks_that_say_so_and_nothing_else_shows(tmp_path: Path) -> None:
    yard = _scenario(tmp_path, "- {target: service/chat-worker, fault: lost_memory, points: [[0, 0.6]]}")
    marks: dict[tuple[str, str], Mark] = {}
    for _ in range(6):
        await yard.clock.advance(60)
        marks |= {(mark.trace_id, mark.span_id): mark for mark in await _marks(yard, MarkKind.MEMORY)}
    found = divergences(marks.values())
    assert len(found) > 5
    assert {one.kind for one in found} == {DivergenceKind.LOST_WRITE}
    assert {one.against.service for one in found} == {"chat-worker"}
    assert {one.against.source for one in found} == {"summaries"}
    requests = [one for one in (await yard.traces.observe()).readings if isinstance(one, Request)]
    assert sum(one.failed for one in requests) < 5


def _workflows(services: dict[str, Service]) -> dict[str, Workflow]:
    (with_runs,) = [one for one in services.values() if one.workflows]
    assert with_runs.ref.name == "agent-worker"
    return {one.name: one for one in with_runs.workflows}


async def test_runs_pass_their_checkpoints_and_hardly_any_is_stuck() -> None:
    yard = Yard(tick_s=15.0)
    stuck = running = 0
    for _ in range(6):
        for kind, one in zip(KINDS, _workflows(await _services(yard, 180)).values(), strict=True):
            assert [checkpoint.step for checkpoint in one.checkpoints] == list(kind.steps)
            assert 0 < sum(checkpoint.runs for checkpoint in one.checkpoints) <= one.running
            assert one.duplicates == 0
            assert (one.idle_most_s or 0.0) >= 0.0
            stuck, running = stuck + one.stuck, running + one.running
    assert stuck <= running / 100


async def test_stuck_runs_stay_at_their_checkpoints_until_what_held_them_is_gone(tmp_path: Path) -> None:
    yard = _scenario(
        tmp_path,
        "- {target: service/agent-worker, fault: stuck, points: [[0, 0.4], [1800, 0.4], [1800, 0]]}",
        "- {target: service/agent-worker, fault: duplicates, points: [[600, 2], [1200, 2], [1200, 0]]}",
    )
    calm = _workflows(await _services(yard, 45))["refund-review"]
    ill = _workflows(await _services(yard, 1500))
    one = ill["refund-review"]
    assert one.stuck > 15
    assert one.running > 1.7 * calm.running
    assert one.idle_most_s is not None
    assert one.step_p99_s is not None
    assert one.idle_most_s > 3 * one.step_p99_s
    assert sum(each.duplicates for each in ill.values()) == pytest.approx(20, abs=12)
    well = _workflows(await _services(yard, 1500))["refund-review"]
    assert well.stuck <= 1
    assert well.running < 0.7 * one.running

"""What every adapter does: the effect is seen on every replica, and so is the way back."""

import pytest

from console.domain.actions import Plan, Step
from console.domain.errors import BackendError, ErrorKind
from tests.contract.asking import Question, look, one_of_each
from tests.contract.bench import Bench


async def _run(bench: Bench, steps: tuple[Step, ...]) -> None:
    for step in steps:
        await bench.adapter.execute(step)
    await bench.settle()


async def _planned(bench: Bench) -> list[tuple[Question, Plan]]:
    found = one_of_each(await bench.adapter.observe())
    assert found
    return [(question, await question.ask(bench.adapter)) for question in found]


async def _holds(bench: Bench, plan: Plan, *, undone: bool = False) -> dict[str, bool | None]:
    proofs = await bench.adapter.prove(plan, undone=undone)
    assert all(proof.read_at <= bench.clock.now() for proof in proofs)
    assert all(proof.seen for proof in proofs if proof.holds is not None)
    return {proof.replica: proof.holds for proof in proofs}


async def test_an_action_is_seen_on_every_replica_and_so_is_its_way_back(acting: Bench) -> None:
    for question, plan in await _planned(acting):
        every = dict.fromkeys(plan.replicas, True)
        await _run(acting, plan.steps)
        assert await _holds(acting, plan) == every, f"{question}: not done"
        await look(acting)
        if plan.undo:
            await _run(acting, plan.undo)
            assert await _holds(acting, plan, undone=True) == every, f"{question}: not undone"
            assert await acting.adapter.generation(plan) == plan.generation, f"{question}: not as before"


async def test_nothing_is_proved_before_it_is_done(acting: Bench) -> None:
    for question, plan in await _planned(acting):
        if plan.undo:
            assert set((await _holds(acting, plan)).values()) == {False}, str(question)


async def test_every_replica_is_asked(acting: Bench) -> None:
    observation = await acting.adapter.observe()
    for _, plan in await _planned(acting):
        assert set(await _holds(acting, plan)) == set(plan.replicas) == {one.name for one in observation.replicas}


async def test_a_replica_that_cannot_be_asked_proves_nothing(acting: Bench) -> None:
    question, plan = (await _planned(acting))[0]
    lost = plan.replicas[-1]
    await acting.lose(lost)
    await _run(acting, plan.steps)
    assert await _holds(acting, plan) == {name: None if name == lost else True for name in plan.replicas}, str(question)
    observation = await look(acting)
    assert {one.name: one.up for one in observation.replicas} == {name: name != lost for name in plan.replicas}
    assert all(one.up or one.failure is not None for one in observation.replicas)
    assert any(row.replica == lost and row.ok is False for row in await acting.adapter.check())


async def test_a_repeatable_step_may_be_repeated(acting: Bench) -> None:
    for question, plan in await _planned(acting):
        if all(step.repeatable for step in (*plan.steps, *plan.undo)):
            await _run(acting, plan.steps + plan.steps)
            assert set((await _holds(acting, plan)).values()) == {True}, str(question)
            await _run(acting, plan.undo + plan.undo)


async def test_a_plan_runs_after_a_trip_through_the_audit_log(acting: Bench) -> None:
    from console.domain.wire import decode, encode

    for question, plan in await _planned(acting):
        read = decode(encode(plan), Plan)
        await _run(acting, read.steps)
        assert set((await _holds(acting, read)).values()) == {True}, str(question)
        await _run(acting, read.undo)


async def test_the_generation_tells_when_somebody_else_was_there(acting: Bench) -> None:
    for question, plan in await _planned(acting):
        assert await acting.adapter.generation(plan) == plan.generation
        await acting.disturb(plan)
        await acting.settle()
        assert await acting.adapter.generation(plan) != plan.generation, str(question)
        for step in plan.undo:
            await acting.adapter.execute(step)


async def test_a_step_that_is_not_the_adapters_own_is_refused(acting: Bench) -> None:
    with pytest.raises(BackendError) as caught:
        await acting.adapter.execute(Step(op="format.disk", words="format the disk"))
    assert caught.value.kind is ErrorKind.UNSUPPORTED


async def test_actions_on_hostile_names_reach_their_object(acting_hostile: Bench) -> None:
    for question, plan in await _planned(acting_hostile):
        await _run(acting_hostile, plan.steps)
        assert set((await _holds(acting_hostile, plan)).values()) == {True}, str(question)
        await _run(acting_hostile, plan.undo)

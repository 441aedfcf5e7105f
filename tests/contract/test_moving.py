"""What every broker's adapter does with messages: each verb is seen, told, begun again, stopped, and loses none."""

import asyncio
from contextlib import suppress

import pytest

from console.domain.actions import ExpiryHome, Plan, Progress, Step, Verb
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Observation, Queue
from console.domain.refs import Kind
from tests.contract.asking import Question, questions
from tests.contract.bench import MovingBench
from tests.contract.rules import VERBS_OF, faults_of, faults_of_plan

MOST_TURNS = 400
"""So often a lasting step may settle before it counts as one that never ends."""

each_verb = pytest.mark.parametrize("verb", VERBS_OF[Kind.QUEUE])
each_lasting = pytest.mark.parametrize(
    "verb", [Verb.PARK, Verb.REPLAY, Verb.FINISH, Verb.REQUEUE, Verb.ISOLATE, Verb.PURGE]
)


async def _look(bench: MovingBench) -> Observation:
    asked_at = bench.clock.now()
    observation = await bench.adapter.observe()
    assert faults_of(observation, bench.source, asked_at, bench.clock.now()) == []
    return observation


async def _queue(bench: MovingBench, plan: Plan) -> Queue:
    (found,) = [one for one in (await _look(bench)).readings if one.ref == plan.target]
    assert isinstance(found, Queue)
    return found


async def _plan(bench: MovingBench, verb: Verb) -> Plan:
    """The plan of the first queue that is able."""
    question: Question = next(
        one for one in questions(await _look(bench)) if one.ability.verb is verb and one.ability.able
    )
    plan = await question.ask(bench.adapter)
    assert faults_of_plan(plan, verb) == []
    return plan


async def _carry(bench: MovingBench, step: Step) -> list[Progress]:
    """Carry a lasting step to its end; returns what it told."""
    told: list[Progress] = []
    carried = asyncio.ensure_future(bench.adapter.carry(step, told.append))
    for _ in range(MOST_TURNS):
        await bench.settle()
        if carried.done():
            break
    assert carried.done(), f"{step.words} does not end; last: {told[-1:]}"
    await carried
    return told


async def _run(bench: MovingBench, steps: tuple[Step, ...]) -> list[Progress]:
    told: list[Progress] = []
    for step in steps:
        if step.lasting:
            told += await _carry(bench, step)
        else:
            await bench.adapter.execute(step)
    await bench.settle()
    return told


async def _begin(bench: MovingBench, plan: Plan, turns: int) -> Step:
    """Do a plan until its lasting step has had so many turns, then let its carrier die; returns that step."""
    for step in plan.steps:
        if step.lasting:
            carried = asyncio.ensure_future(bench.adapter.carry(step, lambda _: None))
            for _ in range(turns):
                await asyncio.sleep(0)
            carried.cancel()
            with suppress(asyncio.CancelledError):
                await carried
            return step
        await bench.adapter.execute(step)
    raise AssertionError(f"{plan.words} has no lasting step")


async def _holds(bench: MovingBench, plan: Plan, *, undone: bool = False) -> bool | None:
    proofs = await bench.adapter.prove(plan, undone=undone)
    assert {proof.replica for proof in proofs} == set(plan.replicas)
    assert all(proof.read_at <= bench.clock.now() for proof in proofs)
    assert all(proof.seen for proof in proofs)
    found = {proof.holds for proof in proofs}
    return found.pop() if len(found) == 1 else None


@each_verb
async def test_an_action_is_seen_and_so_is_its_way_back_and_no_message_is_missing(
    moving: MovingBench, verb: Verb
) -> None:
    plan = await _plan(moving, verb)
    assert await _holds(moving, plan) is False
    await _run(moving, plan.steps)
    assert await _holds(moving, plan) is True
    assert await moving.missing(plan.target.name) == 0
    if plan.undo:
        await _run(moving, plan.undo)
        assert await _holds(moving, plan, undone=True) is True
        assert await moving.adapter.generation(plan) == plan.generation
        assert await moving.missing(plan.target.name) == 0


@each_verb
async def test_what_stays_behind_is_what_the_verb_says(moving: MovingBench, verb: Verb) -> None:
    plan = await _plan(moving, verb)
    await _run(moving, plan.steps)
    queue = await _queue(moving, plan)
    match verb:
        case Verb.PAUSE:
            assert queue.paused
            assert plan.expiry_home is not ExpiryHome.NOBODY
            assert plan.undo
        case Verb.RESUME:
            assert not queue.paused
        case Verb.PARK | Verb.ISOLATE:
            assert queue.parked
            assert plan.expiry_home is ExpiryHome.NOBODY
            assert plan.undo
        case Verb.REPLAY:
            assert not queue.parked
            assert not plan.undo
        case Verb.REQUEUE | Verb.PURGE:
            assert not plan.undo
            assert plan.expiry_home is ExpiryHome.NOBODY
        case Verb.FINISH:
            assert queue.depth == 0
            assert plan.expiry_home is not ExpiryHome.NOBODY or not plan.undo


@each_lasting
async def test_progress_is_told_and_only_grows(moving: MovingBench, verb: Verb) -> None:
    plan = await _plan(moving, verb)
    told = await _run(moving, plan.steps)
    assert len(told) >= 2
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert all(one.total is None or 0 <= one.done <= one.total for one in told)
    assert told[-1].done > 0
    assert told[-1].total in (None, told[-1].done)


@each_lasting
async def test_a_lasting_step_can_be_begun_again_by_the_next_engine(moving: MovingBench, verb: Verb) -> None:
    plan = await _plan(moving, verb)
    for turns in (1, 3, 20):
        await _begin(moving, plan, turns)
        await moving.settle()
    await _run(moving, plan.steps)
    assert await _holds(moving, plan) is True
    await _run(moving, plan.steps)  # and once more when it is done
    assert await _holds(moving, plan) is True
    assert await moving.missing(plan.target.name) == 0


@each_lasting
async def test_one_that_is_stopped_counts_what_it_has_moved_and_leaves_nothing_that_goes_on(
    moving: MovingBench, verb: Verb
) -> None:
    plan = await _plan(moving, verb)
    step = await _begin(moving, plan, 20)
    for _ in range(2):  # right at any moment, and twice
        for one in plan.tidy:
            await moving.adapter.execute(one)
    counted = await moving.adapter.count(step)
    assert counted.total is None or 0 <= counted.done <= counted.total
    await moving.settle()
    if verb is not Verb.FINISH:  # the workers of a finished queue go on with it
        assert (await moving.adapter.count(step)).done == counted.done
    assert await moving.missing(plan.target.name) == 0
    if plan.undo:
        await _run(moving, plan.undo)
        assert await _holds(moving, plan, undone=True) is True
        assert await moving.missing(plan.target.name) == 0


@each_verb
async def test_lasting_steps_are_repeatable_and_can_be_tidied(moving: MovingBench, verb: Verb) -> None:
    plan = await _plan(moving, verb)
    lasting = [step for step in (*plan.steps, *plan.undo) if step.lasting]
    assert bool(lasting) == bool(plan.tidy)
    assert all(step.repeatable for step in (*lasting, *plan.tidy))
    assert not any(step.lasting for step in plan.tidy)


@each_verb
async def test_a_plan_runs_after_a_trip_through_the_audit_log(moving: MovingBench, verb: Verb) -> None:
    from console.domain.wire import decode, encode

    plan = decode(encode(await _plan(moving, verb)), Plan)
    await _run(moving, plan.steps)
    assert await _holds(moving, plan) is True
    await _run(moving, plan.undo)


@each_verb
async def test_the_generation_tells_when_somebody_else_was_there_and_not_that_messages_come_and_go(
    moving: MovingBench, verb: Verb
) -> None:
    plan = await _plan(moving, verb)
    for _ in range(4):
        await moving.settle()
    assert await moving.adapter.generation(plan) == plan.generation
    await moving.disturb(plan)
    assert await moving.adapter.generation(plan) != plan.generation


async def test_a_broker_that_cannot_be_asked_proves_nothing(moving: MovingBench) -> None:
    plan = await _plan(moving, Verb.PARK)
    for replica in plan.replicas:
        await moving.lose(replica)
    assert await _holds(moving, plan) is None
    with pytest.raises(BackendError):
        await moving.adapter.count(plan.steps[-1])
    assert any(row.ok is False for row in await moving.adapter.check())


async def test_a_step_that_is_not_the_adapters_own_is_refused(moving: MovingBench) -> None:
    for call in (moving.adapter.execute, moving.adapter.count):
        with pytest.raises(BackendError) as caught:
            await call(Step(op="format.disk", words="format the disk"))
        assert caught.value.kind is ErrorKind.UNSUPPORTED


@each_verb
async def test_actions_on_hostile_names_reach_their_queue(moving_hostile: MovingBench, verb: Verb) -> None:
    plan = await _plan(moving_hostile, verb)
    await _run(moving_hostile, plan.steps)
    assert await _holds(moving_hostile, plan) is True
    assert await moving_hostile.missing(plan.target.name) == 0

"""What every adapter plans: exactly what it declares, and without touching anything."""

import pytest

from console.domain.actions import Verb
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Observation
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from tests.contract.asking import questions
from tests.contract.bench import Bench
from tests.contract.rules import faults_of_plan


async def test_an_object_that_is_able_gets_a_whole_plan(planning: Bench) -> None:
    able = [question for question in questions(await planning.adapter.observe()) if question.ability.able]
    assert {question.ability.verb for question in able} == {Verb.TRIP, Verb.RESET, Verb.WEIGHT, Verb.SWITCH}
    for question in able:
        plan = await question.ask(planning.adapter)
        assert faults_of_plan(plan, question.ability.verb) == [], str(question)
        assert plan.target == question.target


async def test_an_object_that_is_not_able_says_the_same_reason(planning: Bench) -> None:
    unable = [question for question in questions(await planning.adapter.observe()) if not question.ability.able]
    for question in unable:
        with pytest.raises(BackendError) as caught:
            await question.ask(planning.adapter)
        assert caught.value.kind is ErrorKind.UNSUPPORTED, str(question)
        assert clean(question.ability.reason) in caught.value.failure.message


async def test_the_same_question_gets_the_same_plan(planning: Bench) -> None:
    for question in questions(await planning.adapter.observe()):
        if question.ability.able:
            assert await question.ask(planning.adapter) == await question.ask(planning.adapter)


async def test_planning_touches_nothing(planning: Bench) -> None:
    before = await planning.adapter.observe()
    for question in questions(before):
        if question.ability.able:
            plan = await question.ask(planning.adapter)
            assert await planning.adapter.generation(plan) == plan.generation
    after = await planning.adapter.observe()
    assert _without_costs(after) == _without_costs(before)


def _without_costs(observation: Observation) -> list[object]:
    return [(reading.ref, reading.can, getattr(reading, "circuit", None)) for reading in observation.readings]


@pytest.mark.parametrize("verb", [Verb.TRIP, Verb.RESET, Verb.WEIGHT, Verb.SWITCH])
async def test_what_is_not_there_cannot_be_planned(planning: Bench, verb: Verb) -> None:
    nobody = Ref(planning.source, Kind.ROUTE if verb is Verb.SWITCH else Kind.DEPLOYMENT, "nobody-of-this-name")
    asked = {
        Verb.TRIP: lambda: planning.adapter.plan_trip(nobody, 60.0),
        Verb.RESET: lambda: planning.adapter.plan_reset(nobody),
        Verb.WEIGHT: lambda: planning.adapter.plan_weight(nobody, 1.0),
        Verb.SWITCH: lambda: planning.adapter.plan_switch(nobody, "x", ""),
    }
    with pytest.raises(BackendError) as caught:
        await asked[verb]()
    assert caught.value.failure.message


async def test_a_switch_to_nowhere_is_unsupported(planning: Bench) -> None:
    for question in questions(await planning.adapter.observe()):
        if question.ability.verb is Verb.SWITCH and question.ability.able:
            with pytest.raises(BackendError) as caught:
                await planning.adapter.plan_switch(question.target, "nowhere-at-all", "")
            assert caught.value.kind is ErrorKind.UNSUPPORTED


async def test_plans_for_hostile_names_are_clean_in_every_sentence(planning_hostile: Bench) -> None:
    for question in questions(await planning_hostile.adapter.observe()):
        if question.ability.able:
            plan = await question.ask(planning_hostile.adapter)
            assert faults_of_plan(plan, question.ability.verb) == []
            words = [plan.words, *plan.notes, *(step.words for step in (*plan.steps, *plan.undo))]
            words += [one.words for one in (*plan.expects, *plan.undo_expects)]
            assert [text for text in words if clean(text, 10_000) != text] == []

"""What every adapter plans: exactly what it declares, and without touching anything."""

import pytest

from console.domain.actions import Verb
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Ability, Observation
from console.domain.refs import Ref
from console.domain.text import clean
from tests.contract.asking import Question, questions
from tests.contract.bench import Bench, Subject
from tests.contract.rules import VERBS_OF, faults_of_plan

OF: dict[Verb, tuple[str, str] | float] = {Verb.WEIGHT: 1.0, Verb.SWITCH: ("x", "")}
"""What else has to be said of some verbs."""


async def test_an_object_that_is_able_gets_a_whole_plan(planner: Subject, planning: Bench) -> None:
    able = [question for question in questions(await planning.adapter.observe()) if question.ability.able]
    assert {question.ability.verb for question in able} == set(planner.verbs)
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
    fields = ("circuit", "paused", "parked", "depth")
    return [(one.ref, one.can, *(getattr(one, field, None) for field in fields)) for one in observation.readings]


async def test_what_is_not_there_cannot_be_planned(planner: Subject, planning: Bench) -> None:
    for kind, verbs in VERBS_OF.items():
        for verb in set(verbs) & set(planner.verbs):
            nobody = Question(Ref(planning.source, kind, "nobody-of-this-name"), Ability(verb, able=True), OF.get(verb))
            with pytest.raises(BackendError) as caught:
                await nobody.ask(planning.adapter)
            assert caught.value.failure.message, str(nobody)


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

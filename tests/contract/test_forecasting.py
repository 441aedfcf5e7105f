"""What every adapter's readings let be said of the next quarter of an hour: figures that can be, or why not."""

import math

from console.control.forecast.calibration import Misses
from console.domain.actions import Action, Reset, SetWeight, Switch, Trip, Verb
from console.domain.board import Board
from console.domain.forecasts import Course, Quantity
from console.domain.text import clean
from console.forecast.outlook import Doing, forecast
from tests.contract.asking import QUEUE_ACTIONS, Question, questions
from tests.contract.bench import Bench

MOST = {Quantity.ERRORS: 1.0, Quantity.HEADROOM: 1.0}


def action_of(question: Question) -> Action:
    match question.ability.verb, question.argument:
        case Verb.TRIP, _:
            return Trip()
        case Verb.RESET, _:
            return Reset()
        case Verb.WEIGHT, float(weight):
            return SetWeight(weight)
        case Verb.SWITCH, (str(to), str(mechanism)):
            return Switch(to, mechanism)
    return QUEUE_ACTIONS[question.ability.verb]


def faults(course: Course) -> list[str]:
    """What is wrong with a course."""
    found = [] if course.words == clean(course.words, 200) else [f"{course.words!r} is not clean"]
    for row in course.foreseen:
        if row.words != clean(row.words, 200):
            found.append(f"{row.words!r} is not clean")
        if row.then is None:
            found += [] if row.words else [f"{row.quantity} of {row.ref} is missing, and nobody says why"]
        elif not (math.isfinite(row.then) and 0.0 <= row.then <= MOST.get(row.quantity, math.inf)):
            found.append(f"{row.quantity} of {row.ref} cannot be {row.then}")
    return found


async def test_all_that_can_be_done_has_a_forecast_that_can_be(planning: Bench) -> None:
    await hold(planning)


async def test_hostile_names_reach_no_words(planning_hostile: Bench) -> None:
    await hold(planning_hostile)


async def hold(bench: Bench) -> None:
    """Forecast every action that the readings declare."""
    observation, board = await bench.adapter.observe(), Board()
    board.readings = {one.ref: one for one in observation.readings}
    for question in questions(observation):
        if question.ability.able:
            plan = await question.ask(bench.adapter)
            doing = Doing(target=question.target, action=action_of(question), plan=plan)
            found = forecast(board, lambda _ref, _metric, _s: (), bench.clock.now(), doing)
            if found is None:
                continue
            courses = Misses().said(found).courses
            assert [fault for course in courses for fault in faults(course)] == [], str(question)
            assert courses[1].verb is None
            keys = [[(row.quantity, row.ref) for row in course.foreseen] for course in courses]
            assert all(one == keys[0] for one in keys), "the same rows in every course"

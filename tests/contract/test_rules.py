"""The contract's rules can fail: every fault is found in an observation, or a plan, that was made to have it."""

import math

import msgspec
import pytest

from console.domain.actions import Expectation, Plan, Step, Verb
from console.domain.readings import (
    Ability,
    AgeQuality,
    Deployment,
    Headroom,
    Observation,
    PriorityDepth,
    Provider,
    Queue,
    ReplicaStatus,
    Route,
    RouteTarget,
    SwitchOption,
    Traffic,
)
from console.domain.refs import Kind, Ref
from tests.contract.rules import QUEUE_VERBS, faults_of, faults_of_plan

NOW = 1000.0
ABLE = tuple(Ability(verb, able=True) for verb in (Verb.TRIP, Verb.RESET, Verb.WEIGHT))
DEPLOYMENT = Deployment(
    ref=Ref("s", Kind.DEPLOYMENT, "d"), observed_at=NOW, can=ABLE, provider="p", model="m", routes=("r",), weight=1.0
)
ROUTE = Route(
    ref=Ref("s", Kind.ROUTE, "r"),
    observed_at=NOW,
    can=(Ability(Verb.SWITCH, able=True),),
    targets=(RouteTarget(deployment="d", share=1.0),),
    switch_options=(SwitchOption(to="d", mechanism="order", words="first"),),
)
PROVIDER = Provider(ref=Ref("s", Kind.PROVIDER, "p"), observed_at=NOW, deployments=("d",))
REPLICAS = (ReplicaStatus(name="one", url="http://one", up=True),)


def _seen(deployment: Deployment = DEPLOYMENT, route: Route = ROUTE) -> Observation:
    return Observation(observed_at=NOW, readings=(PROVIDER, deployment, route), replicas=REPLICAS)


def test_a_sound_observation_has_no_fault() -> None:
    assert faults_of(_seen(), "s", NOW, NOW) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"observed_at": NOW + 1}, "not before"),
        ({"ref": Ref("other", Kind.DEPLOYMENT, "d")}, "another source"),
        ({"ref": Ref("s", Kind.QUEUE, "d")}, "is a Deployment"),
        ({"weight": math.inf}, "inf"),
        ({"weight": -1.0}, "below zero"),
        ({"can": ()}, "does not say"),
        ({"can": (*ABLE[:2], Ability(Verb.WEIGHT, able=False))}, "does not say why"),
        ({"can": (*ABLE, ABLE[0])}, "twice"),
        ({"provider": "nobody"}, "its provider"),
        ({"routes": ("nowhere",)}, "its route"),
        ({"traffic": Traffic(window_s=60, requests_per_min=1, errors_per_min=2)}, "more errors"),
        ({"traffic": Traffic(window_s=0)}, "a window of"),
        ({"headroom": Headroom(requests_left=2, requests_limit=1)}, "2 of 1"),
    ],
)
def test_a_faulty_deployment_is_found(change: dict[str, object], word: str) -> None:
    found = faults_of(_seen(deployment=msgspec.structs.replace(DEPLOYMENT, **change)), "s", NOW, NOW)
    assert any(word in fault for fault in found), found


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"targets": (RouteTarget(deployment="nobody"),)}, "its target"),
        ({"targets": (RouteTarget(deployment="d", share=1.2),)}, "more than the whole"),
        ({"fallbacks": ("nowhere",)}, "its fallback"),
        ({"switch_options": ()}, "do not agree"),
    ],
)
def test_a_faulty_route_is_found(change: dict[str, object], word: str) -> None:
    found = faults_of(_seen(route=msgspec.structs.replace(ROUTE, **change)), "s", NOW, NOW)
    assert any(word in fault for fault in found), found


QUEUE = Queue(
    ref=Ref("s", Kind.QUEUE, "q"),
    observed_at=NOW,
    can=tuple(Ability(verb, able=False, reason="not here") for verb in QUEUE_VERBS),
    depth=5,
)


def _able(verb: Verb) -> tuple[Ability, ...]:
    return tuple(Ability(one.verb, able=True) if one.verb is verb else one for one in QUEUE.can)


def test_a_sound_queue_has_no_fault() -> None:
    assert faults_of(Observation(observed_at=NOW, readings=(QUEUE,)), "s", NOW, NOW) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"can": QUEUE.can[1:]}, "does not say whether it can pause"),
        ({"oldest_age_s": 3.0}, "3.0 and unknown"),
        ({"age_quality": AgeQuality.EXACT}, "None and exact"),
        ({"depth": 0, "oldest_age_s": 3.0, "age_quality": AgeQuality.EXACT}, "nothing waits"),
        ({"priorities": (PriorityDepth(1, 4), PriorityDepth(0, 2))}, "by priority"),
        ({"dead_letters": 1}, "does not say where"),
        ({"dead_letter_queue": "q"}, "its own dead-letter queue"),
        ({"paused": True, "can": _able(Verb.PAUSE)}, "can be paused"),
        ({"can": _able(Verb.REPLAY)}, "nothing is parked"),
        ({"can": _able(Verb.REQUEUE)}, "nothing is dead"),
        ({"consumers_busy_ratio": 1.5}, "more than the whole"),
    ],
)
def test_a_faulty_queue_is_found(change: dict[str, object], word: str) -> None:
    queue = msgspec.structs.replace(QUEUE, **change)
    found = faults_of(Observation(observed_at=NOW, readings=(queue,)), "s", NOW, NOW)
    assert any(word in fault for fault in found), found


def test_an_observation_from_before_it_was_asked_for_is_found() -> None:
    assert faults_of(_seen(), "s", NOW + 1, NOW + 2) == [
        f"observed at {NOW}, asked for at {NOW + 1}, and the clock says {NOW + 2}"
    ]


def test_two_readings_of_one_name_are_found() -> None:
    twice = Observation(observed_at=NOW, readings=(PROVIDER, DEPLOYMENT, ROUTE, ROUTE), replicas=REPLICAS * 2)
    found = faults_of(twice, "s", NOW, NOW)
    assert "s:route/r is there 2 times" in found
    assert "replica one is there 2 times" in found


PLAN = Plan(
    target=DEPLOYMENT.ref,
    verb=Verb.TRIP,
    steps=(Step(op="x", words="x"),),
    expects=(Expectation(ref=DEPLOYMENT.ref, field="f", value=1, words="f is 1"),),
    before={"f": 0},
    after={"f": 1},
    generation="g",
    replicas=("one",),
    words="x",
)


def test_a_sound_plan_has_no_fault() -> None:
    assert faults_of_plan(PLAN, Verb.TRIP) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"verb": Verb.RESET}, "planned reset"),
        ({"steps": ()}, "no steps"),
        ({"expects": ()}, "no expectations"),
        ({"words": ""}, "no words"),
        ({"generation": ""}, "no a generation"),
        ({"replicas": ()}, "no replicas"),
        ({"after": {"g": 1}}, "same fields"),
        ({"undo": (Step(op="y", words="y"),)}, "belong together"),
        ({"steps": (Step(op="x", words=""),)}, "step x has no words"),
        ({"converge_s": 0.0}, "no time"),
        ({"before": {"f": (1, 2)}}, "trip through JSON"),
    ],
)
def test_a_faulty_plan_is_found(change: dict[str, object], word: str) -> None:
    found = faults_of_plan(msgspec.structs.replace(PLAN, **change), Verb.TRIP)
    assert any(word in fault for fault in found), found

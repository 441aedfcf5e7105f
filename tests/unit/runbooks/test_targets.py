"""From a file's words to an intent: what is filled in stays what it is, and what is meant has to be on the board."""

from typing import Any

import pytest
from msgspec.structs import replace

from console.domain.actions import Intent, OnExpiry
from console.domain.errors import Refusal
from console.domain.readings import Deployment
from console.domain.refs import Kind, Ref
from console.domain.verbs import Park, Replay, Requeue, Reset, Restore, SetWeight, Switch, Trip
from runbooks.schema import Action
from runbooks.targets import filled, intent_of, ref_of, shown
from tests.unit.runbooks.ramp.scenes import override
from tests.unit.runbooks.scene import QUEUE, ROUTE, SLOW, WELL, Scene

VALUES: dict[str, str | float] = {
    "target": "chat-azure",
    "route": "chat",
    "queue": "chat-jobs",
    "to": "chat-openai",
    "w": 20.0,
}
TYPES = {"target": "deployment", "route": "route", "queue": "queue", "to": "text", "w": "number"}


def intent(scene: Scene | None = None, otherwise: str = "because", **action: Any) -> Intent:
    board = (scene or Scene()).board
    return intent_of(Action.model_validate(action), VALUES, TYPES, board, reason=otherwise, key="r/s/1")


def test_values_are_filled_in_once_and_as_they_are() -> None:
    assert filled("${a}-${b} ${ a }", {"a": "${b}", "b": 2.0}) == "${b}-2 ${b}"
    assert filled("no $a {b} $${", {"a": "x"}) == "no $a {b} $${"
    with pytest.raises(Refusal, match="nothing is known of the parameter c"):
        filled("${c}", {"a": "x"})


def test_for_a_person_values_are_clean_and_never_markup() -> None:
    values = {"a": "x\x1b[2J", "b": "[click](http://x) **bold** `code`"}
    assert shown("${a} ${none}", values) == "x�[2J ${none}"
    assert shown("**${b}**", values, markdown=True) == r"**\[click\]\(http://x\) \*\*bold\*\* \`code\`**"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Move ${a} from ${b} to ${c}", "Move chat from x"),
        ("Keep requests away from ${c}", "Keep requests away"),
        ("Hold the work in ${c} that can wait", "Hold the work that can wait"),
        ("${c} answers", "answers"),
        ("Onto ${c}/${b}", "Onto/x"),
        ("${a} from ${d}", "chat from ${d}"),
    ],
)
def test_a_line_leaves_out_what_is_empty(text: str, line: str) -> None:
    assert shown(text, {"a": "chat", "b": "x", "c": ""}) == line


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("${target}", SLOW), ("deployment/chat-azure", SLOW), ("gw:deployment/chat-openai", WELL), ("${route}", ROUTE),
        ("queue/${queue}", QUEUE), ("jobs:queue/${queue}", QUEUE), (" ${route} ", ROUTE),
    ],
)  # fmt: skip
def test_what_is_meant(text: str, ref: Ref) -> None:
    assert ref_of(text.strip(), VALUES, TYPES, Scene().board) == ref


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deployment/nobody", "there is no .* 'deployment/nobody' on the board"),
        ("jobs:deployment/chat-azure", "there is no"),
        ("${nothing}", "nothing is known of the parameter nothing"),
        ("", "there is no"),
    ],
)
def test_what_is_not_there_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        ref_of(text, VALUES, TYPES, Scene().board)


def test_one_name_at_two_sources_is_asked_for() -> None:
    scene = Scene()
    slow = scene.things[SLOW]
    assert isinstance(slow, Deployment)
    twin = Ref("jobs", Kind.DEPLOYMENT, SLOW.name)
    scene.things[twin] = replace(slow, ref=twin)
    with pytest.raises(
        Refusal, match="several are called 'chat-azure': gw:deployment/chat-azure, jobs:deployment/chat-azure"
    ):
        ref_of("${target}", VALUES, TYPES, scene.board)
    assert ref_of("${target}", VALUES | {"target": str(twin)}, TYPES, scene.board) == twin


def test_an_intent_has_all_that_the_file_says() -> None:
    found = intent(verb="trip", target="${target}", ttl="30m", onExpiry="probe", reason="slow: ${target}")
    assert found == Intent(
        target=SLOW, action=Trip(), reason="slow: chat-azure", ttl_s=1800.0, on_expiry=OnExpiry.PROBE, via="runbook",
        key="r/s/1",
    )  # fmt: skip
    assert intent(verb="reset", target="${target}") == Intent(
        target=SLOW, action=Reset(), reason="because", via="runbook", key="r/s/1"
    )


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ({"verb": "weight", "target": "${target}", "weight": "${w}"}, SetWeight(20.0)),
        ({"verb": "weight", "target": "${target}", "weight": 0}, SetWeight(0.0)),
        ({"verb": "switch", "target": "${route}", "to": "${to}"}, Switch("chat-openai")),
        ({"verb": "switch", "target": "${route}", "to": "gw:deployment/chat-openai"}, Switch("chat-openai")),
        ({"verb": "switch", "target": "${route}", "to": "azure/gpt-5"}, Switch("azure/gpt-5")),
        ({"verb": "park", "target": "${queue}"}, Park()),
        ({"verb": "replay", "target": "${queue}", "per_s": 2}, Replay(2.0)),
        ({"verb": "requeue", "target": "${queue}"}, Requeue(None)),
    ],
)
def test_each_verb_takes_its_own(action: dict[str, Any], wanted: object) -> None:
    assert intent(**action).action == wanted


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"verb": "weight", "target": "${target}", "weight": "${to}"}, "weight takes a number, not 'chat-openai'"),
        ({"verb": "weight", "target": "${target}", "weight": -1}, "a weight is 0 or more"),
        ({"verb": "weight", "target": "${target}", "weight": "nan"}, "a weight is 0 or more"),
        ({"verb": "switch", "target": "${route}"}, "has to say where to"),
        ({"verb": "replay", "target": "${queue}", "per_s": 0}, "a rate is more than 0"),
        ({"verb": "trip", "target": "${route}"}, "chat is a route, and a deployment is wanted"),
        ({"verb": "reissue", "target": "${target}"}, "a runbook has no reissue"),
        ({"verb": "restore", "target": "${target}"}, "no hand is on gw:deployment/chat-azure"),
        ({"verb": "stop", "target": "${queue}"}, "nothing that can be stopped is under way"),
    ],
)
def test_what_cannot_be_is_refused(action: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        intent(**action)


def test_a_restore_takes_the_newest_hand_on_it() -> None:
    old = replace(override("x", number="o1"), target=SLOW)
    new = replace(override("x", number="o2"), target=SLOW, created_at=2000.0)
    scene = Scene(snapshot={"overrides": (new, old)})
    assert intent(scene, verb="restore", target="${target}").action == Restore("o2")

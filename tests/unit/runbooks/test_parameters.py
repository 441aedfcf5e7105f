"""Parameters: given, found or asked for; and what cannot be is said."""

from typing import Any

import pytest

from runbooks.parameters import bind, choices_of, types_of, written
from runbooks.schema import Parameter, Runbook
from tests.unit.runbooks.scene import Scene, alert, stale

STEPS = [{"id": "a", "check": "true"}]


def runbook(**parameters: Any) -> Runbook:
    return Runbook.model_validate(
        {"schemaVersion": 1, "id": "x", "title": "x", "parameters": parameters, "steps": STEPS}
    )  # fmt: skip


BOOK = runbook(
    target={"type": "deployment", "from": "alert.name"},
    route={"type": "route", "from": "route_of(target)"},
    other={"type": "deployment", "from": "alternative(route, target)"},
    hold={"type": "duration", "default": "5m", "minimum": 60},
    most={"type": "number", "from": "2 * requests(target)", "maximum": 500},
    how={"type": "choice", "choices": ["fast", "slow"], "default": "slow"},
)


def test_what_the_alert_and_the_board_tell_is_found() -> None:
    found = bind(BOOK, {}, Scene(alerts=(alert(),)).scope())
    assert found.values == {
        "target": "chat-azure", "route": "chat", "other": "chat-openai", "hold": 300.0, "most": 200.0, "how": "slow",
    }  # fmt: skip
    assert (found.missing, found.faults) == ([], [])
    again = bind(BOOK, written(found.values), Scene().scope())
    assert again.values == found.values


def test_what_is_given_comes_first_and_leads_the_rest() -> None:
    given = {"target": "gw:deployment/chat-openai", "hold": "90s", "how": "fast"}
    found = bind(BOOK, given, Scene(alerts=(alert(),)).scope())
    assert found.values["target"] == "chat-openai", "the shortest name that says it"
    assert (found.values["hold"], found.values["most"], found.values["how"]) == (90.0, 80.0, "fast")
    assert found.values["other"] == "chat-spare", "chat-azure fails"


def test_what_nobody_tells_is_asked_for() -> None:
    assert bind(BOOK, {}, Scene().scope()).missing == ["target", "route", "other", "most"]
    scene = Scene(alerts=(alert(),))
    stale(scene)
    assert bind(BOOK, {}, scene.scope()).missing == ["route", "other", "most"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target": "nobody"}, "target: there is no deployment 'nobody' on the board"),
        ({"target": "route/chat"}, "target: there is no deployment 'route/chat'"),
        ({"hold": "soon"}, "hold: 'soon' is no duration"),
        ({"hold": "1s"}, "hold: it is at least 60; not 1"),
        ({"most": "many"}, "most: it is a number; not 'many'"),
        ({"most": "501"}, "most: it is at most 500; not 501"),
        ({"most": "nan"}, "most: it is a number that ends"),
        ({"how": "wild"}, "how: it is one of fast, slow; not 'wild'"),
        ({"what": "x"}, "there is no parameter what"),
        ({"target": "x" * 501}, "target: it has 501 characters"),
    ],
)
def test_what_cannot_be_is_said(given: dict[str, str], words: str) -> None:
    assert words in " ".join(bind(BOOK, given, Scene().scope()).faults)


def test_what_there_is_to_choose_from() -> None:
    board = Scene().board
    assert choices_of(BOOK.parameters["target"], board) == ("chat-azure", "chat-openai", "chat-spare")
    assert choices_of(BOOK.parameters["how"], board) == ("fast", "slow")
    assert choices_of(BOOK.parameters["hold"], board) == ()
    assert choices_of(Parameter(type="text"), board) == ()
    assert types_of(BOOK)["hold"] == "duration"

"""Conditions: what is seen decides, what is not seen leaves them open, and whole numbers are numbers."""

import logging

import pytest

from runbooks.expressions import VARIABLES, ExpressionFault, compiled, find, judge
from tests.unit.runbooks.scene import NOW, ROUTE, SLOW, Scene, alert, incident, stale


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("p95(route) > 4", True),
        ("p95(route) * 2 > 9.5 + 0", True),
        ("p95('chat-azure') > 3 * p95('chat-openai') + 1", True),
        ("1 + 1.5 == 2.5 && 7 / 2 == 3.5", True),
        ("0x10 == 16 && 2u < 3", True),
        ("size([1, 2]) + 1 == 3 && 'abc'.size() == 3", True),
        ("duration('5m') == 300 && seconds('1h30m') > step_s", True),
        ("deployments(route)[0] == 'chat-azure'", True),
        ("deployments(route).exists(d, p95(d) > 7)", True),
        ("deployments(route).filter(d, requests(d) > 0).all(d, healthy(d))", False),
        ("limit > 2 && limit < 4", True),
        ("'azure' in ['azure', 'openai'] && route.startsWith('ch')", True),
        ("run_s > step_s ? true : false", True),
        ("requests(route) > 100 // and nothing else", True),
        ('p95("gw:route/chat") == p95("route/chat")', True),
    ],
)
def test_what_is_seen_decides(text: str, holds: bool) -> None:
    assert Scene().holds(text, route__route="chat", limit__number=3.0) is holds


@pytest.mark.parametrize(
    "text",
    [
        "p95(route) > 4", "p95(route) < 4", "p95(route) == 5", "p95(route) != 5", "!(p95(route) > 4)", "healthy(route)",
        "p95(route) > 4 ? true : false", "p95(route) in [5]", "[p95(route)].size() == 1", "requests(route) == 0",
        "deployments(route).all(d, p95(d) > 1)", "deployments(route).exists(d, p95(d) > 1)", "firing('errors', route)",
        "!firing('errors', route)", "transport(route) == 'ok'", "time_to_drain(queue_of(route)) < 60",
        "carries('azure')", "alternative(route) != null", "usual(route, 'p95') > 1",
        "provider_of('chat-azure') == 'azure'",
        "p95(route) > 1 || p95(route) <= 1", "spend('batch') > 1", "circuit('chat-azure') != 'open'",
    ],
)  # fmt: skip
def test_what_is_stale_is_neither_true_nor_false(text: str) -> None:
    scene = Scene()
    stale(scene)
    assert "gw is stale: last seen 10 min ago" in scene.why(text, route__route="chat")


def test_what_was_seen_before_something_was_done_says_nothing_of_after() -> None:
    scope = Scene().scope()
    scope.after = {"gw": NOW}
    before = judge("check", "requests('chat-azure') < 1", scope)
    assert before.holds is None
    assert "gw has not been looked at since it was acted on" in before.words
    assert judge("check", "depth('chat-jobs') > 1", scope).holds is True
    scope.after = {"gw": NOW - 0.5}
    assert judge("check", "requests('chat-azure') > 1", scope).holds is True


def test_what_decides_alone_needs_nothing_else() -> None:
    scene = Scene()
    stale(scene)
    assert scene.holds("depth('chat-jobs') > 1000 || p95('chat') > 4") is True
    assert scene.holds("p95('chat') > 4 || depth('chat-jobs') > 1000") is True
    assert scene.holds("p95('chat') > 4 && depth('chat-jobs') < 1000") is False
    assert scene.holds("p95('chat') > 4 || depth('chat-jobs') < 1000") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("p95('nobody') > 1", "p95(nobody): 'nobody' is no deployment or route or provider or service on the board"),
        ("p95('chat-spare') > 1", "nothing was answered lately"),
        ("errors('chat-spare') < 0.1", "nothing flows there"),
        ("p95('') > 1", "no name is given"),
        ("p95(alternative('chat', 'nobody')) > 1", "'nobody' is no deployment"),
        ("requests('chat') % 2 == 0", "column 18: there is no % here"),
        ("requests('chat')", "neither true nor false"),
        ("route_of('chat-azure')", "it gives chat, neither true nor false"),
        ("null", "neither true nor false"),
        ("alert.name == 'x'", "it was not begun from an alert"),
        ("culprit() == 'x'", "it was not begun from an incident"),
        ("nothing > 1", "nothing is known of nothing"),
        ("requests(5) > 1", "'5.0' is no deployment or route or provider or service on the board"),
        ("requests(['chat']) > 1", "requests(['chat'])"),
        ("'a' > 1", "No such overload"),
        ("deployments('chat')[9] == 'x'", ""),
        ("mean('chat', 'p95', '10m') > 1", "too little of that time was seen"),
        ("mean('chat', 'col' + 'our', '10m') > 1", "a metric of the past is one of p50, p95"),
        ("mean('chat', 'p95', '3d') > 1", "a window has 15 s to an hour"),
        ("seconds('soon') > 1", "that is no duration"),
    ],
)
def test_why_nothing_can_be_said(text: str, why: str) -> None:
    assert why in Scene().why(text)


def test_a_condition_shows_what_it_saw() -> None:
    found = judge("until", "p95(route) < 4 && errors(route) < limit", Scene().scope(route="chat", limit=0.05), "calm")
    assert (found.role, found.holds, found.words) == ("until", False, "calm")
    assert {one.name: one.words for one in found.seen} == {"p95(chat)": "5 s", "route": "chat", "limit": "0.05"}


def test_a_name_that_several_have_is_the_parameters_or_asked_for() -> None:
    scene = Scene()
    queue = next(one for one in scene.things.values() if one.ref.name == "chat-jobs")
    from msgspec.structs import replace

    twin = ROUTE.__class__("jobs", ROUTE.kind, "chat")
    scene.things[twin] = replace(scene.things[ROUTE], ref=twin)
    assert "several are called 'chat': gw:route/chat, jobs:route/chat" in scene.why(
        "p95(route) > 1", route__route="chat"
    )
    assert scene.holds("p95(route) > 1", route__route="gw:route/chat") is True
    scene.alerts = (alert(ref=SLOW),)
    assert scene.holds("p95(route) > 1", route__route="chat") is True, "the alert's own gateway is meant"
    assert queue.ref.source == "jobs"


def test_a_name_means_what_its_parameter_is() -> None:
    from msgspec.structs import replace

    scene = Scene()
    alike = SLOW.__class__("gw", SLOW.kind, "chat")
    scene.things[alike] = replace(scene.things[SLOW], ref=alike)
    assert "several" in scene.why("p95('chat') > 1")
    assert scene.holds("p95(x) == 8", x__deployment="chat") is True
    assert scene.holds("p95(x) == 5", x__route="chat") is True


def test_the_alert_and_the_incident_are_variables() -> None:
    first = alert(value=3.5)
    scene = Scene(alerts=(first,), incidents=(incident(first),))
    assert scene.holds("alert.name == 'chat-azure' && alert.kind == 'deployment' && alert.source == 'gw'") is True
    assert scene.holds("alert.rule == 'latency' && alert.severity == 'ticket' && alert.aspect == 'transport'") is True
    assert scene.holds("alert.age == 300 && alert.value == 3.5 && incident.age == 300") is True
    assert scene.holds("incident.culprit == 'azure' && incident.culprit_kind == 'provider'") is True
    assert scene.holds("has(alert.value)") is True
    assert set(VARIABLES) == {"alert", "incident", "run_s", "step_s"}


def test_what_is_found_is_a_name_or_a_number() -> None:
    scope = Scene(alerts=(alert(),)).scope()
    assert find("route_of(alert.name)", scope) == "chat"
    assert find("alternative('chat', alert.name)", scope) == "chat-openai"
    assert find("p95('chat')", scope) == 5.0
    for nothing in ("alternative('nobody')", "route_of(", "true", "deployments('chat')", "''", "null"):
        assert find(nothing, scope) is None


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("p95(x) > 1 &&", 14, "it ends before it is whole"),
        ("p95(x) = 1", 8, "= means nothing here; == compares"),
        ("true ? true ? 1", 1, "it is no whole expression"),
        ("p59(x) > 1", 1, "there is no function p59; did you mean p95?"),
        ("true && p95() > 1", 9, "p95 is called with 0 arguments; it is p95(x)"),
        ("share('a', 'b', 'c') > 1", 1, "share is called with 3 arguments; it is share(d[, route])"),
        ("x.p95(1) > 1", 3, "p95 is called with 2 arguments"),
        ("alert.nam == 'x'", 7, "alert has no nam; it has age, aspect, kind"),
        ("usual(x, 'p59') > 1", 10, "'p59' is no metric; there are: p50, p95"),
        ("x.mean('colour', '5m') > 1", 8, "'colour' is no metric"),
        ("'a'.matches('b')", 5, "there is no function matches"),
        ("99999999999999999999 > 1", 1, "invalid int literal"),
    ],
)
def test_a_fault_names_its_column(text: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        compiled(text)
    assert caught.value.column == column
    assert words in caught.value.words


def test_a_fault_in_a_later_line_names_it() -> None:
    with pytest.raises(ExpressionFault, match="line 2, column 4: there is no function nope"):
        compiled("true &&\n   nope(1)")


def test_what_only_the_evaluation_can_tell_is_no_fault() -> None:
    for text in (
        "mean('chat', m, '10m') > 1",
        "usual(route_of('a, b'), 'p' + '95', '10m') > 1",
        "p95([')', '('][0]) > 1",
    ):
        assert compiled(text).boolean


def test_only_what_can_be_true_or_false_decides() -> None:
    decides = ("healthy(x)", "!firing('a')", "x == 'a'", "true", "[1].all(i, i > 0)", "has(alert.value)")
    assert [text for text in decides if not compiled(text).boolean] == []
    assert [text for text in ("x", "p95(x)", "1 + 2", "'true'", "alternative(x)") if compiled(text).boolean] == []


def test_what_cannot_be_said_is_no_noise(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        assert Scene().holds("p95('nobody') > 1") is None
    assert not caplog.records
    assert capfd.readouterr() == ("", "")

"""Offers: what fits the incident, the closest first, with what is known filled in."""

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from console.domain.alerts import AlertState, Severity
from console.domain.incidents import Blame, Dimension
from console.domain.readings import Deployment
from console.domain.runbooks import Offer, Run, RunState
from runbooks.describing import info_of
from runbooks.expressions import Scope
from runbooks.loader import Book, Faulty, library
from runbooks.offers import offers
from runbooks.schema import Runbook
from tests.unit.runbooks.scene import NOW, ROUTE, SLOW, WELL, Aspect, Scene, alert, incident

TARGET = {"target": {"type": "deployment", "from": "alert.name"}}


def book(name: str, *match: dict[str, Any], **more: Any) -> Book:
    values = {
        "schemaVersion": 1,
        "id": name,
        "title": name.title(),
        "match": match,
        "steps": [{"id": "a", "check": "true"}],
    }
    return Book(Runbook.model_validate(values | more), Path(f"{name}.yaml"), "", "")


def offered(scene: Scene, *books: Book | Faulty) -> tuple[Offer, ...]:
    board = scene.board

    def scope_of(runbook: Runbook, alert_id: str, incident_id: str) -> Scope:
        bare = Scene().scope()
        return changed(bare, board=board, alert=board.alerts.get(alert_id), incident=board.incidents.get(incident_id))

    return offers(books, board, scope_of)


def named(found: Sequence[Offer]) -> list[str]:
    return [one.runbook for one in found]


def brownout(**more: Any) -> Scene:
    first = alert()
    return Scene(alerts=(first,), incidents=(incident(first, **more),))


def test_the_one_that_names_the_trouble_closest_comes_first() -> None:
    found = offered(
        brownout(),
        book("any", {}),
        book("rule", {"rule": "latency"}),
        book("culprit", {"rule": "latency", "culprit": "provider"}),
        book("named", {"rule": "latency", "culprit": "provider/azure"}),
        book("other", {"rule": "errors"}),
        book("model", {"rule": "latency", "culprit": "model/*"}),
        book("begun by name"[:5]),
        Faulty(Path("bad.yaml"), ("bad.yaml:1: no",)),
    )
    assert named(found) == ["named", "culprit", "rule"], "three at the most"
    assert found[0].words == "latency at chat-azure; the likeliest culprit is provider azure"
    assert (found[0].incident, found[0].alert) == ("i1", "latency@gw:deployment/chat-azure")


def test_what_the_alert_tells_is_filled_in_and_preconditions_are_looked_at() -> None:
    def precondition(text: str) -> list[dict[str, str]]:
        return [{"condition": text}]

    ready = book("ready", {"rule": "latency"}, parameters=TARGET, preconditions=precondition("p95(target) > 4"))
    unsaid = book("unsaid", {"rule": "latency"}, parameters=TARGET, preconditions=precondition("ttft(target) > 4"))
    cannot = book("cannot", {"rule": "latency"}, parameters=TARGET, preconditions=precondition("p95(target) > 40"))
    found = offered(brownout(), cannot, unsaid, ready)
    assert [(one.runbook, one.ready) for one in found] == [("ready", True), ("unsaid", None), ("cannot", False)]
    assert found[0].parameters == {"target": "chat-azure"}
    asked = book("asked", {"rule": "latency"}, parameters={"queue": {"type": "queue"}})
    assert [(one.ready, one.parameters) for one in offered(brownout(), asked)] == [(None, {})]


def test_a_match_may_have_a_condition_which_has_to_hold() -> None:
    yes = book(
        "yes", {"rule": "latency", "when": "errors(alert.name) > 0.1 && target == alert.name"}, parameters=TARGET
    )
    no = book("no", {"rule": "latency", "when": "errors(alert.name) > 0.5"})
    unsaid = book("unsaid", {"rule": "latency", "when": "ttft(alert.name) > 1"})
    assert named(offered(brownout(), yes, no, unsaid)) == ["yes"]


def test_kind_aspect_and_rule_have_to_fit() -> None:
    first = alert("finish/content_filter", ROUTE, aspect=Aspect.ANSWERS)
    scene = Scene(alerts=(first,), incidents=(incident(first),))
    fitting = [
        book("a", {"rule": "finish"}), book("b", {"rule": "finish/*", "kind": "route"}),
        book("c", {"rule": "finish/content_filter", "kind": "route", "aspect": "answers"}),
    ]  # fmt: skip
    others = [
        book("d", {"rule": "fin"}), book("e", {"kind": "deployment"}), book("f", {"aspect": "cost"}),
        book("g", {"rule": "finish/length"}),
    ]  # fmt: skip
    assert sorted(named(offered(scene, *fitting, *others))) == ["a", "b", "c"]


def test_of_several_alerts_that_which_is_about_the_culprit_counts() -> None:
    blame = Blame(dimension=Dimension.DEPLOYMENT, name="chat-openai", ref=WELL, score=0.9, because="")
    both = (alert(ref=SLOW), alert(ref=WELL))
    scene = Scene(alerts=both, incidents=(incident(*both, blame=blame),))
    assert offered(scene, book("x", {"rule": "latency"}, parameters=TARGET))[0].parameters == {"target": "chat-openai"}


def test_only_what_fires_and_is_not_silenced_is_offered_for() -> None:
    x = book("x", {"rule": "latency"})
    assert offered(Scene(alerts=(alert(state=AlertState.RESOLVED),)), x) == ()
    assert offered(Scene(alerts=(alert(silenced_until=NOW + 60),)), x) == ()
    assert named(offered(Scene(alerts=(alert(silenced_until=NOW - 60),)), x)) == ["x"]
    over = alert(state=AlertState.RESOLVED)
    assert offered(Scene(alerts=(over,), incidents=(incident(over, until=NOW, state=AlertState.RESOLVED),)), x) == ()
    assert offered(Scene(), x) == ()


def test_an_alert_of_no_incident_is_offered_for_without_a_culprit() -> None:
    lonely = Scene(alerts=(alert(severity=Severity.NOTICE),))
    found = offered(lonely, book("x", {"rule": "latency"}), book("y", {"rule": "latency", "culprit": "provider"}))
    assert [(one.runbook, one.incident) for one in found] == [("x", "")]


def run_of(**more: Any) -> Run:
    values: dict[str, Any] = {
        "id": "r1", "runbook": "x", "title": "x", "hash": "", "started_by": "ann", "holder": "ann", "uid": 1,
        "started_at": NOW, "updated_at": NOW, "state": RunState.RUNNING, "incident": "i1", "alert": "a",
    }  # fmt: skip
    return Run(**(values | more))


def test_the_next_one_that_is_hit_comes_after_the_first_was_dealt_with() -> None:
    first, second = alert(severity=Severity.PAGE), alert(ref=WELL)
    scene = Scene(alerts=(first, second), incidents=(incident(first, second),))
    x = book("x", {"rule": "latency"}, parameters=TARGET)
    assert [one.parameters for one in offered(scene, x)] == [{"target": "chat-azure"}]
    scene.snapshot = {"runs": (run_of(state=RunState.SUCCEEDED, parameters={"target": "chat-azure"}),)}
    assert [one.parameters for one in offered(scene, x)] == [{"target": "chat-openai"}]
    scene.snapshot = {"runs": (run_of(state=RunState.SUCCEEDED, parameters={"target": "chat-azure"}, dry=True),)}
    assert [one.parameters for one in offered(scene, x)] == [{"target": "chat-azure"}], "nothing was done"
    scene.alerts, scene.incidents = (first,), (incident(first),)
    scene.snapshot = {"runs": (run_of(state=RunState.FAILED, parameters={"target": "chat-azure"}),)}
    assert [one.parameters for one in offered(scene, x)] == [{"target": "chat-azure"}], "there is nothing else"
    assert named(offered(scene, x, book("any", {}))) == ["any", "x"], "what was not tried yet comes first"


def test_what_is_reckoned_is_in_no_offer() -> None:
    spare = {"type": "number", "hidden": True, "from": "room(target)", "default": 0}
    x = book("x", {"rule": "latency"}, parameters={**TARGET, "spare": spare},
             preconditions=[{"condition": "spare > 100"}])  # fmt: skip
    (found,) = offered(brownout(), x)
    assert found.parameters == {"target": "chat-azure"}
    assert found.ready is True
    assert [one.name for one in info_of(x, brownout().board).parameters] == ["target"]


def test_what_is_followed_already_is_not_offered_again() -> None:
    run = run_of()
    scene = brownout()
    scene.snapshot = {"runs": (run,)}
    x = book("x", {"rule": "latency"})
    assert offered(scene, x) == ()
    scene.snapshot = {"runs": (replace(run, state=RunState.SUCCEEDED),)}
    assert named(offered(scene, x)) == ["x"]
    scene.snapshot = {"runs": (replace(run, incident="i0"),)}
    assert named(offered(scene, x)) == ["x"]


def test_the_shipped_brownout_is_offered_for_a_brownout() -> None:
    scene = brownout()
    slow = scene.things[SLOW]
    assert isinstance(slow, Deployment)
    found = offered(scene, *library())
    assert found[0].runbook == "provider-brownout"
    assert found[0].parameters["route"] == "chat"

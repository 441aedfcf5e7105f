"""How an incident begins, holds together, survives its engine, and ends."""

import pytest

from console.domain.alerts import AlertState, Aspect, Severity
from console.domain.wire import LogKind
from console.engine.diagnosis import Diagnosis
from tests.unit.engine.diagnosis.platform import Hands, House


@pytest.fixture
def house() -> House:
    return House()


def _lines(house: House) -> list[str]:
    return [entry.words for entry in house.store.board.log if entry.kind is LogKind.ALERT]


def test_unrelated_alerts_are_two_incidents_and_related_ones_join_whatever_the_order(house: House) -> None:
    house.fire("backlog", "queue/chat-jobs")
    house.fire("retrieval", "service/api", aspect=Aspect.ANSWERS)
    house.wait(700)
    house.fire("errors", "deployment/chat-azure")  # stands behind the backlog: its cause came to light later
    first, second = house.incidents()
    assert [name.partition("@")[0] for name in first.alerts] == ["backlog", "errors"]
    assert len(second.alerts) == 1
    assert first.blame is not None
    assert first.blame.name == "chat-azure"


def test_an_incident_ends_when_it_has_been_quiet_for_a_while_and_not_before(house: House) -> None:
    alert = house.fire("errors", "deployment/chat-azure")
    begun = house.one()
    house.end(alert)
    house.wait(200)
    again = house.one()
    assert again.id == begun.id
    assert "no alert fires any more" in again.notes[-1]
    house.fire("errors", "deployment/chat-azure")
    house.wait(200)
    assert house.one().id == begun.id
    house.end(alert)
    for _ in range(11):
        house.wait(30)
    over = house.store.board.incidents[begun.id]
    assert over.state is AlertState.RESOLVED
    assert over.until == house.clock.now() or over.until == house.clock.now() - 30
    assert house.incidents() == []


def test_a_notice_is_no_incident_and_keeps_none_open(house: House) -> None:
    house.fire("throttling", "deployment/chat-openai", severity=Severity.NOTICE)
    house.wait()
    assert house.incidents() == []


def test_the_timeline_says_what_one_alert_did_not_and_each_culprit_once(house: House) -> None:
    house.fire("latency", "deployment/chat-azure")
    house.wait()
    assert _lines(house) == []
    house.fire("latency", "deployment/summarise-azure")
    house.wait()
    house.wait()
    assert len(_lines(house)) == 1
    assert _lines(house)[0].startswith("incident: slow answers: provider azure, since ")


def test_the_next_engine_goes_on_with_the_same_incident(house: House) -> None:
    trigger = house.fire("errors", "deployment/chat-azure")
    still = house.fire("retries", "route/chat")
    before = house.one()
    house.end(trigger)
    house.wait()
    alerts = tuple(house.store.board.alerts.values())
    later = House()
    later.clock.at = house.clock.at + 100
    later.store.publish(alerts=(still,))
    later.diagnosis.restore((house.one(),), alerts)
    later.wait()
    after = later.one()
    assert (after.id, after.since, set(after.alerts)) == (before.id, before.since, set(before.alerts))
    assert after.blame is not None
    assert after.blame.name == "chat-azure"


def test_an_incident_whose_alerts_are_unknown_to_the_next_engine_is_over(house: House) -> None:
    house.fire("errors", "deployment/chat-azure")
    left = house.one()
    later = House()
    later.diagnosis.restore((left,), ())
    assert later.store.board.incidents[left.id].until is not None


def test_nothing_is_judged_again_while_nothing_changes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.fire("errors", "deployment/chat-azure")
    house.wait(1)
    judged: list[float] = []
    monkeypatch.setattr(house.diagnosis, "_judge", judged.append)
    for _ in range(5):
        house.wait(1)
    assert judged == []
    house.wait(30)
    assert len(judged) == 1


def test_a_fault_in_the_diagnosis_is_said_once_and_stops_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(now: float) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(house.diagnosis, "_judge", broken)
    house.fire("errors", "deployment/chat-azure")
    house.wait()
    house.wait()
    said = [entry.words for entry in house.store.board.log if entry.kind is LogKind.ENGINE]
    assert said == ["the diagnosis failed (RuntimeError: oh); the alerts stand"]


def test_a_board_without_alerts_costs_nothing_to_tick() -> None:
    house = House()
    other = Diagnosis(house.store, Hands())
    other.tick()
    assert house.store.board.incidents == {}
    with pytest.raises(KeyError):
        other.alerts_of("none")

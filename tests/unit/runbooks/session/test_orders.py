"""Every order in every phase of a run: what it does, or why it is refused; what is refused changes nothing."""

from typing import Any

import pytest
from msgspec.structs import replace

from console.domain.actions import Check, CheckResult, Outcome, Verdict
from console.domain.errors import Refusal
from console.domain.runbooks import RunCommand, RunOrder, RunState, StepState
from runbooks import course, events
from runbooks.orders import obey
from runbooks.schema import Runbook
from runbooks.session import Look, Lookup, Phase, Prepare, Recheck, Session, Show, need, preconditions
from tests.unit.runbooks.session.books import ACT, NOW, UID, begun, book, intent, proposal, receipt, seen

BOOK = book(
    {"id": "one", "when": "a", "action": ACT, "verify": {"successCondition": "a", "interval": "5s"}},
    {"id": "two", "manual": {"ask": "do it"}},
    {"id": "three", "command": {"name": "c"}, "confirm": "never"},
    {"id": "four", "wait": {"for": "1m"}},
    preconditions=[{"condition": "a"}],
)
LATER = NOW + 100
KEY = "r1/one/1"


def told(session: Session, *heard: events.Event, runbook: Runbook = BOOK) -> Session:
    for event in heard:
        session = course.apply(session, runbook, event, NOW)
    return session


def said(session: Session, order: RunOrder, now: float = LATER, runbook: Runbook = BOOK, **more: Any) -> Session:
    return obey(session, runbook, RunCommand(run="r1", order=order, **{"reason": "why", **more}), "olga", UID, now)


def look(session: Session, holds: bool | None) -> events.Looked:
    wanted = need(session, BOOK, NOW + 50)
    assert isinstance(wanted, Look)
    return events.Looked(seen(wanted.questions, holds))


def stands() -> dict[str, Session]:
    """A run in every phase, and in every way of standing there."""
    found = {"check": begun(BOOK)}
    found["enter"] = told(found["check"], look(found["check"], True))
    found["prepare"] = told(found["enter"], look(found["enter"], True))
    found["show"] = told(found["prepare"], events.Prepared((intent(KEY),)))
    found["ask"] = told(found["show"], events.Shown(proposal(intent(KEY)), "print"))
    found["act"] = said(found["ask"], RunOrder.CONFIRM, NOW)
    found["follow"] = told(found["act"], events.Sent(KEY, "a1"))
    found["lost"] = told(found["follow"], events.Told(receipt(KEY, "a1", Outcome.UNKNOWN)))
    found["verify"] = told(found["follow"], events.Told(receipt(KEY, "a1", Outcome.VERIFIED)))
    found["failed"] = told(found["follow"], events.Told(receipt(KEY, "a1", Outcome.FAILED)))
    found["manual"] = told(found["verify"], look(found["verify"], True), events.Looked(()))
    found["command"] = told(said(found["manual"], RunOrder.DONE, NOW), events.Looked(()))
    found["wait"] = told(found["command"], events.Commanded("r1/three/1", "c1", True, "0"), events.Looked(()))
    found["back"] = said(found["wait"], RunOrder.ABORT, NOW)
    found["paused"] = said(found["verify"], RunOrder.PAUSE, NOW)
    found["over"] = said(found["ask"], RunOrder.ABORT, NOW, rollback=False)
    return found


STANDS = stands()
GOES = {
    RunOrder.CONFIRM: {"ask"},
    RunOrder.DONE: {"manual"},
    RunOrder.RETRY: {"failed", "paused"},
    RunOrder.SKIP: STANDS.keys() - {"check", "act", "command", "over"},
    RunOrder.PAUSE: STANDS.keys() - {"failed", "paused", "over"},
    RunOrder.RESUME: {"paused"},
    RunOrder.ABORT: STANDS.keys() - {"back", "over"},
    RunOrder.TAKE: set(),
}
"""Where each order makes sense when it comes from the holder."""


@pytest.mark.parametrize("order", list(RunOrder))
@pytest.mark.parametrize("name", list(STANDS))
def test_an_order_is_obeyed_where_it_makes_sense_and_refused_elsewhere(name: str, order: RunOrder) -> None:
    session = STANDS[name]
    if name in GOES[order]:
        assert said(session, order) != session
    else:
        with pytest.raises(Refusal) as refused:
            said(session, order)
        assert refused.value.code == 409


def test_each_stand_is_what_its_name_says() -> None:
    phases = {name: session.phase for name, session in STANDS.items()}
    same = {name: name for name in ("check", "enter", "prepare", "show", "ask", "act", "follow", "verify", "command")}
    same |= {"lost": "follow", "failed": "follow", "manual": "ask", "wait": "look", "back": "prepare"}
    assert {name: phases[name] for name in same} == same
    states = {name: STANDS[name].run.state for name in ("ask", "failed", "back", "paused", "over")}
    assert states == {
        "ask": RunState.AWAITING, "failed": RunState.PAUSED, "back": RunState.ROLLING_BACK,
        "paused": RunState.PAUSED, "over": RunState.ABORTED,
    }  # fmt: skip
    assert STANDS["lost"].step.state is StepState.UNKNOWN


@pytest.mark.parametrize("name", sorted(STANDS.keys() - {"over"}))
def test_only_the_holder_has_a_say_and_anybody_may_take_control(name: str) -> None:
    session = STANDS[name]
    for order in RunOrder:
        command = RunCommand(run="r1", order=order, reason="why")
        if order is RunOrder.TAKE:
            taken = obey(session, BOOK, command, "bo", 7, LATER)
            assert (taken.run.holder, taken.run.uid, taken.run.started_by) == ("bo", 7, "olga")
            with pytest.raises(Refusal, match="bo has control"):
                obey(taken, BOOK, RunCommand(run="r1", order=RunOrder.PAUSE), "olga", UID, LATER)
        else:
            with pytest.raises(Refusal, match="olga has control") as refused:
                obey(session, BOOK, command, "bo", 7, LATER)
            assert refused.value.code == 403


def test_an_order_that_comes_late_for_another_step_is_refused() -> None:
    with pytest.raises(Refusal, match="at two, not at one"):
        said(STANDS["manual"], RunOrder.SKIP, step="one")
    assert said(STANDS["manual"], RunOrder.SKIP, step="two").run.current == "three"


def test_leaving_a_step_out_takes_a_reason_and_keeps_it() -> None:
    with pytest.raises(Refusal) as refused:
        said(STANDS["ask"], RunOrder.SKIP, reason=" ")
    assert refused.value.code == 400
    step = said(STANDS["ask"], RunOrder.SKIP, reason="not needed").run.steps[0]
    assert (step.state, step.reason, step.by) == (StepState.SKIPPED, "not needed", "olga")
    going = said(STANDS["follow"], RunOrder.SKIP)
    assert going.run.steps[0].words.endswith("its action goes on by itself")


def test_resume_looks_at_the_preconditions_again_and_then_goes_on() -> None:
    session = said(STANDS["paused"], RunOrder.RESUME)
    assert isinstance(need(session, BOOK, LATER), Recheck)
    wrong = events.Rechecked(seen(preconditions(BOOK), False))
    stopped = course.apply(session, BOOK, wrong, LATER)
    assert stopped.run.state is RunState.PAUSED
    assert "resume once more" in stopped.run.words
    again = course.apply(said(stopped, RunOrder.RESUME), BOOK, wrong, LATER)
    assert (again.run.state, again.phase) == (RunState.RUNNING, Phase.VERIFY)
    other = events.Rechecked(seen(preconditions(BOOK), False), "book.yaml has changed since it was begun")
    assert course.apply(said(stopped, RunOrder.RESUME), BOOK, other, LATER).run.state is RunState.PAUSED


def test_a_retry_is_a_new_attempt_with_a_key_of_its_own() -> None:
    session = said(STANDS["failed"], RunOrder.RETRY)
    session = told(session, events.Looked(seen((), True)))
    wanted = need(session, BOOK, LATER)
    assert isinstance(wanted, Prepare)
    assert (wanted.key, session.step.attempt) == ("r1/one/2", 2)


def test_what_nobody_knows_the_end_of_is_not_tried_again() -> None:
    lost = said(STANDS["lost"], RunOrder.PAUSE)
    with pytest.raises(Refusal, match="could do it twice"):
        said(lost, RunOrder.RETRY)


def test_an_abort_in_the_middle_of_a_side_effect_finds_out_first() -> None:
    session = said(STANDS["act"], RunOrder.ABORT)
    assert isinstance(need(session, BOOK, LATER), Lookup)
    assert told(session, events.NotSent()).run.state is RunState.ABORTED
    back = told(session, events.Sent(KEY, "a1"))
    assert (back.run.state, back.to_undo) == (RunState.ROLLING_BACK, ("one",))
    left = told(said(STANDS["act"], RunOrder.ABORT, rollback=False), events.Sent(KEY, "a1"))
    assert left.run.state is RunState.ABORTED
    assert left.run.steps[0].action_id == "a1"


def test_going_back_undoes_the_last_first_and_a_retry_there_has_a_key_of_its_own() -> None:
    acts = [{"id": name, "action": ACT, "confirm": "never"} for name in ("one", "two")]
    runbook = book(*acts, {"id": "three", "check": "a"})
    session = told(begun(runbook), events.Looked(()), runbook=runbook)
    for name in ("one", "two"):
        key = f"r1/{name}/1"
        session = told(
            session, events.Looked(()), events.Prepared((intent(key),)), events.Sent(key, name),
            events.Told(receipt(key, name, Outcome.VERIFIED)), runbook=runbook,
        )  # fmt: skip
    session = said(session, RunOrder.ABORT, runbook=runbook)
    assert session.to_undo == ("two", "one")
    failed = told(
        session, events.Prepared((intent("r1/two/1/back"),)), events.Sent("r1/two/1/back", "b1"),
        events.Told(receipt("r1/two/1/back", "b1", Outcome.FAILED)), runbook=runbook,
    )  # fmt: skip
    assert (failed.run.state, failed.run.current) == (RunState.PAUSED, "two")
    again = said(failed, RunOrder.RETRY, runbook=runbook)
    wanted = need(again, runbook, LATER)
    assert isinstance(wanted, Prepare)
    assert (wanted.key, wanted.back, again.run.state) == ("r1/two/2/back", True, RunState.ROLLING_BACK)
    left = said(again, RunOrder.SKIP, runbook=runbook)
    assert (left.run.current, left.run.step("two").words) == ("one", "its way back was left out: why")  # type: ignore[union-attr]
    over = told(left, events.Prepared((), words="it has ended by itself"), runbook=runbook)
    assert (over.run.state, over.run.steps[0].state) == (RunState.ABORTED, StepState.ROLLED_BACK)


def test_time_in_a_pause_does_not_count() -> None:
    runbook = book({"id": "one", "check": "a", "timeout": "1m"})
    session = told(begun(runbook), events.Looked(()), events.Looked(()), runbook=runbook)
    assert session.step.ends_at == NOW + 60
    paused = said(session, RunOrder.PAUSE, NOW + 30, runbook=runbook)
    assert said(paused, RunOrder.RESUME, NOW + 500, runbook=runbook).step.ends_at == NOW + 60 + 470


def test_a_refused_yes_is_asked_for_again_and_a_lost_right_pauses() -> None:
    again = told(STANDS["act"], events.Refused("the world is stale"))
    assert isinstance(need(again, BOOK, LATER), Show)
    asked = told(again, events.Shown(proposal(intent(KEY)), "print"))
    assert asked.run.state is RunState.AWAITING
    assert "the world is stale" in asked.step.words
    paused = told(STANDS["act"], events.Refused("olga may not act now", rights=True))
    assert paused.run.state is RunState.PAUSED
    assert "ask for operate (o), then resume" in paused.run.words


def test_the_name_is_wanted_where_the_guard_wants_it() -> None:
    strict = replace(proposal(intent(KEY)), verdict=Verdict((Check("protect", CheckResult.TYPE_NAME, "type it"),)))
    session = told(STANDS["show"], events.Shown(strict, "print"))
    with pytest.raises(Refusal, match="type the target's name"):
        said(session, RunOrder.CONFIRM)
    assert said(session, RunOrder.CONFIRM, name="azure-b").typed == "azure-b"

"""How a run goes on: conditions, waits, branches, verifications, times that are over, failures, ramps and dry runs."""

from typing import Any

import pytest
from msgspec.structs import replace

from console.domain.actions import Outcome, SetWeight
from console.domain.refs import Kind, Ref
from console.domain.runbooks import RampStage, RunCommand, RunOrder, RunState, StepState
from runbooks import course, events, moves
from runbooks.orders import obey
from runbooks.ramping import Result
from runbooks.schema import Runbook
from runbooks.session import UNCLEAR_S, Hold, Late, Look, Over, Person, Phase, Prepare, Session, need
from tests.unit.runbooks.session.books import ACT, NOW, UID, begun, book, intent, proposal, receipt, seen

LAST = {"id": "last", "manual": {"ask": "look"}}


class Ran:
    """A run whose clock and answers a test gives."""

    def __init__(self, *steps: dict[str, Any], dry: bool = False, **more: Any) -> None:
        self.book: Runbook = book(*steps, **more)
        self.session: Session = begun(self.book, dry=dry)
        self.now = NOW
        self.tell(events.Looked(()))

    def tell(self, *heard: events.Event) -> "Ran":
        for event in heard:
            self.session = course.apply(self.session, self.book, event, self.now)
        return self

    def need(self) -> Any:
        return need(self.session, self.book, self.now)

    def look(self, **holds: bool | None) -> "Ran":
        """Answer the conditions by their texts, at the moment at which they are due."""
        wanted = self.need()
        assert isinstance(wanted, Look)
        self.now = max(self.now, wanted.at)
        return self.tell(events.Looked(tuple(seen((one,), holds.get(one.text))[0] for one in wanted.questions)))

    def act(self, outcome: Outcome = Outcome.VERIFIED) -> "Ran":
        """A whole action, for a step that asks nobody."""
        wanted = self.need()
        assert isinstance(wanted, Prepare)
        key = wanted.key
        return self.tell(
            events.Prepared((intent(key),)), events.Sent(key, key), events.Told(receipt(key, key, outcome))
        )

    def state(self, step: str) -> StepState:
        found = self.session.run.step(step)
        assert found is not None
        return found.state


def test_preconditions_that_do_not_hold_end_it_with_nothing_done() -> None:
    ran = Ran(LAST, preconditions=[{"condition": "a", "words": "azure is slow"}])
    ran.session = begun(ran.book)
    over = ran.look(a=False).session
    assert (over.run.state, over.run.words) == (RunState.FAILED, "not begun: azure is slow")
    assert isinstance(ran.need(), Over)


def test_what_cannot_be_said_is_looked_at_for_a_while_and_then_pauses() -> None:
    ran = Ran({"id": "one", "check": "a"}).look().look(a=None)
    assert ran.session.run.state is RunState.RUNNING
    ran.now += UNCLEAR_S
    assert ran.look(a=None).session.run.state is RunState.PAUSED
    assert isinstance(ran.need(), Person)
    later = Ran({"id": "one", "check": "a"}).look().look(a=None).look(a=True)
    assert later.session.run.state is RunState.SUCCEEDED


def test_a_step_whose_when_does_not_hold_is_left_out() -> None:
    ran = Ran({"id": "one", "when": "a", "action": ACT}, LAST).look(a=False)
    assert (ran.state("one"), ran.session.run.current) == (StepState.SKIPPED, "last")


def test_a_wait_lasts_at_least_so_long_and_until_it_holds() -> None:
    ran = Ran({"id": "one", "wait": {"for": "10s", "until": "a", "interval": "5s"}}, LAST).look()
    ran.look(a=True)
    assert ran.state("one") is StepState.RUNNING
    ran.now = NOW + 10
    assert ran.look(a=False).state("one") is StepState.RUNNING
    assert ran.look(a=True).state("one") is StepState.SUCCEEDED
    assert ran.now == NOW + 15


def test_a_wait_that_is_too_long_fails() -> None:
    ran = Ran({"id": "one", "wait": {"until": "a"}, "timeout": "1m", "onFailure": "continue"}, LAST).look()
    ran.now += 60
    assert isinstance(ran.need(), Late)
    assert ran.tell(events.TooLate()).state("one") is StepState.FAILED
    assert ran.session.run.current == "last"


@pytest.mark.parametrize(
    ("holds", "current", "skipped"),
    [
        ({"a": True}, "last", ["mid"]),
        ({"a": False, "b": True}, "", ["mid", "last"]),
        ({"a": False, "b": False}, "mid", []),
    ],
)
def test_a_branch_goes_to_the_first_turn_that_holds(holds: dict[str, bool], current: str, skipped: list[str]) -> None:
    turns = [{"when": "a", "goto": "last"}, {"when": "b", "goto": "end"}]
    ran = Ran({"id": "one", "branch": turns}, {"id": "mid", "check": "c"}, LAST).look().look(**holds)
    assert ran.session.run.current == current
    assert [step.id for step in ran.session.run.steps if step.state is StepState.SKIPPED] == skipped


def verified(**more: Any) -> Ran:
    verify = {"successCondition": "good", "failureCondition": "bad", "interval": "10s", "count": 2, **more}
    return Ran({"id": "one", "action": ACT, "confirm": "never", "verify": verify}, LAST).look().act()


def test_a_verification_looks_once_an_interval_and_counts() -> None:
    ran = verified()
    assert ran.need().at == NOW + 10
    ran.look(good=True, bad=False).look(good=False, bad=False).look(good=True, bad=False)
    assert (ran.now, ran.state("one")) == (NOW + 30, StepState.SUCCEEDED)
    step = ran.session.run.steps[0]
    assert (step.good, step.bad, step.unclear) == (2, 0, 1)


def test_a_verification_bears_so_many_failures_and_so_much_doubt() -> None:
    ran = verified(failureLimit=1).look(bad=True)
    assert ran.state("one") is StepState.RUNNING
    assert ran.look(bad=True).state("one") is StepState.FAILED
    doubt = verified(inconclusiveLimit=1).look()
    assert doubt.session.run.state is RunState.RUNNING
    assert "cannot be judged" in doubt.look().session.run.words
    slow = verified(timeout="1m")
    slow.now += 60
    assert isinstance(slow.need(), Late)
    assert slow.tell(events.TooLate()).session.run.state is RunState.PAUSED


def test_with_a_failure_condition_alone_its_absence_is_success() -> None:
    ran = verified(successCondition=None, count=1).look(bad=False)
    assert ran.state("one") is StepState.SUCCEEDED


@pytest.mark.parametrize(
    ("way", "state", "current"),
    [
        ("abort", RunState.FAILED, ""), ("pause", RunState.PAUSED, "one"), ("continue", RunState.RUNNING, "two"),
        ("last", RunState.RUNNING, "last"), ("rollback", RunState.ROLLING_BACK, "zero"),
    ],
)  # fmt: skip
def test_a_failure_goes_the_way_that_the_file_says(way: str, state: RunState, current: str) -> None:
    zero = {"id": "zero", "action": ACT, "confirm": "never"}
    ran = Ran(zero, {"id": "one", "check": "a", "onFailure": way}, {"id": "two", "check": "a"}, LAST)
    ran.look().act().look().look(a=False)
    assert (ran.session.run.state, ran.session.run.current) == (state, current)
    assert ran.state("one") is StepState.FAILED
    if way == "rollback":
        ran.tell(events.Prepared((), words="it has ended"))
        assert (ran.session.run.state, ran.state("zero")) == (RunState.FAILED, StepState.ROLLED_BACK)


def test_an_action_that_nobody_knows_the_end_of_is_followed_and_then_pauses() -> None:
    ran = Ran({"id": "one", "action": ACT, "confirm": "never"}, LAST).look().act(Outcome.UNKNOWN)
    assert ran.state("one") is StepState.UNKNOWN
    found = events.Told(receipt("r1/one/1", "r1/one/1", Outcome.VERIFIED))
    assert Ran.tell(ran, found).state("one") is StepState.SUCCEEDED
    lost = Ran({"id": "one", "action": ACT, "confirm": "never"}, LAST).look().act(Outcome.UNKNOWN)
    lost.now += 200
    assert isinstance(lost.need(), Late)
    assert lost.tell(events.TooLate()).session.run.state is RunState.PAUSED


def test_conditions_wait_for_a_look_later_than_the_effect() -> None:
    ran = Ran({"id": "one", "action": ACT, "confirm": "never"}, LAST).look().act()
    assert ran.session.effects_at == {"gateway": NOW}


def test_a_dry_run_shows_everything_and_does_nothing() -> None:
    verify = {"successCondition": "a", "interval": "5s"}
    ran = Ran(
        {"id": "one", "action": ACT, "verify": verify}, {"id": "two", "wait": {"for": "1h"}},
        {"id": "three", "check": "a"}, {"id": "four", "command": {"name": "c"}}, LAST, dry=True,
    )  # fmt: skip
    wanted = ran.look().need()
    ran.tell(events.Prepared((intent(wanted.key),)), events.Shown(proposal(intent(wanted.key)), "print"))
    ran.look().look().look().look(a=False).look()
    ran.tell(events.Impossible("would run /bin/true")).look()
    assert ran.session.run.state is RunState.SUCCEEDED
    assert all(step.words.startswith("dry: ") for step in ran.session.run.steps)
    assert ran.session.done == ()


# ---- ramps

ROUTE, TARGET = Ref("gateway", Kind.ROUTE, "chat"), Ref("gateway", Kind.DEPLOYMENT, "openai-a")
STAGE = RampStage(route=ROUTE, target=TARGET, index=0, shares=(5.0, 100.0), began_at=NOW, saved={"openai-a": 0.0})


def ramped(**more: Any) -> Ran:
    ramp = {"route": "route/chat", "to": "deployment/openai-a", "stages": [5, 100]}
    return Ran({"id": "one", "ramp": ramp, "confirm": "never", **more}, LAST).look()


def set_stage(ran: Ran, stage: RampStage, name: str) -> Ran:
    """A stage whose two weights are set one after the other."""
    keys = [f"r1/one/1/{name}-{number}" for number in range(2)]
    both = tuple(replace(intent(key), target=TARGET, action=SetWeight(1.0)) for key in keys)
    ran.tell(events.Prepared(both, stage))
    for key in keys:
        assert ran.session.phase is Phase.ACT
        ran.tell(events.Sent(key, key), events.Told(receipt(key, key, Outcome.VERIFIED)))
    return ran


def test_a_ramp_sets_holds_and_goes_on_until_it_is_done() -> None:
    ran = set_stage(ramped(), STAGE, "0")
    held = ran.need()
    assert isinstance(held, Hold)
    assert held.stage.since == NOW
    second = replace(STAGE, index=1)
    ran.tell(events.Judged(STAGE, Result.HOLD, "holds"), events.Judged(second, Result.GO, "on"))
    wanted = ran.need()
    assert (wanted.stage, wanted.anew) == (second, False)
    set_stage(ran, second, "1").tell(events.Judged(second, Result.DONE, "until 5"))
    assert (ran.state("one"), len(ran.session.done)) == (StepState.SUCCEEDED, 4)


def test_a_ramp_that_does_harm_goes_back_at_once_and_then_fails() -> None:
    ran = set_stage(ramped(), STAGE, "0").tell(events.Judged(STAGE, Result.ABORT, "it fails"))
    wanted = ran.need()
    assert (wanted.back, wanted.key) == (True, "r1/one/1/back")
    ran.tell(events.Prepared((intent("r1/one/1/back/1"),)), events.Sent("r1/one/1/back/1", "b"))
    ran.tell(events.Told(receipt("r1/one/1/back/1", "b", Outcome.VERIFIED)))
    assert (ran.state("one"), ran.session.run.state) == (StepState.FAILED, RunState.PAUSED)
    assert ran.session.run.steps[0].words == "it fails; put back"
    assert ran.session.run.steps[0].ramp is None
    undone = moves.undo(ran.session, ran.book, RunState.ABORTED, "enough", NOW)
    assert undone.run.state is RunState.ABORTED, "what was put back is not put back again"


def test_a_ramp_that_cannot_be_judged_pauses_and_sets_its_stage_once_more() -> None:
    ran = set_stage(ramped(), STAGE, "0").tell(events.Judged(STAGE, Result.UNCLEAR, "too few"))
    assert ran.session.run.state is RunState.PAUSED
    ran.session = obey(ran.session, ran.book, RunCommand(run="r1", order=RunOrder.RESUME), "olga", UID, NOW)
    ran.tell(events.Rechecked(()))
    wanted = ran.need()
    assert isinstance(wanted, Prepare)
    assert (wanted.anew, wanted.key) == (True, "r1/one/1")


def test_a_ramp_without_room_for_its_first_stage_pauses_and_looks_again_when_it_is_resumed() -> None:
    no_room = events.Impossible("openai-a has room for 3 more", passes=True)
    for way in ("abort", "rollback", "pause"):
        ran = ramped(onFailure=way).tell(no_room)
        assert (ran.session.run.state, ran.session.run.words) == (RunState.PAUSED, "one: openai-a has room for 3 more")
        assert ran.state("one") is StepState.PENDING
        ran.session = obey(ran.session, ran.book, RunCommand(run="r1", order=RunOrder.RESUME), "olga", UID, NOW)
        wanted = ran.tell(events.Rechecked(())).need()
        assert isinstance(wanted, Prepare)
        assert wanted.stage is None, "nothing was set, so nothing was saved"
        set_stage(ran, STAGE, "0")
    for way in ("continue", "last"):
        ran = ramped(onFailure=way).tell(no_room)
        assert (ran.state("one"), ran.session.run.current) == (StepState.FAILED, "last")
    ran = ramped(onFailure="abort").tell(events.Impossible("its circuit is open"))
    assert ran.session.run.state is RunState.FAILED

"""No order of events, orders and deaths of engines makes a run do something twice, lose it, or tell it wrongly."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from console.domain.actions import Outcome
from console.domain.errors import Refusal
from console.domain.runbooks import RunCommand, RunOrder, RunState, StepState
from runbooks import course, events, orders
from runbooks.session import (
    SENDING,
    Act,
    Follow,
    Hold,
    Late,
    Look,
    Lookup,
    Phase,
    Prepare,
    Recheck,
    RunCommandStep,
    Session,
    Show,
    need,
)
from tests.unit.runbooks.session.books import ACT, NOW, UID, begun, book, intent, proposal, receipt, seen

VERIFY = {"successCondition": "a", "failureCondition": "b", "interval": "5s", "inconclusiveLimit": 1, "timeout": "1m"}
BOOKS = (
    book(
        {"id": "one", "action": ACT, "confirm": "never", "onFailure": "rollback"},
        {"id": "two", "action": ACT, "verify": VERIFY, "onFailure": "pause", "timeout": "2m"},
        {"id": "three", "manual": {"ask": "do it"}, "rollback": ACT},
        preconditions=[{"condition": "true"}],
    ),
    book(
        {"id": "one", "command": {"name": "c"}, "confirm": "never", "verify": VERIFY, "onFailure": "continue"},
        {"id": "two", "when": "a", "action": ACT, "onFailure": "rollback"},
        {"id": "three", "branch": [{"when": "a", "goto": "end"}]},
        {"id": "four", "check": "a", "onFailure": "abort"},
        {"id": "five", "wait": {"for": "10s", "until": "b"}, "timeout": "30s", "onFailure": "rollback"},
    ),
)  # fmt: skip
HOLDS = st.sampled_from([True, True, True, True, False, None])
ORDERS = st.sampled_from(
    [RunOrder.CONFIRM] * 6 + [RunOrder.RESUME] * 4 + [RunOrder.RETRY, RunOrder.SKIP] * 2
    + [RunOrder.DONE, RunOrder.DONE, RunOrder.PAUSE, RunOrder.ABORT]
)  # fmt: skip


class Runs(RuleBasedStateMachine):
    """One run, a backend that counts what is done to it, and engines that die."""

    @initialize(which=st.sampled_from(BOOKS), rounds=st.integers(0, 8))
    def begin(self, which: Any, rounds: int) -> None:
        self.book = which
        self.now = NOW
        self.session = begun(which)
        self.done: dict[str, list[str]] = {}
        """Key → the ids of what was done under it."""
        self.outcomes: dict[str, Outcome] = {}
        self.tries: dict[str, int] = {}
        """Step → how often a person wanted it tried."""
        self.goes_well(rounds)

    def believe(self, after: Session) -> None:
        """What lies on disk is what is read back."""
        self.session = msgspec.json.decode(msgspec.json.encode(after), type=Session)

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 40.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(holds=HOLDS, well=st.sampled_from(["done", "done", "done", "refused", "rights", "ask"]),
          outcome=st.sampled_from([Outcome.VERIFIED, Outcome.VERIFIED, Outcome.FAILED, Outcome.UNKNOWN]))  # fmt: skip
    def goes_on(self, holds: bool | None, well: str, outcome: Outcome) -> None:
        self.hears(self.met(holds, well, outcome))

    @rule(rounds=st.integers(2, 6))
    def goes_well(self, rounds: int) -> None:
        for _ in range(rounds):
            self.now += 6.0
            self.hears(self.met(True, "done", Outcome.VERIFIED))

    @rule(done=st.booleans())
    def dies(self, done: bool) -> None:
        """An engine ends in the middle of what the run needs: before it was done, or before that was written down."""
        if done:
            self.met(True, "done", Outcome.VERIFIED)
        self.believe(course.apply(self.session, self.book, events.Restarted(), self.now))

    def hears(self, event: events.Event | None) -> None:
        if event is not None:
            self.believe(course.apply(self.session, self.book, event, self.now))

    @rule(order=ORDERS, rollback=st.booleans())
    def says(self, order: RunOrder, rollback: bool) -> None:
        step = self.session.run.current
        command = RunCommand(run="r1", order=order, reason="why", rollback=rollback)
        try:
            after = orders.obey(self.session, self.book, command, "olga", UID, self.now)
        except Refusal:
            return
        if order is RunOrder.RETRY:
            self.tries[step] = self.tries.get(step, 0) + 1
        self.believe(after)

    def met(self, holds: bool | None, well: str, outcome: Outcome) -> events.Event | None:
        """What comes of what the run needs; a side effect is counted."""
        match need(self.session, self.book, self.now):
            case Look(questions, at):
                return events.Looked(seen(questions, holds)) if self.now >= at else None
            case Recheck(questions, _):
                return events.Rechecked(seen(questions, holds), "" if holds else "it has changed")
            case Prepare(_, _, _, _, key):
                return events.Prepared((intent(key),)) if holds else events.Impossible("not here")
            case Show(asked):
                return events.Shown(proposal(asked), "print") if holds else events.Refused("no", rights=holds is None)
            case Lookup(key, command):
                return self.found(key, command=command) or events.NotSent()
            case Act(asked, _, _):
                return self.found(asked.key) or self.sent(asked.key, well, proposal(asked))
            case RunCommandStep(_, key):
                return self.found(key, command=True) or self.ran(key, well, holds)
            case Follow(action_id, key):
                self.outcomes[key] = outcome
                return events.Told(receipt(key, action_id, outcome))
            case Late():
                return events.TooLate()
            case Hold():
                raise AssertionError("there is no ramp here")
        return None

    def found(self, key: str, *, command: bool = False) -> events.Event | None:
        if key not in self.done:
            return None
        action_id = self.done[key][0]
        return events.Commanded(key, action_id, True, "0") if command else events.Sent(key, action_id)

    def sent(self, key: str, well: str, shown: Any) -> events.Event:
        if well == "ask":
            return events.Shown(shown, "other", "it has changed")
        if well != "done":
            return events.Refused("no", rights=well == "rights")
        self.done.setdefault(key, []).append(f"action {len(self.done)}")
        return events.Sent(key, self.done[key][0])

    def ran(self, key: str, well: str, holds: bool | None) -> events.Event:
        if well != "done":
            return events.Refused("no", rights=well == "rights")
        self.done.setdefault(key, []).append(f"command {len(self.done)}")
        return events.Commanded(key, self.done[key][0], holds, "it ended")

    @invariant()
    def nothing_twice(self) -> None:
        assert all(len(ids) == 1 for ids in self.done.values())
        for step in self.session.run.steps:
            forth = [key for key in self.done if key.split("/")[1] == step.id and not key.endswith("/back")]
            assert len(forth) <= 1 + self.tries.get(step.id, 0), forth

    @invariant()
    def nothing_lost(self) -> None:
        known = {one.key for one in self.session.done}
        lost = [key for key in self.done if key not in known]
        if lost:  # an engine died just then: the very next thing that is asked for is what became of it
            assert self.session.phase in SENDING
            assert lost == [self.session.key]
            assert not self.session.run.state.over

    @invariant()
    def the_state_is_told_truly(self) -> None:
        run, phase = self.session.run, self.session.phase
        assert run.state.over == (run.current == "" and run.ended_at is not None)
        for step in run.steps:
            acted = [one for one in self.session.done if one.step == step.id and not one.key.endswith("/back")]
            if step.state is StepState.SUCCEEDED and step.id in ("one", "two") and step.kind in ("action", "command"):
                assert acted
            if step.state in (StepState.RUNNING, StepState.UNKNOWN) and not run.state.over:
                assert step.id == run.current
        if run.state is RunState.AWAITING:
            assert phase is Phase.ASK or self.session.recheck_at is not None
        if phase is Phase.FOLLOW and not run.state.over:
            assert self.session.done


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)

"""A recorded model call, sent once more from the keyboard: chosen, previewed, confirmed, and held against the first."""

from typing import Any

import msgspec
from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.domain.actions import (
    Check,
    CheckResult,
    Effect,
    Intent,
    Outcome,
    Plan,
    Proposal,
    Receipt,
    Stage,
    Step,
    Verb,
    Verdict,
)
from console.domain.readings import Deployment
from console.domain.reissues import Reissued, ReissuedQuery
from console.domain.spans import Facts, Span, SpanKind, Trace, TraceQuery
from console.domain.verbs import Reissue
from console.domain.wire import Confirm
from console.ui.app import SwitchgearApp
from console.ui.screens.compare import CompareScreen
from console.ui.screens.confirm import ConfirmScreen
from console.ui.screens.forms import ChoiceScreen, FormScreen
from tests.ui import recorded
from tests.ui.scripted import screen_text
from tests.ui.seeing import shows, until
from tests.ui.test_traces import Recorded, at_mine

CALL = Span(span_id="ca" * 8, name="chat", kind=SpanKind.MODEL, started_at=5.0, facts=Facts(deployment="azure-b"))


class Gateway(Recorded):
    """A trace store with a gateway beside it that takes calls."""

    def __init__(self) -> None:
        super().__init__()
        spans = (CALL, msgspec.structs.replace(CALL, span_id="be" * 8, started_at=4.0))
        self.traces[self.mine] = Trace(trace_id=self.mine, spans=spans)
        self.proposed: list[Intent] = []
        self.outcome = Outcome.VERIFIED
        self.reissues["act"] = Reissued(
            action_id="act", recorded=CALL, answered=CALL, comparison=recorded.comparison()
        )  # fmt: skip

    async def propose(self, intent: Intent) -> Proposal:
        self.proposed.append(intent)
        reason = Check("reason", CheckResult.PASS if intent.reason else CheckResult.REFUSE, "a reason is required")
        plan = Plan(
            target=intent.target, verb=Verb.REISSUE, steps=(Step(op="x", words="one model call"),), expects=(),
            words="send the recorded call once more",
        )  # fmt: skip
        cost = Effect(label="cost, at most", before=None, after=0.0123, unit="$")
        return Proposal(
            id="act", intent=intent, operator="bo", plan=plan, effects=(cost,), verdict=Verdict((reason,)),
            created_at=0.0, valid_until=1e12,
        )  # fmt: skip

    async def confirm(self, confirm: Confirm) -> Receipt:
        return await self.receipt(confirm.proposal_id)

    async def receipt(self, action_id: str) -> Receipt:
        return Receipt(
            id=action_id, intent=self.proposed[-1], operator="bo", stage=Stage.DONE, outcome=self.outcome,
            started_at=0.0, updated_at=1.0, words="HTTP 500" if self.outcome is Outcome.FAILED else "seen",
        )  # fmt: skip

    async def reissued(self, query: ReissuedQuery) -> Reissued:
        self.calls.append(f"reissued {query.action_id}")
        return await super().reissued(query)

    async def trace(self, query: TraceQuery) -> Trace:
        self.calls.append("trace")
        return await super().trace(query)


async def _sent(pilot: Pilot[Any], app: SwitchgearApp) -> None:
    """From the key to the yes."""
    await at_mine(pilot, app)
    await pilot.press("y")
    await until(
        pilot, lambda: isinstance(app.screen, ChoiceScreen) and shows(app, "once more to", "it answered the recorded")
    )
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, FormScreen) and shows(app, "One call to"))
    await pilot.press("ctrl+u", "5", "0", "enter")
    await until(pilot, lambda: shows(app, "at most 10"))
    await pilot.press("ctrl+u", "0", ".", "5", "enter", "enter")
    await until(
        pilot, lambda: isinstance(app.screen, ConfirmScreen) and shows(app, "cost, at most", "Send the recorded")
    )
    entry = app.screen.query_one("#reason", Input)
    entry.focus()
    entry.value = "is it the model?"
    await pilot.press("enter")
    await until(pilot, lambda: not app.screen.query_one("#confirm", Button).disabled)
    await pilot.press("tab", "enter")
    await until(pilot, lambda: shows(app, "What came of it"))
    await pilot.press("escape")


def _console() -> tuple[SwitchgearApp, Gateway]:
    engine = Gateway()
    return SwitchgearApp(engine, "prod"), engine


async def test_the_last_call_goes_to_the_chosen_deployment_and_the_difference_opens() -> None:
    app, engine = _console()
    async with app.run_test(size=(100, 30)) as pilot:
        await _sent(pilot, app)
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "reissued act" in engine.calls)
        action = engine.proposed[-1].action
        assert isinstance(action, Reissue)
        assert (action.trace_id, action.span_id) == (engine.mine, CALL.span_id)
        assert (action.max_usd, action.max_tokens) == (0.5, 2048)
        first = min(item.ref for item in app.board.of(Deployment))
        assert engine.proposed[-1].target == first
        await until(pilot, lambda: shows(app, "Stages"))


async def test_a_call_that_failed_is_said_and_nothing_is_compared() -> None:
    app, engine = _console()
    engine.outcome = Outcome.FAILED
    async with app.run_test(size=(100, 30)) as pilot:
        await _sent(pilot, app)
        await until(pilot, lambda: shows(app, "failed", "HTTP 500"))
        assert not isinstance(app.screen, CompareScreen)
        assert "reissued act" not in engine.calls


async def test_a_request_without_a_model_call_says_so() -> None:
    app, engine = _console()
    engine.traces[engine.mine] = Trace(trace_id=engine.mine)
    async with app.run_test(size=(100, 30)) as pilot:
        await at_mine(pilot, app)
        await pilot.press("y")
        await until(pilot, lambda: shows(app, "no model call"))
        assert "\n".join(screen_text(app))

"""From a recorded request to its model call, sent once more, and to the difference that it made."""

import asyncio
from typing import TYPE_CHECKING

from console.domain.actions import Intent, Outcome, Stage
from console.domain.difference import Comparison
from console.domain.errors import Refusal
from console.domain.refs import Ref
from console.domain.reissues import ReissuedQuery
from console.domain.spans import Span, SpanKind, TraceQuery
from console.domain.verbs import DEAREST, LONGEST, Reissue
from console.ui import format as fmt
from console.ui.view import askable

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp

LOOK_S = 0.5
"""How often the receipt is looked at while the call lasts."""


async def reissue(app: "SwitchgearApp", request: Ref) -> None:
    """Choose whom to ask, show what it may cost, send it after a yes, and hold the answer against the recorded one.

    Raises:
        Refusal: the request has no model call, or nobody is there to be asked.
    """
    from console.ui.screens.compare import CompareScreen
    from console.ui.screens.confirm import ConfirmScreen

    call = await _call(app, request)
    target = await _target(app, call)
    limits = None if target is None else await _limits(app, target)
    if target is None or limits is None:
        return
    action = Reissue(
        source=request.source, trace_id=request.name, span_id=call.span_id, max_usd=limits[0], max_tokens=limits[1]
    )
    decision = await app.push_screen_wait(ConfirmScreen(Intent(target=target, action=action, via="key"), ""))
    if decision is None or decision.receipt is None:
        return
    receipt = app.board.receipts.get(decision.receipt.id, decision.receipt)
    if receipt.stage is Stage.DONE and receipt.outcome is not Outcome.VERIFIED:
        app.say(f"{fmt.name(target.name)}: {receipt.outcome}. {fmt.name(receipt.words, 200)}", "warn")
        return
    title = f"the recorded call, sent once more to {fmt.name(target.name)}"
    await app.push_screen(CompareScreen(request, title, lambda: _answer(app, receipt.id)))


async def _call(app: "SwitchgearApp", request: Ref) -> Span:
    """The model call under the cursor, otherwise the request's last one."""
    from console.ui.screens.request import RequestScreen

    chosen = app.screen.span_here() if isinstance(app.screen, RequestScreen) else None
    if chosen is not None and chosen.kind is SpanKind.MODEL:
        return chosen
    trace = await app.api.trace(TraceQuery(source=request.source, trace_id=request.name))
    calls = [span for span in trace.spans if span.kind is SpanKind.MODEL]
    if not calls:
        raise Refusal("no model call of this request is recorded: there is nothing to send again")
    return max(calls, key=lambda span: span.started_at)


async def _target(app: "SwitchgearApp", call: Span) -> Ref | None:
    from console.ui.screens.forms import ChoiceScreen

    found = askable.deployments(app.board)
    if not found:
        raise Refusal("no gateway here shows a deployment that could be asked")
    facts = call.facts
    title = f"Send the call of {fmt.name(facts.model or call.name, 40)} once more to"
    lines = askable.lines(app.sight.judged, found, app.glyphs)
    key = await app.push_screen_wait(
        ChoiceScreen(title, askable.heading(), lines, askable.notes(found, facts.deployment))
    )
    return None if key is None else askable.by_key(found, key)


async def _limits(app: "SwitchgearApp", target: Ref) -> tuple[float, int] | None:
    """What it may cost, and how long the answer may be."""
    from console.ui.screens.forms import Field, FormScreen

    said = ["Nothing is sent before you have seen what it may cost, and said yes."]
    fields = [
        Field("dollars", "0.25", "what the call may cost at the most", _wrong_dollars),
        Field("tokens", "2048", "how long its answer may be", _wrong_tokens),
    ]
    answer = await app.push_screen_wait(FormScreen(f"One call to {fmt.name(target.name, 40)}, at most", said, fields))
    return None if answer is None else (float(answer[0]), int(answer[1]))


def _wrong_dollars(text: str) -> str:
    try:
        return "" if 0 < float(text) <= DEAREST else f"more than 0 and at most {DEAREST:g}"
    except ValueError:
        return f"{fmt.name(text, 20)!r} is no number of dollars"


def _wrong_tokens(text: str) -> str:
    wanted = f"a whole number from 1 to {LONGEST}"
    return "" if text.isdecimal() and text.isascii() and 1 <= int(text) <= LONGEST else wanted


async def _answer(app: "SwitchgearApp", action_id: str) -> Comparison:
    """The difference, once the call is over.

    Raises:
        Refusal: it was not answered; the words say what became of it.
    """
    while (receipt := await app.api.receipt(action_id)).stage is not Stage.DONE:  # noqa: ASYNC110  it is over the wire
        await asyncio.sleep(LOOK_S)
    if receipt.outcome is not Outcome.VERIFIED:
        raise Refusal(f"{receipt.outcome}: {receipt.words}")
    return (await app.api.reissued(ReissuedQuery(action_id=action_id))).comparison

"""What stands in an unfolded step: what a person is told, what it does, what it waits for and how far that has come."""

from collections.abc import Iterator, Mapping, Sequence

from console.domain.actions import Outcome, Receipt
from console.domain.board import Board
from console.domain.runbooks import Condition, RampStage, Run, RunState, RunStep, StepState
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import run_words
from console.ui.view.plain import plain
from console.ui.view.timeline import OUTCOME_STYLE
from console.ui.view.wrapped import wrapped

INDENT = " " * 5
_LABEL = 13
_BAR = 20
_SAID = {True: ("holds", "ok"), False: ("does not hold", "bad"), None: ("cannot be said", "warn")}
_SIGN = {True: Outcome.VERIFIED, False: Outcome.FAILED, None: Outcome.UNKNOWN}
_WISHED = {"failure": ("bad", "ok")}
"""Roles whose holding is bad news: the styles of holding and of not holding."""
_EITHER = ("when", "branch")
"""Roles that only choose the way: neither answer is bad news."""
_AWAITED = ("until", "success")
"""Roles that are waited for."""
_ROLE = {"hold": "judged"}


def body(board: Board, run: Run, step: RunStep, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The lines beneath a step's own: first what a person is told, or what happens once it is under way."""
    live = step.state in (StepState.RUNNING, StepState.UNKNOWN, StepState.FAILED)
    if not live:
        yield from docs(step.docs, width, glyphs)
    if step.verb is not None and step.target is not None:
        yield from _fact("does", f"{step.verb} {step.target.kind} {fmt.name(step.target.name, 60)}", width)
    for item in step.conditions:
        yield from condition(item, width, glyphs)
    if step.ramp is not None:
        yield from _ramp(step.ramp, width, glyphs)
        if step.state is not StepState.AWAITING_CONFIRM:
            yield from _stage(step.ramp, board.at if run.state is RunState.RUNNING else None, width, glyphs)
    yield from _wait(step, board, glyphs)
    if step.good or step.bad or step.unclear:
        yield from _looks(step, width)
    receipt = board.receipts.get(step.action_id)
    if receipt is not None:
        yield from _receipt(receipt, width, glyphs)
    told = step.words in (receipt.words if receipt else "", step.ramp.words if step.ramp else "")
    if not told and step.state is not StepState.SKIPPED:
        yield from _fact("now" if step.id == run.current else "", fmt.name(step.words, 400), width)
    yield from _persons(step, width)
    if live:
        yield from docs(step.docs, width, glyphs)


def docs(text: str, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What the runbook says to a person."""
    for line in plain(text, max(20, width - len(INDENT) - 1), glyphs.bullet) if text else ():
        yield Line((Cell(INDENT + line.text, line.style),))


def condition(item: Condition, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """One condition: whether it holds, the values seen, and why it cannot be said."""
    word, style = _SAID[item.holds]
    outcome = _SIGN[item.holds]
    if item.holds is not None and item.role in _WISHED:
        style = _WISHED[item.role][0 if item.holds else 1]
        outcome = _SIGN[not item.holds]
    elif item.holds is False and item.role in _EITHER:
        style = "muted"
    elif item.holds is False and item.role in _AWAITED:
        word, style, outcome = "not yet", "notice", Outcome.PENDING
    head = (
        Cell(INDENT + fit(_ROLE.get(item.role, item.role), _LABEL), "muted"),
        Cell(fit(f"{glyphs.outcome[outcome]} {word}", 17), style),
    )
    room = width - len(INDENT) - _LABEL - 18
    text = list(wrapped(fmt.name(item.text, 1000), max(20, room)))
    yield Line((*head, Cell(text[0])))
    beside = Cell(" " * (len(INDENT) + _LABEL + 17))
    yield from (Line((beside, Cell(part))) for part in text[1:3])
    seen = ", ".join(f"{fmt.name(one.name, 60)} is {fmt.name(one.words, 60)}" for one in item.seen)
    for part in wrapped(seen, max(20, room)) if seen else ():
        yield Line((beside, Cell(part, "strong")))
    if item.words:
        plain_words = wrapped(fmt.name(item.words, 300), max(20, room))
        yield from (Line((beside, Cell(part, style if item.holds is None else "muted"))) for part in plain_words)


def _fact(label: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    for at, part in enumerate(wrapped(text, max(20, width - len(INDENT) - _LABEL - 1))):
        yield Line((Cell(INDENT + fit(label if at == 0 else "", _LABEL), "muted"), Cell(part, style)))


def _wait(step: RunStep, board: Board, glyphs: Glyphs) -> Iterator[Line]:
    """How much of it is done, and until when."""
    if run_words.has_ended(step) or (step.part is None and step.ends_at is None):
        return
    cells = [Cell(INDENT + fit("so far" if step.part is not None else "time left", _LABEL), "muted")]
    if step.part is not None:
        part = max(0.0, min(1.0, step.part))
        cells.append(Cell(fmt.bar(part, _BAR, full=glyphs.full, empty=glyphs.empty), "accent"))
        cells.append(Cell(f" {int(part * 100)}%", "strong"))
    if step.ends_at is not None:
        left = max(0.0, step.ends_at - board.at)
        until = f"until {fmt.clock(step.ends_at)}"
        told = f"  {fmt.duration(left)} left, {until}" if step.part is not None else f"{fmt.duration(left)}, {until}"
        cells.append(Cell(told))
    yield Line(tuple(cells))


def _looks(step: RunStep, width: int) -> Iterator[Line]:
    told = f"{fmt.plural(step.good, 'look')} held"
    told += f", {step.bad} failed" if step.bad else ""
    told += f", {step.unclear} could not be said" if step.unclear else ""
    yield from _fact("verified", told, width, "bad" if step.bad else "warn" if step.unclear else "ok")


def _ramp(stage: RampStage, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The stages with the present one marked, and the way back."""
    here = stage.shares[stage.index] if stage.index < len(stage.shares) else 0.0
    cells = [Cell(INDENT + fit("stages", _LABEL), "muted")]
    for at, share in enumerate(stage.shares):
        style = "ok" if at < stage.index else "notice" if at == stage.index else "muted"
        sign = glyphs.outcome[Outcome.VERIFIED] if at < stage.index else glyphs.moving if at == stage.index else ""
        cells.append(Cell(f"{sign}{_percent(share)}", style))
        cells.append(Cell(f" {glyphs.arrow} " if at + 1 < len(stage.shares) else "", "muted"))
    yield Line(tuple(cells))
    to = f"{_percent(here)} of {fmt.name(stage.route.name, 40)} goes to {fmt.name(stage.target.name, 40)}"
    yield from _fact("stage", f"{stage.index + 1} of {len(stage.shares)}: {to}", width)
    saved = ", ".join(f"{fmt.name(name, 30)} {weight:g}" for name, weight in stage.saved.items())
    if saved:
        yield from _fact("way back", f"weights {saved}", width, "muted")


def _stage(stage: RampStage, now: float | None, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """How long the stage is held (while it is: `now`), how many requests the target has had, how many failed."""
    if not stage.since:
        yield from _fact("held", "not yet: the share is not seen on every replica", width, "notice")
    elif now is not None:
        held = max(0.0, now - stage.since)
        yield _share("held", held, stage.wanted_s, f"{fmt.duration(held)} of {fmt.duration(stage.wanted_s)}", glyphs)
    asked = f"{fmt.count(stage.requests)} of {fmt.count(stage.wanted_requests)}"
    yield _share("requests", stage.requests, stage.wanted_requests, asked, glyphs)
    if stage.requests:
        others = stage.others_errors / stage.others_requests if stage.others_requests else None
        against = f", {fmt.ratio(others)} at the others" if others is not None else ""
        yield from _fact("errors", f"{fmt.ratio(stage.errors / stage.requests)}{against}", width)
    if stage.words:
        yield from _fact("judged", fmt.name(stage.words, 400), width)


def _share(label: str, have: float, wanted: float, words: str, glyphs: Glyphs) -> Line:
    part = min(1.0, have / wanted) if wanted > 0 else 1.0
    cells = (
        Cell(INDENT + fit(label, _LABEL), "muted"),
        Cell(fmt.bar(part, _BAR, full=glyphs.full, empty=glyphs.empty), "accent"),
        Cell(f" {words}", "ok" if part >= 1.0 else "strong"),
    )
    return Line(cells)


def _percent(share: float) -> str:
    return f"{share:g}%"


def _receipt(receipt: Receipt, width: int, glyphs: Glyphs) -> Iterator[Line]:
    style = OUTCOME_STYLE[receipt.outcome]
    words = f"{glyphs.outcome[receipt.outcome]} {receipt.outcome}"
    said = f"{words}. {fmt.name(receipt.words, 300)}" if receipt.words else words
    yield from _fact("came of it", said, width, style)


def _persons(step: RunStep, width: int) -> Iterator[Line]:
    """Who answered, and why it was left out."""
    by = fmt.name(step.by, 24)
    if step.reason:
        yield from _fact("left out", f"{fmt.name(step.reason, 300)}{f' ({by})' if by else ''}", width)
    elif by and step.state is not StepState.SKIPPED:
        yield from _fact("answered by", by, width, "muted")
    if step.rolled_back_by:
        yield from _fact("put back by", fmt.name(step.rolled_back_by, 60), width, "muted")


def sketch(steps: Sequence[RunStep], given: Mapping[str, str], width: int) -> Iterator[Line]:
    """The steps of a runbook that has not begun, a line each; parameters stand in it as far as they are given."""
    for at, step in enumerate(steps, 1):
        title = step.title or step.id
        for name, value in given.items():
            title = title.replace(f"${{{name}}}", value or f"<{name}>")
        title = fmt.name(title, 120)
        yield Line((Cell(f" {at:>2} ", "muted"), Cell(fit(str(step.kind), 9), "muted"), Cell(fit(title, width - 14))))

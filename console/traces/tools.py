"""Tools: those that ran, and those that a model asked for and that no span ran."""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.domain.reconstruction import Piece
from console.domain.spans import SpanKind, ToolCall
from console.traces.case import NO_CONTENT, Case, piece
from console.traces.works import Work

NOT_RUN = "asked for by the model; no span ran it"
"""Said of a call that nothing tells the end of."""
ANSWERED = "asked for by the model; no span ran it, its answer is what a later model call was given"
"""Said of a call whose answer shows only in messages."""


class Asked(NamedTuple):
    """A call that a model asked for."""

    by: Work
    call: ToolCall


def ran(case: Case) -> list[Piece]:
    """Every call that a span ran."""
    return [_ran(case, work) for work in case.works[SpanKind.TOOL]]


def unseen(case: Case, asked: Sequence[Asked]) -> list[Piece]:
    """Calls that no span ran, at the moment at which they were asked for."""
    answers = _answers(case) if asked else {}
    return [_unseen(case, one, answers.get(one.call.id, "") if one.call.id else "") for one in asked]


def _unseen(case: Case, asked: Asked, answer: str) -> Piece:
    return piece(
        case,
        asked.by.place,
        text=answer,
        arguments=asked.call.arguments,
        facts=(("tool", asked.call.name), ("call id", asked.call.id)),
        at=asked.by.end,
        missing=ANSWERED if answer else NOT_RUN,
    )


def not_run(case: Case) -> list[Asked]:
    """Calls that no span ran: by their ids, else one of the same name that began after it was asked for."""
    ran = case.works[SpanKind.TOOL]
    ids = {work.facts.tool_call for work in ran if work.facts.tool_call}
    asked = list(_asked(case))
    wanted = {one.call.id for one in asked if one.call.id}
    free: dict[str, deque[Work]] = defaultdict(deque)
    for work in ran:
        if work.facts.tool_call not in wanted:
            free[work.facts.tool_name or work.span.name].append(work)
    return [one for one in asked if one.call.id not in ids and not _take(free[one.call.name], one.by)]


def _asked(case: Case) -> Iterator[Asked]:
    """Calls in the models' answers, each id once: the same answer may be recorded again as a later call's input."""
    seen: set[str] = set()
    for work in case.works[SpanKind.MODEL]:
        for message in work.content.messages_out if work.content is not None else ():
            for call in message.calls:
                if call.id not in seen:
                    yield Asked(work, call)
                    seen.update({call.id} if call.id else ())


def _take(ran: deque[Work], by: Work) -> bool:
    """Whether one of these, by start, began after a model had begun to answer; it is then spent."""
    while ran:
        if ran.popleft().start >= by.start:
            return True
    return False


def _answers(case: Case) -> dict[str, str]:
    """What models were told that calls gave back, by id."""
    return {
        message.answers: message.text
        for work in case.works[SpanKind.MODEL]
        if work.content is not None
        for message in work.content.messages_in
        if message.answers and message.text
    }


def _ran(case: Case, work: Work) -> Piece:
    content, span = work.content, work.span
    arguments = (content.arguments or content.input) if content is not None else ""
    text = (content.result or content.output) if content is not None else ""
    missing = "" if text or arguments else NO_CONTENT
    if arguments and not text and not span.failed:
        missing = "what it gave back is not recorded"
    return piece(
        case,
        work.place,
        text=text,
        arguments=arguments,
        facts=(
            ("tool", work.facts.tool_name or span.name),
            ("call id", work.facts.tool_call),
            ("error", span.error if span.failed else ""),
        ),
        took_s=case.tree.took(work.place),
        missing=missing,
    )

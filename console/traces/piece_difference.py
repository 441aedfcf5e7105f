"""What a span of one request did otherwise than its counterpart in another."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from console.domain.difference import Change, Difference, PieceDifference
from console.domain.reconstruction import Piece, StageKind
from console.domain.spans import Message
from console.traces.case import has_content
from console.traces.documents import documents_difference
from console.traces.json_paths import is_tree, json_difference
from console.traces.texts import Effort, text_difference, value_difference
from console.traces.tools import ANSWERED, NOT_RUN

MESSAGES_MOST: Final = 1_000
"""Messages that are aligned with each other; of more, the first stands against the first."""

_NOT_COMPARED = frozenset({"call id", "conversation", "first token", "from"})
"""Facts that are another in every request, whatever it did."""
_AS_JSON = frozenset({"parameters"})
_TEXT: Final = {StageKind.TOOLS: "result", StageKind.CONTEXT: "template"}


def differ(kind: StageKind, first: Piece, second: Piece, effort: Effort) -> PieceDifference:
    """Two pieces that stand against each other."""
    differences = (
        *_content(kind, first, second, effort),
        *_facts(first, second, effort),
        *value_difference("tokens in", _number(first.tokens_in), _number(second.tokens_in)),
        *value_difference("tokens out", _number(first.tokens_out), _number(second.tokens_out)),
        *value_difference("outcome", _outcome(first), _outcome(second)),
    )
    return PieceDifference(
        name=second.name,
        first_span=first.span_id,
        second_span=second.span_id,
        change=Change.CHANGED if differences else Change.SAME,
        differences=differences,
        first_took_s=first.took_s,
        second_took_s=second.took_s,
    )


def alone(piece: Piece, change: Change) -> PieceDifference:
    """A piece without a counterpart."""
    mine = change is Change.ONLY_FIRST
    return PieceDifference(
        name=piece.name,
        first_span=piece.span_id if mine else "",
        second_span="" if mine else piece.span_id,
        change=change,
        first_took_s=piece.took_s if mine else None,
        second_took_s=None if mine else piece.took_s,
    )


def _content(kind: StageKind, first: Piece, second: Piece, effort: Effort) -> list[Difference]:
    """Words against words; where only one of them was recorded there is nothing to compare."""
    if has_content(first) != has_content(second):
        return value_difference("content", first.missing or "recorded", second.missing or "recorded")
    found: list[Difference] = []
    if first.messages and second.messages:
        found += _messages(first.messages, second.messages, effort)
        found += _text(kind, first.text, second.text, effort)
    else:
        found += _text(kind, _all_words(first), _all_words(second), effort)
    found += documents_difference(first.documents, second.documents, effort)
    return found + json_difference(first.arguments, second.arguments, effort)


def _text(kind: StageKind, first: str, second: str, effort: Effort) -> list[Difference]:
    what = _TEXT.get(kind, "text")
    if first != second and is_tree(first) and is_tree(second):
        return json_difference(first, second, effort, before=f"{what} ")
    return text_difference(what, first, second, effort)


def _all_words(piece: Piece) -> str:
    """A piece's text, or its messages as one: one convention keeps as text what another keeps as messages."""
    return piece.text or "\n".join(message.text for message in piece.messages)


def _messages(first: Sequence[Message], second: Sequence[Message], effort: Effort) -> list[Difference]:
    if first == second:
        return []
    found: list[Difference] = []
    for a, b, c, d in _blocks(first, second):
        both = min(b - a, d - c)
        for step in range(both):
            found += _message(c + step, first[a + step], second[c + step], effort)
        for at in range(a + both, b):
            found += _lone(at, first[at], Change.ONLY_FIRST, effort)
        for at in range(c + both, d):
            found += _lone(at, second[at], Change.ONLY_SECOND, effort)
    return found


def _blocks(first: Sequence[Message], second: Sequence[Message]) -> list[tuple[int, int, int, int]]:
    """Where two lists of messages differ."""
    if max(len(first), len(second)) > MESSAGES_MOST:
        return [(0, len(first), 0, len(second))]
    mine = [(message.role, message.text, message.calls) for message in first]
    others = [(message.role, message.text, message.calls) for message in second]
    codes = SequenceMatcher(None, mine, others, autojunk=False).get_opcodes()
    return [(a, b, c, d) for change, a, b, c, d in codes if change != "equal"]


def _message(at: int, first: Message, second: Message, effort: Effort) -> list[Difference]:
    if first.role != second.role:
        lone = _lone(at, first, Change.ONLY_FIRST, effort)
        return lone + _lone(at, second, Change.ONLY_SECOND, effort)
    what = _named(at, second)
    found = text_difference(what, first.text, second.text, effort)
    for number in range(max(len(first.calls), len(second.calls))):
        mine = first.calls[number] if number < len(first.calls) else None
        others = second.calls[number] if number < len(second.calls) else None
        names = mine.name if mine else "", others.name if others else ""
        found += value_difference(f"{what} call {number + 1}", *names)
        if mine and others and mine.name == others.name:
            found += json_difference(mine.arguments, others.arguments, effort, before=f"{what} {mine.name} ")
    return found


def _lone(at: int, message: Message, change: Change, effort: Effort) -> list[Difference]:
    calls = "".join(f"\n{call.name}({call.arguments})" for call in message.calls)
    text = message.text + calls
    runs = effort.runs(text, "") if change is Change.ONLY_FIRST else effort.runs("", text)
    return [Difference(change=change, what=_named(at, message), runs=runs)]


def _named(at: int, message: Message) -> str:
    return f"message {at + 1} ({message.role or '?'})"


def _facts(first: Piece, second: Piece, effort: Effort) -> list[Difference]:
    mine, others = dict(first.facts), dict(second.facts)
    found: list[Difference] = []
    for name in dict.fromkeys((*mine, *others)):
        if name in _NOT_COMPARED:
            continue
        one, other = mine.get(name, ""), others.get(name, "")
        if name in _AS_JSON and one and other:
            found += json_difference(one, other, effort, before=f"{name} ")
        else:
            found += value_difference(name, one, other)
    return found


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _outcome(piece: Piece) -> str:
    if piece.missing in (NOT_RUN, ANSWERED):
        return piece.missing
    return "failed" if piece.failed else "ok"

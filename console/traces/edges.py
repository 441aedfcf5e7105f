"""A request's two ends: what came in, and what went out."""

from typing import NamedTuple

from console.domain.reconstruction import Piece
from console.domain.spans import Message, Span, SpanKind
from console.traces.case import NO_CONTENT, Case, Named, has_words, piece
from console.traces.tree import NO_SPAN
from console.traces.works import Work

_SEE_THROUGH = frozenset({SpanKind.OTHER, SpanKind.QUEUE})
"""Kinds that may stand around the request's work without saying what it was given."""
_FRAMES = frozenset({SpanKind.REQUEST, SpanKind.CHAIN})
"""Kinds whose input and output are those of everything beneath them."""
_WRAPS = _FRAMES | _SEE_THROUGH
"""Kinds that a request's first span may be of; another one was called by something that no span tells of."""
_METHODS = ("http.request.method", "http.method")
_PATHS = ("url.path", "http.target", "http.route", "url.full", "http.url")
_STATUSES = ("http.response.status_code", "http.status_code")
BORROWED = "the last model answer: the request's own output is not recorded"
"""Said beside a result that no span of the request itself recorded."""


class Edge(NamedTuple):
    """One end of a request."""

    pieces: tuple[Piece, ...]
    why: str = ""
    """Why it is not recorded; empty when it is."""


def incoming(case: Case) -> Edge:
    """What the request was given: the input of its root, or of what the root only wraps."""
    top = case.tree.root
    if top == NO_SPAN:
        return Edge((), "the request's first span has not arrived")
    span = case.tree.spans[top]
    if span.kind not in _WRAPS:
        return Edge((), f"no span of what called the {span.kind}")
    place = _telling(case, top, given=True)
    if place is not None:
        told = case.tree.spans[place]
        text, messages = _given(told)
        return Edge(
            (piece(case, place, text=text, messages=messages, facts=(*_facts(case, span), *_from(case, place))),)
        )
    line = _http_line(span)
    lone = piece(
        case, top, text=line, facts=_facts(case, span), missing="its body is not recorded" if line else NO_CONTENT
    )
    return Edge((lone,), "" if line else _no_words(case, "input"))


def result(case: Case) -> Edge:
    """What went out: the output of the root, or of what it only wraps; else the last answer of a model, and said so."""
    top = case.tree.root
    if top != NO_SPAN and case.tree.spans[top].kind in _WRAPS:
        place = _telling(case, top, given=False)
        if place is not None:
            told = case.tree.spans[place]
            text, messages = _returned(told)
            facts = (*_status(case.tree.spans[top]), *_from(case, place))
            return Edge((piece(case, place, text=text, messages=messages, facts=facts, at=case.tree.ends[top]),))
    why = _why_no_result(case)
    last = _last_answer(case)
    if last is None or last.content is None:
        if top == NO_SPAN:
            return Edge((), why)
        lone = piece(case, top, facts=_status(case.tree.spans[top]), at=case.tree.ends[top], missing=NO_CONTENT)
        return Edge((lone,), why)
    borrowed = piece(
        case,
        last.place,
        text="" if last.content.messages_out else last.content.output,
        messages=last.content.messages_out,
        facts=(("from", BORROWED),),
        at=last.end,
    )
    return Edge((borrowed,), f"{why}; the last model answer stands in its place")


def _telling(case: Case, top: int, *, given: bool) -> int | None:
    """The outermost span that has the words: the root, or the one frame in it where the root is only a wrapper."""
    tree = case.tree
    place = top
    while True:
        text, messages = _given(tree.spans[place]) if given else _returned(tree.spans[place])
        if text or messages:
            return place
        frames = _frames(case, place)
        if len(frames) != 1:
            return None
        place = frames[0]


def _frames(case: Case, place: int) -> list[int]:
    """The nearest frames beneath a span, looked for through queues and spans of no kind; two are enough."""
    tree = case.tree
    found: list[int] = []
    waiting = list(tree.children[place])
    while waiting and len(found) < 2:
        child = waiting.pop()
        kind = tree.spans[child].kind
        if kind in _FRAMES:
            found.append(child)
        elif kind in _SEE_THROUGH:
            waiting.extend(tree.children[child])
    return found


def _given(span: Span) -> tuple[str, tuple[Message, ...]]:
    content = span.content
    if content is None:
        return "", ()
    asked = tuple(message for message in content.messages_in if message.role not in ("system", "developer"))
    return ("", asked) if asked else (content.input, ())


def _returned(span: Span) -> tuple[str, tuple[Message, ...]]:
    content = span.content
    if content is None:
        return "", ()
    return ("", content.messages_out) if content.messages_out else (content.output, ())


def _last_answer(case: Case) -> Work | None:
    """The model call that answered last and asked for no tool."""
    answered = [
        work
        for work in case.works[SpanKind.MODEL]
        if not work.span.failed and work.content is not None and _is_answer(work)
    ]
    return max(answered, key=lambda work: work.end, default=None)


def _is_answer(work: Work) -> bool:
    content = work.content
    if content is None:
        return False
    if content.messages_out:
        return any(message.text for message in content.messages_out) and not content.messages_out[-1].calls
    return bool(content.output)


def _facts(case: Case, span: Span) -> list[Named]:
    request = case.trace.request
    conversation = span.facts.conversation or (request.conversation if request is not None else "")
    return [("http", _http_line(span)), ("conversation", conversation), ("route", span.facts.route)]


def _from(case: Case, place: int) -> list[Named]:
    """Said where another span than the root had the words, or the root is none."""
    if place != case.tree.root:
        return [("from", f"{case.tree.spans[place].name}: the request's own span has no content")]
    return [] if case.tree.arrived else [("from", "the first span that arrived: the request's own has not")]


def _status(span: Span) -> list[Named]:
    status = next((str(span.attributes[name]) for name in _STATUSES if name in span.attributes), "")
    return [("status", status[:20]), ("error", span.error)]


def _http_line(span: Span) -> str:
    method = next((span.attributes[name] for name in _METHODS if name in span.attributes), "")
    path = next((span.attributes[name] for name in _PATHS if name in span.attributes), "")
    return f"{method} {path}"[:500] if isinstance(method, str) and isinstance(path, str) and method and path else ""


def _why_no_result(case: Case) -> str:
    top = case.tree.root
    if top == NO_SPAN:
        return "the request's first span has not arrived"
    span = case.tree.spans[top]
    if span.duration_s is None:
        return "the request has not ended"
    if span.kind not in _WRAPS:
        return f"no span of what called the {span.kind}"
    return f"the request failed: {span.error or 'it says no more'}" if span.failed else _no_words(case, "output")


def _no_words(case: Case, what: str) -> str:
    """Why a root that is there has no words; whether anything in the request has any tells which it is."""
    if any(has_words(span.content) for span in case.tree.spans):
        return f"the request's own span has no {what}"
    return f"the request's own span has no {what}: content capture is off"

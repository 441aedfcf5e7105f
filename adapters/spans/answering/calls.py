"""Which spans of a request are model calls of their own: one that two libraries tell of counts once. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from adapters.spans.answering.said import Answer, Said
from console.domain.answers import Group
from console.domain.spans import Facts, SpanKind

FARTHEST = 64
"""Levels up that are searched for the call that one lies within."""


@dataclass(slots=True)
class Call:
    """One call of a model."""

    span: Said
    facts: Facts
    """Of all spans that tell of it."""
    answer: Answer
    failed: bool

    def group(self) -> Group:
        """Which calls it is counted with."""
        facts = self.facts
        prompt = f"{facts.prompt_name}@{facts.prompt_version}" if facts.prompt_version else facts.prompt_name
        return Group(
            deployment=facts.deployment,
            provider=facts.provider,
            model=facts.request_model or facts.response_model,  # some conventions name only one
            region=facts.region,
            route=facts.route,
            service=self.span.service,
            tenant=facts.tenant,
            prompt=prompt,
            response_model=facts.response_model,
            fingerprint=facts.fingerprint,
        )


def calls_of(spans: Sequence[Said]) -> list[Call]:
    """The model calls of one request, by their end.

    A call within a call is the same one, told again, unless more than one of the inner ones was answered: then the
    outer one only wraps them. Two spans with the same response id are one as well.
    """
    by_id = {one.span_id: one for one in spans}
    models = [one for one in spans if one.kind is SpanKind.MODEL]
    within = {one.span_id: _outermost(one, by_id) for one in models}
    wrapping = {parent.span_id for one in models if (parent := enclosing(one, by_id)) is not None}
    gathered: dict[str, list[Said]] = defaultdict(list)
    for one in models:
        if one.span_id not in wrapping:
            gathered[within[one.span_id]].append(one)
    found: list[Call] = []
    for outer, leaves in gathered.items():
        answered = [one for one in leaves if not one.failed]
        if len(answered) > 1:
            found += (_call([one]) for one in leaves)
        else:
            found.append(_call([by_id[outer], *answered, *(one for one in leaves if one.failed)]))
    everywhere = _everywhere(spans)
    for call in found:
        call.facts = _filled(call.facts, everywhere)
    return sorted(_once(found), key=lambda call: call.span.ended_at)


def _call(spans: Sequence[Said]) -> Call:
    """The call that these spans tell of, the one that stands for it first."""
    first = spans[0]
    facts, answer = first.facts, first.answer or Answer()
    for one in spans[1:]:
        facts = _filled(facts, one.facts)
        if one.answer is not None:
            answer = _more(answer, one.answer)
    return Call(first, facts, answer, first.failed)


def _more(mine: Answer, others: Answer) -> Answer:
    """The answer of which more was recorded, with the reason and the id that either knows."""
    fuller, other = (mine, others) if mine.shape or not others.shape else (others, mine)
    if fuller.finish is None:
        fuller.finish = other.finish
    fuller.response_id = fuller.response_id or other.response_id
    fuller.chars_in = other.chars_in if fuller.chars_in is None else fuller.chars_in
    fuller.overflow = mine.overflow or others.overflow
    return fuller


def enclosing(one: Said, by_id: Mapping[str, Said]) -> Said | None:
    """The nearest span of its own kind that a span lies within; None where there is none."""
    above = by_id.get(one.parent_id)
    for _ in range(FARTHEST):
        if above is None or above is one:
            return None
        if above.kind is one.kind:
            return above
        above = by_id.get(above.parent_id)
    return None


def _outermost(one: Said, by_id: Mapping[str, Said]) -> str:
    found = one
    for _ in range(FARTHEST):
        above = enclosing(found, by_id)
        if above is None or above is one:
            break
        found = above
    return found.span_id


def _once(calls: Sequence[Call]) -> list[Call]:
    kept: dict[str, Call] = {}
    found: list[Call] = []
    for call in calls:
        known = kept.get(call.answer.response_id) if call.answer.response_id else None
        if known is not None:
            known.facts = _filled(known.facts, call.facts)
            known.answer = _more(known.answer, call.answer)
            continue
        found.append(call)
        if call.answer.response_id:
            kept[call.answer.response_id] = call
    return found


def _everywhere(spans: Sequence[Said]) -> Facts:
    """What some span says for the whole request."""
    return Facts(
        tenant=next((one.facts.tenant for one in spans if one.facts.tenant), ""),
        route=next((one.facts.route for one in spans if one.facts.route), ""),
    )


_BLANK = Facts()


def _filled(mine: Facts, others: Facts) -> Facts:
    """Mine, and where it says nothing the other's."""
    missing = {
        name: value
        for name in Facts.__struct_fields__
        if (value := getattr(others, name)) != getattr(_BLANK, name) and getattr(mine, name) == getattr(_BLANK, name)
    }
    return msgspec.structs.replace(mine, **missing) if missing else mine

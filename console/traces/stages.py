"""The seven stages of a request, in order."""

from collections.abc import Sequence

from console.domain.reconstruction import Piece, Stage, StageKind
from console.domain.spans import SpanKind
from console.traces import calls, edges
from console.traces.absence import stage_missing
from console.traces.case import Case, counted, has_content
from console.traces.injected import injected
from console.traces.tools import Asked, not_run, ran, unseen


def stages(case: Case) -> tuple[Stage, ...]:
    """What every stage was, or why that is not recorded."""
    incoming, result = edges.incoming(case), edges.result(case)
    return (
        _stage(case, StageKind.INCOMING, incoming.pieces, incoming.why),
        _stage(case, StageKind.CONTEXT, injected(case)),
        _stage(case, StageKind.RETRIEVAL, calls.retrievals(case)),
        _stage(case, StageKind.MODEL_INPUT, calls.model_inputs(case)),
        _stage(case, StageKind.MODEL_RESPONSE, calls.model_responses(case)),
        _tools(case),
        _stage(case, StageKind.RESULT, result.pieces, result.why),
    )


def _stage(case: Case, kind: StageKind, pieces: Sequence[Piece], why: str = "") -> Stage:
    """A stage that is missing when `why` says so, or when none of its pieces has content."""
    recorded = not why and any(has_content(one) for one in pieces)
    return _made(kind, pieces, "" if recorded else stage_missing(case.trace, kind, pieces, why))


def _tools(case: Case) -> Stage:
    """What tools did is recorded where a span ran one; that a model asked for one is said beside it."""
    kind, executed, asked = StageKind.TOOLS, ran(case), not_run(case)
    pieces = (*executed, *unseen(case, asked))
    if executed:
        recorded = any(has_content(one) for one in executed)
        return _made(kind, pieces, "" if recorded else stage_missing(case.trace, kind, executed))
    return _made(kind, pieces, stage_missing(case.trace, kind, (), _no_tool(case, asked)))


def _no_tool(case: Case, asked: Sequence[Asked]) -> str:
    if asked:
        names = ", ".join(dict.fromkeys(one.call.name or "one without a name" for one in asked))
        return (
            f"no span of a tool; {counted(len(asked), 'call')} that models asked for ran unseen or not at all: {names}"
        )
    said = any(work.content is not None and work.content.messages_out for work in case.works[SpanKind.MODEL])
    return "no span of a tool, and no model asked for one" if said else ""


def _made(kind: StageKind, pieces: Sequence[Piece], missing: str) -> Stage:
    ordered = tuple(sorted(pieces, key=lambda one: one.at))
    return Stage(
        kind=kind,
        pieces=ordered,
        at=ordered[0].at if ordered else None,
        took_s=_busy(ordered),
        tokens_in=_sum([one.tokens_in for one in ordered]),
        tokens_out=_sum([one.tokens_out for one in ordered]),
        missing=missing,
    )


def _busy(pieces: Sequence[Piece]) -> float | None:
    """Seconds in which at least one of them ran; None where none says how long it took."""
    timed = [(one.at, one.at + one.took_s) for one in pieces if one.took_s is not None]
    if not timed:
        return None
    busy, upto = 0.0, timed[0][0]
    for start, end in timed:
        busy += max(0.0, end - max(start, upto))
        upto = max(upto, end)
    return busy


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None

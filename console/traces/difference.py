"""Two requests held against each other, stage by stage."""

from console.domain.difference import Change, Comparison, PieceDifference, StageDifference
from console.domain.readings import Request
from console.domain.reconstruction import Reconstruction, Stage
from console.domain.refs import Kind, Ref
from console.domain.spans import Trace
from console.traces.align import Structure, pairs
from console.traces.piece_difference import alone, differ
from console.traces.texts import Effort

SPARED = "texts that are too long to compare by word are compared by sentence, or whole"
"""A note."""


def compare(first: Reconstruction, second: Reconstruction, chosen: str = "") -> Comparison:
    """How the second request differs from the first; it never raises, and long texts cost a bounded time.

    Args:
        first: the one to compare with.
        second: the one that is looked at.
        chosen: why the first was picked, when nobody named it.
    """
    effort = Effort()
    structures = Structure(first), Structure(second)
    found = tuple(
        _stage(mine, others, structures, effort) for mine, others in zip(first.stages, second.stages, strict=True)
    )
    notes = [f"{which}: {note}" for which, one in (("first", first), ("second", second)) for note in one.notes]
    return Comparison(
        first=request_of(first.trace),
        second=request_of(second.trace),
        stages=found,
        chosen=chosen,
        notes=(*notes, *((SPARED,) if effort.spared else ())),
    )


def request_of(trace: Trace) -> Request:
    """The request in a line, also where its root has not arrived: then as its first span tells."""
    if trace.request is not None:
        return trace.request
    top = trace.spans[0] if trace.spans else None
    return Request(
        ref=Ref("", Kind.REQUEST, trace.trace_id),
        observed_at=top.started_at if top else 0.0,
        started_at=top.started_at if top else 0.0,
        name=top.name if top else "",
        service=top.service if top else "",
        failed=top.failed if top else False,
        spans=len(trace.spans),
        trace_id=trace.trace_id,
    )


def _stage(first: Stage, second: Stage, structures: tuple[Structure, Structure], effort: Effort) -> StageDifference:
    found = []
    for mine, others in pairs(first.kind, first.pieces, second.pieces, structures):
        if mine is not None and others is not None:
            found.append(differ(first.kind, mine, others, effort))
        elif mine is not None:
            found.append(alone(mine, Change.ONLY_FIRST))
        elif others is not None:
            found.append(alone(others, Change.ONLY_SECOND))
    return StageDifference(
        kind=first.kind,
        change=_change(first, second, found),
        pieces=tuple(found),
        first_missing=first.missing,
        second_missing=second.missing,
        first_took_s=first.took_s,
        second_took_s=second.took_s,
        first_tokens=(first.tokens_in, first.tokens_out),
        second_tokens=(second.tokens_in, second.tokens_out),
    )


def _change(first: Stage, second: Stage, pieces: list[PieceDifference]) -> Change:
    """How a whole stage differs; what neither recorded is the same."""
    if first.missing and not second.missing and not first.pieces:
        return Change.ONLY_SECOND
    if second.missing and not first.missing and not second.pieces:
        return Change.ONLY_FIRST
    same = all(piece.change is Change.SAME for piece in pieces) and bool(first.missing) == bool(second.missing)
    return Change.SAME if same else Change.CHANGED

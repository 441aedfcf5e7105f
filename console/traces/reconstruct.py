"""A request, put together again from its spans."""

from msgspec.structs import replace

from console.domain.reconstruction import Reconstruction
from console.domain.spans import Trace
from console.traces.case import Case, counted
from console.traces.critical import critical_path
from console.traces.lanes import lanes
from console.traces.recorded import why_not_again
from console.traces.stages import stages
from console.traces.tree import NO_SPAN, Tree


def reconstruct(trace: Trace) -> Reconstruction:
    """Stages, lanes and the critical path of a trace; it never raises, whatever the spans say.

    About 15 µs a span: 5,000 spans take some 80 ms, so it belongs into a thread of its own.
    """
    case = Case.of(trace)
    return Reconstruction(
        trace=trace,
        stages=stages(case),
        lanes=lanes(case),
        critical=critical_path(case.tree),
        replayable=why_not_again(case),
        notes=(*trace.notes, *_notes(case)),
    )


def briefly(whole: Reconstruction) -> Reconstruction:
    """As much of it as its stages are shown with: a quarter of a long one."""
    named = {part.span_id for part in whole.critical}
    spans = whole.trace.spans
    first = min((span.started_at for span in spans), default=0.0)
    few = tuple([span for span in spans if span.failed or span.started_at == first or span.span_id in named])
    return replace(whole, trace=replace(whole.trace, spans=few), lanes=(), brief=True)


def _notes(case: Case) -> list[str]:
    tree = case.tree
    found: list[str] = []
    if tree.spans and not tree.arrived:
        orphans = counted(len(tree.tops), "span")
        found.append(f"the request's first span has not arrived: {orphans} with a parent that is not there")
    found += (
        f"the clock of {service or 'a service'} is {abs(skew):.3f} s {'behind' if skew > 0 else 'ahead'}: put right"
        for service, skew in sorted(tree.skews.items())
    )
    if again := len(case.stands):
        found.append(f"calls are counted once: {counted(again, 'span')} told again of one that another span tells of")
    late = _went_on(tree)
    if late:
        found.append(f"it went on for {late:.3f} s after its answer")
    if case.trace.cut:
        found.append(f"{counted(case.trace.cut, 'span')} more were left out: there are too many")
    return found


def _went_on(tree: Tree) -> float:
    """Seconds of work after the request's own end, where that is worth a word."""
    if tree.root == NO_SPAN:
        return 0.0
    late = max(tree.ends) - tree.ends[tree.root]
    return late if late > max(0.001, 0.01 * (tree.ends[tree.root] - tree.starts[tree.root])) else 0.0

"""What the engine makes of the platform, as lines: who multiplies calls, where money goes, what recovers by itself."""

from collections.abc import Iterable, Iterator, Sequence

from console.domain.analysis import Analysis, CostWaterfall, Recovery, RetryXray, Verdict, Without
from console.domain.refs import Kind, Ref
from console.ui import format as fmt
from console.ui.cells import Cell, Line
from console.ui.glyphs import Glyphs
from console.ui.view.facts import fact, heading, labelled

MULTIPLIES = 1.1
"""Calls out for each that comes in, from which on a route's layers are worth showing."""
BAR = 16
_VERDICT = {
    Recovery.FINE: "ok",
    Recovery.TRIGGERED: "warn",
    Recovery.METASTABLE: "bad",
    Recovery.UNKNOWN: "muted",
}


def lines(found: Analysis, touched: Sequence[Ref], width: int, glyphs: Glyphs, *, costly: bool) -> Iterator[Line]:
    """What of an analysis belongs to an incident.

    Args:
        found: the engine's answer.
        touched: the routes and providers that it is about.
        width: columns.
        glyphs: the terminal's signs.
        costly: whether money is part of it.
    """
    routes = [ref for ref in touched if ref.kind is Kind.ROUTE]
    yield from _recovery([item for item in found.recovery if _matters(item, routes)], width, glyphs)
    for one in found.retries:
        if one.amplification >= MULTIPLIES and (one.route in routes or not routes):
            yield from _retries(one, width, glyphs)
    if costly and found.cost is not None:
        yield from _cost(found.cost, width, glyphs)
    providers = {ref for ref in touched if ref.kind is Kind.PROVIDER}
    yield from _without([item for item in found.without if item.provider in providers], width, glyphs)
    if found.unknown:
        yield heading("What cannot be said yet", width, glyphs)
        for words in found.unknown[:5]:
            yield from labelled(glyphs.bullet, fmt.name(words, 300), width, "muted")


def _matters(item: Verdict, routes: Iterable[Ref]) -> bool:
    return item.recovery is Recovery.METASTABLE or (item.route in routes and item.recovery is not Recovery.FINE)


def _recovery(found: Sequence[Verdict], width: int, glyphs: Glyphs) -> Iterator[Line]:
    if not found:
        return
    yield heading("Does it recover by itself?", width, glyphs)
    for item in found:
        part = "" if item.retry_part is None else f" ({fmt.ratio(item.retry_part)} of the requests are retries)"
        said = f"{item.recovery}{part}. {fmt.name(item.words, 300)}"
        yield from labelled(fmt.name(item.route.name, 14), said, width, _VERDICT[item.recovery])


def _retries(found: RetryXray, width: int, glyphs: Glyphs) -> Iterator[Line]:
    name = fmt.name(found.route.name, 30)
    yield heading(f"Retries of {name}: {fmt.times(found.amplification)} calls for one request", width, glyphs)
    most = max((layer.factor for layer in found.layers), default=1.0)
    for place, layer in enumerate(found.layers):
        style = "bad" if layer.name == found.worst else "" if layer.factor > 1.01 else "muted"
        bar = fmt.bar(layer.factor / most if most > 0 else 0.0, BAR, full=glyphs.full, empty=" ")
        usual = "" if layer.usual is None else f", usually {fmt.times(layer.usual)}"
        yield fact(
            fmt.name(layer.name, 14),
            Cell(bar, style or "accent"),
            Cell(f" {fmt.times(layer.factor)}", style),
            Cell(f"  {fmt.per_min(layer.per_min)} go on{usual}", "muted"),
            key=("layer", str(found.route), place),
        )


def _cost(found: CostWaterfall, width: int, glyphs: Glyphs) -> Iterator[Line]:
    more = found.now_usd_per_h - found.usual_usd_per_h
    sign = "+" if more >= 0 else "-"
    title = f"Cost: {fmt.usd_per_h(found.now_usd_per_h)}, {sign}{fmt.usd(abs(more))} against the usual"
    yield heading(title, width, glyphs)
    yield fact("usual", Cell(fmt.usd_per_h(found.usual_usd_per_h)), Cell(f"  {fmt.name(found.usual_of, 60)}", "muted"))
    most = max((abs(step.usd_per_h) for step in found.steps), default=0.0) or 1.0
    for step in found.steps:
        bar = fmt.bar(abs(step.usd_per_h) / most, BAR, full=glyphs.full, empty=" ")
        sign = "+" if step.usd_per_h >= 0 else "-"
        style = "bad" if step.usd_per_h >= 0.5 * most else "" if step.usd_per_h >= 0 else "ok"
        said = f"{bar} {sign}{fmt.usd(abs(step.usd_per_h))}  {fmt.name(step.words, 200)}"
        yield from labelled(fmt.name(step.name, 14), said, width, style)


def _without(found: Sequence[Without], width: int, glyphs: Glyphs) -> Iterator[Line]:
    if not found:
        return
    yield heading("Can the rest carry it?", width, glyphs)
    for item in found:
        answer, style = {True: ("yes", "ok"), False: ("no", "bad"), None: ("not known", "stale")}[item.carries]
        room = "no limit of the others is known" if item.room_per_min is None else f"{fmt.per_min(item.room_per_min)}"
        said = item.words or f"{fmt.per_min(item.demand_per_min)} would have to go elsewhere; room there: {room}"
        name = fmt.name(item.provider.name, 20)
        yield from labelled(f"without {name}"[:14], f"{answer}: {fmt.name(said, 300)}", width, style)

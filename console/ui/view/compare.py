"""Two requests held against each other, stage by stage: what is the same is folded away, what changed is in words."""

from collections.abc import Hashable, Iterator
from functools import partial
from typing import NamedTuple

from console.domain.difference import Change, Comparison, PieceDifference, StageDifference
from console.domain.health import Level
from console.domain.readings import Request
from console.domain.reconstruction import StageKind
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy
from console.ui.view import changes, parts, requests, stages
from console.ui.view.folding import Folds, Page
from console.ui.view.wrapped import wrapped

_SIGN, _TOOK = 11, 21
_INDENT = 6
UNFOLDED = 40
"""Spans that are unfolded at first."""


class PairKey(NamedTuple):
    """The key of the line of one span and its counterpart."""

    kind: StageKind
    place: int


def head(found: Comparison, width: int, glyphs: Glyphs) -> list[Line]:
    """Which two they are, and the whole difference in a line or two."""
    lines = [_request("- first", found.first, width, glyphs), _request("+ second", found.second, width, glyphs)]
    for at, text in enumerate(wrapped(_verdict(found, glyphs), width - 4)):
        sign = f" {glyphs.differs} " if at == 0 else "   "
        lines.append(Line((Cell(sign, "warn"), Cell(text, "strong"))))
    for note in found.notes[:2]:
        lines += [Line((Cell(f"   {part}", "muted"),)) for part in wrapped(fmt.name(note, 300), width - 4)][:1]
    return lines


def _request(which: str, request: Request, width: int, glyphs: Glyphs) -> Line:
    health = requests.health(request)
    figures = "  ".join(_figures(request))
    room = max(10, min(44, width - 10 - 12 - 10 - 2 - width_of(figures)))
    cells = (
        Cell(f" {fit(which, 8)} ", changes.STYLE[Change.ONLY_FIRST if which.startswith("-") else Change.ONLY_SECOND]),
        Cell(fit(parts.state_text(health, glyphs), 11) + " ", LEVEL_STYLE[health.level]),
        Cell(f"{fmt.clock(request.started_at)}  ", "muted"),
        Cell(fit(requests.what(request, glyphs), room) + "  ", "strong"),
        Cell(figures),
    )
    return Line(cells)


def _figures(request: Request) -> Iterator[str]:
    yield f"took {fmt.took(request.duration_s)}"
    if request.tokens_in is not None or request.tokens_out is not None:
        yield f"{requests.tokens(request)} tokens"
    if request.usd is not None:
        yield fmt.usd(request.usd)


def _verdict(found: Comparison, glyphs: Glyphs) -> str:
    """The second against the first in one sentence."""
    one, two = found.first, found.second
    said = [
        "it fails" if two.failed and not one.failed else "",
        changes.factor(one.duration_s, two.duration_s, "slower", "faster"),
        changes.factor(one.tokens_in, two.tokens_in, "the tokens in", "fewer tokens in"),
        changes.factor(one.tokens_out, two.tokens_out, "the tokens out", "fewer tokens out"),
        changes.factor(one.usd, two.usd, "dearer", "cheaper"),
    ]
    told = ", ".join(filter(None, said)) or "as fast, and as many tokens"
    changed = [str(stage.kind) for stage in found.stages if stage.change is not Change.SAME and not _missing(stage)]
    where = f"differs in {', '.join(changed)}" if changed else "no stage differs in what was recorded"
    against = fmt.name(found.chosen, 160) or "the first"
    return f"against {against}: {told}; {where}".replace("×", glyphs.times)


def page(found: Comparison, folds: Folds, width: int, glyphs: Glyphs) -> Lazy[Line]:
    """The seven stages; beneath those that are unfolded their spans, and beneath these what differs."""
    drawn = Page(folds, glyphs)
    for stage in found.stages:
        key = stages.StageKey(stage.kind)
        if drawn.fold(key, partial(_stage, stage, width, glyphs)):
            _unfolded(drawn, stage, width)
    return drawn.lines()


def unfolded_at_first(found: Comparison) -> list[Hashable]:
    """The keys of what differs, from the top: of more spans than anybody reads at once the others stay folded."""
    keys: list[Hashable] = []
    pairs = 0
    for stage in found.stages:
        if stage.change is Change.SAME or _missing(stage):
            continue
        keys.append(stages.StageKey(stage.kind))
        for place, pair in enumerate(stage.pieces):
            if pair.change is not Change.SAME and pairs < UNFOLDED:
                pairs += 1
                keys.append(PairKey(stage.kind, place))
    return keys


def _missing(stage: StageDifference) -> bool:
    return bool(stage.first_missing and stage.second_missing)


def _stage(stage: StageDifference, width: int, glyphs: Glyphs, fold: str) -> Line:
    cells: tuple[Cell, ...] = (
        Cell(f" {fold} ", "muted"),
        *_change(stage, glyphs),
        Cell(fit(str(stage.kind), stages.name_width(width)), "muted" if stage.change is Change.SAME else "strong"),
    )
    if _missing(stage):
        return _rest(cells, fmt.name(stage.second_missing, 200), "stale", width, stages.StageKey(stage.kind))
    cells = (*cells, Cell(fit(_times(stage.first_took_s, stage.second_took_s, glyphs), _TOOK)))
    return _rest(cells, _beside(stage, glyphs), "strong", width, stages.StageKey(stage.kind))


def _change(stage: StageDifference, glyphs: Glyphs) -> tuple[Cell, ...]:
    if _missing(stage):
        return (Cell(fit(f"{glyphs.level[Level.STALE]} missing", _SIGN), "stale"),)
    return (Cell(fit(changes.sign(stage.change, glyphs), _SIGN), changes.STYLE[stage.change]),)


def _times(first: float | None, second: float | None, glyphs: Glyphs) -> str:
    if first is None and second is None:
        return ""
    return f"{fit(fmt.took(first), 7, right=True)} {glyphs.arrow} {fmt.took(second)}"


def _beside(stage: StageDifference, glyphs: Glyphs) -> str:
    """Factors, tokens, and what only one of the two lacks."""
    said = [changes.factor(stage.first_took_s, stage.second_took_s, "slower", "faster")]
    if stage.first_tokens != stage.second_tokens:
        one, two = (
            f"{fmt.number(pair[0])}/{fmt.number(pair[1])}" for pair in (stage.first_tokens, stage.second_tokens)
        )
        said.append(f"tokens {one} {glyphs.arrow} {two}")
    if stage.first_missing:
        said.append(f"first {fmt.name(stage.first_missing, 120)}")
    if stage.second_missing:
        said.append(f"second {fmt.name(stage.second_missing, 120)}")
    return ", ".join(filter(None, said)).replace("×", glyphs.times)


def _rest(cells: tuple[Cell, ...], said: str, style: str, width: int, key: Hashable) -> Line:
    room = width - sum(width_of(cell.text) for cell in cells) - 1
    return Line((*cells, Cell(fit(said, max(1, room)).rstrip(), style)), key)


def _unfolded(drawn: Page, stage: StageDifference, width: int) -> None:
    for place, pair in enumerate(stage.pieces):
        key = PairKey(stage.kind, place)
        if drawn.fold(key, partial(_pair, pair, key, width, drawn.glyphs)):
            drawn.within(key, _differences(pair, width - _INDENT - 1, drawn.glyphs), _INDENT)
    if not stage.pieces:
        why = fmt.name(stage.second_missing or stage.first_missing, 600) or "nothing was recorded in either"
        drawn.within(
            stages.StageKey(stage.kind), ((Cell(line, "stale"),) for line in wrapped(why, width - _INDENT)), _INDENT
        )


def _pair(pair: PieceDifference, key: PairKey, width: int, glyphs: Glyphs, fold: str) -> Line:
    cells = (
        Cell(f"   {fold} ", "muted"),
        Cell(fit(changes.sign(pair.change, glyphs), _SIGN), changes.STYLE[pair.change]),
        Cell(fit(fmt.name(pair.name, 60) or "(no name)", stages.name_width(width) - 2)),
        Cell(fit(_times(pair.first_took_s, pair.second_took_s, glyphs), _TOOK), "muted"),
    )
    said = changes.factor(pair.first_took_s, pair.second_took_s, "slower", "faster").replace("×", glyphs.times)
    return _rest(cells, said, "strong", width, key)


def _differences(pair: PieceDifference, width: int, glyphs: Glyphs) -> Iterator[tuple[Cell, ...]]:
    for difference in pair.differences:
        yield from changes.lines(difference, width, glyphs)
    if not pair.differences:
        words = "the same in both" if pair.change is Change.SAME else f"it is {pair.change}"
        yield (Cell(words, "muted"),)

"""The detectors as lines: what each finds, how much it watches, and what it cannot judge yet."""

from collections.abc import Iterator, Sequence

from console.domain.analysis import DetectorState
from console.domain.health import Level
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view.facts import heading, labelled

_NAME, _STATE = 20, 14


def page(found: Sequence[DetectorState], width: int, glyphs: Glyphs) -> list[Line]:
    """All detectors: those that cannot judge everything yet first, then by name."""
    ordered = sorted(found, key=lambda item: (_level(item) is Level.OK, item.name))
    blind = sum(_level(item) is not Level.OK for item in ordered)
    right = f"{blind} of {len(found)} cannot judge everything yet" if blind else ""
    lines = [heading("What is watched for", width, glyphs, right)]
    for item in ordered:
        lines += _detector(item, width, glyphs)
    return [line._replace(key=("line", at)) for at, line in enumerate(lines)]


def _level(item: DetectorState) -> Level:
    if item.learning or item.unknown:
        return Level.NOTICE if item.watching else Level.STALE
    return Level.OK if item.watching else Level.STALE


def _detector(item: DetectorState, width: int, glyphs: Glyphs) -> Iterator[Line]:
    level = _level(item)
    word = {Level.OK: "watching", Level.NOTICE: "in part"}.get(level, "learning" if item.learning else "nothing")
    counts = f"watches {item.watching:,}" + (f", learns {item.learning:,}" if item.learning else "")
    yield Line(
        (
            Cell(f" {fit(f'{glyphs.level[level]} {word}', _STATE)}", LEVEL_STYLE[level]),
            Cell(fit(fmt.name(item.name, _NAME), _NAME), "strong"),
            Cell(f" {counts}", "muted"),
        )
    )
    yield from labelled("", fmt.name(item.summary, 300), width)
    for words in item.unknown[:10]:
        yield from labelled(f"{glyphs.bullet} not yet", fmt.name(words, 300), width, "stale")

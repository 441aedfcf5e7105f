"""Deployments that a recorded call can be sent to once more, as lines: whose they are, how well, at what price."""

from collections.abc import Sequence

from console.domain.board import Board
from console.domain.readings import Deployment
from console.domain.refs import Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import parts
from console.ui.view.judged import Judgements

_WIDTHS = (24, 14, 24, 16)


def deployments(board: Board) -> list[Deployment]:
    """All of them, by source and name."""
    return sorted(board.of(Deployment), key=lambda item: item.ref)


def heading() -> Line:
    """The titles of the columns."""
    titles = ("to", "provider", "model", "state")
    return Line(
        (Cell(" "), *(Cell(fit(title, size) + " ", "title") for title, size in zip(titles, _WIDTHS, strict=True)))
    )


def lines(judged: Judgements, found: Sequence[Deployment], glyphs: Glyphs) -> list[Line]:
    """One line a deployment; its key is the reference."""
    name, provider, model, state = _WIDTHS
    shown = []
    for item in found:
        health = judged.of(item.ref)
        cells = (
            Cell(" " + fit(fmt.name(item.ref.name), name) + " ", "strong"),
            Cell(fit(fmt.name(item.provider), provider) + " "),
            Cell(fit(fmt.name(item.model), model) + " ", "muted"),
            *parts.padded(parts.state_text(health, glyphs), state, LEVEL_STYLE[health.level]),
        )
        shown.append(Line(cells, key=str(item.ref)))
    return shown


def notes(found: Sequence[Deployment], recorded: str) -> dict[str, str]:
    """What is said of each, by the key of its line; `recorded` is the deployment that answered then."""
    words = "its cost is worked out, and shown, before anything is sent"
    then = {item.ref: "it answered the recorded call; " if item.ref.name == recorded else "" for item in found}
    return {str(item.ref): f"{fmt.name(item.ref.name)} of {item.ref.source}: {then[item.ref]}{words}" for item in found}


def by_key(found: Sequence[Deployment], key: str) -> Ref | None:
    """The deployment of a line."""
    return next((item.ref for item in found if str(item.ref) == key), None)

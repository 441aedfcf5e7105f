"""Runbooks that can be followed, as lines to choose from: those that fit what is wrong first; and the form's words."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.domain.actions import Outcome
from console.domain.board import Board
from console.domain.durations import parse_duration
from console.domain.health import Level
from console.domain.incidents import Incident
from console.domain.refs import Ref
from console.domain.runbooks import Offer, Parameter, RunbookInfo
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view.wrapped import wrapped

FITS = 15
READY = {True: "fits, and is ready", False: "fits, not ready", None: "fits"}
_STYLE = {True: "notice", False: "warn", None: "notice"}


class Choice(NamedTuple):
    """A runbook that can be chosen, and what offers it."""

    book: RunbookInfo
    offer: Offer | None


def choices(board: Board, books: Sequence[RunbookInfo], incident: str) -> list[Choice]:
    """All of them: offered for the incident at the cursor, offered for another one, the rest, those with faults."""
    by_id = {book.id: book for book in books}
    mine = board.incidents.get(incident)
    here = offers_of(board, mine) if mine is not None else []
    offered = [offer for offer in (*here, *(one for one in board.offers if one not in here)) if offer.runbook in by_id]
    found = [Choice(by_id[offer.runbook], offer) for offer in offered]
    named = {offer.runbook for offer in offered}
    rest = sorted((book for book in books if book.id not in named), key=lambda book: (bool(book.faults), book.title))
    return [*found, *(Choice(book, None) for book in rest)]


def heading(width: int) -> Line:
    """The titles of the columns."""
    return Line((Cell(f" {fit('runbook', _title(width))} {fit('fits?', FITS)}", "title"),))


def lines(found: Sequence[Choice], width: int, glyphs: Glyphs) -> list[Line]:
    """One line a runbook; its key is its place."""
    return [_line(choice, at, _title(width), glyphs) for at, choice in enumerate(found)]


def _title(width: int) -> int:
    return max(10, width - FITS - 3)


def _line(choice: Choice, at: int, room: int, glyphs: Glyphs) -> Line:
    book, offer = choice.book, choice.offer
    if book.faults:
        state, style = f"{glyphs.outcome[Outcome.FAILED]} cannot begin", "bad"
    elif offer is not None:
        state = f"{glyphs.level[Level.NOTICE]} {'not ready' if offer.ready is False else 'fits now'}"
        style = _STYLE[offer.ready]
    else:
        state, style = "", ""
    title = Cell(f" {fit(fmt.name(book.title, 120), room)}", "muted" if book.faults else "strong" if offer else "")
    return Line((title, Cell(f" {fit(state, FITS)}", style)), key=str(at))


def notes(found: Sequence[Choice]) -> dict[str, str]:
    """What is said of the runbook under the cursor: its faults, why it fits, what it does."""
    return {str(at): _note(choice) for at, choice in enumerate(found)}


def _note(choice: Choice) -> str:
    book, offer = choice.book, choice.offer
    if book.faults:
        more = f" (and {len(book.faults) - 1} more)" if len(book.faults) > 1 else ""
        return f"cannot begin: {fmt.name(book.faults[0], 300)}{more}"
    does = fmt.name(book.summary, 240) or fmt.plural(len(book.steps), "step")
    if offer is None:
        return does
    why = READY[offer.ready] + (f": {offer.words}" if offer.words else "")
    return f"{fmt.name(why, 200)}. {does}"


def offers_of(board: Board, incident: Incident) -> list[Offer]:
    """The runbooks that are offered for an incident or one of its alerts, the best first."""
    return [offer for offer in board.offers if offer.incident == incident.id or offer.alert in incident.alerts]


def best(board: Board, incident: Incident) -> Offer | None:
    """The first runbook that is offered for an incident and not known to be unready."""
    return next((offer for offer in offers_of(board, incident) if offer.ready is not False), None)


def best_of(board: Board, ref: Ref) -> Offer | None:
    """The first runbook that is offered for an alert of an object that belongs to no incident."""
    found = ((offer, board.alerts.get(offer.alert)) for offer in board.offers if not offer.incident)
    return next((one for one, alert in found if alert and alert.ref == ref and one.ready is not False), None)


def said(choice: Choice, width: int, *, most: int = 6) -> Iterator[str]:
    """What a form says before a run begins: what it does and why it fits."""
    text = fmt.name(choice.book.summary, 400)
    for words in (text, fmt.name(choice.offer.words, 300) if choice.offer is not None else ""):
        if words:
            yield from list(wrapped(words, width))[: most // 2]


def wrong(parameter: Parameter, text: str) -> str:
    """Why a text is no value for a parameter; empty when it is one. The engine judges again."""
    if not text:
        return f"{parameter.name} is needed" if parameter.required and not parameter.default else ""
    if parameter.type == "number":
        return "" if _is_number(text) else f"{fmt.name(text, 20)!r} is no number"
    if parameter.type == "duration":
        try:
            parse_duration(text)
        except ValueError as error:
            return str(error)
    if parameter.type == "choice" and text not in parameter.choices:
        return f"one of {', '.join(fmt.name(one, 24) for one in parameter.choices)}"
    return ""


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False

"""What can become of the work that waits in a queue, as lines: a verb, and its effect in one line."""

from collections.abc import Iterator

from console.domain.actions import Receipt, Verb
from console.domain.readings import Queue
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import doing

_VERB, _EFFECT = 9, 64


def heading() -> Line:
    """The titles of the columns."""
    return Line((Cell(" "), Cell(fit("", _VERB), "title"), Cell("what it does", "title")))


def ways(queue: Queue, running: Receipt | None, glyphs: Glyphs) -> list[Line]:
    """One line a verb, whose key is the verb; one that does not work says why, and the cursor passes it.

    Finish and park always stand here, the others where they make sense. There is no purge: it is asked for by name.
    """
    found = [] if running is None else [_line(Verb.STOP, _stops(running, glyphs))]
    for verb in (Verb.FINISH, Verb.PARK, Verb.ISOLATE, Verb.REQUEUE, Verb.REPLAY):
        ability = queue.ability(verb)
        if ability.able:
            found += [_line(verb, _effect(queue, verb))] if _fits(queue, verb) else []
        elif verb in (Verb.FINISH, Verb.PARK):
            found.append(_line(verb, f"no: {fmt.name(ability.reason, 200)}", able=False))
    return found


def notes(queue: Queue) -> dict[str, str]:
    """What else is to be known of each verb, by the key of its line."""
    return {str(verb): " ".join(_more(queue, verb)) for verb in Verb}


def _fits(queue: Queue, verb: Verb) -> bool:
    match verb:
        case Verb.REQUEUE:
            return queue.dead_letters != 0
        case Verb.REPLAY:
            return bool(queue.parked)
        case _:
            return True


def _effect(queue: Queue, verb: Verb) -> str:
    waiting = fmt.count(queue.depth)
    match verb:
        case Verb.FINISH:
            return f"workers finish the {waiting} waiting, new work is held back"
        case Verb.PARK:
            return f"the {waiting} waiting are set aside, workers go on with new work"
        case Verb.ISOLATE:
            return "retries are set aside, so that first tries get through"
        case Verb.REQUEUE:
            many = "" if queue.dead_letters is None else f"{fmt.count(queue.dead_letters)} "
            return f"{many}dead letters go back into the queue, at a limited rate"
        case _:
            return f"{fmt.count(queue.parked)} set aside come back, at a limited rate"


def _stops(running: Receipt, glyphs: Glyphs) -> str:
    at = "" if running.progress is None else f" at {doing.percent(running.progress)}"
    return f"{doing.word(running)} ends{at}; what was moved stays where it is"


def _more(queue: Queue, verb: Verb) -> Iterator[str]:
    reason = queue.ability(verb).reason if verb is not Verb.STOP else ""
    if reason:
        yield f"{fmt.name(reason, 300).rstrip('.')}."
    match verb:
        case Verb.FINISH if queue.depth and queue.out_per_min:
            takes_s = 60 * queue.depth / queue.out_per_min
            yield f"At {fmt.per_min(queue.out_per_min)} that takes {fmt.duration(takes_s)}."
        case Verb.PARK | Verb.ISOLATE:
            yield "It is kept until somebody replays it."
        case Verb.REQUEUE:
            yield "What made them die makes them die again, unless it was mended."
        case _:
            return


def _line(verb: Verb, effect: str, *, able: bool = True) -> Line:
    return Line(
        (
            Cell(" "),
            Cell(fit(str(verb), _VERB), "strong" if able else "muted"),
            Cell(fit(effect, _EFFECT), "" if able else "muted"),
        ),
        key=str(verb) if able else None,
    )

"""What a queue's keys open: the choice between finish and park, and the intents of the queue verbs."""

from typing import TYPE_CHECKING

from console.domain.actions import Action, Replay, Requeue, Stop, Verb
from console.domain.errors import Refusal
from console.domain.readings import Queue
from console.domain.refs import Ref
from console.domain.verbs import PLAIN
from console.ui import format as fmt
from console.ui.view.doing import stoppable
from console.ui.view.ways_out import heading, notes, ways

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp


def queue_action(verb: Verb, argument: str) -> Action:
    """The action of a queue verb.

    Args:
        verb: what to do.
        argument: messages a second for replay and requeue (empty takes the adapter's own rate), the action's id for
            stop; the others take none.

    Raises:
        Refusal: the argument is no rate.
    """
    if verb is Verb.STOP:
        return Stop(argument)
    if verb in (Verb.REPLAY, Verb.REQUEUE):
        action = (Replay if verb is Verb.REPLAY else Requeue)(_rate(argument))
        if action.fault:
            raise Refusal(action.fault)
        return action
    return PLAIN[verb]


def _rate(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise Refusal(f"{fmt.name(text, 20)!r} is no number of messages a second") from None


async def choose(app: "SwitchgearApp", ref: Ref) -> None:
    """Offer what can become of the work that waits in a queue; what is taken goes on to its dialog."""
    from console.ui.screens.flows import act
    from console.ui.screens.forms import ChoiceScreen

    queue = app.board.readings.get(ref)
    if not isinstance(queue, Queue):
        raise Refusal(f"{fmt.name(ref.name)} is no queue that is on the board")
    running = stoppable(app.board, ref)
    if running is not None and running.intent.target != ref:
        running = None
    lines = ways(queue, running, app.glyphs)
    title = f"{fmt.name(ref.name, 48)}: {fmt.count(queue.depth)} wait"
    key = await app.push_screen_wait(ChoiceScreen(title, heading(), lines, notes(queue)))
    if key is None:
        return
    verb = Verb(key)
    await act(app, ref, verb, running.id if verb is Verb.STOP and running is not None else "")

"""What commands on recorded requests open."""

from typing import TYPE_CHECKING

from console.domain.difference import CompareQuery
from console.domain.errors import Refusal
from console.domain.refs import Ref
from console.domain.spans import LaneFilter
from console.ui.view.lanes import parse

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp


async def request(app: "SwitchgearApp", ref: Ref, view: str = "") -> None:
    """Show one request; from its conversation at the first span that differs."""
    from console.ui.screens.conversation import ConversationScreen
    from console.ui.screens.request import STAGES, TREE, RequestScreen

    if isinstance(app.screen, RequestScreen) and app.screen.ref == ref:
        return
    span_id = app.screen.span_of(ref) if isinstance(app.screen, ConversationScreen) and not view else ""
    screen = RequestScreen(ref, view or (TREE if span_id else STAGES), span_id)
    screen.ask_ahead(app)
    await app.push_screen(screen)


async def conversation(app: "SwitchgearApp", ref: Ref) -> None:
    """Show one conversation."""
    from console.ui.screens.conversation import ConversationScreen

    if not (isinstance(app.screen, ConversationScreen) and app.screen.ref == ref):
        await app.push_screen(ConversationScreen(ref))


async def compare(app: "SwitchgearApp", ref: Ref, against: Ref | None) -> None:
    """Show how a request differs from another one; None is the last good one like it."""
    from console.ui.screens.compare import CompareScreen

    query = CompareQuery(source=ref.source, trace_id=ref.name, against=against.name if against is not None else "")
    title = f"request {ref.name[:8]} against {'the last good one like it' if against is None else against.name[:8]}"
    await app.push_screen(CompareScreen(ref, title, lambda: app.api.compare(query)))


async def find_lane(app: "SwitchgearApp", words: str) -> None:
    """Go to the Requests screen and show only those in one of whose lanes this stands.

    Raises:
        Refusal: the words are no lane's; it says how they are written.
    """
    try:
        lane = parse(words)
    except ValueError as error:
        raise Refusal(str(error)) from None
    await narrow_lane(app, lane)


async def narrow_lane(app: "SwitchgearApp", lane: LaneFilter) -> None:
    """Go to the Requests screen and show only those in one of whose lanes this holds."""
    from console.ui.screens.requests import RequestsScreen

    if app.current_mode != "requests":
        await app.switch_mode("requests")
    while len(app.screen_stack) > 1:
        await app.pop_screen()
    if isinstance(app.screen, RequestsScreen):
        app.screen.pick_lane(lane)

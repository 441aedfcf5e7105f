"""A backlog under the hand, on the real engine and its simulated broker: set aside, seen, and put back."""

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.domain.readings import Queue
from console.domain.refs import Ref
from console.ui.app import SwitchgearApp
from console.ui.screens.confirm import ConfirmScreen
from console.ui.screens.forms import ChoiceScreen
from console.ui.screens.queues import QueuesScreen
from tests.ui.live import Live, engine
from tests.ui.scripted import screen_text
from tests.ui.seeing import shows, until

WORLD = {"scenario": "calm", "speed": 1.0, "seed": 11, "world": "shop"}
SOURCES = {
    name: {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {**WORLD, "part": part}}
    for name, part in (("gateway", "gateway"), ("jobs", "queues"))
}


def queue(live: Live, ref: Ref) -> Queue:
    found = live.board.readings[ref]
    assert isinstance(found, Queue)
    return found


def deepest(live: Live) -> Queue | None:
    waiting = [item for item in live.board.of(Queue) if item.depth > 20]
    return max(waiting, key=lambda item: item.depth, default=None)


async def on_the_deepest(pilot: Pilot[int], app: SwitchgearApp, live: Live) -> Ref:
    """Go to the Queues screen and to the deepest queue, by keys alone."""
    await until(pilot, lambda: deepest(live))
    target = deepest(live)
    assert target is not None
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, QueuesScreen) and app.selected())
    await pilot.press("g")
    for _ in range(20):
        if app.selected() == target.ref:
            return target.ref
        await pilot.press("down")
    raise AssertionError("\n".join(screen_text(app)))


async def say_yes(pilot: Pilot[int], app: SwitchgearApp, words: str) -> None:
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and shows(app, "What is done"))
    entry = app.screen.query_one("#reason", Input)
    entry.focus()
    entry.value = words
    await pilot.press("enter")
    await until(pilot, lambda: not app.screen.query_one("#confirm", Button).disabled)
    await pilot.press("tab", "enter")


async def test_what_waits_is_parked_and_undone_from_the_keyboard(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            ref = await on_the_deepest(pilot, app, live)
            waiting = queue(live, ref).depth
            await pilot.press("d")
            await until(pilot, lambda: isinstance(app.screen, ChoiceScreen) and shows(app, "finish", "park"))
            await pilot.press("down", "enter")
            await say_yes(pilot, app, "azure is out")
            await until(pilot, lambda: shows(app, "moved"))
            await until(pilot, lambda: shows(app, "verified"))
            parked = queue(live, ref).parked or 0
            assert 0 < parked <= waiting + 20
            await pilot.press("enter")
            await until(
                pilot, lambda: isinstance(app.screen, QueuesScreen) and shows(app, f"park {ref.name}: verified")
            )
            await until(pilot, lambda: shows(app, "◆ park"))
            await pilot.press("u")
            await say_yes(pilot, app, "azure is back")
            await until(pilot, lambda: queue(live, ref).parked == 0)
            await until(pilot, lambda: not live.board.overrides)


async def test_a_queue_is_paused_and_resumed_by_the_same_key(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            ref = await on_the_deepest(pilot, app, live)
            await pilot.press("p")
            await until(pilot, lambda: shows(app, f"Pause {ref.name}", "What is done"))
            await say_yes(pilot, app, "its workers loop")
            await until(pilot, lambda: shows(app, "verified"))
            assert queue(live, ref).paused
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, QueuesScreen) and shows(app, "◆ pause"))
            await pilot.press("p")
            await until(pilot, lambda: shows(app, f"Resume {ref.name}", "What is done"))
            await say_yes(pilot, app, "the workers are mended")
            await until(pilot, lambda: not queue(live, ref).paused)

"""Hands that are quicker than the screen."""

from textual.events import Key

from console.domain.refs import Kind
from console.ui.app import SwitchgearApp
from console.ui.screens.drill import DrillScreen
from console.ui.widgets.prompt import Prompt
from tests.ui import world
from tests.ui.stage import StillEngine


async def test_keys_typed_before_a_page_is_open_find_the_page_that_is_seen() -> None:
    app = SwitchgearApp(StillEngine(world.calm()), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        while app.selected() is None:
            await pilot.pause(0.02)
        here = app.selected()
        app.push_screen(DrillScreen(world.ref(Kind.DEPLOYMENT, "azure-b")))
        assert app.selected() == here, "the new page shows nothing yet"
        for name in ("acknowledge", "sort", "filter", "back"):
            app.command(name)
        await pilot.pause()
        assert app.selected() == here


async def test_what_is_typed_right_behind_the_sign_is_the_prompts() -> None:
    app = SwitchgearApp(StillEngine(world.calm()), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        while app.selected() is None:
            await pilot.pause(0.02)
        for name, sign in (("slash", "/"), ("o", "o"), ("p", "p"), ("space", " "), ("d", "d")):  # none is looked at yet
            app.post_message(Key(name, sign))
        while not (found := app.screen.query(Prompt)):
            await pilot.pause(0.02)
        await pilot.pause(0.2)
        assert found.first().value == "/op d", "no letter was a command"


async def test_a_whole_line_that_comes_at_once_is_a_filter_and_its_enter_too() -> None:
    app = SwitchgearApp(StillEngine(world.calm()), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        while app.selected() is None:
            await pilot.pause(0.02)
        for sign in "/op":
            app.post_message(Key("slash" if sign == "/" else sign, sign))
        app.post_message(Key("enter", "\r"))
        room = app.room
        assert room is not None
        while room.prompt is None and not room.filter_words:
            await pilot.pause(0.02)
        await pilot.pause(0.2)
        assert (room.filter_words, room.prompt, app.screen) == ("op", None, room)

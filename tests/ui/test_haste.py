"""Hands that are quicker than the screen."""

from textual.events import Key
from textual.widgets import Input

from console.domain.refs import Kind
from console.ui.app import SwitchgearApp
from console.ui.screens.drill import DrillScreen
from console.ui.screens.forms import Field, FormScreen
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


async def test_what_is_typed_at_a_form_that_is_only_just_there_is_in_its_field() -> None:
    app = SwitchgearApp(StillEngine(world.calm()), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        form = FormScreen("Weight", (), (Field("weight"),))
        await app.push_screen(form)
        assert form.focused is form.query_one("#field-0"), "before any paint"
        await pilot.press("1")
        assert form.query_one("#field-0", Input).value == "1"


async def test_a_field_that_is_cleared_typed_and_sent_all_at_once_holds_what_was_typed() -> None:
    app = SwitchgearApp(StillEngine(world.calm()), "prod")
    answers: list[tuple[str, ...] | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(FormScreen("Weight", (), (Field("weight", value="3"),)), answers.append)
        for name, sign in (("ctrl+u", "\x15"), ("1", "1"), ("2", "2"), ("enter", "\r"), ("9", "9")):
            app.post_message(Key(name, sign))
        while not answers:
            await pilot.pause(0.02)
        assert answers == [("12",)]

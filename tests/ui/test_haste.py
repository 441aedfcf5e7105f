"""Hands that are quicker than the screen."""

from console.domain.refs import Kind
from console.ui.app import SwitchgearApp
from console.ui.screens.drill import DrillScreen
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

"""A fault of the console itself is said, and the rest of the screen goes on."""

import pytest

from console.domain.board import Board
from console.ui.app import SwitchgearApp
from console.ui.screens.overview import OverviewScreen
from tests.ui import world
from tests.ui.scripted import screen_text
from tests.ui.stage import StillEngine


async def test_a_page_that_cannot_be_drawn_is_said_and_the_others_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: OverviewScreen, board: Board) -> None:
        raise OverflowError("a number\x1b[2J that nobody thought of")

    monkeypatch.setattr(OverviewScreen, "show", broken)
    app = SwitchgearApp(StillEngine(world.calm()), "prod")
    async with app.run_test(size=(100, 30)) as pilot:
        while not any("OverflowError: a number�[2J that nobody" in line for line in screen_text(app)):
            await pilot.pause(0.02)
        await pilot.press("2")
        while not any("azure" in line for line in screen_text(app)):
            await pilot.pause(0.02)
        assert app.is_running

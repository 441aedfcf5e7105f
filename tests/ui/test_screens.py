"""The screens under the hand: where the cursor goes, what keys act on, what a hostile name does not do."""

import unicodedata
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.errors import EngineLost, Refusal
from console.domain.readings import AnyReading
from console.domain.refs import Kind, Ref
from console.ui.app import SwitchgearApp
from console.ui.screens.drill import DrillScreen
from console.ui.screens.help import HelpScreen
from console.ui.screens.overview import OverviewScreen
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.table import Table
from tests.ui import world
from tests.ui.scripted import screen_text
from tests.ui.seeing import shows, until
from tests.ui.stage import StillEngine

NASTY = "a\x1b[2Jb\r\nc\u202e[bold red]d[/]\x07"


def app_on(readings: list[AnyReading], *, busy: bool = False) -> tuple[SwitchgearApp, StillEngine]:
    engine = StillEngine(readings, busy=busy)
    return SwitchgearApp(engine, "prod"), engine


def dep(name: str) -> Ref:
    return world.ref(Kind.DEPLOYMENT, name)


def focused(app: SwitchgearApp) -> str:
    return (app.focused.id or "") if app.focused is not None else ""


async def test_the_cursor_waits_on_the_worst_finding_until_it_is_moved() -> None:
    app, engine = app_on(world.calm())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(app, "all as they should be"))
        assert focused(app) == "panel"
        engine.change(world.deployment("azure-b", "azure", "chat", errors=0.4))
        await until(pilot, lambda: focused(app) == "worst")
        assert app.selected() == dep("azure-b")
        engine.change(
            world.deployment("openai-a", "openai", "chat", errors=0.9),
            world.deployment("azure-b", "azure", "chat", errors=0.3),
        )
        await until(pilot, lambda: shows(app, "2 bad"))
        assert app.selected() == dep("azure-b"), "a finding that comes on top must not slip under a waiting hand"
        engine.change(world.deployment("openai-a", "openai", "chat"), world.deployment("azure-b", "azure", "chat"))
        await until(pilot, lambda: focused(app) == "panel")


async def test_a_cursor_that_was_moved_stays_where_it_is() -> None:
    app, engine = app_on(world.calm())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(app, "all as they should be"))
        await pilot.press("down", "down")
        here = app.selected()
        engine.change(world.deployment("azure-b", "azure", "chat", errors=0.4))
        await until(pilot, lambda: shows(app, "1 bad"))
        assert app.selected() == here


async def test_one_cursor_goes_through_all_parts() -> None:
    app, _ = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: focused(app) == "worst")
        seen = []
        for _ in range(7):
            seen.append(focused(app))
            await pilot.press("down")
        assert seen == ["worst", "worst", "worst", "money", "money", "panel", "panel"]
        for _ in range(12):
            await pilot.press("up")
        assert focused(app) == "worst"


async def test_the_same_key_does_the_same_on_every_screen() -> None:
    app, _ = app_on(world.trouble(), busy=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(app, "Routes and breakers"))
        for digit in "234":
            await pilot.press(digit)
            await until(pilot, lambda: isinstance(app.focused, Table))
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, HelpScreen))
        await pilot.press("2")
        await until(pilot, lambda: app.selected() is not None)
        while app.selected() != dep("azure-b"):
            await pilot.press("down")
        await pilot.press("t")
        await until(pilot, lambda: shows(app, "Trip azure-b", "What changes"))
        await pilot.press("escape")


async def test_a_key_whose_backend_cannot_says_why() -> None:
    app, engine = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.selected() == dep("azure-b"))
        await pilot.press("w")
        await until(pilot, lambda: shows(app, "defined in config.yaml"))
        assert not engine.intents


async def test_a_drill_leads_on_to_neighbours_and_back() -> None:
    app, _ = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.selected() == dep("azure-b"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DrillScreen) and shows(app, "Last 60 min"))
        assert app.selected() == dep("azure-b")
        while app.selected() != world.ref(Kind.ROUTE, "chat"):
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "Can be switched to"))
        await pilot.press("escape")
        await until(pilot, lambda: app.selected() == world.ref(Kind.ROUTE, "chat"))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, DrillScreen))
        assert app.selected() == dep("azure-b")


async def test_a_filter_works_on_the_panel_and_escape_shows_all() -> None:
    app, _ = app_on(world.calm())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(app, "openai-embed"))
        await pilot.press("slash", *"azure", "enter")
        await until(pilot, lambda: shows(app, "azure-b") and not shows(app, "openai-embed"))
        await pilot.press("escape")
        await until(pilot, lambda: shows(app, "openai-embed"))


async def test_nothing_changes_nothing_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    app, engine = app_on(world.trouble(), busy=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(app, "Routes and breakers"))
        painted: list[tuple[object, ...]] = []
        shown: list[int] = []
        whole = OverviewScreen.show

        def counted(self: OverviewScreen, board: Board) -> None:
            shown.append(board.seq)
            whole(self, board)

        monkeypatch.setattr(OverviewScreen, "show", counted)
        monkeypatch.setattr(Canvas, "refresh", lambda self, *regions, **_: painted.append((self.id, *regions)))
        still = 0
        while still < 6:  # the first layout is through when nothing asks for a paint any more
            painted.clear()
            await pilot.pause(0.05)
            still = 0 if painted else still + 1
        board = world.board(world.trouble(), busy=True)
        engine.change(*board.readings.values())
        await until(pilot, lambda: engine.seq in shown)
        assert painted == []
        engine.change(world.deployment("openai-a", "openai", "chat", flow=999))
        await until(pilot, lambda: painted)
        assert {item[0] for item in painted} == {"panel"}


async def test_an_open_dialog_is_told_of_a_change_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = 0
    whole = SwitchgearApp.on_board_changed

    def counted(self: SwitchgearApp) -> None:
        nonlocal told
        told += 1
        whole(self)

    monkeypatch.setattr(SwitchgearApp, "on_board_changed", counted)
    app, engine = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.selected() == dep("azure-b"))
        await pilot.press("t")
        await until(pilot, lambda: shows(app, "What changes"))
        before = told
        engine.change(world.deployment("openai-a", "openai", "chat", flow=999))
        await pilot.pause(0.5)
        assert told - before <= 2


async def _ready_to_confirm(pilot: Pilot[Any], app: SwitchgearApp) -> None:
    await until(pilot, lambda: app.selected() == dep("azure-b"))
    await pilot.press("t")
    await until(pilot, lambda: shows(app, "What changes"))
    await pilot.press("tab", *"slow", "enter")
    await until(pilot, lambda: not app.screen.query_one("#confirm", Button).disabled)


async def test_a_yes_that_comes_too_late_is_said_and_may_be_said_again() -> None:
    app, engine = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await _ready_to_confirm(pilot, app)
        engine.objection = Refusal("the proposal is older than 120 s; look again", code=409)
        asked = len(engine.intents)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: shows(app, "not done: the proposal is older"))
        assert len(engine.intents) == asked + 1, "what would be done now is shown"
        assert not engine.confirmed


async def test_an_engine_that_goes_away_in_the_middle_leaves_the_outcome_open() -> None:
    app, engine = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await _ready_to_confirm(pilot, app)
        engine.objection = EngineLost("the socket was closed")
        asked = len(engine.intents)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: shows(app, "the engine went away (the socket was closed)", "stands in"))
        await pilot.pause(0.2)
        assert len(engine.intents) == asked, "nothing is repeated blindly"
        assert app.screen.query_one("#confirm", Button).disabled


async def test_hostile_names_stay_in_their_cells_on_every_screen() -> None:
    readings: list[AnyReading] = [
        world.source(),
        world.route(NASTY, (NASTY, 1.0), flow=10, errors=0.5),
        world.deployment(
            NASTY, NASTY, NASTY, model=NASTY, errors=0.5, breaker=world.circuit(Observed.OPEN, cause=NASTY)
        ),
        world.provider(NASTY, NASTY, flow=10, errors=0.5),
        *(msgspec.structs.replace(item, subject=NASTY) for item in world.money() if item.ref.kind is Kind.SPEND),
    ]
    app, _ = app_on(readings)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(app, "[bold red]d[/]"))
        for keys in (("2",), ("3",), ("1", "enter"), ("escape", "t"), ("escape", "question_mark"), ("escape", "colon")):
            await pilot.press(*keys)
            await pilot.pause(0.2)
            text = "".join(screen_text(app))
            assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf")]
            assert "\x1b" not in text


async def test_a_lost_engine_refuses_actions_and_keeps_the_last_picture() -> None:
    app, engine = app_on(world.trouble())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.selected() == dep("azure-b"))
        engine.refusing = EngineLost("nobody listens")
        engine.queue.put_nowait(EngineLost("cut"))
        await until(pilot, lambda: shows(app, "ENGINE LOST"))
        assert shows(app, "azure-b")
        await pilot.press("t")
        await until(pilot, lambda: shows(app, "nobody listens"))
        assert not engine.intents

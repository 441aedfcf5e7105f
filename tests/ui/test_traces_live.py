"""Recorded requests of a platform at work: the real engine puts them together, the screen shows them."""

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from console.ui.app import SwitchgearApp
from console.ui.screens.compare import CompareScreen
from console.ui.screens.conversation import ConversationScreen
from console.ui.screens.incident import IncidentScreen
from console.ui.screens.request import RequestScreen
from console.ui.screens.requests import RequestsScreen
from console.ui.view.incident import Entry, Part
from console.ui.widgets.folding import FoldingCanvas
from tests.ui import live
from tests.ui.seeing import shows, until


def sources(scenario: str, speed: float) -> dict[str, Any]:
    """One world, as its gateway, its queues and its trace store show it."""
    options = {"world": "one", "scenario": scenario, "speed": speed, "seed": 3}
    return {
        part: {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {**options, "part": part}}
        for part in ("gateway", "queues", "traces")
    }


async def opened(pilot: Pilot[Any], app: SwitchgearApp) -> None:
    """Go to the newest request that came out of a queue, and open it."""
    await until(pilot, lambda: app.board.seq)
    await pilot.press("6")
    app.narrow("chat-worker")
    await until(pilot, lambda: isinstance(app.screen, RequestsScreen) and app.selected())
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "incoming request"))


async def test_a_request_its_lanes_and_its_difference(tmp_path: Path) -> None:
    async with live.engine(tmp_path, sources=sources("calm", 20.0)) as engine:
        app = SwitchgearApp(engine.api, "demo")
        async with app.run_test(size=(120, 40)) as pilot:
            await opened(pilot, app)
            assert shows(app, "retrieval", "model response", "the time went into", "● ok")
            await pilot.press("l")
            await until(pilot, lambda: shows(app, "worker timing", "chat-worker"))
            await pilot.press("enter")
            await until(
                pilot, lambda: isinstance(app.screen, RequestsScreen) and shows(app, "only requests with prompts=")
            )
            await until(pilot, app.selected)
            await pilot.press("equals_sign")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen) and shows(app, "against the last good"))
            await pilot.press("escape", "enter", "n")
            await until(pilot, lambda: shows(app, "playback: as recorded, nothing is called", "1 of"))


async def _to_the_talk(pilot: Pilot[Any], app: SwitchgearApp) -> None:
    """Go down the incident's page to the alert on a conversation."""
    page = app.screen.query_one(FoldingCanvas)
    for _ in range(40):
        if isinstance(page.cursor, Entry) and page.cursor.part is Part.ALERT:
            return
        await pilot.press("down")
    raise AssertionError("no alert on this page")


async def test_a_split_is_told_and_leads_to_the_span_where_it_shows_first(tmp_path: Path) -> None:
    divergence = {"every": "5s"}
    async with live.engine(tmp_path, sources=sources("split-snapshots", 60.0), divergence=divergence) as engine:
        app = SwitchgearApp(engine.api, "demo")
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: shows(app, "1 incident", "chat-worker", "B runbook"))
            await pilot.press("home", "enter")
            await until(pilot, lambda: isinstance(app.screen, IncidentScreen) and shows(app, "service chat-worker"))
            await until(pilot, lambda: shows(app, "A runbook fits"))
            await _to_the_talk(pilot, app)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ConversationScreen) and shows(app, "✖ two snapshots"))
            assert shows(app, "✖ differs", "≠")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "── retrieval"))

"""Incidents on the screen: seen at a glance, opened, acted on, acknowledged, silenced."""

from collections.abc import Callable

import pytest

from console.domain.verbs import Verb
from console.domain.wire import AlertMark
from console.ui.app import SwitchgearApp
from console.ui.commands import BY_NAME
from console.ui.screens.confirm import ConfirmScreen
from console.ui.screens.incident import IncidentScreen
from console.ui.staging import Staged, Staging
from tests.ui import drifting
from tests.ui.seeing import shows, until
from tests.ui.test_looks import LARGE, SIZES, SMALL, _plain_terminal, pressing

__all__ = ["_plain_terminal"]

Compare = Callable[..., bool]


@SIZES
def test_transport_is_green_and_answers_are_not(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = SwitchgearApp(drifting.DriftingEngine(), "prod")
    assert snap_compare(app, terminal_size=size, run_before=pressing())


def test_an_incident_in_ascii(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ASCII", "1")
    app = SwitchgearApp(drifting.DriftingEngine(), "prod")
    app.theme = "ansi-dark"
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("enter", until="Who is to blame"))


def test_an_incident_with_its_analysis(snap_compare: Compare) -> None:
    app = SwitchgearApp(drifting.DriftingEngine(), "prod")
    assert snap_compare(app, terminal_size=LARGE, run_before=pressing("!", until="Can the rest carry it?"))


async def test_from_the_overview_to_the_action_and_back_to_quiet() -> None:
    engine = drifting.DriftingEngine()
    app = SwitchgearApp(engine, "prod")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(app, "2 incidents", "Transport is ok, answers are not"))
        await pilot.press("a")
        await until(pilot, lambda: len(engine.marked) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "Can the rest carry it?"))
        assert isinstance(app.screen, IncidentScreen)
        await pilot.press("z")
        await until(pilot, lambda: shows(app, "Silence 2 alerts"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: len(engine.marked) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and engine.intents)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, (IncidentScreen, ConfirmScreen)))
        app.command("detectors")
        await until(pilot, lambda: shows(app, "2 of 3 cannot judge everything yet", "no search yet"))
    whole = drifting.INCIDENTS[0].id
    assert engine.marked == [AlertMark(alert_id=whole), AlertMark(alert_id=whole, silence_s=3600.0)]
    assert (engine.intents[0].target, engine.intents[0].action.verb) == (drifting.AZURE, Verb.TRIP)


async def test_another_incident_of_the_demo_is_picked_on_the_screen() -> None:
    staged = (Staged("calm", "An ordinary day."), Staged("drift", "Answers change their form."))
    staging = Staging(lambda: staged, ask_first=True)
    app = SwitchgearApp(drifting.DriftingEngine(), "demo", staging=staging)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "Which incident?", "An ordinary day."))
        await pilot.press("escape")
        app.command("scenario")
        await until(pilot, lambda: shows(app, "Which incident?"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: staging.wanted)
    assert staging.wanted == "drift"
    assert app.scenarios == ["calm", "drift"]
    real = SwitchgearApp(drifting.DriftingEngine(), "prod")
    assert "only in a simulated environment" in BY_NAME["scenario"].why_not(real)

"""How queues, long actions and requests look; a changed picture is judged by eye, as those of `test_looks`."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console.domain.actions import Outcome, Stage
from console.domain.readings import AnyReading
from console.ui.app import SwitchgearApp
from tests.ui import backlog, world
from tests.ui.stage import StillEngine
from tests.ui.test_looks import LARGE, SIZES, SMALL, _plain_terminal, attached, pressing, standing

__all__ = ["_plain_terminal"]

Compare = Callable[..., bool]
COLOURS = pytest.mark.parametrize("theme", ["switchgear-light", "ansi-dark", "ansi-light"])


def platform() -> list[AnyReading]:
    return [*world.trouble(), *backlog.queues(), *backlog.traced()]


def app_on(readings: list[AnyReading] | None = None, *, theme: str = "") -> tuple[SwitchgearApp, StillEngine]:
    engine = StillEngine(platform() if readings is None else readings, busy=True)
    app = SwitchgearApp(engine, "prod")
    if theme:
        app.theme = theme
    return app, engine


def moving(engine: StillEngine, *keys: str, until: str = "43.2k of 100k", **fields: Any) -> Callable[[Pilot[Any]], Any]:
    """Press keys while messages are parked."""

    async def run(pilot: Pilot[Any]) -> None:
        await attached(pilot)
        engine.change(receipts=(backlog.receipt(43_210, **fields),))
        await standing(pilot, "park documents")
        await pressing(*keys, until=until)(pilot)

    return run


@SIZES
def test_three_kinds_of_backend_on_one_overview(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on()
    assert snap_compare(app, terminal_size=size, run_before=pressing())


@COLOURS
def test_the_overview_in_other_colours(snap_compare: Compare, theme: str) -> None:
    app, engine = app_on(theme=theme)
    assert snap_compare(app, terminal_size=LARGE, run_before=moving(engine))


@SIZES
def test_the_overview_in_ascii(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ASCII", "1")
    app, engine = app_on(theme="ansi-dark")
    assert snap_compare(app, terminal_size=size, run_before=moving(engine))


def test_the_overview_when_only_queues_are_in_trouble(snap_compare: Compare) -> None:
    app, _ = app_on([*world.calm(), *backlog.queues()])
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing())


@SIZES
def test_queues_while_one_is_parked(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, engine = app_on()
    assert snap_compare(app, terminal_size=size, run_before=moving(engine, "5"))


@COLOURS
def test_queues_in_other_colours(snap_compare: Compare, theme: str) -> None:
    app, engine = app_on(theme=theme)
    assert snap_compare(app, terminal_size=SMALL, run_before=moving(engine, "5"))


def test_queues_in_ascii(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ASCII", "1")
    app, engine = app_on(theme="ansi-dark")
    assert snap_compare(app, terminal_size=SMALL, run_before=moving(engine, "5"))


def test_a_long_action_that_was_stopped(snap_compare: Compare) -> None:
    app, engine = app_on()
    words = "43,210 of 100,000 are parked, the rest waits"
    ended = {"stage": Stage.DONE, "outcome": Outcome.STOPPED, "words": words}
    assert snap_compare(app, terminal_size=SMALL, run_before=moving(engine, "5", until="the rest waits", **ended))


@SIZES
def test_the_page_of_a_queue(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, engine = app_on()
    assert snap_compare(app, terminal_size=size, run_before=moving(engine, "5", "down", "enter", until="Last 60 min"))


@pytest.mark.parametrize("theme", ["switchgear-dark", "switchgear-light", "ansi-dark"])
def test_finish_or_park(snap_compare: Compare, theme: str) -> None:
    app, engine = app_on(theme=theme)
    keys = ("5", "down", "d")
    assert snap_compare(app, terminal_size=SMALL, run_before=moving(engine, *keys, until="what it does"))


def test_the_dialog_of_a_park(snap_compare: Compare) -> None:
    app, _ = app_on()
    keys = ("5", "down", "d", "down", "enter")
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(*keys, until="What changes"))


@SIZES
def test_the_stream_of_requests(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on()
    assert snap_compare(app, terminal_size=size, run_before=pressing("6", "down"))


@pytest.mark.parametrize("screen", ["5", "6"], ids=["queues", "requests"])
def test_empty_tables_say_what_to_do(snap_compare: Compare, screen: str) -> None:
    app, _ = app_on([world.source()])
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(screen))


def test_help_on_a_queue(snap_compare: Compare) -> None:
    app, _ = app_on()
    assert snap_compare(app, terminal_size=LARGE, run_before=pressing("5", "question_mark"))

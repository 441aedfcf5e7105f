"""How the screens look. A changed picture is judged by eye: `pytest --snapshot-report` shows both, side by side.

The board stands still (`stage.py`), so a picture differs only when the screen does.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from console.domain.actions import Outcome, Stage
from console.domain.errors import EngineLost
from console.domain.readings import AnyReading
from console.ui.app import SwitchgearApp
from tests.ui import world
from tests.ui.scripted import screen_text
from tests.ui.stage import StillEngine

Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]

SMALL, LARGE = (80, 24), (120, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A true-colour terminal in UTC, whatever the tests run in."""
    for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "COLORFGBG", "SWITCHGEAR_ASCII"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("SWITCHGEAR_ASCII", "0")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def app_on(
    readings: list[AnyReading], *, busy: bool = True, operating: bool = True, theme: str = ""
) -> tuple[SwitchgearApp, StillEngine]:
    engine = StillEngine(readings, busy=busy, operating=operating)
    app = SwitchgearApp(engine, "prod")
    if theme:
        app.theme = theme
    return app, engine


def pressing(*keys: str, until: str = "") -> Before:
    """Wait for the board, press keys, and wait until the words stand on the screen."""

    async def run(pilot: Pilot[Any]) -> None:
        await attached(pilot)
        for key in keys:
            await pilot.press(key)
            await at_rest(pilot)
        await standing(pilot, until)

    return run


async def attached(pilot: Pilot[Any]) -> None:
    """Wait until the first board is on the screen."""
    app = pilot.app
    assert isinstance(app, SwitchgearApp)
    for _ in range(2_000):
        if app.board.seq and "waiting for the engine" not in "".join(screen_text(app)):
            break
        await pilot.pause(0.02)
    await at_rest(pilot)


async def standing(pilot: Pilot[Any], words: str) -> None:
    """Wait until the words stand on the screen, and nothing moves any more."""
    app = pilot.app
    assert isinstance(app, SwitchgearApp)
    for _ in range(2_000):
        if words in "\n".join(screen_text(app)):
            await at_rest(pilot)
            return
        await pilot.pause(0.02)
    raise AssertionError(f"{words!r} never came:\n" + "\n".join(screen_text(app)))


async def at_rest(pilot: Pilot[Any]) -> None:
    """Wait until the screen has been the same for a while: workers and the coalesced paint are through."""
    app = pilot.app
    assert isinstance(app, SwitchgearApp)
    same, before = 0, [""]
    while same < 4:
        await pilot.pause(0.04)
        now = screen_text(app)
        same, before = (same + 1 if now == before else 0), now


@SIZES
def test_overview_in_trouble(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=size, run_before=pressing())


@SIZES
@pytest.mark.parametrize("theme", ["switchgear-light", "ansi-dark", "ansi-light"])
def test_overview_in_other_colours(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    app, _ = app_on(world.trouble(), theme=theme)
    assert snap_compare(app, terminal_size=size, run_before=pressing())


@SIZES
def test_overview_in_ascii(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ASCII", "1")
    app, _ = app_on(world.trouble(), theme="ansi-dark")
    assert snap_compare(app, terminal_size=size, run_before=pressing())


@SIZES
def test_overview_when_all_is_well(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on(world.calm(), busy=False)
    assert snap_compare(app, terminal_size=size, run_before=pressing())


def test_overview_before_any_source_was_seen(snap_compare: Compare) -> None:
    app, _ = app_on([], busy=False)
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing())


@SIZES
@pytest.mark.parametrize("screen", ["2", "3", "4"], ids=["providers", "spend", "log"])
def test_tables(snap_compare: Compare, size: tuple[int, int], screen: str) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=size, run_before=pressing(screen))


@pytest.mark.parametrize("screen", ["2", "3", "4"], ids=["providers", "spend", "log"])
def test_empty_tables_say_what_to_do(snap_compare: Compare, screen: str) -> None:
    app, _ = app_on([world.source()], busy=False)
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(screen))


def test_audit_log(snap_compare: Compare) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=LARGE, run_before=pressing("4", "v", until="confirmed"))


@SIZES
def test_drill_of_a_deployment(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=size, run_before=pressing("enter", until="Last 60 min"))


@SIZES
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=size, run_before=pressing("question_mark"))


@SIZES
def test_dialog(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=size, run_before=pressing("t", until="What changes"))


@pytest.mark.parametrize("theme", ["switchgear-light", "ansi-dark"])
def test_dialog_in_other_colours(snap_compare: Compare, theme: str) -> None:
    app, _ = app_on(world.trouble(), theme=theme)
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("t", until="What changes"))


def test_dialog_in_read_only(snap_compare: Compare) -> None:
    app, _ = app_on(world.trouble(), operating=False)
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("t", until="What changes"))


def test_dialog_while_one_replica_of_two_shows_it(snap_compare: Compare) -> None:
    app, engine = app_on(world.trouble())

    async def confirm(pilot: Pilot[Any]) -> None:
        await pressing("t", "tab", until="What changes")(pilot)
        await pilot.press(*"slow", "enter")
        await standing(pilot, "Tab to Trip")
        await pilot.press("tab", "enter")
        await standing(pilot, "0/2 replicas")
        engine.grow(Outcome.CONVERGING, Stage.VERIFYING, True, False)
        await standing(pilot, "converging 1/2 replicas")

    assert snap_compare(app, terminal_size=SMALL, run_before=confirm)


def test_switch_picker(snap_compare: Compare) -> None:
    app, _ = app_on(world.trouble())
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("s", until="Switch chat to"))


def test_operate_prompt(snap_compare: Compare) -> None:
    app, _ = app_on(world.trouble(), operating=False)
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("o"))


@SIZES
def test_engine_lost(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, engine = app_on(world.trouble())

    async def lose(pilot: Pilot[Any]) -> None:
        await attached(pilot)
        lost = EngineLost("nobody listens on the socket; start an engine with `switchgear engine prod`")
        engine.refusing = lost
        engine.queue.put_nowait(lost)
        await standing(pilot, "The engine is lost")

    assert snap_compare(app, terminal_size=size, run_before=lose)

"""How runbooks look: would a stranger know in five seconds what is awaited, and which key to press?"""

from collections.abc import Callable

import pytest

from console.domain.runbooks import Run
from console.ui.app import SwitchgearApp
from tests.ui import running
from tests.ui.running import RunbookEngine
from tests.ui.test_looks import LARGE, SIZES, SMALL, _plain_terminal, pressing

__all__ = ["_plain_terminal"]

Compare = Callable[..., bool]


def app_on(*runs: Run) -> SwitchgearApp:
    return SwitchgearApp(RunbookEngine(*runs), "prod")


@SIZES
def test_a_run_that_awaits_its_holder(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = app_on(running.awaiting())
    assert snap_compare(app, terminal_size=size, run_before=pressing("R", until="piece of evidence"))


@SIZES
def test_what_a_step_would_do(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = app_on(running.awaiting())
    assert snap_compare(app, terminal_size=size, run_before=pressing("R", "Y", until="do nothing"))


def test_a_ramp_in_light_colours(snap_compare: Compare) -> None:
    app = app_on(running.ramping())
    app.theme = "switchgear-light"
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("R", until="212 of 300"))


def test_a_paused_run_in_ascii(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ASCII", "1")
    app = app_on(running.paused())
    app.theme = "ansi-dark"
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("R", until="answered 403"))


def test_the_form_of_an_offered_runbook(snap_compare: Compare) -> None:
    app = app_on()
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("!", "enter", until="Begin: "))


def test_the_choice_of_runbooks(snap_compare: Compare) -> None:
    assert snap_compare(app_on(), terminal_size=LARGE, run_before=pressing("B", until="Which runbook?"))


def test_what_was_kept_of_a_step(snap_compare: Compare) -> None:
    keys = ("R", "down", "enter")
    app = app_on(running.awaiting())
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(*keys, until="Enter opens it"))

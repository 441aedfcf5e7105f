"""Runbooks on the screen: offered, begun, answered, handed over, left alone; and what is kept of them."""

from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from console.domain.runbooks import RunCommand, RunOrder, RunState, StepState
from console.domain.wire import AccessLevel
from console.ui.app import SwitchgearApp
from console.ui.commands import BY_NAME
from console.ui.screens.evidence import EvidenceScreen
from console.ui.screens.request import RequestScreen
from console.ui.screens.run import RunScreen
from console.ui.screens.step import StepScreen
from console.ui.widgets.folding import FoldingCanvas
from tests.ui import running
from tests.ui.running import RunbookEngine
from tests.ui.scripted import bottom
from tests.ui.seeing import shows, until
from tests.ui.test_looks import SMALL, _plain_terminal

__all__ = ["_plain_terminal"]


def opened(*runs: Any, **fields: Any) -> tuple[SwitchgearApp, RunbookEngine]:
    engine = RunbookEngine(*runs, **fields)
    return SwitchgearApp(engine, "prod"), engine


async def on_page(pilot: Pilot[Any], *keys: str) -> None:
    """Go to the run's page, wait until it is there, then press keys."""
    app = pilot.app
    assert isinstance(app, SwitchgearApp)
    await pilot.press("R")
    await until(pilot, lambda: isinstance(app.room, RunScreen) and app.followed() is not None)
    await pilot.press(*keys)


async def test_from_the_offer_to_the_confirmed_step_while_the_console_stays_usable() -> None:
    app, engine = opened()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "B runbook"))
        await pilot.press("B")
        await until(pilot, lambda: shows(app, "Which runbook?", "fits now", "cannot begin"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "Begin: Provider brownout", "azure-b", "10m", "choose: no, yes"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "awaits you", "Y confirm step 3: Trip azure-b"))
        await pilot.press("Y")
        await until(pilot, lambda: isinstance(app.screen, StepScreen) and shows(app, "do nothing", "cannot be said"))
        await pilot.press("escape", "escape", "3")
        await until(pilot, lambda: app.current_mode == "spend" and shows(app, "R ▶ brownout 3/7 awaits you"))
        await on_page(pilot, "Y")
        await until(pilot, lambda: isinstance(app.screen, StepScreen) and shows(app, "Tab to Trip"))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "nothing is asked of you"))
        assert shows(app, "brownout 4/7 running", "depth(documents) is 7440", "9 min left")
    begun = engine.started[0]
    assert (begun.runbook, begun.dry, bool(begun.request)) == ("brownout", False, True)
    assert begun.parameters == {"deployment": "azure-b", "patience": "10m"}
    assert begun.incident == running.OFFER.incident
    assert engine.ordered == [RunCommand(run="r-12", order=RunOrder.CONFIRM, step="trip")]


async def test_each_order_has_its_key_and_asks_what_it_needs() -> None:
    app, engine = opened(running.paused())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "3/7 paused"))
        await pilot.press("Y")
        await until(pilot, lambda: "open the run first" in bottom(app))
        await on_page(pilot, "T")
        await until(pilot, lambda: len(engine.ordered) == 1 and shows(app, "nothing is asked"))
        await pilot.press("S")
        await until(pilot, lambda: shows(app, "Leave out: Wait until documents"))
        await pilot.press(*"seen", "enter")
        await until(pilot, lambda: len(engine.ordered) == 2)
        await pilot.press("P")
        await until(pilot, lambda: len(engine.ordered) == 3 and shows(app, "P resumes. paused by bo"))
        await pilot.press("P")
        await until(pilot, lambda: len(engine.ordered) == 4)
        engine.tell(running.manual())
        await until(pilot, lambda: shows(app, "Y when it is done: open a ticket"))
        await pilot.press("Y")
        await until(pilot, lambda: len(engine.ordered) == 5)
        await pilot.press("A")
        await until(pilot, lambda: shows(app, "Abort Provider brownout?", "put back what was done"))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: shows(app, "■ aborted  aborted by bo"))
        assert "the run is over" in BY_NAME["abort"].why_not(app)
    said = [(one.order, one.step, one.reason, one.rollback) for one in engine.ordered]
    assert said == [
        (RunOrder.RETRY, "trip", "", True),
        (RunOrder.SKIP, "drain", "seen", True),
        (RunOrder.PAUSE, "", "", True),
        (RunOrder.RESUME, "", "", True),
        (RunOrder.DONE, "ask", "", True),
        (RunOrder.ABORT, "", "", True),
    ]


async def test_others_watch_until_they_take_control() -> None:
    app, engine = opened(running.awaiting(holder=running.OTHER))
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "brownout 3/7 awaits ana"))
        await on_page(pilot, "Y")
        await until(pilot, lambda: "ana has control: take it first" in bottom(app))
        assert engine.ordered == []
        await pilot.press("C")
        await until(pilot, lambda: shows(app, "awaits you", "bo (you)"))
    assert engine.ordered == [RunCommand(run="r-12", order=RunOrder.TAKE)]


async def test_what_was_only_reckoned_is_not_shown_and_where_no_run_is_the_key_that_begins_one_is_named() -> None:
    known = {"deployment": "azure-b", "spare": "265"}
    app, _ = opened(running.awaiting(parameters=known, reckoned=("spare",)))
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "awaits you"))
        await on_page(pilot)
        await until(pilot, lambda: shows(app, "deployment azure-b"))
        assert not shows(app, "spare")
    app, _ = opened()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "B runbook"))
        await pilot.press("R")
        await until(pilot, lambda: "no runbook is being followed; B begins one" in bottom(app))


async def test_what_was_planned_anew_is_shown_before_it_can_be_confirmed() -> None:
    app, engine = opened(running.awaiting())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "awaits you"))
        await on_page(pilot, "Y")
        await until(pilot, lambda: shows(app, "Tab to Trip"))
        anew = replace(running.proposal(typed=True), id="act-32")
        engine.tell(running.with_step(running.awaiting(), "trip", proposal_id=anew.id, proposal=anew))
        await until(pilot, lambda: shows(app, "planned anew: look again", "type the name"))
        await pilot.press("tab", *"azure-b", "enter")
        await until(pilot, lambda: shows(app, "Tab to Trip"))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
    assert engine.ordered == [RunCommand(run="r-12", order=RunOrder.CONFIRM, step="trip", name="azure-b")]


async def test_the_dialog_gives_way_when_somebody_else_has_answered() -> None:
    app, engine = opened(running.awaiting())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "awaits you"))
        await on_page(pilot, "Y")
        await until(pilot, lambda: shows(app, "Tab to Trip"))
        engine.tell(running.tripped())
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "nothing is asked of you"))
    assert engine.ordered == []


async def test_reading_only_a_run_asks_for_operate_and_a_dry_one_does_not() -> None:
    app, engine = opened(operating=False)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "READ-ONLY"))
        app.command("runbook", "brownout")
        await until(pilot, lambda: shows(app, "Begin: Provider brownout"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "Ask for operate"))
        await pilot.press("escape")
        await until(pilot, lambda: "not begun: it takes operate" in bottom(app))
        assert engine.started == []
        assert app.access is not None
        assert app.access.level is AccessLevel.READ_ONLY
        await pilot.press("D")
        await until(pilot, lambda: shows(app, "Which runbook, dry?"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "Go dry through: Provider brownout"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "DRY RUN: nothing is done"))
    assert [one.dry for one in engine.started] == [True]


async def test_a_runbook_with_faults_says_them_and_begins_nothing() -> None:
    app, engine = opened()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "B runbook"))
        app.command("runbook", "own")
        await until(pilot, lambda: "own cannot begin: runbooks/own.yaml:7" in bottom(app))
        app.command("runbook", "nothing")
        await until(pilot, lambda: "no runbook 'nothing'" in bottom(app))
    assert engine.started == []


async def test_the_form_offers_what_there_is_and_comes_back_with_the_reason_when_it_is_refused() -> None:
    app, engine = opened()
    engine.reluctant = "deployment: claude is not on the board"
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "B runbook"))
        app.command("runbook", "brownout")
        await until(pilot, lambda: shows(app, "choose: no, yes"))
        await pilot.press("shift+tab", "shift+tab", "shift+tab")
        await until(pilot, lambda: shows(app, "choose: openai-a, azure-b, claude"))
        await pilot.press("down", "enter", "enter", "enter", "enter")
        await until(pilot, lambda: shows(app, "claude is not on the board", "choose: documents"))
        await pilot.press("down", "enter", "enter", "enter")
        await until(pilot, lambda: len(engine.started) == 1)
    assert engine.started[0].parameters == {"deployment": "claude", "queue": "documents", "patience": "10m"}


async def test_what_was_kept_opens_the_request_that_shows_it() -> None:
    app, _ = opened(running.awaiting())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "awaits you"))
        await on_page(pilot)
        await until(pilot, lambda: shows(app, "1 piece of evidence"))
        page = app.screen.query_one(FoldingCanvas)
        page.select(next(line.key for line in page.lines if getattr(line.key, "part", "") == "evidence"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EvidenceScreen) and shows(app, "11% fail", "Enter opens it"))
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, RequestScreen))
        await on_page(pilot)
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert len(app.screen_stack) == 2


async def test_the_holders_screen_is_kept_with_each_step_that_ends_and_nobody_elses() -> None:
    app, engine = opened(running.awaiting())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "awaits you"))
        await on_page(pilot)
        engine.tell(running.tripped())
        await until(pilot, lambda: len(engine.pictures) == 1)
        theirs = replace(running.ramping(), holder="ana", uid=1001)
        engine.tell(theirs)
        engine.tell(running.with_step(theirs, "ramp", state=StepState.SUCCEEDED))
        await until(pilot, lambda: shows(app, "✔ done         6"))
        await until(pilot, lambda: all(one.is_finished for one in app.workers if one.group == "pictures"))
    kept = engine.pictures
    assert [(one.run, one.step) for one in kept] == [("r-12", "trip")]
    assert kept[0].svg.startswith("<svg")
    assert "nothing&#160;is&#160;asked&#160;of&#160;you" in kept[0].svg


async def test_a_condition_that_moves_repaints_its_own_line_and_no_other() -> None:
    app, engine = opened(running.tripped())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "brownout 4/7"))
        await on_page(pilot)
        await until(pilot, lambda: shows(app, "depth(documents) is 7440"))
        page = app.screen.query_one(FoldingCanvas)
        painted: list[int] = []
        release = page.release

        def counted() -> Any:
            regions = release()
            painted.extend(region.y for region in regions)
            return regions

        page.release = counted  # type: ignore[method-assign]
        moved = running.condition("until", "depth(queue) < 100", False, ("depth(documents)", "7120"))
        engine.tell(running.with_step(running.tripped(), "drain", conditions=(moved,)))
        await until(pilot, lambda: shows(app, "depth(documents) is 7120"))
    row = next(at for at, line in enumerate(page.lines) if any("7120" in cell.text for cell in line.cells))
    assert set(painted) == {row}


async def test_a_run_that_left_the_board_is_asked_for_and_an_unknown_one_says_so() -> None:
    app, engine = opened()
    over = running.run(RunState.SUCCEEDED, current="", ended_at=running.NOW, words="done")
    engine.followed[over.id] = over
    engine.offers = ()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shows(app, "2 incidents"))
        app.open_run("r-99")
        await until(pilot, lambda: shows(app, "there is no run r-99"))
        app.open_run("r-12")
        await until(pilot, lambda: shows(app, "✔ succeeded  done"))

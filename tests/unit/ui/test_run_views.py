"""What is said of a run, of a forecast and of what was kept: plain words made from plain data."""

import pytest
from msgspec.structs import replace

from console.domain.board import Board
from console.domain.forecasts import Foreseen, Quantity
from console.domain.refs import Kind
from console.domain.runbooks import Parameter, Run, RunState, StepState
from console.domain.wire import Access, AccessLevel, Change
from console.ui.cells import Line, width_of
from console.ui.glyphs import ASCII, UNICODE
from console.ui.view import evidence, forecast, run_words, runbooks, runs
from console.ui.view.drill import drill
from console.ui.view.judged import Judgements
from console.ui.view.plain import plain
from console.ui.view.proposal import progress
from tests.ui import drifting, running, world

ME = Access(operator="bo", uid=1002, level=AccessLevel.OPERATE)
KEYS = {"yes": "Y", "retry": "T", "hold-run": "P", "take": "C", "run": "R"}


def board(*found: Run) -> Board:
    made = world.board(world.calm())
    made.apply(Change(seq=2, at=running.NOW, runs=found, offers=(running.OFFER,)))
    return made


def text(lines: list[Line]) -> str:
    return "\n".join("".join(cell.text for cell in line.cells) for line in lines)


def page(run: Run, width: int = 78, turned: tuple[str, ...] = ()) -> str:
    return text(runs.page(board(run), run, ME, runs.Frame(width, UNICODE, KEYS, turned)))


@pytest.mark.parametrize(
    ("run", "first"),
    [
        (running.awaiting(), "◆ awaits you   Y confirm step 3: Trip azure-b"),
        (running.manual(), "◆ awaits you   Y when it is done: open a ticket at azure, severity A"),
        (running.paused(), "▲ paused   T tries step 3 again. trip failed: gateway-2 answered 403 twice"),
        (running.run(RunState.PAUSED, words="the file has changed"), "▲ paused   P resumes. the file has changed"),
        (running.awaiting(holder=running.OTHER), "◆ awaits ana   C takes control from ana"),
        (running.tripped(), "▶ running  nothing is asked of you; looks every 5 s"),
        (running.run(RunState.FAILED, current="", words="trip failed"), "✖ failed  trip failed"),
        (
            running.run(RunState.SUCCEEDED, current="", words="done", dry=True),
            "✔ succeeded  dry run: nothing was done; ",
        ),
        (running.run(RunState.ROLLING_BACK, words="put back"), "↺ rolling back  put back"),
    ],
)
def test_the_first_line_says_whose_turn_it_is_and_the_key(run: Run, first: str) -> None:
    assert page(run).splitlines()[0].strip().startswith(first)


def test_only_the_present_step_is_unfolded_until_a_hand_turns_another() -> None:
    found = page(running.awaiting())
    assert "look at their headroom in the forecast first" in found
    assert "**" not in found
    assert "3.0 * p95(route)" not in found
    turned = page(running.awaiting(), turned=("slow", "trip"))
    assert "p95(azure-b) is 8.5 s" in turned
    assert "look at their headroom" not in turned


def test_a_condition_that_cannot_be_said_says_why_and_a_failure_that_does_not_hold_is_good() -> None:
    found = page(running.awaiting())
    assert "? cannot be said error_ratio(route) < 0.01" in found
    assert "chat: the last look was 40 s ago" in found
    assert "✔ does not hold  headroom(provider) < 0.05" in found
    assert "○ not yet" in page(running.tripped())


def test_a_ramp_tells_stage_share_requests_and_time() -> None:
    found = page(running.ramping())
    assert "2 of 5: 5% of chat goes to azure-b" in found
    assert "212 of 300" in found
    assert "2 min of 3 min" in found
    assert "way back     weights azure-b 1, openai-a 1" in found
    early = running.ramping()
    step = early.step("ramp")
    assert step is not None
    assert step.ramp is not None
    early = running.with_step(early, "ramp", ramp=replace(step.ramp, since=0.0))
    assert "not seen on every replica" in page(early)


@pytest.mark.parametrize("width", [60, 78, 118])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    for run in (running.awaiting(), running.ramping(), running.paused(), running.manual()):
        for glyphs in (UNICODE, ASCII):
            lines = runs.page(board(run), run, ME, runs.Frame(width, glyphs, KEYS, ("slow", "")))
            assert max(sum(width_of(cell.text) for cell in line.cells) for line in lines) <= width + 1


def test_the_header_names_the_run_that_awaits_before_a_newer_one() -> None:
    newer = replace(running.tripped(), id="r-13", runbook="drift", started_at=running.NOW)
    cells = run_words.told(board(newer, running.awaiting()), ME, UNICODE, KEYS)
    assert "".join(cell.text for cell in cells) == "R ▶ brownout 3/7 awaits you +1"
    assert run_words.foremost(board(newer, running.awaiting()), ME) == running.awaiting()
    theirs = run_words.told(board(running.awaiting(holder=running.OTHER)), ME, UNICODE, KEYS)
    assert "awaits ana" in theirs[1].text
    over = running.run(RunState.SUCCEEDED, current="", ended_at=running.NOW)
    fits = run_words.told(board(over), ME, UNICODE, {"runbook": "B"})
    assert [cell.text for cell in fits] == ["B ", "a runbook fits"]
    calm = board(over)
    calm.offers = (replace(running.OFFER, ready=False),)
    assert run_words.told(calm, ME, UNICODE, KEYS) == []
    assert run_words.foremost(board(over), ME) == over


def test_a_forecast_is_a_table_that_fits_and_says_what_it_cannot() -> None:
    small = list(forecast.table(running.FORECAST, 75, UNICODE))
    assert max(sum(width_of(cell.text) for cell in line.cells) for line in small) <= 75
    assert "do nothing" in text(small)
    assert "cannot be said" in text(small)
    assert "and 1 other way" in text(small)
    assert "2480–3720" in text(small)
    assert "$25.15–27.25" in text(small)
    unsaid = replace(running.FORECAST, courses=(running.FORECAST.courses[2],))
    assert "headroom openai: no limit of claude is known" in text(list(forecast.table(unsaid, 100, UNICODE)))


def test_a_forecast_is_coloured_by_itself_against_now_and_against_doing_nothing() -> None:
    def style(quantity: Quantity, now: float, then: float, nothing: float | None = None) -> str:
        one = Foreseen(quantity=quantity, ref=running.CHAT, now=now, then=then)
        return forecast.style_of(one, now, nothing)

    assert style(Quantity.ERRORS, 0.1, 0.001) == "ok"
    assert style(Quantity.ERRORS, 0.1, 0.4) == "bad"
    assert style(Quantity.HEADROOM, 0.7, 0.02) == "bad"
    assert style(Quantity.HEADROOM, 0.7, 0.15) == "warn"
    assert style(Quantity.BACKLOG, 100, 150) == "warn"
    assert style(Quantity.BACKLOG, 100, 300) == "bad"
    assert style(Quantity.BACKLOG, 100, 110, nothing=50) == "bad"
    assert style(Quantity.BACKLOG, 100, 20) == "strong"
    assert style(Quantity.USD_PER_H, 10, 10.5, nothing=10) == "strong"
    assert style(Quantity.USD_PER_H, 10, 20, nothing=10) == "bad"


def test_what_came_stands_beside_what_was_forecast() -> None:
    found = text(list(forecast.outturn(running.receipt(), 78, UNICODE)))
    assert "Did it come as forecast?" in found
    assert [line.split() for line in found.splitlines() if "backlog" in line] == [
        ["backlog", "documents", "3100", "2800", "10%"]
    ]
    waiting = replace(running.receipt(), outturn=None)
    assert "expected" in text(list(forecast.outturn(waiting, 78, UNICODE)))


def test_markdown_becomes_plain_text_and_nothing_hostile_passes() -> None:
    found = plain("# Why\n\nTake *care*:\n\n1. one\n2. two `x`\n\n[here](http://x)\n\n```\nls\n```\n", 40, "*")
    assert [line.text for line in found] == [
        "Why",
        "",
        "Take care:",
        "1. one",
        "2. two x",
        "",
        "here (http://x)",
        "  ls",
    ]
    hostile = plain("a\x1b[31m[bold]red[/] <b>x</b> \u202eoverride", 40, "*")
    assert "\x1b" not in hostile[0].text
    assert "\u202e" not in hostile[0].text
    assert "[bold]red[/]" in hostile[0].text


def test_offered_runbooks_stand_first_and_faulty_ones_last_with_their_fault() -> None:
    made = board()
    found = runbooks.choices(made, running.BOOKS, "")
    assert [choice.book.id for choice in found] == ["brownout", "agent-loop", "own"]
    assert "siblings can carry" in runbooks.notes(found)["0"]
    assert "no such function: p59" in runbooks.notes(found)["2"]
    rows = text(runbooks.lines(found, 75, UNICODE)).splitlines()
    assert ["fits now" in rows[0], "fits" in rows[1], "cannot begin" in rows[2]] == [True, False, True]


def test_an_alert_of_no_incident_offers_its_runbook_at_its_object() -> None:
    made = world.board(world.trouble(), busy=True)
    alert = next(iter(made.alerts.values()))
    made.offers = (replace(running.OFFER, incident="", alert=alert.id),)
    assert runbooks.best_of(made, alert.ref) == made.offers[0]
    assert runbooks.best_of(made, running.AZURE) is None
    made.offers = (replace(made.offers[0], ready=False),)
    assert runbooks.best_of(made, alert.ref) is None


@pytest.mark.parametrize(
    ("parameter", "value", "fault"),
    [
        (Parameter(name="n", type="number"), "x", "no number"),
        (Parameter(name="n", type="number"), "0.5", ""),
        (Parameter(name="t", type="duration"), "soon", "no duration"),
        (Parameter(name="c", type="choice", choices=("a", "b")), "c", "one of a, b"),
        (Parameter(name="q", type="queue"), "", "q is needed"),
        (Parameter(name="q", type="queue", required=False), "", ""),
    ],
)
def test_a_parameter_is_looked_at_before_it_is_sent(parameter: Parameter, value: str, fault: str) -> None:
    found = runbooks.wrong(parameter, value)
    assert fault in found if fault else not found


def test_evidence_is_told_in_words_and_its_requests_can_be_opened() -> None:
    made = board(running.awaiting())
    made.readings.update({one.ref: one for one in drifting.readings()})
    lines = evidence.page(made, running.awaiting(), running.EVIDENCE, 78, UNICODE)
    found = text(lines)
    assert "before, " in found
    assert "420/min, 11% fail, p95 4.2 s" in found
    opened = [line.key for line in lines if isinstance(line.key, evidence.Shown) and line.key.ref.kind is Kind.REQUEST]
    assert [key.ref.source for key in opened] == ["traces"]


def test_a_step_that_was_left_out_says_why_and_by_whom() -> None:
    run = running.with_step(running.tripped(), "slow", state=StepState.SKIPPED, reason="seen already", by="bo")
    assert "■ left out     1 Is azure-b slow, and alone?  seen already" in page(run)
    assert "left out     seen already (bo)" in page(run, turned=("slow",))


def test_the_page_of_an_object_and_the_dialog_tell_whether_the_last_action_came_as_forecast() -> None:
    made = board()
    made.receipts["act-31"] = running.receipt()
    judged = Judgements()
    judged.refresh(made)
    page = text(drill(made, judged, UNICODE, running.AZURE, None, 78, {}))
    assert "Did it come as forecast?" in page
    assert "errors came a little higher than forecast" in page
    assert "Did it come as forecast?" in text(progress(running.receipt(), 78, UNICODE))
    other = text(drill(made, judged, UNICODE, running.CHAT, None, 78, {}))
    assert "Did it come as forecast?" not in other


def test_a_step_that_is_under_way_shows_what_happens_before_what_a_person_is_told() -> None:
    asked = page(running.awaiting())
    assert asked.index("look at their headroom") < asked.index("cannot be said")
    failed = page(running.paused())
    assert failed.index("cannot be said") < failed.index("look at their headroom")

"""What the screens say, as plain lines: the worst first with the key to press, and nothing of a name that escapes."""

import unicodedata
from collections.abc import Iterable

import msgspec
import pytest

from console.domain.actions import Check, CheckResult, Outcome, OverrideState, Stage, Verb, Verdict
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.errors import ErrorKind, Failure
from console.domain.freshness import Freshness
from console.domain.health import Level
from console.domain.readings import AnyReading, Deployment, Queue, Route, SwitchOption
from console.domain.refs import Kind, Ref
from console.ui.cells import Cell, Line, Row, width_of
from console.ui.glyphs import ASCII, UNICODE, Glyphs
from console.ui.view import choices, drill, proposal, providers, spending, timeline
from console.ui.view.hints import next_step
from console.ui.view.judged import Judgements
from console.ui.view.mimic import FOLD_FROM, Part, Spot
from console.ui.view.mimic_lines import Drawing
from console.ui.view.overview import Overview, Page
from tests.ui import world
from tests.ui.stage import StillEngine

KEYS = {"trip": "t", "drill": "Enter", "switch": "s", "undo": "u", "reset": "r"}
NASTY = "a\x1b[2Jb\r\nc\u202e[bold red]d[/]\x07\u200b"


def page(board: Board, width: int = 80, *, glyphs: Glyphs = UNICODE, words: str = "", height: int = 15) -> Page:
    return Overview(glyphs).page(board, judged(board), width, (width - 1, height), KEYS, words)


def text(lines: Iterable[Line]) -> str:
    return "\n".join("".join(cell.text for cell in line.cells) for line in lines)


def cells_of(rows: Iterable[Row]) -> str:
    return "\n".join(" | ".join(cell.text for cell in row.cells) for row in rows)


def judged(board: Board) -> Judgements:
    found = Judgements()
    found.refresh(board)
    return found


# Overview


def test_a_stranger_reads_what_is_wrong_and_which_key_to_press() -> None:
    worst = page(world.board(world.trouble())).worst
    assert "3 bad" in text(worst[:1]) or "2 bad" in text(worst[:1])
    first = text(worst[1:2])
    assert "✖ errors" in first
    assert "azure-b" in first
    assert "38% of 126 requests/min fail" in first
    assert first.rstrip().endswith("t trips it")
    assert len(worst) == 4


def test_when_nothing_is_wrong_it_says_so_and_counts_what_it_looked_at() -> None:
    said = text(page(world.board(world.calm())).worst)
    assert "● ok" in said
    assert "3 routes, 4 deployments and 1 source" in said


def test_before_anything_is_known_it_says_what_to_do() -> None:
    assert "waiting for the engine" in text(page(Board()).worst)
    assert "switchgear check" in text(page(world.board([])).worst)
    assert "no route and no deployment yet" in text(page(world.board([world.source()])).worst)


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_line_is_wider_than_its_place(width: int, glyphs: Glyphs) -> None:
    found = page(world.board(world.trouble(), busy=True), width, glyphs=glyphs)
    for line in (*found.worst, *found.money):
        assert sum(width_of(cell.text) for cell in line.cells) <= width
    for line in (found.heading, *found.body):
        assert sum(width_of(cell.text) for cell in line.cells) <= width - 1


def test_the_panel_draws_breakers_flows_and_replicas_that_differ() -> None:
    body = text(page(world.board(world.trouble()), 120).body)
    assert "├─■─ closed ──────→ azure-b" in body
    assert "└─╱  open 1/2 ────→ openai-embed" in body
    assert "to 0" in body or "to 1" in body or "to 2" in body, "the time at which its timer ends"
    (line,) = [line for line in body.splitlines() if "azure-b" in line]
    assert "✖ errors" in line
    assert "126" in line


def test_a_deployment_of_two_routes_shows_on_each_line_what_flows_there() -> None:
    body = text(page(world.board(world.calm()), 120).body).splitlines()
    chat, summarise = [line for line in body if "→ claude" in line]
    assert " 42 " in chat, "a tenth of chat's 420"
    assert " 38 " in summarise


def test_a_breaker_held_open_by_an_operator_is_no_alarm_and_carries_its_end() -> None:
    forced = world.circuit(Observed.OPEN, Observed.OPEN, mode=Mode.FORCED_OPEN)
    readings: list[AnyReading] = [
        world.deployment("claude", "anthropic", "chat", breaker=forced, flow=0, errors=0)
        if _is(item, "claude")
        else item
        for item in world.calm()
    ]
    board = world.board(readings, busy=True)
    lines = [line for line in page(board).body if _names(line, "forced open")]
    assert len(lines) == 2, "it serves two routes"
    assert text(lines).count("until") == 2
    assert "→" not in text(lines), "nothing flows on it"
    assert judged(board).of(world.ref(Kind.DEPLOYMENT, "claude")).level is Level.NOTICE


def _is(reading: AnyReading, name: str) -> bool:
    return isinstance(reading, Deployment) and reading.ref.name == name


def _names(line: Line, words: str) -> bool:
    return words in text([line])


def test_a_stale_source_fades_its_objects_and_is_said_once() -> None:
    failure = Failure(kind=ErrorKind.TIMEOUT, message="no answer in 4 s", way_out="is it overloaded?")
    readings = [
        world.source(Freshness.STALE, failure=failure) if item.ref.kind is Kind.SOURCE else item
        for item in world.calm()
    ]
    found = page(world.board(readings))
    assert all(line.dim for line in found.body if line.key and line.key.part in (Part.ROUTE, Part.FEEDER))  # type: ignore[attr-defined]
    assert "● ok" not in text(found.body), "stale is never green"
    assert text(found.worst).count("stale") >= 1
    assert "no answer in 4 s" in text(found.worst)
    assert "Enter says why" in text(found.worst)


def test_queues_are_drawn_only_when_a_source_reports_some() -> None:
    assert "Queues" not in text(page(world.board(world.calm())).body)
    queue = Queue(ref=world.ref(Kind.QUEUE, "ingest"), observed_at=world.NOW, depth=1200, consumers=4, in_per_min=90)
    said = text(page(world.board([*world.calm(), queue]), 120).body)
    assert "Queues" in said
    assert "1200 wait" in said
    assert "4 workers" in said


def test_a_filter_keeps_a_route_with_what_it_matches() -> None:
    body = text(page(world.board(world.calm()), words="AZURE").body)
    assert "chat" in body
    assert "azure-b" in body
    assert "embed" not in body
    assert "nothing here is called" in text(page(world.board(world.calm()), words="zebra").body)


def test_a_large_platform_is_folded_with_its_trouble_in_sight() -> None:
    names = [f"dep-{n:04d}" for n in range(1000)]
    readings: list[AnyReading] = [world.source()]
    for at in range(10):
        mine = names[at * 100 : at * 100 + 100]
        readings.append(world.route(f"route-{at}", *((name, 0.01) for name in mine), flow=1000, errors=0))
        readings += (
            world.deployment(name, "openai", f"route-{at}", errors=0.5 if name == "dep-0777" else 0.0) for name in mine
        )
    found = page(world.board(readings), 120)
    assert len(found.body) < 10 * 10
    body = text(found.body)
    assert "94 more" in body
    assert "dep-0777" in body
    assert body.index("route-7") < body.index("route-0"), "the route in trouble stands first"
    assert len(found.body) > FOLD_FROM


def test_lines_of_unchanged_objects_are_the_very_same() -> None:
    board = world.board(world.trouble())
    known = judged(board)
    overview = Overview(UNICODE)
    first = list(overview.page(board, known, 80, (79, 15), KEYS).body)
    other = world.deployment("openai-a", "openai", "chat", flow=300)
    board.readings[other.ref] = other
    known.refresh(board)
    second = list(overview.page(board, known, 80, (79, 15), KEYS).body)
    same = [one is two for one, two in zip(first, second, strict=True)]
    assert same.count(False) == 1
    assert _names(second[same.index(False)], "openai-a")


def test_only_the_lines_that_are_looked_at_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"dep-{n}" for n in range(500)]
    readings: list[AnyReading] = [world.source()]
    readings += (world.route(f"route-{name}", (name, 1.0), flow=10, errors=0) for name in names)
    readings += (world.deployment(name, "openai", f"route-{name}") for name in names)
    made: list[Spot] = []
    whole = Drawing.line

    def counted(self: Drawing, spot: Spot) -> Line:
        made.append(spot)
        return whole(self, spot)

    monkeypatch.setattr(Drawing, "line", counted)
    body = page(world.board(readings)).body
    assert len(body) > 1000
    assert not made
    assert len(body.keys) == len(body)
    _ = body[7], body[7], *body[8:10]
    assert len(made) == 3


def test_only_the_rows_that_are_looked_at_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"dep-{n}" for n in range(500)]
    board = world.board([world.source(), *(world.deployment(name, "openai", "chat") for name in names)])
    made: list[Ref] = []
    whole = providers.override

    def counted(board: Board, ref: Ref) -> Cell:
        made.append(ref)
        return whole(board, ref)

    monkeypatch.setattr(providers, "override", counted)
    thirds = [providers.rows(board, judged(board), UNICODE)[place::3] for place in range(3)]
    assert sum(len(third) for third in thirds) == 500
    assert not made
    assert [row.key for row in thirds[1][-2:]] == list(thirds[1].keys[-2:])
    assert made == list(thirds[1].keys[-2:])


def test_a_route_is_judged_again_when_its_deployment_changed() -> None:
    board = world.board(world.calm())
    known = judged(board)
    route = world.ref(Kind.ROUTE, "embed")
    assert known.of(route).level is Level.OK
    shut = world.deployment("openai-embed", "openai", "embed", breaker=world.circuit(Observed.OPEN, Observed.OPEN))
    board.readings[shut.ref] = shut
    known.refresh(board)
    assert known.of(route).word == "no target"


# Hints


def test_the_key_fits_the_trouble() -> None:
    board = world.board(world.trouble(), busy=True)
    known = judged(board)
    hints = {item.ref.name: next_step(board, known, item).command for item in known.findings}
    assert hints["azure-b"] == "trip"
    assert hints["chat"] == "switch"
    assert hints["claude"] == "undo"
    assert hints["gateway"] == "drill"
    assert hints["openai-embed"] == "drill", "its route has nowhere else to go, and the breaker is open already"


def test_a_trip_is_not_advised_where_nothing_else_could_answer() -> None:
    alone: list[AnyReading] = [
        world.source(),
        world.route("embed", ("only", 1.0), flow=100, errors=0.5),
        world.deployment("only", "openai", "embed", errors=0.5),
    ]
    board = world.board(alone)
    known = judged(board)
    assert all(next_step(board, known, item).command != "trip" for item in known.findings)


def test_what_one_deployment_does_is_not_said_again_by_its_provider() -> None:
    def names(*errors: float) -> list[str]:
        deps = [world.deployment(f"d{at}", "openai", "chat", errors=part) for at, part in enumerate(errors)]
        whole = world.provider("openai", *(item.ref.name for item in deps), flow=300, errors=sum(errors) / len(errors))
        return [item.ref.name for item in judged(world.board([world.source(), whole, *deps])).findings]

    assert names(0.5, 0.0, 0.0) == ["d0"]
    assert names(0.5, 0.5, 0.0) == ["openai", "d0", "d1"], "two of them are the provider's trouble"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_states_differ_without_any_colour(glyphs: Glyphs) -> None:
    assert len({glyphs.level[level] for level in Level}) == len(Level)
    assert len({glyphs.breaker[state] for state in Observed}) == len(Observed)
    assert len({glyphs.circuit[state] for state in Observed}) == len(Observed)


def test_a_stuck_override_is_bad_and_looked_at() -> None:
    board = world.board(world.calm(), busy=True)
    stuck = msgspec.structs.replace(world.override("claude"), state=OverrideState.STUCK)
    board.overrides = {stuck.id: stuck}
    known = judged(board)
    assert known.of(stuck.target).level is Level.BAD
    assert "STUCK" in cells_of(providers.rows(board, known, UNICODE))


# Tables


def test_providers_show_replicas_traffic_room_and_whose_hand_is_on_it() -> None:
    board = world.board(world.trouble(), busy=True)
    rows = providers.rows(board, judged(board), UNICODE)
    assert [row.key.name for row in rows[:2]] == ["azure", "azure-b"]  # type: ignore[attr-defined]
    said = cells_of(rows)
    assert "○ open 1/2" in said
    assert "● closed 2/2" in said
    assert "ana until" in said
    assert all(len(row.cells) == len(providers.COLUMNS) for row in rows)


def test_spend_shows_booked_against_priced_and_when_a_budget_ends() -> None:
    board = world.board(world.trouble())
    rows = spending.rows(board, judged(board), UNICODE)
    assert rows[0].cells[1].text == "all"
    said = cells_of(rows)
    assert "▲ disagrees" in said
    assert "3.1×" in said
    assert "ends " in said
    assert "lasts" in said
    assert all(len(row.cells) == len(spending.COLUMNS) for row in rows)


def test_the_timeline_stands_newest_first_and_each_line_once() -> None:
    entries = timeline.merged(world.log()[1:], reversed(world.log()))
    assert [entry.id for entry in entries] == [3, 2, 1]
    rows = timeline.rows(entries, UNICODE)
    assert rows[1].cells[-1] == Cell("✔ verified", "ok")
    assert all(len(row.cells) == len(timeline.COLUMNS) for row in rows)


def test_every_outcome_has_a_sign_and_a_style() -> None:
    for glyphs in (UNICODE, ASCII):
        for outcome in Outcome:
            cell = timeline.outcome(outcome, glyphs)
            assert cell.text.endswith(f" {outcome}")
            assert cell.style


# Drill and dialogs


def test_a_drill_says_everything_about_one_deployment() -> None:
    board = world.board(world.trouble(), busy=True)
    ref = world.ref(Kind.DEPLOYMENT, "azure-b")
    lines = drill.drill(board, judged(board), UNICODE, ref, None, 80, {Verb.TRIP: "t", Verb.WEIGHT: "w"})
    said = text(lines)
    for words in ("gpt-5 at azure", "38% fail", "Circuit", "gateway-2", "Failures", "429", "What works here"):
        assert words in said
    assert "w  weight" in said
    assert "no: azure-b is defined in config.yaml" in said
    assert world.ref(Kind.ROUTE, "chat") in [line.key for line in lines], "its route can be gone to"
    keys = [line.key for line in lines if line.key is not None]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("kind", [Kind.ROUTE, Kind.PROVIDER, Kind.SOURCE, Kind.SPEND, Kind.DEPLOYMENT])
def test_every_kind_of_object_has_a_page(kind: Kind) -> None:
    board = world.board(world.trouble(), busy=True)
    for ref in [ref for ref in board.readings if ref.kind is kind]:
        lines = drill.drill(board, judged(board), UNICODE, ref, None, 80, {})
        keys = [line.key for line in lines if line.key is not None]
        assert len(keys) == len(set(keys))
        assert all(sum(width_of(cell.text) for cell in line.cells) <= 80 for line in lines)


def test_an_object_that_left_the_board_has_a_page_that_says_so() -> None:
    gone = world.ref(Kind.DEPLOYMENT, "old")
    said = text(drill.drill(world.board(world.calm()), Judgements(), UNICODE, gone, None, 80, {}))
    assert "no longer reported" in said


async def test_a_past_is_drawn_as_sparklines() -> None:
    from console.domain.wire import HistoryQuery

    ref = world.ref(Kind.DEPLOYMENT, "azure-b")
    history = await StillEngine(world.trouble()).history(HistoryQuery(ref=ref))
    board = world.board(world.trouble())
    said = text(drill.drill(board, judged(board), UNICODE, ref, history, 80, {}))
    assert "Last 60 min" in said
    assert "█" in next(line for line in said.splitlines() if "p95" in line and "…" in line)


async def _proposal(**verdict: CheckResult) -> str:
    from console.domain.actions import Intent, Trip

    engine = StillEngine(world.trouble())
    engine.checks = tuple(Check(name, result, f"{name} says {result}") for name, result in verdict.items())
    made = await engine.propose(Intent(target=world.ref(Kind.DEPLOYMENT, "azure-b"), action=Trip(), ttl_s=1800.0))
    return text(proposal.lines(made, 78, UNICODE))


async def test_a_proposal_shows_change_plan_way_back_end_and_guard() -> None:
    said = await _proposal(headroom=CheckResult.WARN, freshness=CheckResult.PASS)
    for words in (
        "126/min → 0/min",
        "1.1× demand",
        "1. POST /model/block azure-b",
        "seen on all 2 replicas, within 60 s",
        "POST /model/unblock azure-b",
        "after 30 min, by the engine, or by its next start if it",
        "LiteLLM has no half-open",
    ):
        assert words in said
    assert said.index("headroom says warn") < said.index("What is done") < said.index("freshness says pass")


async def test_a_refusal_stands_before_everything_else() -> None:
    said = await _proposal(freshness=CheckResult.REFUSE)
    assert said.index("Not now") < said.index("freshness says refuse") < said.index("What changes")


def test_a_verdict_that_only_lacks_a_reason_is_no_refusal_on_the_screen() -> None:
    assert not Verdict((Check(proposal.UNSAID, CheckResult.REFUSE, "say why"),)).allowed


async def test_a_receipt_counts_the_replicas_that_show_it() -> None:
    from console.domain.actions import Intent, Trip
    from console.domain.wire import Confirm

    engine = StillEngine(world.trouble())
    await engine.propose(Intent(target=world.ref(Kind.DEPLOYMENT, "azure-b"), action=Trip()))
    await engine.confirm(Confirm(proposal_id="act-1"))
    half = text(proposal.progress(engine.grow(Outcome.CONVERGING, Stage.VERIFYING, True, False), 78, UNICODE))
    assert "◑ converging 1/2 replicas" in half
    assert "gateway-2    ◑ not yet" in half
    assert "the engine goes on" in half
    done = text(proposal.progress(engine.grow(Outcome.VERIFIED, Stage.DONE, True, True), 78, UNICODE))
    assert "✔ verified 2/2 replicas" in done
    assert "the engine goes on" not in done


def test_switch_options_tell_how_well_the_place_is_and_what_room_it_has() -> None:
    board = world.board(world.calm())
    route = board.readings[world.ref(Kind.ROUTE, "chat")]
    assert isinstance(route, Route)
    first, second = choices.choices(board, judged(board), route, UNICODE)
    assert "claude" in text([first])
    assert "70%" in text([first])
    assert "not reported" in text([second])
    assert choices.notes(route)["0"].startswith("claude is asked first")


# Hostile names


def _hostile() -> Board:
    target = Ref(world.GATEWAY, Kind.DEPLOYMENT, NASTY)
    readings: list[AnyReading] = [
        world.source(),
        msgspec.structs.replace(
            world.route(NASTY, (NASTY, 1.0), flow=10, errors=0.5),
            answered_by=NASTY,
            fallbacks=(NASTY,),
            switch_options=(SwitchOption(to=NASTY, mechanism=NASTY, words=NASTY),),
        ),
        msgspec.structs.replace(
            world.deployment(NASTY, NASTY, NASTY, model=NASTY, errors=0.5),
            endpoint=NASTY,
            origin=NASTY,
            circuit=world.circuit(Observed.OPEN, cause=NASTY),
        ),
        world.provider(NASTY, NASTY, flow=10, errors=0.5),
        *(msgspec.structs.replace(item, subject=NASTY) for item in world.money() if item.ref.kind is Kind.SPEND),
    ]
    board = world.board(readings, busy=True)
    override = msgspec.structs.replace(world.override(), target=target, owner=NASTY, reason=NASTY)
    board.overrides = {"x": override}
    board.log = [msgspec.structs.replace(entry, words=NASTY, operator=NASTY, outcome=NASTY) for entry in board.log]
    (alert,) = board.alerts.values()
    board.alerts = {"x": msgspec.structs.replace(alert, ref=target, words=NASTY, rule=NASTY)}
    return board


def test_nothing_of_a_hostile_name_reaches_a_cell() -> None:
    board = _hostile()
    known = judged(board)
    found: list[Line] = []
    for width in (80, 160):
        shown = page(board, width)
        found += [*shown.worst, *shown.money, *shown.body]
    for ref in board.readings:
        found += drill.drill(board, known, UNICODE, ref, None, 80, {})
    rows = [*providers.rows(board, known, UNICODE), *spending.rows(board, known, UNICODE)]
    rows += timeline.rows(board.log, UNICODE)
    found += [Line(row.cells) for row in rows]
    route = next(board.of(Route))
    found += choices.choices(board, known, route, UNICODE)
    said = text(found) + "".join(choices.notes(route).values())
    hidden = {
        char for char in said if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }
    assert not hidden
    assert "[bold red]" in said, "markup is shown as it is"

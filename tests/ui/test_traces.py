"""A recorded request under the hand: its views, its playback, its conversation, what it is compared with."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from textual.pilot import Pilot

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.difference import CompareQuery, Comparison
from console.domain.errors import EngineLost, Refusal
from console.domain.readings import Request
from console.domain.reconstruction import Piece, Reconstruction, Stage, StageKind
from console.domain.refs import Kind, Ref
from console.domain.spans import LaneFilter, LaneKind, RequestQuery, TraceQuery
from console.traces.reconstruct import briefly
from console.ui.app import SwitchgearApp
from console.ui.screens.compare import CompareScreen
from console.ui.screens.conversation import ConversationScreen
from console.ui.screens.overview import OverviewScreen
from console.ui.screens.request import RequestScreen
from console.ui.screens.requests import RequestsScreen
from tests.ui import backlog, recorded, world
from tests.ui.scripted import screen_text
from tests.ui.seeing import shows, until
from tests.ui.stage import StillEngine
from tests.ui.test_work_screens import at_requests

CONVERSATION = Ref(backlog.STORE, Kind.CONVERSATION, "c-2")


class Recorded(StillEngine):
    """A trace store with one request in full, its conversation, and one to compare it with."""

    def __init__(self) -> None:
        super().__init__([*world.calm(), *backlog.traced()])
        whole = recorded.reconstruction()
        self.mine = whole.trace.trace_id
        self.reconstructions[self.mine] = whole
        self.conversations["c-2"] = recorded.conversation()
        self.comparisons[self.mine, ""] = recorded.comparison()
        self.stored = [backlog.request(age, name="POST /same") for age in (2, 71, 72)]
        self.calls: list[str] = []
        self.slow = asyncio.Event()
        self.slow.set()
        self.failing: Exception | None = None
        self.on_reconstruct: Callable[[], object] = lambda: None

    async def _said(self, what: str) -> None:
        self.calls.append(what)
        await self.slow.wait()
        if self.failing is not None:
            raise self.failing

    async def reconstruct(self, query: TraceQuery) -> Reconstruction:
        self.on_reconstruct()
        await self._said("reconstruct")
        return await super().reconstruct(query)

    async def compare(self, query: CompareQuery) -> Comparison:
        await self._said("compare")
        return await super().compare(query)

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        await self._said("requests")
        return await super().requests(query)


def console() -> tuple[SwitchgearApp, Recorded]:
    engine = Recorded()
    return SwitchgearApp(engine, "prod"), engine


async def at_mine(pilot: Pilot[Any], app: SwitchgearApp) -> None:
    """Put the cursor on the request that is recorded in full."""
    await at_requests(pilot, app)
    await pilot.press("down")
    await until(pilot, lambda: app.selected() == recorded.request_ref())


async def opened(pilot: Pilot[Any], app: SwitchgearApp) -> RequestScreen:
    await at_mine(pilot, app)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "incoming request"))
    assert isinstance(app.screen, RequestScreen)
    return app.screen


# Opening


async def test_a_request_is_open_at_once_and_fills_when_the_answer_comes() -> None:
    app, engine = console()
    engine.slow.clear()
    async with app.run_test(size=(80, 24)) as pilot:
        await at_mine(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "asking for everything that was recorded", "POST /answer"))
        await pilot.press("l", "e", "i")
        engine.slow.set()
        await until(pilot, lambda: shows(app, "incoming request", "the time went into chat openai-a"))
        assert engine.calls.count("reconstruct") == 1


async def test_a_request_is_asked_for_before_its_page_is_there() -> None:
    app, engine = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await at_mine(pilot, app)
        there: list[bool] = []
        engine.on_reconstruct = lambda: there.append(isinstance(app.screen, RequestScreen) and app.screen.is_mounted)
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "incoming request", "the time went into chat openai-a"))
        assert there == [False]


async def test_stages_are_there_before_the_tree_and_the_lanes_of_a_long_request() -> None:
    app, engine = console()
    whole = engine.reconstructions[engine.mine]
    engine.reconstructions[engine.mine] = briefly(whole)
    async with app.run_test(size=(100, 24)) as pilot:
        engine.on_reconstruct = lambda: engine.slow.clear() if engine.calls.count("reconstruct") else None
        page = await opened(pilot, app)
        await until(pilot, lambda: engine.calls.count("reconstruct") == 2)
        assert shows(app, "the time went into chat openai-a")
        await pilot.press("l")
        await until(pilot, lambda: shows(app, "asking for everything that was recorded"))
        await pilot.press("e")
        await until(pilot, lambda: page.view == "tree")
        assert shows(app, "asking for everything that was recorded")
        engine.reconstructions[engine.mine] = whole
        engine.slow.set()
        await until(pilot, lambda: page.span_here() is not None)
        await pilot.press("l")
        await until(pilot, lambda: shows(app, "retrieval sources"))
        assert engine.calls.count("reconstruct") == 2


async def test_a_refusal_stands_on_the_page_and_a_lost_engine_is_asked_again() -> None:
    app, engine = console()
    engine.failing = Refusal("the store has forgotten it: it keeps 7 days")
    async with app.run_test(size=(80, 24)) as pilot:
        await at_mine(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "the store has forgotten it", "Esc goes back"))
        await pilot.press("escape")
        engine.failing = EngineLost("the socket is gone")
        await pilot.press("equals_sign")
        await until(pilot, lambda: shows(app, "the engine is lost: the socket is gone"))
        engine.failing = None
        engine.seq += 5
        engine.change(world.route("embed", ("openai-embed", 1.0), flow=2, errors=0.0))
        await until(pilot, lambda: shows(app, "3.1× slower"))


# Stages


async def test_the_cursor_begins_where_it_failed_and_enter_unfolds_and_folds() -> None:
    app, _ = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "▼ ✖ failed   model input", "chat openai-a"))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: shows(app, "prompt chat@3", "Answer in two sentences."))
        await pilot.press("down", "enter")
        await until(pilot, lambda: not shows(app, "Answer in two sentences."))
        await pilot.press("up", "up", "enter")
        await until(pilot, lambda: shows(app, "▶ ✖ failed   model input"))


async def test_a_long_text_is_read_to_its_end() -> None:
    app, engine = console()
    whole = recorded.reconstruction()
    said = "\n".join(f"line {at} of the text" for at in range(450))
    long = Stage(kind=StageKind.INCOMING, pieces=(Piece(span_id="a", at=recorded.START, text=said),))
    engine.reconstructions[engine.mine] = msgspec.structs.replace(whole, stages=(long, *whole.stages[1:]))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("g", "enter", "down")
        seen: set[str] = set()
        for _ in range(60):
            seen |= {line.split("came in")[-1].strip() for line in screen_text(app) if "of the text" in line}
            if shows(app, "line 449 of the text"):
                break
            await pilot.press("pagedown")
        assert {f"line {at} of the text" for at in range(449)} <= {line[: line.find(" text") + 5] for line in seen}
        await pilot.press("home", "enter")
        await until(pilot, lambda: shows(app, "▶ ● ok       incoming request", "final result"))


# Tree and lanes


async def test_the_views_have_a_key_each_and_keep_their_place() -> None:
    app, _ = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, app)
        await pilot.press("e")
        await until(pilot, lambda: shows(app, "»✖", "█", "▒", "429: rate limit reached"))
        await pilot.press("down", "down", "down", "down")
        await until(pilot, lambda: shows(app, "gen_ai.request.model"))
        await pilot.press("l")
        await until(pilot, lambda: shows(app, "prompt versions", "chat@3", "not recorded: no span waited"))
        assert not shows(app, "gen_ai.request.model")
        await pilot.press("e")
        await until(pilot, lambda: shows(app, "gen_ai.request.model"))
        await pilot.press("i")
        await until(pilot, lambda: shows(app, "incoming request"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen))
        await pilot.press("e")
        await until(pilot, lambda: shows(app, "open a request first"))


async def test_enter_on_a_lanes_value_finds_the_requests_that_have_the_same() -> None:
    app, engine = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await at_mine(pilot, app)
        await pilot.press("l")
        await until(pilot, lambda: shows(app, "prompt versions"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen) and shows(app, "only requests with"))
        await until(pilot, lambda: shows(app, "prompts=chat@3", "Esc shows all", "POST /same"))
        assert engine.queries[-1].lanes == (LaneFilter(lane=LaneKind.PROMPTS, value="chat@3"),)
        assert not shows(app, "POST /answer")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RequestScreen))
        await pilot.press("l")
        await until(pilot, lambda: shows(app, "retrieval sources"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: shows(app, "prompts=chat@3, retrieval=kb@kb-21"))
        assert [item.lane for item in engine.queries[-1].lanes] == [LaneKind.PROMPTS, LaneKind.RETRIEVAL]
        await pilot.press("escape")
        await until(pilot, lambda: shows(app, "POST /answer") and not shows(app, "only requests with"))


async def test_a_lane_is_typed_too_and_what_is_none_is_said() -> None:
    app, engine = console()
    engine.stored = []
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.board.seq)
        app.obey("lane prompt=chat@3")
        await until(pilot, lambda: shows(app, "no lane 'prompt'", "prompts, retrieval"))
        app.obey("lane tokens=gpt-5>=2000")
        await until(pilot, lambda: shows(app, "tokens=gpt-5>=2000", "No request that is stored has this"))
        engine.failing = Refusal(
            "it cannot find requests by their prompts: " + "ask for something else " * 4 + "instead"
        )
        app.obey("lane prompts=chat@3")
        await until(pilot, lambda: shows(app, "traces: it cannot find requests by their prompts", "else instead"))


async def test_requests_of_a_lane_that_come_later_are_seen() -> None:
    app, engine = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.board.seq)
        app.obey("lane prompts=chat@3")
        await until(pilot, lambda: shows(app, "POST /same"))
        engine.stored = [backlog.request(1, name="POST /newest"), *engine.stored]
        engine.seq += 9
        engine.change(backlog.request(1))
        await until(pilot, lambda: shows(app, "POST /newest"))


# Playback


async def test_playback_shows_each_recorded_step_and_calls_nothing() -> None:
    app, engine = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        before = list(engine.calls)
        await pilot.press("n")
        await until(pilot, lambda: shows(app, "playback: as recorded, nothing is called", "1 of 8", "Why is the sky"))
        await pilot.press("n")
        await until(pilot, lambda: shows(app, "2 of 8", "retrieval: retrieve", "doc-1", "next: model input"))
        await pilot.press("b")
        await until(pilot, lambda: shows(app, "1 of 8"))
        await pilot.press(*"nnnnnnnnnn")
        await until(pilot, lambda: shows(app, "8 of 8", "this was the last recorded step"))
        assert engine.calls == before
        assert not engine.intents
        await pilot.press("escape")
        await until(pilot, lambda: shows(app, "── Stages"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen))


async def test_what_was_not_recorded_cannot_be_played_back() -> None:
    app, engine = console()
    engine.reconstructions[engine.mine] = recorded.plain(backlog.trace())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("n")
        await until(pilot, lambda: shows(app, "nothing was recorded that could be played back"))


# The conversation


async def test_a_conversation_leads_to_the_first_span_that_differs() -> None:
    app, _ = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await at_mine(pilot, app)
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, ConversationScreen) and shows(app, "✖ two snapshots"))
        assert shows(app, "✖ lost write", "✖ differs", "≠ search: kb-22", "≠ read @6")
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "── memory store turn"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen))


async def test_an_alert_on_the_overview_leads_to_its_conversation() -> None:
    app, engine = console()
    words = "search and answers read different snapshots of kb in conversation c-2"
    alert = Alert(
        rule="divergence/traces/c-2", ref=CONVERSATION, severity=Severity.PAGE, state=AlertState.FIRING,
        since=world.NOW - 60, words=words,
    )  # fmt: skip
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.board.seq and isinstance(app.screen, OverviewScreen))
        engine.change(alerts=(alert,))
        await until(pilot, lambda: shows(app, "✖ divergence", "c-2", "search and answers", "Enter shows"))
        await pilot.press("home", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConversationScreen) and shows(app, "✖ two snapshots"))
        await pilot.press("escape", "4", "h")
        await until(pilot, lambda: isinstance(app.screen, ConversationScreen))
        engine.change(alerts=(msgspec.structs.replace(alert, state=AlertState.RESOLVED),))
        await pilot.press("escape", "1")
        await until(pilot, lambda: not shows(app, "✖ divergence"))


async def test_a_request_of_no_conversation_says_so() -> None:
    app, _ = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("down", "down", "down", "h")
        await until(pilot, lambda: shows(app, "its spans name no conversation"))


# The comparison


async def test_a_request_is_compared_with_the_last_good_one() -> None:
    app, _ = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await at_mine(pilot, app)
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and shows(app, "3.1× slower"))
        assert shows(app, "the last good POST /answer of web, 4 min earlier", "- kb-21   + kb-22", "= same")
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "▶ ≠ changed  retrieval"))
        await pilot.press("home", "enter")
        await until(pilot, lambda: shows(app, "▼ = same     incoming request"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen))


async def test_a_request_is_compared_with_a_marked_one() -> None:
    app, engine = console()
    other = backlog.request(1).trace_id
    engine.comparisons[engine.mine, other] = msgspec.structs.replace(recorded.comparison(), chosen="")
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("x")
        await until(pilot, lambda: shows(app, "mark the other request first"))
        await pilot.press("m")
        await until(pilot, lambda: shows(app, "marked POST /answer"))
        await pilot.press("x")
        await until(pilot, lambda: shows(app, "this is the marked one"))
        await pilot.press("down", "x")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and shows(app, "against the first"))
        await pilot.press("escape", "up", "m")
        await until(pilot, lambda: shows(app, "the mark is taken away"))


async def test_where_there_is_nothing_to_compare_with_it_is_said() -> None:
    app, _ = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("equals_sign")
        await until(pilot, lambda: shows(app, "nothing to compare with", "Esc goes back"))

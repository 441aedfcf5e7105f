"""Queues and requests under the hand: what d and p open, what moves in sight on every screen, a stream that runs."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from console.domain.actions import Action, Finish, Outcome, Park, Pause, Purge, Replay, Resume, Stage, Stop
from console.domain.errors import EngineLost, Refusal
from console.domain.readings import AnyReading, Request
from console.domain.refs import Ref
from console.domain.wire import Event, Focus, Snapshot
from console.ui import gaze, preferences
from console.ui.app import SwitchgearApp
from console.ui.screens.confirm import ConfirmScreen
from console.ui.screens.forms import ChoiceScreen
from console.ui.screens.queues import QueuesScreen
from console.ui.screens.request import RequestScreen
from console.ui.screens.requests import RequestsScreen
from console.ui.view import doing
from tests.ui import backlog, recorded, world
from tests.ui.scripted import screen_text
from tests.ui.seeing import shows, until
from tests.ui.stage import StillEngine


def app_on(*more: AnyReading, path: Path | None = None) -> tuple[SwitchgearApp, StillEngine]:
    engine = StillEngine([*world.calm(), *backlog.queues(), *more])
    return SwitchgearApp(engine, "prod", path), engine


async def on_queue(pilot: Pilot[Any], app: SwitchgearApp, name: str) -> None:
    """Go to the Queues screen and put the cursor on a queue, by keys alone."""
    await until(pilot, lambda: app.board.seq)
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, QueuesScreen) and app.selected())
    await pilot.press("g")
    for _ in range(20):
        if app.selected() == backlog.queue_ref(name):
            return
        await pilot.press("down")
    raise AssertionError("\n".join(screen_text(app)))


def asked(engine: StillEngine) -> tuple[Ref, Action]:
    return engine.intents[-1].target, engine.intents[-1].action


# What the keys of a queue open


@pytest.mark.parametrize(("downs", "action"), [(0, Finish()), (1, Park())])
async def test_d_offers_finish_and_park_and_then_shows_what_it_would_do(downs: int, action: Action) -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "documents")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        assert shows(app, "documents: 12.4k wait", "workers finish the 12.4k", "the 12.4k waiting are set aside")
        assert not shows(app, "purge")
        assert not engine.intents
        await pilot.press(*["down"] * downs, "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and shows(app, "What changes"))
        assert asked(engine) == (backlog.queue_ref("documents"), action)
        assert app.focused is app.screen.query_one("#cancel")
        assert app.screen.query_one("#ttl").display is isinstance(action, Finish), (
            "what is parked has no end of its own"
        )
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, QueuesScreen))
        assert not engine.confirmed


async def test_escape_leaves_the_choice_and_nothing_is_asked() -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "documents")
        await pilot.press("d", "escape")
        await until(pilot, lambda: isinstance(app.screen, QueuesScreen))
        assert not engine.intents


@pytest.mark.parametrize(("name", "action"), [("documents", Pause()), ("reports", Resume())])
async def test_p_pauses_or_resumes(name: str, action: Action) -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, name)
        await pilot.press("p")
        await until(pilot, lambda: engine.intents)
        assert asked(engine) == (backlog.queue_ref(name), action)


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("park", Park()),
        ("replay 50", Replay(50.0)),
        ("replay", Replay()),
        ("purge", Purge()),
        ("finish", Finish()),
    ],
)
async def test_every_verb_is_asked_for_by_its_name(line: str, action: Action) -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "mails")
        await pilot.press("colon", *line, "enter")
        await until(pilot, lambda: engine.intents)
        assert asked(engine) == (backlog.queue_ref("mails"), action)


async def test_a_rate_that_is_none_is_said_and_nothing_is_asked() -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "mails")
        app.obey("replay soon")
        await until(pilot, lambda: shows(app, "'soon' is no number"))
        app.obey("requeue -3")
        await until(pilot, lambda: shows(app, "a rate is more than 0"))
        assert not engine.intents


async def test_a_verb_that_the_backend_has_not_says_why() -> None:
    app, engine = app_on(backlog.queue("fixed", 3, can=backlog.abilities(pause="a stream has no workers to hold back")))
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "fixed")
        await pilot.press("p")
        await until(pilot, lambda: shows(app, "a stream has no workers to hold back"))
        await pilot.press("1", "t")
        assert not engine.intents


async def test_stop_ends_what_moves_on_the_queue_that_it_moves_on() -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "mails")
        app.obey("stop")
        await until(pilot, lambda: shows(app, "no long action is under way"))
        receipt = backlog.receipt(43_210)
        engine.change(receipts=(receipt,))
        await until(pilot, lambda: shows(app, "43.2k of 100k"))
        app.obey("stop")
        await until(pilot, lambda: engine.intents)
        assert asked(engine) == (backlog.queue_ref("documents"), Stop(receipt.id))
        await pilot.press("escape")
        await on_queue(pilot, app, "documents")
        await pilot.press("d")
        await until(pilot, lambda: shows(app, "park ends at 43%"))
        await pilot.press("enter")
        await until(pilot, lambda: len(engine.intents) > 1)
        assert asked(engine) == (backlog.queue_ref("documents"), Stop(receipt.id))


async def test_d_on_a_route_works_on_the_queue_that_feeds_it() -> None:
    app, _ = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(app, "Routes and breakers"))
        await pilot.press("slash", *"answers", "enter")
        for _ in range(12):
            if app.selected() == world.ref(app.selected().kind, "chat"):  # type: ignore[union-attr]
                break
            await pilot.press("down")
        await pilot.press("d")
        await until(pilot, lambda: shows(app, "answers: 14 wait"))


async def test_what_is_typed_in_one_burst_goes_where_its_tab_leads() -> None:
    app, _ = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "documents")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and shows(app, "What changes"))
        for key in ("tab", *"slow"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: app.screen.query_one("#reason", Input).value == "slow")


# What moves


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_long_action_stays_in_sight_on_every_screen_until_it_says_its_end(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing, "TOLD_FOR_S", 4.0)
    app, engine = app_on(*backlog.traced())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.board.seq)
        assert not shows(app, "▶ park")
        engine.change(receipts=(backlog.receipt(43_210),))
        for digit in "123456":
            await pilot.press(digit)
            await until(pilot, lambda: shows(app, "▶ park documents", "43%", "43.2k of 100k", "6.1k/s, 9 s left"))
        await pilot.press("5", "enter")
        await until(pilot, lambda: shows(app, "▶ park documents", "queue of broker"))
        engine.change(receipts=(backlog.receipt(90_000),))
        await until(pilot, lambda: shows(app, "90%"))
        ended = backlog.receipt(100_000, stage=Stage.DONE, outcome=Outcome.VERIFIED, words="100,000 parked")
        engine.change(receipts=(msgspec.structs.replace(ended, updated_at=world.NOW + 10),))
        await until(pilot, lambda: shows(app, "✔ park documents: verified, 100k of 100k moved."))
        engine.seq += 20
        engine.change(world.route("embed", ("openai-embed", 1.0), flow=1, errors=0.0))
        await until(pilot, lambda: not shows(app, "verified"))


async def test_a_console_that_comes_later_finds_what_moves() -> None:
    class Later(StillEngine):
        async def events(self) -> Any:
            stream = super().events()
            async for event in stream:
                yield with_receipt(event)

    def with_receipt(event: Event) -> Event:
        if isinstance(event, Snapshot):
            return msgspec.structs.replace(event, receipts=(backlog.receipt(43_210),))
        return event

    engine = Later([*world.calm(), *backlog.queues()])
    app = SwitchgearApp(engine, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(app, "▶ park documents", "43.2k of 100k"))
        engine.queue.put_nowait(EngineLost("the engine ended"))
        await until(pilot, lambda: shows(app, "ENGINE LOST") or shows(app, "▶ park documents"))
        await until(pilot, lambda: shows(app, "▶ park documents", "43.2k of 100k"))


async def test_the_dialog_shows_how_far_it_is_and_can_be_left() -> None:
    app, engine = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "documents")
        app.obey("park")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and shows(app, "What changes"))
        await pilot.press("tab", *"azure is down", "enter")
        await until(pilot, lambda: shows(app, "Tab to Park"))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: engine.confirmed)
        mine = msgspec.structs.replace(backlog.receipt(43_210), id=engine.confirmed[-1].proposal_id)
        engine.change(receipts=(mine,))
        await until(pilot, lambda: shows(app, "moved", "43.2k of 100k", "Close leaves it running"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, QueuesScreen) and shows(app, "▶ park documents"))


# Which queues are looked at


async def test_the_engine_is_told_which_queues_are_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaze, "SOON_S", 0.01)
    monkeypatch.setattr(gaze, "AGAIN_S", 0.3)
    many = [backlog.queue(f"q-{at:03d}", 1000 - at) for at in range(300)]
    engine = StillEngine([world.source(), backlog.source(backlog.BROKER, "rabbitmq"), *many])
    app = SwitchgearApp(engine, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.board.seq)
        await pilot.press("5")

        def seen() -> list[str]:
            return [ref.name for ref in engine.looked_at[-1].refs] if engine.looked_at else []

        await until(pilot, lambda: len(seen()) == 20)
        assert seen()[0] == "q-000"
        told = len(engine.looked_at)
        await until(pilot, lambda: len(engine.looked_at) > told)
        assert seen()[0] == "q-000", "it is said again while they are in sight"
        await pilot.press("end")
        await until(pilot, lambda: "q-299" in seen())
        assert len(seen()) == 20
        await pilot.press("enter")
        await until(pilot, lambda: seen() == ["q-299"])
        await pilot.press("escape")
        await until(pilot, lambda: len(seen()) == 20)
        await pilot.press("4")
        await until(pilot, lambda: not seen())
        told = len(engine.looked_at)
        await pilot.pause(0.8)
        assert len(engine.looked_at) == told, "where no queue is in sight nothing is said"


async def test_a_console_without_queues_says_nothing_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaze, "SOON_S", 0.01)
    engine = StillEngine(world.calm())
    app = SwitchgearApp(engine, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.board.seq)
        await pilot.press("5", "2", "1")
        await pilot.pause(0.3)
        assert not engine.looked_at


async def test_an_engine_that_refuses_to_be_told_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaze, "SOON_S", 0.01)

    class Deaf(StillEngine):
        told = 0

        async def focus(self, focus: Focus) -> None:
            self.told += 1
            raise Refusal("no")

    engine = Deaf([*world.calm(), *backlog.queues()])
    app = SwitchgearApp(engine, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.board.seq)
        await pilot.press("5")
        await until(pilot, lambda: engine.told and shows(app, "documents"))


# The stream of requests


def stream(*ages: int) -> list[AnyReading]:
    return [backlog.request(age) for age in ages]


async def at_requests(pilot: Pilot[Any], app: SwitchgearApp) -> RequestsScreen:
    await until(pilot, lambda: app.board.seq)
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, RequestsScreen) and app.selected())
    assert isinstance(app.screen, RequestsScreen)
    return app.screen


def lines(app: SwitchgearApp) -> list[str]:
    """The table's rows as they are seen, without the scrollbar."""
    return [line[:78] for line in screen_text(app)[3:-1]]


def line_of(app: SwitchgearApp, moment: str) -> int | None:
    return next((at for at, line in enumerate(screen_text(app)) if moment in line), None)


async def test_the_cursor_stays_on_its_request_while_new_ones_come() -> None:
    app, engine = app_on(backlog.source(backlog.STORE, "otlp"), *stream(*range(20, 60)))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("down", "down", "down")
        mine = app.selected()
        assert isinstance(mine, Ref)
        for age in range(19, 4, -1):
            engine.change(*stream(age))
        await until(pilot, lambda: len(app.screen.query_one("#requests").rows) == 55)  # type: ignore[attr-defined]
        assert app.selected() == mine
        await until(pilot, lambda: line_of(app, "07:59:55") is not None)
        here = line_of(app, "07:59:37")
        assert here is not None, "its row is in sight"
        engine.change(*stream(4, 3, 2))
        await until(pilot, lambda: len(app.screen.query_one("#requests").rows) == 58)  # type: ignore[attr-defined]
        await until(pilot, lambda: line_of(app, "07:59:37") is not None)
        await pilot.press("home")
        await until(pilot, lambda: line_of(app, "07:59:58") is not None)


async def test_what_is_read_further_down_does_not_move() -> None:
    app, engine = app_on(backlog.source(backlog.STORE, "otlp"), *stream(*range(20, 90)))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("pagedown", "pagedown", "pagedown")
        await pilot.pause(0.2)
        before = lines(app)
        engine.change(*stream(*range(5, 20)))
        await until(pilot, lambda: len(app.screen.query_one("#requests").rows) == 85)  # type: ignore[attr-defined]
        await pilot.pause(0.3)
        assert lines(app) == before


async def test_requests_that_left_the_board_stay_known_until_there_is_a_gap() -> None:
    app, engine = app_on(backlog.source(backlog.STORE, "otlp"), *stream(30, 31, 32))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("down")
        mine = app.selected()
        engine.change(*stream(29), removed=(backlog.request(32).ref,))
        await until(pilot, lambda: shows(app, "07:59:31", "07:59:28"))
        gone = tuple(backlog.request(age).ref for age in (29, 30, 31))
        engine.change(*stream(5, 6), removed=gone)
        await until(pilot, lambda: shows(app, "07:59:55"))
        assert app.selected() == mine, "what somebody looks at stays"
        assert not shows(app, "07:59:28")


async def test_older_requests_are_fetched_at_the_end() -> None:
    app, engine = app_on(backlog.source(backlog.STORE, "otlp"), *stream(*range(1, 11)))
    engine.stored = [backlog.request(age) for age in range(1, 151)]
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_requests(pilot, app)
        assert not engine.queries
        await pilot.press("end")
        await until(pilot, lambda: len(screen.query_one("#requests").rows) == 110)  # type: ignore[attr-defined]
        assert engine.queries[0].before == world.NOW - 10
        await pilot.press("end")
        await until(pilot, lambda: len(screen.query_one("#requests").rows) == 150)  # type: ignore[attr-defined]
        await pilot.press("home", "end")
        await until(pilot, lambda: len(engine.queries) == 3)
        await pilot.press("home", "end", "home", "end")
        await pilot.pause(0.2)
        assert len(engine.queries) == 3, "there is nothing older: it is not asked for again"


async def test_only_failures_are_picked_with_older_ones_and_that_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    failed = backlog.request(3, failed=True)
    app, engine = app_on(backlog.source(backlog.STORE, "otlp"), *stream(1, 2), failed, path=path)
    engine.stored = [backlog.request(age, failed=age > 90) for age in range(4, 100)]
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_requests(pilot, app)
        await pilot.press("f")
        await until(pilot, lambda: len(screen.query_one("#requests").rows) == 10)  # type: ignore[attr-defined]
        assert engine.queries[0].failed
        assert not shows(app, "● ok")
        assert preferences.load(path)[0].room("requests").failed
        await pilot.press("f")
        await until(pilot, lambda: shows(app, "● ok"))
        await pilot.press("5", "f")
        await until(pilot, lambda: shows(app, "requests stand on the Requests screen"))


async def test_enter_opens_a_request_and_the_cursor_tells_of_each_span() -> None:
    app, engine = app_on(*backlog.traced())
    whole = backlog.trace()
    engine.reconstructions[whole.trace_id] = recorded.plain(whole)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("down", "enter", "e")
        await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "chat azure-b"))
        assert shows(app, "✖ error", "429: rate limit reached", "none were sent")
        await pilot.press("down", "down", "down", "down")
        await until(pilot, lambda: shows(app, "gen_ai.request.model", "gpt-5"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen))
        assert app.selected() == Ref(backlog.STORE, app.selected().kind, whole.trace_id)  # type: ignore[union-attr]


async def test_a_request_that_the_source_does_not_know_is_said_on_its_page() -> None:
    app, _ = app_on(*backlog.traced())
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "no such request"))


async def test_a_request_that_goes_on_is_fetched_again_when_more_of_it_came() -> None:
    app, engine = app_on(*backlog.traced())
    whole = backlog.trace()
    engine.reconstructions[whole.trace_id] = recorded.plain(msgspec.structs.replace(whole, spans=whole.spans[:2]))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("down", "enter", "e")
        await until(pilot, lambda: isinstance(app.screen, RequestScreen) and shows(app, "retrieve"))
        assert not shows(app, "chat azure-b")
        engine.reconstructions[whole.trace_id] = recorded.plain(whole)
        engine.seq += 5
        more = whole.request
        assert isinstance(more, Request)
        engine.change(msgspec.structs.replace(more, spans=12))
        await until(pilot, lambda: shows(app, "chat azure-b"))


async def test_a_request_of_5000_spans_is_walked_through() -> None:
    app, engine = app_on(*backlog.traced())
    whole = backlog.trace()
    engine.reconstructions[whole.trace_id] = recorded.with_spans(whole, 5_000)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_requests(pilot, app)
        await pilot.press("down", "enter", "e")
        await until(pilot, lambda: shows(app, "step 9"))
        await pilot.press("end")
        await until(pilot, lambda: shows(app, "step 4999"))


# Arranged


async def test_the_queues_are_arranged_as_the_operator_left_them(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    app, _ = app_on(path=path)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_queue(pilot, app, "documents")
        app.obey("sort depth")
        app.obey("column workers")
        app.narrow("broker")
        await until(pilot, lambda: line_of(app, "documents") == 3)
    again, _ = app_on(path=path)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: again.board.seq)
        await pilot.press("5")
        await until(pilot, lambda: line_of(again, "documents") == 3)
        assert "workers" not in screen_text(again)[2]
        assert shows(again, "/broker")
